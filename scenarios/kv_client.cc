#include "scenarios/kv_client.h"

#include "base/check.h"

namespace seatrial::scenarios {

using base::Errc;

namespace {

using namespace std::chrono_literals;

// A client with patience for one answer, and none for a way that is blocked.
constexpr os::Duration kConnectPatience = 1s;
constexpr os::Duration kAnswerPatience = 3s;
constexpr os::Duration kBetweenTriesMax = 200ms;

}  // namespace

base::Result<void> KvClient::ready() {
  while (client_ == nullptr) {
    server_ = random_.below(servers_.size());
    auto client = resp::Client::connect(os_, server(), os_.clock.monotonic() + kConnectPatience);
    if (client) {
      client_ = *std::move(client);
    } else {
      TRY(os_.clock.sleep_for(
          os::Duration(random_.between(0, os::Duration(kBetweenTriesMax).count()))));
    }
  }
  return {};
}

base::Result<std::vector<resp::Reply>> KvClient::call(const std::vector<Command>& commands) {
  CHECK(client_ != nullptr);
  for (const Command& command : commands) client_->add(command);
  auto replies = client_->exchange(os_.clock.monotonic() + kAnswerPatience);
  if (!replies) client_.reset();
  return replies;
}

base::Result<resp::Reply> KvClient::call(Command command) {
  return std::move(TRY(call(std::vector<Command>{std::move(command)})).front());
}

}  // namespace seatrial::scenarios
