// The subcommands, one to a file: each takes what the command line asked for and returns the exit
// code. main.cc picks; nothing else is decided there.
#pragma once

#include "command_line.h"

#include <span>
#include <string>

namespace seatrial::commands {

int list(const ListCommand& command);
int run(const RunCommand& command);
int replay(const ReplayCommand& command);
int check(const CheckCommand& command);
int server(const ServerCommand& command);
int broker(const BrokerCommand& command);

// Not for people: one seed, its result as a JSON line on standard output. What --check-determinism
// starts, twice.
//   run-one PATH.toml --seed N --name NAME [--events FILE]
int run_one(std::span<const std::string> arguments);

}  // namespace seatrial::commands
