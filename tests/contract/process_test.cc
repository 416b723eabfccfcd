// Children by fork, and being asked to stop: what os/process.h promises. A child tells what it saw
// by its exit code and by files: it shares nothing else with its parent.
#include "tests/contract/machine.h"

namespace seatrial::contract {
namespace {

CONTRACT_SUITE(ProcessContract);

using os::ExitStatus;
using os::Pid;
using os::Signal;
using os::Snapshot;

struct Numbers final : Snapshot {
  std::vector<int> values;
  std::unique_ptr<Snapshot> freeze() const override { return std::make_unique<Numbers>(*this); }
};

const std::vector<int>& values_of(const Snapshot& data) {
  return static_cast<const Numbers&>(data).values;
}

constexpr ExitStatus exited(int code) { return {.exited = true, .code = code}; }
constexpr ExitStatus killed() { return {.exited = false, .code = 9}; }

void mark_file(Os& os, std::string_view path) { must(os.disk.open(path, os::kOpenOrCreate)); }

// Waits until `path` is there; false if it does not come.
bool appears(Os& os, std::string_view path) {
  const auto deadline = in(os, 10s);
  while (os.clock.monotonic() < deadline) {
    if (must(os::exists(os.disk, path))) return true;
    must(os.clock.sleep_for(1ms));
  }
  return false;
}

TEST_P(ProcessContract, ExitCodesComeBack) {
  run([](Os& os) {
    for (const int code : {0, 1, 42}) {
      const Pid child =
          must(os.process.fork("child", Numbers(), [code](Os&, const Snapshot&) { return code; }));
      EXPECT_NE(child, os.process.pid());
      EXPECT_TRUE(must(os.process.wait(child, in(os, 10s))) == exited(code));
    }
  });
}

TEST_P(ProcessContract, TheChildSeesTheDataAsOfTheFork) {
  run([](Os& os) {
    Numbers numbers;
    numbers.values = {1, 2, 3};
    const Pid child = must(os.process.fork("child", numbers, [](Os& own, const Snapshot& data) {
      must(own.clock.sleep_for(5ms));
      int sum = 0;
      for (const int value : values_of(data)) sum += value;
      return sum;
    }));
    // The parent goes on changing it.
    numbers.values.assign(100, 1);
    EXPECT_TRUE(must(os.process.wait(child, in(os, 10s))) == exited(6));
    EXPECT_EQ(numbers.values.size(), 100u);
  });
}

TEST_P(ProcessContract, TheChildHasAnOsOfItsOwn) {
  run([](Os& os) {
    const Pid parent = os.process.pid();
    const Pid child = must(os.process.fork("child", Numbers(), [parent](Os& own, const Snapshot&) {
      if (own.process.pid() == parent) return 1;
      // Fibers, timers, streams and files all work here.
      auto listener = must(own.network.listen({"localhost", 0}));
      const uint16_t port = listener->local().port;
      os::FiberGroup group(own.fibers);
      group.spawn("client", [&own, port] {
        auto stream = must(own.network.connect({"localhost", port}, in(own, 5s)));
        must(os::write_all(*stream, "from inside"));
      });
      auto stream = must(listener->accept(in(own, 5s)));
      char buffer[32];
      const size_t count = must(stream->read(buffer, in(own, 5s)));
      auto file = must(own.disk.open("child.out", os::kCreateNew));
      must(os::append_all(*file, {buffer, count}));
      must(file->sync_data());
      return own.process.stop_requested().is_set() ? 2 : 0;
    }));
    EXPECT_TRUE(must(os.process.wait(child, in(os, 10s))) == exited(0));
    EXPECT_EQ(must(os::read_file(os.disk, "child.out", 100)), "from inside");
  });
}

TEST_P(ProcessContract, TheChildDoesNotHoldTheParentsPortsAndStreams) {
  run([](Os& os) {
    auto listener = must(os.network.listen({"localhost", 0}));
    const uint16_t port = listener->local().port;
    auto client = must(os.network.connect({"localhost", port}, in(os, 5s)));
    auto server = must(listener->accept(in(os, 5s)));
    const Pid child = must(os.process.fork("child", Numbers(), [](Os& own, const Snapshot&) {
      mark_file(own, "child.runs");
      return own.clock.sleep_for(1h) ? 0 : 1;
    }));
    ASSERT_TRUE(appears(os, "child.runs"));
    server->close();
    char buffer[8];
    EXPECT_EQ(must(client->read(buffer, in(os, 5s))), 0u) << "the end of the stream arrives";
    listener->close();
    EXPECT_OK(os.network.listen({"localhost", port})) << "and the port is free";
    EXPECT_OK(os.process.kill(child, Signal::kKill));
    EXPECT_TRUE(must(os.process.wait(child, in(os, 10s))) == killed());
  });
}

TEST_P(ProcessContract, TheParentGoesOnWhileTheChildWorks) {
  run([](Os& os) {
    const Pid child = must(os.process.fork("child", Numbers(), [](Os& own, const Snapshot&) {
      if (!appears(own, "parent.done")) return 1;
      return 0;
    }));
    must(os.clock.sleep_for(1ms));
    mark_file(os, "parent.done");
    EXPECT_TRUE(must(os.process.wait(child, in(os, 10s))) == exited(0));
  });
}

TEST_P(ProcessContract, SeveralChildrenAtOnce) {
  run([](Os& os) {
    std::vector<Pid> children;
    for (int i = 0; i < 4; ++i) {
      children.push_back(must(os.process.fork("child", Numbers(), [i](Os& own, const Snapshot&) {
        must(own.clock.sleep_for(std::chrono::milliseconds(4 - i)));
        return i;
      })));
    }
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(must(os.process.wait(children[static_cast<size_t>(i)], in(os, 10s))) ==
                  exited(i));
    }
  });
}

TEST_P(ProcessContract, AnEndedChildIsKnownUntilItIsWaitedFor) {
  run([](Os& os) {
    const Pid child =
        must(os.process.fork("child", Numbers(), [](Os&, const Snapshot&) { return 3; }));
    must(os.clock.sleep_for(20ms));
    EXPECT_OK(os.process.kill(child, Signal::kKill)) << "it has ended, but is still a child";
    EXPECT_TRUE(must(os.process.wait(child, in(os, 10s))) == exited(3));
    EXPECT_FAILS(os.process.wait(child, in(os, 10s)), kNotFound);
    EXPECT_FAILS(os.process.kill(child, Signal::kKill), kNotFound);
  });
}

TEST_P(ProcessContract, OnlyChildrenCanBeWaitedFor) {
  run([](Os& os) {
    EXPECT_FAILS(os.process.wait(os.process.pid(), in(os, 1s)), kNotFound);
    EXPECT_FAILS(os.process.wait(1, in(os, 1s)), kNotFound);
    EXPECT_FAILS(os.process.kill(1, Signal::kTerminate), kNotFound);
  });
}

TEST_P(ProcessContract, WaitHasADeadlineAndCanBeCancelled) {
  run([](Os& os) {
    const Pid child = must(os.process.fork("child", Numbers(), [](Os& own, const Snapshot&) {
      return own.clock.sleep_for(1h) ? 0 : 1;
    }));
    EXPECT_FAILS(os.process.wait(child, in(os, 2ms)), kDeadline);
    std::string end;
    os::Fiber waiter =
        os.fibers.spawn("waiter", [&] { end = outcome(os.process.wait(child, in(os, 10s))); });
    must(os.clock.sleep_for(1ms));
    waiter.cancel();
    EXPECT_OK(waiter.join(in(os, 5s)));
    EXPECT_EQ(end, "cancelled");
    EXPECT_OK(os.process.kill(child, Signal::kKill));
    EXPECT_TRUE(must(os.process.wait(child, in(os, 10s))) == killed());
  });
}

TEST_P(ProcessContract, OfTwoWhoWaitOneGetsTheStatus) {
  run([](Os& os) {
    const Pid child = must(os.process.fork("child", Numbers(), [](Os& own, const Snapshot&) {
      must(own.clock.sleep_for(5ms));
      return 0;
    }));
    std::vector<std::string> ends;
    os::FiberGroup group(os.fibers);
    for (int i = 0; i < 2; ++i) {
      group.spawn("waiter", [&] { ends.push_back(outcome(os.process.wait(child, in(os, 10s)))); });
    }
    EXPECT_OK(group.join(in(os, 20s)));
    std::ranges::sort(ends);
    EXPECT_EQ(ends, (std::vector<std::string>{"not found", "ok"}));
  });
}

TEST_P(ProcessContract, AKilledChildSaysNothing) {
  run([](Os& os) {
    const Pid child = must(os.process.fork("child", Numbers(), [](Os& own, const Snapshot&) {
      struct Farewell {
        Os& own;
        ~Farewell() { (void)own.disk.open("farewell", os::kOpenOrCreate); }
      } const farewell{own};
      mark_file(own, "child.runs");
      return own.clock.sleep_for(1h) ? 0 : 1;
    }));
    ASSERT_TRUE(appears(os, "child.runs"));
    EXPECT_OK(os.process.kill(child, Signal::kKill));
    EXPECT_TRUE(must(os.process.wait(child, in(os, 10s))) == killed());
    EXPECT_EQ(must(os::exists(os.disk, "farewell")), false);
  });
}

TEST_P(ProcessContract, AnOrphanGoesOn) {
  run([](Os& os) {
    const Pid child = must(os.process.fork("child", Numbers(), [](Os& own, const Snapshot&) {
      const Pid grandchild =
          must(own.process.fork("grandchild", Numbers(), [](Os& its, const Snapshot&) {
            if (!appears(its, "parent.gone")) return 1;
            mark_file(its, "orphan.wrote");
            return 0;
          }));
      return grandchild > 0 ? 7 : 1;
    }));
    EXPECT_TRUE(must(os.process.wait(child, in(os, 10s))) == exited(7));
    mark_file(os, "parent.gone");
    EXPECT_TRUE(appears(os, "orphan.wrote"));
  });
}

TEST_P(ProcessContract, AStopRequestSetsTheEvent) {
  run([](Os& os) {
    EXPECT_FALSE(os.process.stop_requested().is_set());
    EXPECT_FAILS(os.process.stop_requested().wait(in(os, 1ms)), kDeadline);
    EXPECT_OK(os.process.kill(os.process.pid(), Signal::kTerminate));
    EXPECT_OK(os.process.stop_requested().wait(in(os, 10s)));
  });
}

TEST_P(ProcessContract, AChildIsAskedToStopByItself) {
  run([](Os& os) {
    const Pid child = must(os.process.fork("child", Numbers(), [](Os& own, const Snapshot&) {
      mark_file(own, "child.runs");
      return own.process.stop_requested().wait(in(own, 10s)) ? 5 : 6;
    }));
    ASSERT_TRUE(appears(os, "child.runs"));
    EXPECT_OK(os.process.kill(child, Signal::kTerminate));
    EXPECT_TRUE(must(os.process.wait(child, in(os, 10s))) == exited(5));
    EXPECT_FALSE(os.process.stop_requested().is_set());
  });
}

TEST_P(ProcessContract, AStopRequestIsForOneLife) {
  const auto asked = [](Os& os) {
    EXPECT_OK(os.process.kill(os.process.pid(), Signal::kTerminate));
    EXPECT_OK(os.process.stop_requested().wait(in(os, 10s)));
  };
  const auto not_asked = [](Os& os) {
    EXPECT_FAILS(os.process.stop_requested().wait(in(os, 1ms)), kDeadline);
  };
  run_lives({asked, not_asked});
}

TEST_P(ProcessContract, WhenMainReturnsNobodyElseRuns) {
  auto order = std::make_shared<std::vector<std::string>>();
  run([order](Os& os) {
    for (const char* name : {"first", "second"}) {
      os.fibers.spawn(name, [order, name, &os] {
        struct Gone {
          std::vector<std::string>& order;
          const char* name;
          ~Gone() { order.push_back(name); }
        } const gone{*order, name};
        for (;;) {
          must(os.clock.sleep_for(1ms));
        }
      });
    }
    must(os.clock.sleep_for(3ms));
    order->push_back("main");
  });
  EXPECT_EQ(*order, (std::vector<std::string>{"main", "second", "first"}));
}

// ---- Links

// A child that ends each line it gets with a mark and sends it back, until the parent has said all.
int echo(Os& own, std::unique_ptr<os::Stream> parent) {
  char buffer[100];
  for (;;) {
    const size_t count = must(parent->read(buffer, in(own, 10s)));
    if (count == 0) return 0;
    must(os::write_all(*parent, {buffer, count}, in(own, 10s)));
  }
}

std::string read_all(Os& os, os::Stream& stream) {
  std::string all;
  std::vector<char> buffer(4096);
  while (const size_t count = must(stream.read(buffer, in(os, 10s)))) {
    all.append(buffer.data(), count);
  }
  return all;
}

TEST_P(ProcessContract, ALinkCarriesBytesBothWays) {
  run([](Os& os) {
    Numbers numbers;
    numbers.values = {1, 2, 3};
    os::LinkedChild child = must(os.process.fork_linked(
        "child", numbers, [](Os& own, const Snapshot& data, std::unique_ptr<os::Stream> parent) {
          return values_of(data).size() == 3 ? echo(own, std::move(parent)) : 1;
        }));
    EXPECT_NE(child.pid, os.process.pid());
    const std::string sent = pattern(1'000'000);
    os::FiberGroup group(os.fibers);
    group.spawn("writer", [&] {
      must(os::write_all(*child.stream, sent, in(os, 10s)));
      child.stream->shutdown_write();
    });
    EXPECT_TRUE(read_all(os, *child.stream) == sent);
    EXPECT_TRUE(must(os.process.wait(child.pid, in(os, 10s))) == exited(0));
  });
}

TEST_P(ProcessContract, ALinkTakesNoMoreThanTheOtherSideReads) {
  run([](Os& os) {
    os::LinkedChild child = must(os.process.fork_linked(
        "child", Numbers(), [](Os& own, const Snapshot&, std::unique_ptr<os::Stream> parent) {
          if (!appears(own, "full")) return 1;
          return read_all(own, *parent) == pattern(4'000'000) ? 0 : 2;
        }));
    const std::string sent = pattern(4'000'000);
    std::string_view rest = sent;
    for (;;) {
      const auto taken = child.stream->write(rest, in(os, 50ms));
      if (!taken) {
        EXPECT_FAILS(taken, kDeadline);
        break;
      }
      rest.remove_prefix(*taken);
    }
    EXPECT_GT(rest.size(), 0u);
    mark_file(os, "full");
    EXPECT_OK(os::write_all(*child.stream, rest, in(os, 10s)));
    child.stream->close();
    EXPECT_TRUE(must(os.process.wait(child.pid, in(os, 10s))) == exited(0));
  });
}

TEST_P(ProcessContract, WhatAChildWroteBeforeItEndedIsRead) {
  run([](Os& os) {
    os::LinkedChild child = must(os.process.fork_linked(
        "child", Numbers(), [](Os& own, const Snapshot&, std::unique_ptr<os::Stream> parent) {
          must(os::write_all(*parent, "last words", in(own, 10s)));
          return 0;
        }));
    EXPECT_TRUE(must(os.process.wait(child.pid, in(os, 10s))) == exited(0));
    EXPECT_EQ(read_all(os, *child.stream), "last words");
  });
}

TEST_P(ProcessContract, AKilledChildsEndOfTheLinkCloses) {
  run([](Os& os) {
    os::LinkedChild child = must(os.process.fork_linked(
        "child", Numbers(), [](Os& own, const Snapshot&, std::unique_ptr<os::Stream> parent) {
          must(os::write_all(*parent, "begun", in(own, 10s)));
          return own.clock.sleep_for(1h) ? 0 : 1;
        }));
    char buffer[100];
    ASSERT_GT(must(child.stream->read(buffer, in(os, 10s))), 0u);
    EXPECT_OK(os.process.kill(child.pid, Signal::kKill));
    while (must(child.stream->read(buffer, in(os, 10s))) > 0) {
    }
    EXPECT_TRUE(must(os.process.wait(child.pid, in(os, 10s))) == killed());
    // Writing fails as soon as its kernel has said so.
    std::string end = "ok";
    for (int i = 0; i < 100 && end == "ok"; ++i) {
      end = outcome(child.stream->write("anybody?", in(os, 1s)));
      must(os.clock.sleep_for(1ms));
    }
    EXPECT_EQ(end, base::to_string(Errc::kReset));
  });
}

TEST_P(ProcessContract, AKilledChildThatLeftBytesUnreadResetsTheLink) {
  run([](Os& os) {
    os::LinkedChild child = must(os.process.fork_linked(
        "child", Numbers(), [](Os& own, const Snapshot&, std::unique_ptr<os::Stream>) {
          return own.clock.sleep_for(1h) ? 0 : 1;
        }));
    must(os::write_all(*child.stream, "never read", in(os, 10s)));
    must(os.clock.sleep_for(5ms));
    EXPECT_OK(os.process.kill(child.pid, Signal::kKill));
    char buffer[8];
    EXPECT_FAILS(child.stream->read(buffer, in(os, 10s)), kReset);
    EXPECT_FAILS(child.stream->write("x", in(os, 10s)), kReset);
    EXPECT_TRUE(must(os.process.wait(child.pid, in(os, 10s))) == killed());
  });
}

TEST_P(ProcessContract, AnOrphanReadsTheEndOfItsLink) {
  run([](Os& os) {
    // The middle one is killed while it holds the link to its own child.
    const Pid middle = must(os.process.fork("middle", Numbers(), [](Os& own, const Snapshot&) {
      const os::LinkedChild child = must(own.process.fork_linked(
          "child", Numbers(), [](Os& its, const Snapshot&, std::unique_ptr<os::Stream> parent) {
            mark_file(its, "linked");
            char buffer[8];
            const auto got = parent->read(buffer, in(its, 10s));
            if (got && *got == 0) mark_file(its, "end.read");
            return 0;
          }));
      return own.clock.sleep_for(1h) && child.pid > 0 ? 0 : 1;
    }));
    ASSERT_TRUE(appears(os, "linked"));
    EXPECT_FALSE(must(os::exists(os.disk, "end.read")));
    EXPECT_OK(os.process.kill(middle, Signal::kKill));
    EXPECT_TRUE(must(os.process.wait(middle, in(os, 10s))) == killed());
    EXPECT_TRUE(appears(os, "end.read"));
  });
}

TEST_P(ProcessContract, AChildHoldsNoneOfItsSiblingsLinks) {
  run([](Os& os) {
    os::LinkedChild first = must(os.process.fork_linked(
        "first", Numbers(), [](Os& own, const Snapshot&, std::unique_ptr<os::Stream> parent) {
          char buffer[8];
          return must(parent->read(buffer, in(own, 10s))) == 0 ? 0 : 1;
        }));
    const Pid second = must(os.process.fork("second", Numbers(), [](Os& own, const Snapshot&) {
      mark_file(own, "second.runs");
      return own.clock.sleep_for(1h) ? 0 : 1;
    }));
    ASSERT_TRUE(appears(os, "second.runs"));
    first.stream->close();
    EXPECT_TRUE(must(os.process.wait(first.pid, in(os, 10s))) == exited(0));
    EXPECT_OK(os.process.kill(second, Signal::kKill));
    EXPECT_TRUE(must(os.process.wait(second, in(os, 10s))) == killed());
  });
}

TEST_P(ProcessContract, AResetLinkIsClosed) {
  run([](Os& os) {
    os::LinkedChild child = must(os.process.fork_linked(
        "child", Numbers(), [](Os& own, const Snapshot&, std::unique_ptr<os::Stream> parent) {
          char buffer[8];
          return must(parent->read(buffer, in(own, 10s))) == 0 ? 0 : 1;
        }));
    child.stream->reset();
    char buffer[8];
    EXPECT_FAILS(child.stream->read(buffer, in(os, 1s)), kClosed);
    EXPECT_TRUE(must(os.process.wait(child.pid, in(os, 10s))) == exited(0));
  });
}

}  // namespace
}  // namespace seatrial::contract
