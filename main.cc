// The one binary: reads the command line and picks a subcommand. Each is a file of commands/.
#include "command_line.h"
#include "commands/commands.h"

#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>
#include <variant>
#include <vector>

namespace {

using namespace seatrial;

struct Picked {
  int operator()(const ListCommand& command) const { return commands::list(command); }
  int operator()(const RunCommand& command) const { return commands::run(command); }
  int operator()(const ReplayCommand& command) const { return commands::replay(command); }
  int operator()(const CheckCommand& command) const { return commands::check(command); }
  int operator()(const ServerCommand& command) const { return commands::server(command); }
  int operator()(const BrokerCommand& command) const { return commands::broker(command); }
  int operator()(const Printed& printed) const {
    std::fputs(printed.text.c_str(), printed.code == kExitGood ? stdout : stderr);
    return printed.code;
  }
};

}  // namespace

int main(int count, char** words) {
  const std::vector<std::string> arguments(words + 1, words + count);
  if (!arguments.empty() && arguments[0] == "run-one") {
    return commands::run_one(std::span(arguments).subspan(1));
  }
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  return std::visit(Picked{}, parse_command_line(arguments, cores));
}
