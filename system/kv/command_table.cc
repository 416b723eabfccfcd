#include "kv/command_table.h"

#include "base/check.h"

namespace seatrial::kv {
namespace {

constexpr size_t kSlots = 1024;  // A power of two, several times the number of commands.

char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Folding all bytes with |0x20 maps some that are no letters together: harmless in a hash.
size_t slot_of(std::string_view name) {
  uint32_t hash = static_cast<uint32_t>(name.size());
  for (char c : name) hash = (hash ^ (static_cast<unsigned char>(c) | 0x20U)) * 0x01000193U;
  return (hash ^ (hash >> 15)) & (kSlots - 1);
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (fold(a[i]) != fold(b[i])) return false;
  }
  return true;
}

const Command* find_subcommand(const Command& container, std::string_view name) {
  const size_t prefix = container.name.size() + 1;
  for (const Command& command : container.subcommands) {
    if (equals_ignoring_case(command.name.substr(prefix), name)) return &command;
  }
  return nullptr;
}

CommandTable::CommandTable() : slots_(kSlots) {
  for (const std::span<const Command> family :
       {string_commands(), string_range_commands(), bit_commands(), generic_commands(),
        transaction_commands(), connection_commands(), hash_commands(), client_commands(),
        command_commands(), config_commands(), info_commands(), append_only_commands(),
        move_commands(), object_commands(), persistence_commands(), replication_commands(),
        server_commands(), set_commands()}) {
    for (const Command& command : family) add(command);
  }
}

void CommandTable::add(const Command& command) {
  CHECK_MSG(find(command.name) == nullptr, "two commands named {}", command.name);
  CHECK(all_.size() < kSlots / 2);
  size_t i = slot_of(command.name);
  while (slots_[i].command != nullptr) i = (i + 1) & (kSlots - 1);
  slots_[i].command = &command;
  all_.push_back(&command);
}

const Command* CommandTable::find(std::string_view name) const {
  if (name.size() > 64) return nullptr;
  for (size_t i = slot_of(name); slots_[i].command != nullptr; i = (i + 1) & (kSlots - 1)) {
    if (equals_ignoring_case(slots_[i].command->name, name)) return slots_[i].command;
  }
  return nullptr;
}

const Command* CommandTable::find_full(std::string_view name) const {
  const size_t bar = name.find('|');
  const Command* const command = find(name.substr(0, bar));
  if (bar == std::string_view::npos || command == nullptr) return command;
  return find_subcommand(*command, name.substr(bar + 1));
}

std::string_view to_string(Group group) {
  switch (group) {
    case Group::kBitmap: return "bitmap";
    case Group::kConnection: return "connection";
    case Group::kGeneric: return "generic";
    case Group::kHash: return "hash";
    case Group::kServer: return "server";
    case Group::kSet: return "set";
    case Group::kString: return "string";
    case Group::kTransactions: return "transactions";
  }
  UNREACHABLE("group {}", static_cast<int>(group));
}

}  // namespace seatrial::kv
