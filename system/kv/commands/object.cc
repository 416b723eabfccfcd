// Step 4: OBJECT: how a value is kept.
#include "kv/command_table.h"
#include "kv/state.h"

#include <string_view>

namespace seatrial::kv {
namespace {

// Up to this length Redis keeps a string beside its key.
constexpr size_t kEmbeddedNameMax = 44;

std::string_view encoding_name(const Entry& entry) {
  switch (entry.encoding()) {
    case Encoding::kInteger: return "int";
    case Encoding::kEmbedded:
    case Encoding::kText: return entry.text_length() <= kEmbeddedNameMax ? "embstr" : "raw";
    case Encoding::kOwn: break;
  }
  return entry.collection().encoding();
}

void object_encoding(Context& context) {
  const Entry* const entry = context.find(context.args[2]);
  if (entry == nullptr) return context.reply.null();
  context.reply.bulk(encoding_name(*entry));
}

// Values are not shared.
void object_refcount(Context& context) {
  const Entry* const entry = context.find(context.args[2]);
  if (entry == nullptr) return context.reply.null();
  context.reply.integer(1);
}

void object_help(Context& context) {
  constexpr std::string_view kLines[] = {
      "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "ENCODING <key>",
      "    Answers the form in which the value is kept.",
      "REFCOUNT <key>",
      "    Answers how many share the value: always 1.",
      "HELP",
      "    Prints this help."};
  context.reply.array(std::size(kLines));
  for (const std::string_view line : kLines) context.reply.simple(line);
}

constexpr KeyRange kSecondWord{2, 2, 1};

constexpr Command kSubcommands[] = {
    {"object|encoding", object_encoding, 3, kReadOnly, Group::kGeneric, "2.2.3",
     "Answers the form in which a value is kept", kSecondWord, "RO", "nondeterministic_output"},
    {"object|help", object_help, 2, kLoading | kStale, Group::kGeneric, "6.2.0",
     "Answers what OBJECT can do"},
    {"object|refcount", object_refcount, 3, kReadOnly, Group::kGeneric, "2.2.3",
     "Answers how many share a value", kSecondWord, "RO", "nondeterministic_output"},
};

constexpr Command kCommands[] = {
    {"object",
     nullptr,
     -2,
     0,
     Group::kGeneric,
     "2.2.3",
     "Commands about how values are kept",
     {},
     {},
     {},
     kSubcommands},
};

}  // namespace

std::span<const Command> object_commands() { return kCommands; }

}  // namespace seatrial::kv
