#include "register.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <tuple>
#include <utility>

namespace example {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using namespace std::chrono_literals;

constexpr os::Duration kPatience = 2s;  // Of a coordinator with the others.

// Versions are ordered by counter; the nonce tells apart what two coordinators, or two lives of
// one, may both have numbered so. Counter 0: never written.
struct Version {
  uint64_t counter = 0;
  uint64_t nonce = 0;
  int64_t value = 0;

  bool older_than(const Version& other) const {
    return std::tie(counter, nonce) < std::tie(other.counter, other.nonce);
  }
  std::string text() const { return fmt::format("{} {} {}", counter, nonce, value); }
};

Result<Version> parse(const std::string& text) {
  Version version;
  unsigned long long counter = 0, nonce = 0;
  long long value = 0;
  if (std::sscanf(text.c_str(), "%llu %llu %lld", &counter, &nonce, &value) != 3) {
    return fail(Errc::kInvalidData, "not a version: " + text);
  }
  return Version{counter, nonce, value};
}

Result<std::string> read_line(os::Stream& stream, os::MonotonicTime deadline) {
  std::string line;
  for (char byte = 0;;) {
    if (TRY(stream.read({&byte, 1}, deadline)) == 0) return fail(Errc::kClosed);
    if (byte == '\n') return line;
    line += byte;
  }
}

Result<std::string> ask(os::Os& os, const std::string& node, const std::string& line,
                        os::MonotonicTime deadline) {
  auto stream = TRY(os.network.connect({node, kPort}, deadline));
  TRY(os::write_all(*stream, line + "\n", deadline));
  return TRY(read_line(*stream, deadline));
}

// What one node keeps.
class Replica {
 public:
  Replica(os::Os& os, Bug bug) : os_(os), bug_(bug), storing_(os.fibers) {}

  Result<void> recover() {
    auto text = os::read_file(os_.disk, "register", 1000);
    if (!text && text.error() == Errc::kNotFound) return {};
    if (!text) return fail(text.error());
    // What a dead process wrote may stand in the page cache only.
    newest_ = TRY(parse(*text));
    return make_durable(newest_);
  }

  const Version& newest() const { return newest_; }

  // Has stored this version, or a newer one, when it returns.
  Result<void> store(const Version& version) {
    TRY(storing_.lock());
    struct Unlock {
      os::Mutex& mutex;
      ~Unlock() { mutex.unlock(); }
    } unlock{storing_};
    if (!newest_.older_than(version)) return {};
    TRY(make_durable(version));
    newest_ = version;
    return {};
  }

 private:
  Result<void> make_durable(const Version& version) {
    auto file = TRY(os_.disk.open("register.new", os::kReplace));
    TRY(os::append_all(*file, version.text()));
    if (bug_ != Bug::kAcknowledgesBeforeSync) TRY(file->sync_data());
    TRY(os_.disk.rename("register.new", "register"));
    if (bug_ != Bug::kAcknowledgesBeforeSync) TRY(os_.disk.sync_directory("."));
    return {};
  }

  os::Os& os_;
  Bug bug_;
  os::Mutex storing_;
  Version newest_;
};

class Server {
 public:
  Server(os::Os& os, const std::vector<std::string>& nodes, Bug bug)
      : os_(os), nodes_(nodes), bug_(bug), replica_(os, bug), random_(os.random.stream("nonce")) {}

  int run() {
    if (!replica_.recover()) return 1;
    auto listener = os_.network.listen({"", kPort});
    if (!listener) return 1;
    os::FiberGroup stopping(os_.fibers);
    stopping.spawn("stop", [this, &listener] {
      if (os_.process.stop_requested().wait()) (*listener)->close();
    });
    os::FiberGroup sessions(os_.fibers);  // At its end what is under way is cancelled.
    while (auto stream = (*listener)->accept()) {
      sessions.spawn("session", [this, s = std::move(*stream)] {
        while (auto line = read_line(*s, os::kNever)) {
          auto reply = answer(*line);
          if (!os::write_all(*s, (reply ? *reply : "error") + "\n")) return;
        }
      });
    }
    return 0;
  }

 private:
  Result<std::string> answer(const std::string& line) {
    if (line == "newest") return replica_.newest().text();
    if (line.starts_with("store ")) {
      TRY(replica_.store(TRY(parse(line.substr(6)))));
      return "stored";
    }
    Version version = TRY(newest_of_majority());
    if (line == "read") {
      if (bug_ != Bug::kReadsWithoutWriteBack) TRY(store_at_majority(version));
      return version.counter == 0 ? "nothing" : fmt::format("{}", version.value);
    }
    if (!line.starts_with("write ")) return fail(Errc::kInvalidData);
    version = {version.counter + 1, random_.next(), std::stoll(line.substr(6))};
    TRY(store_at_majority(version));
    return "written";
  }

  // Asks all nodes, itself among them, and returns what the first majority answered.
  Result<std::vector<std::string>> ask_majority(const std::string& line) {
    os::Channel<std::string> replies(os_.fibers, nodes_.size());
    os::FiberGroup asking(os_.fibers);
    const os::MonotonicTime deadline = os_.clock.monotonic() + kPatience;
    for (const std::string& node : nodes_) {
      asking.spawn("ask", [this, &replies, &node, &line, deadline] {
        auto reply = ask(os_, node, line, deadline);
        if (reply && *reply != "error") (void)replies.send(*std::move(reply));
      });
    }
    std::vector<std::string> majority;
    while (majority.size() <= nodes_.size() / 2) {
      majority.push_back(TRY(replies.receive(deadline)));
    }
    return majority;
  }

  Result<Version> newest_of_majority() {
    Version newest;
    for (const std::string& reply : TRY(ask_majority("newest"))) {
      const Version version = TRY(parse(reply));
      if (newest.older_than(version)) newest = version;
    }
    return newest;
  }

  Result<void> store_at_majority(const Version& version) {
    TRY(ask_majority("store " + version.text()));
    return {};
  }

  os::Os& os_;
  const std::vector<std::string>& nodes_;
  Bug bug_;
  Replica replica_;
  base::RandomStream random_;
};

}  // namespace

int run_node(os::Os& os, const std::vector<std::string>& nodes, Bug bug) {
  return Server(os, nodes, bug).run();
}

Result<std::optional<int64_t>> read(os::Os& os, const std::string& node,
                                    os::MonotonicTime deadline) {
  const std::string reply = TRY(ask(os, node, "read", deadline));
  if (reply == "error") return fail(Errc::kUnreachable, "no majority answered");
  if (reply == "nothing") return std::nullopt;
  return std::stoll(reply);
}

Result<void> write(os::Os& os, const std::string& node, int64_t value, os::MonotonicTime deadline) {
  const std::string reply = TRY(ask(os, node, fmt::format("write {}", value), deadline));
  if (reply != "written") return fail(Errc::kUnreachable, "no majority answered");
  return {};
}

}  // namespace example
