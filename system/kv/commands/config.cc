// Step 4: CONFIG: settings while the server runs.
#include "kv/config.h"
#include "kv/command_table.h"
#include "kv/data/glob.h"
#include "kv/errors.h"
#include "kv/log_control.h"
#include "kv/session.h"
#include "kv/state.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

void config_get(Context& context) {
  struct Found {
    std::string_view name;  // As it was asked for, unless by a pattern.
    const Directive* directive;
  };
  std::vector<Found> found;
  const auto consider = [&](std::string_view name, const Directive* directive) {
    for (const std::string_view pattern : context.args.subspan(2)) {
      if (!glob_match(pattern, name, true)) continue;
      return found.push_back({equals_ignoring_case(pattern, name) ? pattern : name, directive});
    }
  };
  for (const Directive& directive : directives()) consider(directive.name, &directive);
  for (const Alias& alias : aliases()) consider(alias.name, find_directive(alias.meant));
  context.reply.map(found.size());
  for (const Found& setting : found) {
    context.reply.bulk(setting.name);
    context.reply.bulk(setting.directive->get(context.state.config));
  }
}

void fail_set(Context& context, std::string_view name, std::string_view problem) {
  context.reply.error(
      fmt::format("ERR CONFIG SET failed (possibly related to argument '{}') - {}", name, problem));
}

// False: the log cannot be switched on.
bool follow_appendonly(Context& context, bool before) {
  const bool now = context.state.config.appendonly;
  LogControl* const log = context.state.log_control;
  if (now == before || log == nullptr) return true;
  if (now) return log->switch_on(context.session.in_exec);
  log->switch_off();
  return true;
}

// All settings or none.
void config_set(Context& context) {
  const resp::Args args = context.args;
  if (args.size() % 2 != 0) return context.reply.error(kSyntaxError);
  std::vector<const Directive*> given;
  for (size_t i = 2; i < args.size(); i += 2) {
    const Directive* const directive = find_directive(args[i]);
    if (directive == nullptr) {
      return context.reply.error(
          fmt::format("ERR Unknown option or number of arguments for CONFIG SET - '{}'", args[i]));
    }
    if (directive->fixed) return fail_set(context, args[i], "can't set immutable config");
    for (const Directive* const other : given) {
      if (other == directive) return fail_set(context, args[i], "duplicate parameter");
    }
    given.push_back(directive);
  }
  Config changed = context.state.config;
  for (size_t i = 0; i < given.size(); ++i) {
    const std::string word(args[3 + 2 * i]);
    const std::string problem = given[i]->set(changed, {&word, 1});
    if (!problem.empty()) return fail_set(context, args[2 + 2 * i], problem);
  }
  // A rewrite that this begins does so under the new settings.
  std::swap(context.state.config, changed);
  if (!follow_appendonly(context, changed.appendonly)) {
    context.state.config = std::move(changed);
    return fail_set(context, "appendonly", "Unable to turn on AOF. Check server logs.");
  }
  context.state.hooks.reconfigured();
  context.reply.ok();
}

void config_resetstat(Context& context) {
  context.state.stats = Stats();
  context.reply.ok();
}

void config_rewrite(Context& context) {
  context.reply.error("ERR The server is running without a config file");
}

void config_help(Context& context) {
  constexpr std::string_view kLines[] = {
      "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "GET <pattern> ...",
      "    Answers the settings that match, with their values.",
      "SET <directive> <value> ...",
      "    Changes settings, all of them or none.",
      "RESETSTAT",
      "    Sets the counters of INFO to zero.",
      "REWRITE",
      "    Rewrites the configuration file.",
      "HELP",
      "    Prints this help."};
  context.reply.array(std::size(kLines));
  for (const std::string_view line : kLines) context.reply.simple(line);
}

constexpr uint32_t kOperator = kAdmin | kNoScript | kLoading | kStale;

constexpr Command kSubcommands[] = {
    {"config|get", config_get, -3, kOperator, Group::kServer, "2.0.0", "Answers settings"},
    {"config|help", config_help, 2, kLoading | kStale, Group::kServer, "5.0.0",
     "Answers what CONFIG can do"},
    {"config|resetstat", config_resetstat, 2, kOperator, Group::kServer, "2.0.0",
     "Sets the counters of INFO to zero"},
    {"config|rewrite", config_rewrite, 2, kOperator, Group::kServer, "2.8.0",
     "Rewrites the configuration file"},
    {"config|set",
     config_set,
     -4,
     kOperator,
     Group::kServer,
     "2.0.0",
     "Changes settings",
     {},
     {},
     "request_policy:all_nodes response_policy:all_succeeded"},
};

constexpr Command kCommands[] = {
    {"config",
     nullptr,
     -2,
     0,
     Group::kServer,
     "2.0.0",
     "Commands about settings",
     {},
     {},
     {},
     kSubcommands},
};

}  // namespace

std::span<const Command> config_commands() { return kCommands; }

}  // namespace seatrial::kv
