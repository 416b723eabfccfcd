// Step 4: COMMAND: what the table knows of each command.
#include "kv/command_table.h"
#include "kv/data/glob.h"
#include "kv/errors.h"
#include "kv/state.h"
#include "resp/number.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

struct FlagName {
  CommandFlag flag;
  std::string_view name;
};
// In the order that Redis lists them.
constexpr FlagName kFlagNames[] = {
    {kWrite, "write"},
    {kReadOnly, "readonly"},
    {kDenyOom, "denyoom"},
    {kAdmin, "admin"},
    {kNoScript, "noscript"},
    {kLoading, "loading"},
    {kStale, "stale"},
    {kSkipSlowlog, "skip_slowlog"},
    {kFast, "fast"},
    {kNoAuth, "no_auth"},
    {kNoAsyncLoading, "no_async_loading"},
    {kNoMulti, "no_multi"},
    {kAllowBusy, "allow_busy"},
};

std::vector<std::string_view> split_blanks(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = text.find(' ');
    words.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return words;
}

// As Redis derives them from flags and group.
std::vector<std::string_view> categories(const Command& command) {
  std::vector<std::string_view> names;
  const bool keyspace = command.group == Group::kGeneric || command.name == "dbsize" ||
                        command.name.starts_with("flush");
  if (keyspace) names.push_back("@keyspace");
  if (command.has(kWrite)) names.push_back("@write");
  if (command.has(kReadOnly)) names.push_back("@read");
  if (command.group == Group::kSet) names.push_back("@set");
  if (command.group == Group::kString) names.push_back("@string");
  if (command.group == Group::kBitmap) names.push_back("@bitmap");
  if (command.group == Group::kHash) names.push_back("@hash");
  if (command.has(kAdmin)) names.push_back("@admin");
  names.push_back(command.has(kFast) ? "@fast" : "@slow");
  const bool dangerous = command.has(kAdmin) || command.name == "keys" || command.name == "info" ||
                         command.name.starts_with("flush");
  if (dangerous) names.push_back("@dangerous");
  const bool connection = (command.group == Group::kConnection && command.name != "client") ||
                          command.name.starts_with("command");
  if (connection) names.push_back("@connection");
  if (command.group == Group::kTransactions) names.push_back("@transaction");
  return names;
}

void simple_array(resp::Writer& reply, const std::vector<std::string_view>& words) {
  reply.array(words.size());
  for (const std::string_view word : words) reply.simple(word);
}

// What Redis says of the keys of some commands.
std::string_view key_notes(const Command& command) {
  if (command.name == "set") return "RW and ACCESS due to the optional `GET` argument";
  if (command.name == "getex") return "RW and UPDATE because it changes the TTL";
  if (command.name == "bitfield") {
    return "This command allows both access and modification of the key";
  }
  return {};
}

// Where keys of one kind are.
struct KeySpec {
  std::string_view flags;
  int index;
  int last;              // As a KeyRange has it.
  bool counted = false;  // At the index stands how many follow.
};

std::vector<KeySpec> key_specs_of(const Command& command) {
  constexpr std::string_view kBar = " | ";
  const KeyRange& keys = command.keys;
  std::string_view flags = command.key_flags;
  std::vector<KeySpec> specs;
  int next = keys.first;
  if (const size_t bar = flags.find(kBar); bar != std::string_view::npos) {
    specs.push_back({flags.substr(0, bar), keys.first, keys.first});
    flags.remove_prefix(bar + kBar.size());
    next += keys.step;
  }
  if (keys.counted_at != 0) {
    specs.push_back({flags, keys.counted_at, 0, true});
  } else if (keys.first != 0) {
    specs.push_back({flags, next, keys.last});
  }
  return specs;
}

void key_spec(resp::Writer& reply, const Command& command, const KeySpec& spec) {
  const std::string_view notes = key_notes(command);
  reply.map(notes.empty() ? 3 : 4);
  if (!notes.empty()) {
    reply.bulk("notes");
    reply.bulk(notes);
  }
  reply.bulk("flags");
  simple_array(reply, split_blanks(spec.flags));
  reply.bulk("begin_search");
  reply.map(2);
  reply.bulk("type");
  reply.bulk("index");
  reply.bulk("spec");
  reply.map(1);
  reply.bulk("index");
  reply.integer(spec.index);
  reply.bulk("find_keys");
  reply.map(2);
  reply.bulk("type");
  reply.bulk(spec.counted ? "keynum" : "range");
  reply.bulk("spec");
  reply.map(3);
  reply.bulk(spec.counted ? "keynumidx" : "lastkey");
  reply.integer(spec.counted || spec.last < 0 ? spec.last : spec.last - spec.index);
  reply.bulk(spec.counted ? "firstkey" : "keystep");
  reply.integer(spec.counted ? 1 : command.keys.step);
  reply.bulk(spec.counted ? "keystep" : "limit");
  reply.integer(spec.counted ? 1 : 0);
}

void key_specs(resp::Writer& reply, const Command& command) {
  const auto specs = key_specs_of(command);
  reply.array(specs.size());
  for (const KeySpec& spec : specs) key_spec(reply, command, spec);
}

void describe(resp::Writer& reply, const Command& command) {
  reply.array(10);
  reply.bulk(command.name);
  reply.integer(command.arity);
  std::vector<std::string_view> flags;
  for (const FlagName& flag : kFlagNames) {
    if (command.has(flag.flag)) flags.push_back(flag.name);
  }
  if (command.keys.counted_at != 0) flags.push_back("movablekeys");
  simple_array(reply, flags);
  reply.integer(command.keys.first);
  reply.integer(command.keys.last);
  reply.integer(command.keys.step);
  simple_array(reply, categories(command));
  const auto tips = split_blanks(command.tips);
  reply.array(tips.size());
  for (const std::string_view tip : tips) reply.bulk(tip);
  key_specs(reply, command);
  reply.array(command.subcommands.size());
  for (const Command& subcommand : command.subcommands) describe(reply, subcommand);
}

void document(resp::Writer& reply, const Command& command) {
  reply.bulk(command.name);
  reply.map(command.subcommands.empty() ? 3 : 4);
  reply.bulk("summary");
  reply.bulk(command.summary);
  reply.bulk("since");
  reply.bulk(command.since);
  reply.bulk("group");
  reply.bulk(to_string(command.group));
  if (command.subcommands.empty()) return;
  reply.bulk("subcommands");
  reply.map(command.subcommands.size());
  for (const Command& subcommand : command.subcommands) document(reply, subcommand);
}

void command_all(Context& context) {
  const auto all = context.state.commands.all();
  context.reply.array(all.size());
  for (const Command* const command : all) describe(context.reply, *command);
}

void command_count(Context& context) {
  context.reply.integer(static_cast<int64_t>(context.state.commands.all().size()));
}

void command_info(Context& context) {
  if (context.args.size() == 2) return command_all(context);
  context.reply.array(context.args.size() - 2);
  for (const std::string_view name : context.args.subspan(2)) {
    const Command* const command = context.state.commands.find_full(name);
    if (command == nullptr) {
      context.reply.null();
    } else {
      describe(context.reply, *command);
    }
  }
}

void command_docs(Context& context) {
  std::vector<const Command*> wanted;
  if (context.args.size() == 2) {
    const auto all = context.state.commands.all();
    wanted.assign(all.begin(), all.end());
  }
  for (const std::string_view name : context.args.subspan(2)) {
    const Command* const command = context.state.commands.find_full(name);
    if (command != nullptr) wanted.push_back(command);
  }
  context.reply.map(wanted.size());
  for (const Command* const command : wanted) document(context.reply, *command);
}

// COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN glob]
void command_list(Context& context) {
  const resp::Args args = context.args;
  if (args.size() != 2 && args.size() != 5) return context.reply.error(kSyntaxError);
  const bool filtered = args.size() == 5;
  if (filtered && !equals_ignoring_case(args[2], "filterby")) {
    return context.reply.error(kSyntaxError);
  }
  const bool by_module = filtered && equals_ignoring_case(args[3], "module");
  const bool by_category = filtered && equals_ignoring_case(args[3], "aclcat");
  const bool by_pattern = filtered && equals_ignoring_case(args[3], "pattern");
  if (filtered && !by_module && !by_category && !by_pattern) {
    return context.reply.error(kSyntaxError);
  }
  std::vector<std::string_view> names;
  const auto consider = [&](const Command& command) {
    if (by_module) return;
    if (by_pattern && !glob_match(args[4], command.name, true)) return;
    if (by_category) {
      bool in = false;
      for (const std::string_view category : categories(command)) {
        in |= equals_ignoring_case(category.substr(1), args[4]);
      }
      if (!in) return;
    }
    names.push_back(command.name);
  };
  for (const Command* const command : context.state.commands.all()) {
    consider(*command);
    for (const Command& subcommand : command->subcommands) {
      if (filtered) consider(subcommand);
    }
  }
  context.reply.array(names.size());
  for (const std::string_view name : names) context.reply.bulk(name);
}

// nullopt: the number of keys is none, or there are not so many.
std::optional<std::vector<std::string_view>> keys_of(const Command& command, resp::Args request) {
  std::vector<std::string_view> keys;
  const KeyRange& range = command.keys;
  const auto count = static_cast<int>(request.size());
  const int last = range.last < 0 ? count + range.last : range.last;
  for (int i = range.first; range.first != 0 && i <= last; i += range.step) {
    keys.push_back(request[static_cast<size_t>(i)]);
  }
  if (range.counted_at == 0) return keys;
  const auto at = static_cast<size_t>(range.counted_at);
  const auto counted = resp::parse_integer(request[at]);
  const auto room = static_cast<int64_t>(request.size() - at - 1);
  if (!counted || *counted < 1 || *counted > room) return std::nullopt;
  const resp::Args found = request.subspan(at + 1, static_cast<size_t>(*counted));
  keys.insert(keys.end(), found.begin(), found.end());
  return keys;
}

// COMMAND GETKEYS name [argument ...]
void command_getkeys(Context& context) {
  const resp::Args request = context.args.subspan(2);
  const Command* command = context.state.commands.find(request[0]);
  if (command != nullptr && !command->subcommands.empty() && request.size() > 1) {
    command = find_subcommand(*command, request[1]);
  }
  if (command == nullptr) return context.reply.error("ERR Invalid command specified");
  if (command->keys.first == 0 && command->keys.counted_at == 0) {
    return context.reply.error("ERR The command has no key arguments");
  }
  if (!command->arity_fits(request.size())) {
    return context.reply.error("ERR Invalid number of arguments specified for command");
  }
  const auto keys = keys_of(*command, request);
  if (!keys) return context.reply.error("ERR Invalid arguments specified for command");
  context.reply.array(keys->size());
  for (const std::string_view key : *keys) context.reply.bulk(key);
}

void command_help(Context& context) {
  constexpr std::string_view kLines[] = {
      "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "(no subcommand)",
      "    Describes all commands.",
      "COUNT",
      "    Answers how many commands there are.",
      "DOCS [<command-name> ...]",
      "    Answers what commands are for.",
      "GETKEYS <full-command>",
      "    Answers which of the arguments are keys.",
      "INFO [<command-name> ...]",
      "    Describes commands.",
      "LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]",
      "    Answers the names of commands.",
      "HELP",
      "    Prints this help."};
  context.reply.array(std::size(kLines));
  for (const std::string_view line : kLines) context.reply.simple(line);
}

constexpr uint32_t kAnytime = kLoading | kStale;
constexpr std::string_view kUnordered = "nondeterministic_output_order";

constexpr Command kSubcommands[] = {
    {"command|count", command_count, 2, kAnytime, Group::kServer, "2.8.13",
     "Answers how many commands there are"},
    {"command|docs",
     command_docs,
     -2,
     kAnytime,
     Group::kServer,
     "7.0.0",
     "Answers what commands are for",
     {},
     {},
     kUnordered},
    {"command|getkeys", command_getkeys, -4, kAnytime, Group::kServer, "2.8.13",
     "Answers which of the arguments are keys"},
    {"command|help", command_help, 2, kAnytime, Group::kServer, "5.0.0",
     "Answers what COMMAND can do"},
    {"command|info",
     command_info,
     -2,
     kAnytime,
     Group::kServer,
     "2.8.13",
     "Describes commands",
     {},
     {},
     kUnordered},
    {"command|list",
     command_list,
     -2,
     kAnytime,
     Group::kServer,
     "7.0.0",
     "Answers the names of commands",
     {},
     {},
     kUnordered},
};

constexpr Command kCommands[] = {
    {"command",
     command_all,
     -1,
     kAnytime,
     Group::kServer,
     "2.8.13",
     "Describes all commands",
     {},
     {},
     kUnordered,
     kSubcommands},
};

}  // namespace

std::span<const Command> command_commands() { return kCommands; }

}  // namespace seatrial::kv
