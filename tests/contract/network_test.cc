// Streams, listeners and connects: what os/network.h promises.
#include "tests/contract/machine.h"

#include <algorithm>
#include <utility>

namespace seatrial::contract {
namespace {

CONTRACT_SUITE(NetworkContract);

using os::Address;
using os::Listener;
using os::Stream;

std::unique_ptr<Listener> listen(Os& os, uint16_t port = 0, int backlog = 16) {
  return must(os.network.listen({"localhost", port}, backlog));
}

Address of(const Listener& listener) { return {"localhost", listener.local().port}; }

struct Pair {
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
};

Pair connected(Os& os) {
  auto listener = listen(os);
  auto client = must(os.network.connect(of(*listener), in(os, 5s)));
  auto server = must(listener->accept(in(os, 5s)));
  return {std::move(client), std::move(server)};
}

// Everything up to the end of the stream.
std::string read_to_end(Os& os, Stream& stream, size_t piece = 4096) {
  std::string all;
  std::string buffer(piece, '\0');
  for (;;) {
    const size_t count = must(stream.read(buffer, in(os, 5s)));
    if (count == 0) return all;
    all.append(buffer, 0, count);
  }
}

Result<size_t> read_once(Os& os, Stream& stream, os::Duration patience = 5s) {
  char buffer[64];
  return stream.read(buffer, in(os, patience));
}

// Writes until the stream takes nothing more for a while; returns how much it took.
size_t fill(Os& os, Stream& stream, const std::string& bytes) {
  size_t taken = 0;
  while (taken < bytes.size()) {
    auto count = stream.write(std::string_view(bytes).substr(taken), in(os, 20ms));
    if (!count) {
      EXPECT_FAILS(count, kDeadline);
      break;
    }
    taken += *count;
  }
  return taken;
}

// Larger than what a stream takes without a reader, on any machine.
constexpr size_t kMoreThanBuffersHold = size_t{24} << 20;

// ---- Bytes

TEST_P(NetworkContract, BytesGoBothWays) {
  run([](Os& os) {
    Pair pair = connected(os);
    EXPECT_OK(os::write_all(*pair.client, "ping"));
    char buffer[64];
    size_t got = must(pair.server->read(buffer, in(os, 5s)));
    EXPECT_EQ(std::string_view(buffer, got), "ping");
    EXPECT_OK(os::write_all(*pair.server, "pong"));
    got = must(pair.client->read(buffer, in(os, 5s)));
    EXPECT_EQ(std::string_view(buffer, got), "pong");
  });
}

TEST_P(NetworkContract, ReadTakesNoMoreThanAskedFor) {
  run([](Os& os) {
    Pair pair = connected(os);
    EXPECT_OK(os::write_all(*pair.client, "abcdefg"));
    pair.client->shutdown_write();
    EXPECT_EQ(read_to_end(os, *pair.server, 2), "abcdefg");
  });
}

TEST_P(NetworkContract, WriteOfNothingTakesNothing) {
  run([](Os& os) {
    Pair pair = connected(os);
    EXPECT_EQ(must(pair.client->write("")), 0u);
  });
}

TEST_P(NetworkContract, BigTransferArrivesWholeAndInOrder) {
  run([](Os& os) {
    Pair pair = connected(os);
    const std::string sent = pattern(1 << 20);
    os::FiberGroup writers(os.fibers);
    writers.spawn("writer", [&] {
      EXPECT_OK(os::write_all(*pair.client, sent, in(os, 10s)));
      pair.client->shutdown_write();
    });
    EXPECT_TRUE(read_to_end(os, *pair.server, 3001) == sent);
  });
}

TEST_P(NetworkContract, BothDirectionsFlowAtOnce) {
  run([](Os& os) {
    Pair pair = connected(os);
    const std::string there = pattern(300'000, 1);
    const std::string back = pattern(300'000, 2);
    os::FiberGroup writers(os.fibers);
    writers.spawn("there", [&] {
      EXPECT_OK(os::write_all(*pair.client, there, in(os, 10s)));
      pair.client->shutdown_write();
    });
    writers.spawn("back", [&] {
      EXPECT_OK(os::write_all(*pair.server, back, in(os, 10s)));
      pair.server->shutdown_write();
    });
    std::string got_back;
    writers.spawn("reader", [&] { got_back = read_to_end(os, *pair.client); });
    EXPECT_TRUE(read_to_end(os, *pair.server) == there);
    EXPECT_OK(writers.join(in(os, 5s)));
    EXPECT_TRUE(got_back == back);
  });
}

TEST_P(NetworkContract, SlowReaderHoldsTheWriterBack) {
  run([](Os& os) {
    Pair pair = connected(os);
    const std::string sent = pattern(kMoreThanBuffersHold);
    const size_t taken = fill(os, *pair.client, sent);
    ASSERT_GT(taken, 0u);
    ASSERT_LT(taken, sent.size()) << "a stream without a reader takes everything";
    // What was taken arrives; what timed out was not taken.
    pair.client->shutdown_write();
    EXPECT_TRUE(read_to_end(os, *pair.server, 1 << 16) == sent.substr(0, taken));
  });
}

TEST_P(NetworkContract, WriterGoesOnWhenTheReaderDoes) {
  run([](Os& os) {
    Pair pair = connected(os);
    const std::string sent = pattern(kMoreThanBuffersHold);
    os::FiberGroup writers(os.fibers);
    writers.spawn("writer", [&] {
      EXPECT_OK(os::write_all(*pair.client, sent, in(os, 10s)));
      pair.client->close();
    });
    must(os.clock.sleep_for(20ms));
    EXPECT_TRUE(read_to_end(os, *pair.server, 1 << 16) == sent);
  });
}

// ---- Ends

TEST_P(NetworkContract, HalfCloseEndsOneDirection) {
  run([](Os& os) {
    Pair pair = connected(os);
    EXPECT_OK(os::write_all(*pair.client, "question"));
    pair.client->shutdown_write();
    EXPECT_EQ(read_to_end(os, *pair.server), "question");
    EXPECT_EQ(must(read_once(os, *pair.server)), 0u) << "the end stays the end";
    EXPECT_OK(os::write_all(*pair.server, "answer"));
    pair.server->shutdown_write();
    EXPECT_EQ(read_to_end(os, *pair.client), "answer");
    EXPECT_FAILS(pair.client->write("more"), kClosed);
  });
}

TEST_P(NetworkContract, EndWakesAParkedReader) {
  run([](Os& os) {
    Pair pair = connected(os);
    os::FiberGroup group(os.fibers);
    group.spawn("closer", [&] {
      must(os.clock.sleep_for(5ms));
      pair.client->close();
    });
    EXPECT_EQ(must(read_once(os, *pair.server)), 0u);
  });
}

TEST_P(NetworkContract, CloseDeliversWhatWasWritten) {
  run([](Os& os) {
    Pair pair = connected(os);
    EXPECT_OK(os::write_all(*pair.client, "last words"));
    pair.client.reset();
    EXPECT_EQ(read_to_end(os, *pair.server), "last words");
  });
}

TEST_P(NetworkContract, CloseWithUnreadBytesResetsThePeer) {
  run([](Os& os) {
    for (const bool server_closes : {true, false}) {
      Pair pair = connected(os);
      Stream& closer = server_closes ? *pair.server : *pair.client;
      Stream& peer = server_closes ? *pair.client : *pair.server;
      EXPECT_OK(os::write_all(peer, "a question that nobody reads"));
      char first[1];
      EXPECT_EQ(must(closer.read(first, in(os, 5s))), 1u);
      closer.close();
      EXPECT_FAILS(read_once(os, peer), kReset);
      EXPECT_FAILS(read_once(os, peer), kReset) << "and stays so";
      EXPECT_FAILS(peer.write("x"), kReset);
    }
  });
}

TEST_P(NetworkContract, ResetCutsAParkedPeer) {
  run([](Os& os) {
    for (const bool server_resets : {true, false}) {
      Pair pair = connected(os);
      Stream& cutter = server_resets ? *pair.server : *pair.client;
      Stream& peer = server_resets ? *pair.client : *pair.server;
      os::FiberGroup group(os.fibers);
      group.spawn("cutter", [&] {
        must(os.clock.sleep_for(5ms));
        cutter.reset();
      });
      EXPECT_FAILS(read_once(os, peer), kReset);
      EXPECT_FAILS(peer.write("x"), kReset);
      EXPECT_FAILS(read_once(os, cutter), kClosed);
    }
  });
}

TEST_P(NetworkContract, ResetCutsAParkedWriter) {
  run([](Os& os) {
    Pair pair = connected(os);
    fill(os, *pair.client, pattern(kMoreThanBuffersHold));
    os::FiberGroup group(os.fibers);
    group.spawn("cutter", [&] {
      must(os.clock.sleep_for(5ms));
      pair.server->reset();
    });
    EXPECT_FAILS(pair.client->write(std::string(1 << 16, 'x'), in(os, 5s)), kReset);
  });
}

TEST_P(NetworkContract, WritingToAClosedPeerFailsInTheEnd) {
  run([](Os& os) {
    Pair pair = connected(os);
    pair.server->close();
    Result<size_t> written = 0;
    for (int i = 0; i < 100 && written; ++i) {
      written = pair.client->write("is anybody there?", in(os, 1s));
      must(os.clock.sleep_for(1ms));
    }
    EXPECT_FAILS(written, kReset);
  });
}

TEST_P(NetworkContract, AClosedStreamAnswersClosed) {
  run([](Os& os) {
    Pair pair = connected(os);
    pair.client->close();
    pair.client->close();
    pair.client->reset();
    pair.client->shutdown_write();
    EXPECT_FAILS(read_once(os, *pair.client), kClosed);
    EXPECT_FAILS(pair.client->write("x"), kClosed);
  });
}

TEST_P(NetworkContract, CloseWhileParkedReturnsClosed) {
  run([](Os& os) {
    Pair pair = connected(os);
    auto listener = listen(os);
    fill(os, *pair.client, pattern(kMoreThanBuffersHold));
    std::string read, written, accepted;
    os::FiberGroup group(os.fibers);
    group.spawn("reader", [&] { read = outcome(read_once(os, *pair.client)); });
    group.spawn("writer", [&] {
      written = outcome(pair.client->write(std::string(1 << 16, 'x'), in(os, 5s)));
    });
    group.spawn("acceptor", [&] { accepted = outcome(listener->accept(in(os, 5s))); });
    must(os.clock.sleep_for(5ms));
    pair.client->close();
    listener->close();
    EXPECT_OK(group.join(in(os, 2s)));
    EXPECT_EQ(read, "closed");
    EXPECT_EQ(written, "closed");
    EXPECT_EQ(accepted, "closed");
  });
}

// ---- Deadlines and cancel

TEST_P(NetworkContract, DeadlinesEndTheWaitAndNothingElse) {
  run([](Os& os) {
    Pair pair = connected(os);
    const auto deadline = in(os, 5ms);
    char buffer[8];
    EXPECT_FAILS(pair.server->read(buffer, deadline), kDeadline);
    EXPECT_GE(os.clock.monotonic(), deadline);
    EXPECT_FAILS(pair.server->read(buffer, deadline), kDeadline) << "it has passed already";
    EXPECT_OK(os::write_all(*pair.client, "late"));
    EXPECT_EQ(must(pair.server->read(buffer, in(os, 5s))), 4u);

    auto listener = listen(os);
    EXPECT_FAILS(listener->accept(in(os, 5ms)), kDeadline);
    auto client = must(os.network.connect(of(*listener), in(os, 5s)));
    EXPECT_OK(listener->accept(in(os, 5s)));
  });
}

TEST_P(NetworkContract, ConnectHasADeadline) {
  run([](Os& os) {
    // Nobody accepts: when the backlog is full a caller waits in the network.
    auto listener = listen(os, 0, 1);
    std::vector<std::unique_ptr<Stream>> streams;
    Result<std::unique_ptr<Stream>> last;
    for (int i = 0; i < 8 && last; ++i) {
      last = os.network.connect(of(*listener), in(os, 30ms));
      if (last) streams.push_back(*std::move(last));
    }
    EXPECT_FAILS(last, kDeadline);
  });
}

TEST_P(NetworkContract, CancelEndsEachKindOfParkedCall) {
  run([](Os& os) {
    Pair pair = connected(os);
    Pair stuck = connected(os);
    auto listener = listen(os);
    fill(os, *stuck.client, pattern(kMoreThanBuffersHold));
    std::vector<std::string> ends;
    std::vector<os::Fiber> fibers;
    fibers.push_back(os.fibers.spawn(
        "reader", [&] { ends.push_back(outcome(read_once(os, *pair.server, 10s))); }));
    fibers.push_back(os.fibers.spawn("writer", [&] {
      ends.push_back(outcome(stuck.client->write(std::string(1 << 16, 'x'), in(os, 10s))));
    }));
    fibers.push_back(os.fibers.spawn(
        "acceptor", [&] { ends.push_back(outcome(listener->accept(in(os, 10s)))); }));
    must(os.clock.sleep_for(5ms));
    EXPECT_TRUE(ends.empty());
    for (os::Fiber& fiber : fibers) fiber.cancel();
    for (os::Fiber& fiber : fibers) EXPECT_OK(fiber.join(in(os, 5s)));
    EXPECT_EQ(ends, std::vector<std::string>(3, "cancelled"));
    // The stream itself is unharmed.
    EXPECT_OK(os::write_all(*pair.client, "still here"));
    EXPECT_OK(read_once(os, *pair.server));
  });
}

TEST_P(NetworkContract, CancelEndsAParkedConnect) {
  run([](Os& os) {
    auto listener = listen(os, 0, 1);
    std::vector<std::unique_ptr<Stream>> streams;
    std::string end;
    os::Fiber caller = os.fibers.spawn("caller", [&] {
      for (int i = 0; i < 8 && end.empty(); ++i) {
        auto stream = os.network.connect(of(*listener), in(os, 10s));
        if (!stream) {
          end = outcome(stream);
        } else {
          streams.push_back(*std::move(stream));
        }
      }
    });
    must(os.clock.sleep_for(20ms));
    caller.cancel();
    EXPECT_OK(caller.join(in(os, 5s)));
    EXPECT_EQ(end, "cancelled");
  });
}

TEST_P(NetworkContract, ACancelledFiberIsToldByEachCallThatCouldPark) {
  run([](Os& os) {
    Pair pair = connected(os);
    EXPECT_OK(os::write_all(*pair.client, "there is something to read"));
    must(os.clock.sleep_for(5ms));
    auto listener = listen(os);
    auto waiting = must(os.network.connect(of(*listener), in(os, 5s)));
    std::vector<std::string> ends;
    os::Fiber fiber = os.fibers.spawn("cancelled", [&] {
      ends.push_back(outcome(listener->accept()));
      ends.push_back(outcome(read_once(os, *pair.server)));
      ends.push_back(outcome(pair.server->write("x")));
      ends.push_back(outcome(os.network.connect(of(*listener))));
      ends.push_back(outcome(os.clock.sleep_for(1h)));
      ends.push_back(outcome(os.fibers.yield()));
    });
    fiber.cancel();
    EXPECT_OK(fiber.join(in(os, 5s)));
    EXPECT_EQ(ends, std::vector<std::string>(6, "cancelled"));
  });
}

// ---- Connecting and listening

TEST_P(NetworkContract, ConnectIsRefusedWhereNobodyListens) {
  run([](Os& os) {
    auto listener = listen(os);
    const Address address = of(*listener);
    listener->close();
    EXPECT_FAILS(os.network.connect(address, in(os, 5s)), kRefused);
    EXPECT_FAILS(listener->accept(in(os, 5s)), kClosed);
  });
}

TEST_P(NetworkContract, APortHasOneListener) {
  run([](Os& os) {
    auto listener = listen(os);
    const uint16_t port = listener->local().port;
    EXPECT_FAILS(os.network.listen({"localhost", port}), kAddressInUse);
    // Once it is closed the port is free, also where streams that came through it live on.
    auto client = must(os.network.connect(of(*listener), in(os, 5s)));
    auto server = must(listener->accept(in(os, 5s)));
    server->close();
    listener->close();
    EXPECT_OK(os.network.listen({"localhost", port}));
  });
}

TEST_P(NetworkContract, ListenOnAllInterfaces) {
  run([](Os& os) {
    auto listener = must(os.network.listen({"", 0}));
    EXPECT_NE(listener->local().port, 0);
    auto client = must(os.network.connect({"localhost", listener->local().port}, in(os, 5s)));
    EXPECT_OK(listener->accept(in(os, 5s)));
  });
}

TEST_P(NetworkContract, ListenOnlyOnOwnAddresses) {
  run([](Os& os) { EXPECT_FAILS(os.network.listen({"203.0.113.7", 0}), kInvalidArgument); });
}

TEST_P(NetworkContract, ConnectionsWaitInTheBacklog) {
  run([](Os& os) {
    auto listener = listen(os);
    auto first = must(os.network.connect(of(*listener), in(os, 5s)));
    EXPECT_OK(os::write_all(*first, "1"));
    auto second = must(os.network.connect(of(*listener), in(os, 5s)));
    EXPECT_OK(os::write_all(*second, "2"));
    first->shutdown_write();
    second->shutdown_write();
    auto a = must(listener->accept(in(os, 5s)));
    auto b = must(listener->accept(in(os, 5s)));
    EXPECT_EQ(read_to_end(os, *a), "1");
    EXPECT_EQ(read_to_end(os, *b), "2");
  });
}

TEST_P(NetworkContract, UnacceptedConnectionsAreResetWithTheirListener) {
  run([](Os& os) {
    auto listener = listen(os);
    auto client = must(os.network.connect(of(*listener), in(os, 5s)));
    must(os.clock.sleep_for(5ms));
    listener.reset();
    EXPECT_FAILS(read_once(os, *client), kReset);
  });
}

TEST_P(NetworkContract, StreamsKnowBothAddresses) {
  run([](Os& os) {
    auto listener = listen(os);
    auto client = must(os.network.connect(of(*listener), in(os, 5s)));
    auto server = must(listener->accept(in(os, 5s)));
    EXPECT_EQ(client->peer().port, listener->local().port);
    EXPECT_EQ(server->local().port, listener->local().port);
    EXPECT_EQ(server->peer(), client->local());
    EXPECT_EQ(client->peer(), server->local());
  });
}

TEST_P(NetworkContract, ManyConnectionsAreServedAtOnce) {
  run([](Os& os) {
    constexpr int kClients = 60;
    auto listener = listen(os, 0, kClients);
    os::FiberGroup group(os.fibers);
    group.spawn("server", [&] {
      for (;;) {
        auto stream = listener->accept();
        if (!stream) return;
        group.spawn("connection", [stream = *std::move(stream)] {
          char buffer[16];
          for (;;) {
            auto count = stream->read(buffer);
            if (!count || *count == 0) return;
            if (!os::write_all(*stream, {buffer, *count})) return;
          }
        });
      }
    });
    int answered = 0;
    os::FiberGroup clients(os.fibers);
    for (int i = 0; i < kClients; ++i) {
      clients.spawn("client", [&, i] {
        auto stream = must(os.network.connect(of(*listener), in(os, 5s)));
        const std::string text = std::to_string(i);
        for (int round = 0; round < 5; ++round) {
          EXPECT_OK(os::write_all(*stream, text));
          std::string got;
          char buffer[16];
          while (got.size() < text.size()) {
            got.append(buffer, must(stream->read(buffer, in(os, 5s))));
          }
          answered += got == text ? 1 : 0;
        }
      });
    }
    EXPECT_OK(clients.join(in(os, 10s)));
    EXPECT_EQ(answered, kClients * 5);
  });
}

TEST_P(NetworkContract, ABusyStreamLeavesTimeForOthers) {
  run([](Os& os) {
    Pair pair = connected(os);
    os::FiberGroup group(os.fibers);
    group.spawn("flood", [&] {
      const std::string bytes(1 << 16, 'x');
      while (pair.client->write(bytes)) {
      }
    });
    bool rung = false;
    group.spawn("bell", [&] {
      must(os.clock.sleep_for(3ms));
      rung = true;
    });
    std::string buffer(2048, '\0');
    for (int i = 0; i < 2'000'000 && !rung; ++i) must(pair.server->read(buffer, in(os, 5s)));
    EXPECT_TRUE(rung);
    pair.server->close();
    pair.client->close();
  });
}

}  // namespace
}  // namespace seatrial::contract
