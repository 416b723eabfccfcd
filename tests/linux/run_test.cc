// What holds on this machine only: how run() starts and ends, its log, its limits, its children
// as the system sees them.
#include "base/check.h"
#include "linux/linux_os.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace seatrial::linux {
namespace {

using base::Errc;
using base::LogLevel;
using os::Os;
using namespace std::chrono_literals;

class Scratch {
 public:
  Scratch() {
    std::string name = std::filesystem::temp_directory_path() / "seatrial_linux_XXXXXX";
    CHECK(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

template <typename T>
T must(base::Result<T> result) {
  CHECK_MSG(result.has_value(), "a step of the test failed: {}", result.error().message());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

os::MonotonicTime in(Os& os, os::Duration duration) { return os.clock.monotonic() + duration; }

struct NoData final : os::Snapshot {
  std::unique_ptr<Snapshot> freeze() const override { return std::make_unique<NoData>(); }
};

int open_descriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

// ---- Starting and ending

TEST(LinuxRun, ReturnsTheCodeOfMain) {
  EXPECT_EQ(run({}, [](Os&) { return 7; }), 7);
}

TEST(LinuxRun, RefusesWhatItCannotUse) {
  const auto never = [](Os&) -> int { UNREACHABLE("it ran"); };
  const auto directory = run({.working_directory = "/no/such/place"}, never);
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error(), Errc::kNotFound);
  EXPECT_NE(directory.error().message().find("/no/such/place"), std::string::npos);
  const auto log = run({.log_file = "/proc/version/log"}, never);
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().message().find("/proc/version/log"), std::string::npos);
  EXPECT_EQ(run({.disk_threads = 0}, never).error(), Errc::kInvalidArgument);
}

TEST(LinuxRun, LeavesNoDescriptorBehind) {
  Scratch scratch;
  const int before = open_descriptors();
  for (int i = 0; i < 3; ++i) {
    const auto code = run({.working_directory = scratch.path}, [](Os& os) {
      auto listener = must(os.network.listen({"localhost", 0}));
      auto stream = must(os.network.connect({"localhost", listener->local().port}));
      auto file = must(os.disk.open("f", os::kOpenOrCreate));
      must(os::append_all(*file, "x"));
      const auto child =
          must(os.process.fork("child", NoData(), [](Os&, const os::Snapshot&) { return 0; }));
      must(os.process.wait(child, in(os, 10s)));
      // Some that are parked at the end.
      os.fibers.spawn("accept", [own = std::move(listener)] { (void)own->accept(); });
      os.fibers.spawn("read", [own = std::move(stream)] {
        char buffer[8];
        (void)own->read(buffer);
      });
      must(os.clock.sleep_for(1ms));
      return 0;
    });
    EXPECT_EQ(code, 0);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(LinuxRun, FinishesFileCallsUnderWay) {
  Scratch scratch;
  const auto code = run({.working_directory = scratch.path, .disk_threads = 1}, [](Os& os) {
    auto file =
        std::make_shared<std::unique_ptr<os::File>>(must(os.disk.open("f", os::kOpenOrCreate)));
    for (int i = 0; i < 20; ++i) {
      os.fibers.spawn("append", [file] {
        (void)os::append_all(**file, std::string(100'000, 'x'));
        ADD_FAILURE() << "it ran after main";
      });
    }
    must(os.fibers.yield());
    return 0;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(std::filesystem::file_size(scratch.path / "f"), 2'000'000u);
}

TEST(LinuxRun, SignalsAreAsBeforeAfterwards) {
  struct sigaction before {};
  struct sigaction after {};
  sigset_t mask_before;
  sigset_t mask_after;
  sigaction(SIGPIPE, nullptr, &before);
  sigprocmask(SIG_BLOCK, nullptr, &mask_before);
  EXPECT_EQ(run({}, [](Os&) { return 0; }), 0);
  sigaction(SIGPIPE, nullptr, &after);
  sigprocmask(SIG_BLOCK, nullptr, &mask_after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
  EXPECT_EQ(sigismember(&mask_before, SIGTERM), sigismember(&mask_after, SIGTERM));
}

TEST(LinuxRun, InterruptAsksToStop) {
  const auto code = run({}, [](Os& os) {
    ::kill(::getpid(), SIGINT);
    return os.process.stop_requested().wait(in(os, 10s)) ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
}

// ---- Log and checks

TEST(LinuxLog, GoesToItsFileAboveItsLevel) {
  Scratch scratch;
  const LinuxOptions options{.log_file = scratch.path / "log", .log_level = LogLevel::kWarn};
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(run(options,
                  [](Os& os) {
                    os.log.info("not this");
                    os.log.warn("but {}", "this");
                    return 0;
                  }),
              0);
  }
  const std::string text = text_of(options.log_file);
  EXPECT_EQ(text.find("not this"), std::string::npos);
  const size_t first = text.find("warning: but this\n");
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_NE(text.find("warning: but this\n", first + 1), std::string::npos) << "it is appended";
}

TEST(LinuxLog, AChildWritesToTheSameFile) {
  Scratch scratch;
  const LinuxOptions options{.log_file = scratch.path / "log"};
  EXPECT_EQ(run(options,
                [](Os& os) {
                  os.log.info("parent");
                  const auto child =
                      must(os.process.fork("child", NoData(), [](Os& own, const os::Snapshot&) {
                        own.log.info("child");
                        return 0;
                      }));
                  must(os.process.wait(child, in(os, 10s)));
                  return 0;
                }),
            0);
  const std::string text = text_of(options.log_file);
  EXPECT_NE(text.find("info: parent\n"), std::string::npos) << text;
  EXPECT_NE(text.find("info: child\n"), std::string::npos) << text;
}

TEST(LinuxRunDeathTest, AFailedCheckIsLoggedAndAborts) {
  EXPECT_DEATH((void)run({},
                         [](Os&) -> int {
                           CHECK_MSG(1 > 2, "no luck today");
                           return 0;
                         }),
               "error: .*no luck today");
}

TEST(LinuxProcess, AChildThatAbortsIsReportedWithItsSignal) {
  const auto code = run({.log_level = LogLevel::kOff}, [](Os& os) {
    const auto child = must(
        os.process.fork("child", NoData(), [](Os&, const os::Snapshot&) -> int { std::abort(); }));
    const os::ExitStatus status = must(os.process.wait(child, in(os, 10s)));
    EXPECT_FALSE(status.exited);
    EXPECT_EQ(status.code, SIGABRT);
    return 0;
  });
  EXPECT_EQ(code, 0);
}

// ---- Children as the system sees them

TEST(LinuxProcess, AChildRunsNoneOfItsParentsEndings) {
  Scratch scratch;
  const std::string path = scratch.path / "ended";
  // In a process of its own, since what is registered for its end stays registered.
  EXPECT_EXIT(
      {
        static std::string ended = path;
        std::atexit([] { std::ofstream(ended, std::ios::app) << "atexit of the parent\n"; });
        const auto code = run({}, [](Os& os) {
          const auto child =
              must(os.process.fork("child", NoData(), [](Os&, const os::Snapshot&) { return 0; }));
          must(os.process.wait(child, in(os, 10s)));
          return 0;
        });
        std::exit(code.value_or(1));
      },
      testing::ExitedWithCode(0), "");
  EXPECT_EQ(text_of(path), "atexit of the parent\n");
}

TEST(LinuxProcess, ForkWhileFileCallsAreUnderWay) {
  Scratch scratch;
  const auto code = run({.working_directory = scratch.path}, [](Os& os) {
    bool stop = false;
    os::FiberGroup writers(os.fibers);
    for (int i = 0; i < 8; ++i) {
      writers.spawn("writer", [&, i] {
        auto file = must(os.disk.open(std::to_string(i), os::kOpenOrCreate));
        while (!stop) {
          must(os::append_all(*file, std::string(1000, 'x')));
          must(file->sync_data());
        }
      });
    }
    for (int i = 0; i < 20; ++i) {
      must(os.clock.sleep_for(100us));
      const auto child = must(os.process.fork("child", NoData(), [i](Os& own, const os::Snapshot&) {
        auto file = must(own.disk.open("child" + std::to_string(i), os::kCreateNew));
        must(os::append_all(*file, "written by the child"));
        must(file->sync_data());
        return i;
      }));
      EXPECT_EQ(must(os.process.wait(child, in(os, 10s))).code, i);
    }
    stop = true;
    must(writers.join(in(os, 30s)));
    return 0;
  });
  EXPECT_EQ(code, 0);
}

TEST(LinuxProcess, ChildrenStayKnownWhereTheStarterIgnoredThem) {
  struct sigaction before {};
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGCHLD, &ignore, &before);
  const auto code = run({}, [](Os& os) {
    const auto child =
        must(os.process.fork("child", NoData(), [](Os&, const os::Snapshot&) { return 4; }));
    must(os.clock.sleep_for(20ms));
    return must(os.process.wait(child, in(os, 10s))).code;
  });
  sigaction(SIGCHLD, &before, nullptr);
  EXPECT_EQ(code, 4);
}

// ---- Limits

TEST(LinuxNetwork, WithoutDescriptorsAcceptSaysSoAndGoesOnLater) {
  const auto code = run({}, [](Os& os) {
    auto listener = must(os.network.listen({"localhost", 0}));
    auto client = must(os.network.connect({"localhost", listener->local().port}));
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    const auto refused = listener->accept(in(os, 1s));
    const auto no_socket = os.network.connect({"localhost", listener->local().port}, in(os, 1s));
    const auto no_file = os.disk.open("/dev/null", os::kReadOnly);
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(refused.error(), Errc::kExhausted);
    EXPECT_EQ(no_socket.error(), Errc::kExhausted);
    EXPECT_EQ(no_file.error(), Errc::kExhausted);
    EXPECT_TRUE(listener->accept(in(os, 1s)));
    return 0;
  });
  EXPECT_EQ(code, 0);
}

// ---- Addresses

TEST(LinuxNetwork, SpeaksIpv6) {
  const auto code = run({}, [](Os& os) {
    auto listener = os.network.listen({"::1", 0});
    if (!listener) return 1;
    auto client = must(os.network.connect({"::1", (*listener)->local().port}, in(os, 5s)));
    auto server = must((*listener)->accept(in(os, 5s)));
    EXPECT_EQ(client->peer(), server->local());
    EXPECT_EQ(client->peer().host, "::1");
    return 0;
  });
  if (code == 1) GTEST_SKIP() << "this computer has no IPv6";
  EXPECT_EQ(code, 0);
}

TEST(LinuxNetwork, AllInterfacesShowIpv4CallersAsSuch) {
  const auto code = run({}, [](Os& os) {
    auto listener = must(os.network.listen({"", 0}));
    auto client = must(os.network.connect({"127.0.0.1", listener->local().port}, in(os, 5s)));
    auto server = must(listener->accept(in(os, 5s)));
    EXPECT_EQ(server->peer().host, "127.0.0.1");
    EXPECT_EQ(server->local().host, "127.0.0.1");
    return 0;
  });
  EXPECT_EQ(code, 0);
}

// Whether there is a name server here or not, the fiber is not held longer than it asked for, and
// others run meanwhile.
TEST(LinuxNetwork, NamesAreLookedUpOffTheLoop) {
  const auto code = run({}, [](Os& os) {
    int ticks = 0;
    os::FiberGroup group(os.fibers);
    group.spawn("ticker", [&] {
      while (os.clock.sleep_for(1ms)) ++ticks;
    });
    const auto start = os.clock.monotonic();
    const auto stream = os.network.connect({"no-such-host.invalid", 6379}, in(os, 200ms));
    EXPECT_FALSE(stream);
    EXPECT_TRUE(stream.error() == Errc::kUnreachable || stream.error() == Errc::kDeadline)
        << stream.error().message();
    EXPECT_LT(os.clock.monotonic() - start, 2s);
    if (os.clock.monotonic() - start > 50ms) {
      EXPECT_GT(ticks, 0);
    }
    // A name that only the system knows: that of this computer.
    char name[256] = "";
    ::gethostname(name, sizeof name - 1);
    auto listener = must(os.network.listen({"", 0}));
    const auto own = os.network.connect({name, listener->local().port}, in(os, 5s));
    EXPECT_TRUE(own || own.error() == Errc::kUnreachable) << own.error().message();
    EXPECT_EQ(os.network.connect({"", 1}).error(), Errc::kInvalidArgument);
    return 0;
  });
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace seatrial::linux
