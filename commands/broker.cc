// seatrial broker: the Kafka-compatible broker on real sockets, with Kafka's own settings.
#include "broker/server.h"
#include "commands/commands.h"
#include "linux/linux_os.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace seatrial::commands {
namespace {

int fail_usage(std::string_view message) {
  fmt::print(stderr, "seatrial broker: {}\n", message);
  return kExitUsage;
}

}  // namespace

int broker(const BrokerCommand& command) {
  std::string text;
  if (!command.file.empty()) {
    std::ifstream file(command.file, std::ios::binary);
    if (!file) return fail_usage(fmt::format("{}: {}", command.file, std::strerror(errno)));
    std::ostringstream whole;
    whole << file.rdbuf();
    text = std::move(whole).str();
  }
  const auto config = broker::parse_config(command.file, text, command.overrides);
  if (!config) return fail_usage(config.error().message());
  const linux::LinuxOptions machine{.log_level = config->log_level};
  auto code = linux::run(machine, [&](os::Os& os) { return broker::serve(os, *config); });
  if (!code) {
    fmt::print(stderr, "seatrial broker: {}\n", code.error().message());
    return 1;
  }
  return *code;
}

}  // namespace seatrial::commands
