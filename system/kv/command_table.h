// Step 3: all commands, by name. The families are listed by hand in command_table.cc.
#pragma once

#include "kv/command.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace seatrial::kv {

class CommandTable {
 public:
  CommandTable();

  // `name` in any case; nullptr: unknown.
  const Command* find(std::string_view name) const;
  // "config|get" or "get".
  const Command* find_full(std::string_view name) const;
  // In the order of the families.
  std::span<const Command* const> all() const { return all_; }

 private:
  struct Slot {
    const Command* command = nullptr;
  };
  void add(const Command& command);

  std::vector<Slot> slots_;
  std::vector<const Command*> all_;
};

// The subcommand of a container, in any case; nullptr: unknown.
const Command* find_subcommand(const Command& container, std::string_view name);

// ASCII, as command names and options are compared.
bool equals_ignoring_case(std::string_view a, std::string_view b);

// The rows at the bottom of each file in commands/.
std::span<const Command> append_only_commands();
std::span<const Command> bit_commands();
std::span<const Command> client_commands();
std::span<const Command> command_commands();
std::span<const Command> config_commands();
std::span<const Command> connection_commands();
std::span<const Command> generic_commands();
std::span<const Command> hash_commands();
std::span<const Command> info_commands();
std::span<const Command> move_commands();
std::span<const Command> object_commands();
std::span<const Command> persistence_commands();
std::span<const Command> replication_commands();
std::span<const Command> server_commands();
std::span<const Command> set_commands();
std::span<const Command> string_commands();
std::span<const Command> string_range_commands();
std::span<const Command> transaction_commands();

}  // namespace seatrial::kv
