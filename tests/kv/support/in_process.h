// A server's commands without a server: requests go straight to dispatch, at a time of the test's
// choosing, and what they leave as effects is kept.
#pragma once

#include "kv/dispatch.h"
#include "kv/session.h"
#include "kv/state.h"
#include "resp/parser.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seatrial::kv {

class QuietLog final : public base::Log {
 private:
  void line(base::LogLevel, std::string_view) override {}
};

class InProcess {
 public:
  explicit InProcess(Config config = {})
      : state(std::move(config), log_, base::RandomStream(1)), first_(client()) {
    state.effects.set_wanted(true);
    state.hooks.log_effects = [this] {
      for (const Effect& effect : state.effects.list()) {
        effects += std::to_string(effect.database) + ">";
        resp::Parser parser;
        parser.next(state.effects.bytes(effect));
        for (const std::string_view word : parser.args()) {
          effects += " ";
          effects += word;
        }
        effects += "\n";
      }
      ++units;
      state.effects.clear();
    };
  }

  std::unique_ptr<Session> client() {
    return std::make_unique<Session>(state, nullptr, nullptr, Peer{});
  }

  // The reply's bytes, with "|" for each end of line. Words are divided by blanks; '' is empty.
  std::string run(Session& session, std::string_view line) {
    std::vector<std::string> words;
    resp::split_words(line, words);
    const std::vector<std::string_view> args(words.begin(), words.end());
    resp::Writer reply;
    dispatch(state, session, args, reply, now);
    std::string text;
    for (const char c : reply.bytes()) {
      if (c == '\n') continue;
      text += c == '\r' ? '|' : c;
    }
    return text;
  }
  std::string run(std::string_view line) { return run(*first_, line); }

  // Since the last call.
  std::string take_effects() { return std::exchange(effects, {}); }

 private:
  QuietLog log_;

 public:
  State state;
  WallMs now = 1'000'000;
  std::string effects;
  int units = 0;

 private:
  std::unique_ptr<Session> first_;
};

}  // namespace seatrial::kv
