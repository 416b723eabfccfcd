// seatrial server: the Redis-compatible server on real sockets, with Redis's own options.
#include "kv/server.h"
#include "commands/commands.h"
#include "kv/config.h"
#include "linux/linux_os.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace seatrial::commands {
namespace {

int fail_usage(std::string_view message) {
  fmt::print(stderr, "seatrial server: {}\n", message);
  return kExitUsage;
}

}  // namespace

int server(const ServerCommand& command) {
  std::span<const std::string> options = command.arguments;
  std::string file_name;
  std::string file_text;
  if (!options.empty() && !options[0].starts_with("--")) {
    file_name = options[0];
    options = options.subspan(1);
    std::ifstream file(file_name, std::ios::binary);
    if (!file) return fail_usage(fmt::format("{}: {}", file_name, std::strerror(errno)));
    std::ostringstream text;
    text << file.rdbuf();
    file_text = std::move(text).str();
  }
  auto config = kv::parse_config(file_name, file_text, options);
  if (!config) return fail_usage(config.error().message());
  const linux::LinuxOptions machine{.log_level = config->loglevel};
  auto code = linux::run(machine, [&](os::Os& os) { return kv::serve(os, *config); });
  if (!code) {
    fmt::print(stderr, "seatrial server: {}\n", code.error().message());
    return 1;
  }
  return *code;
}

}  // namespace seatrial::commands
