// Step 4: CLIENT: what the server knows of its connections.
#include "kv/command_table.h"
#include "kv/errors.h"
#include "kv/session.h"
#include "kv/state.h"
#include "resp/number.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

std::string describe(const Session& session, WallMs now) {
  const auto seconds = [&](WallMs since) { return std::max<WallMs>(now - since, 0) / 1000; };
  const Buffered buffered = session.buffered ? session.buffered() : Buffered{};
  std::string flags;
  if (session.client_kind() == ClientKind::kReplica) flags += 'S';
  if (session.client_kind() == ClientKind::kPrimary) flags += 'M';
  if (session.transaction.open) flags += 'x';
  if (session.watcher.failed()) flags += 'd';
  if (session.no_evict) flags += 'e';
  if (flags.empty()) flags = "N";
  const int64_t queued =
      session.transaction.open ? static_cast<int64_t>(session.transaction.requests.size()) : -1;
  return fmt::format(
      "id={} addr={} laddr={} fd=-1 name={} age={} idle={} flags={} db={} sub=0 psub=0 ssub=0 "
      "multi={} qbuf={} qbuf-free={} argv-mem=0 multi-mem={} rbs={} rbp={} obl={} oll=0 omem=0 "
      "tot-mem={} events=r cmd={} user=default redir=-1 resp=2",
      session.id(), session.peer().address, session.peer().local_address, session.name,
      seconds(session.peer().connected), seconds(session.last_used), flags, session.database,
      queued, buffered.input, buffered.input_room, session.transaction.bytes, buffered.output_room,
      buffered.output_room, buffered.output,
      buffered.input + buffered.input_room + buffered.output_room + session.transaction.bytes,
      session.last_command == nullptr ? "NULL" : session.last_command->name);
}

void client_id(Context& context) {
  context.reply.integer(static_cast<int64_t>(context.session.id()));
}

void client_getname(Context& context) {
  if (context.session.name.empty()) return context.reply.null();
  context.reply.bulk(context.session.name);
}

void client_setname(Context& context) {
  for (const char c : context.args[2]) {
    if (c < '!' || c > '~') {
      return context.reply.error(
          "ERR Client names cannot contain spaces, newlines or special characters.");
    }
  }
  context.session.name = context.args[2];
  context.reply.ok();
}

void client_info(Context& context) {
  context.reply.bulk(describe(context.session, context.now) + "\n");
}

std::optional<ClientKind> parse_type(std::string_view word) {
  if (equals_ignoring_case(word, "normal")) return ClientKind::kNormal;
  if (equals_ignoring_case(word, "master")) return ClientKind::kPrimary;
  if (equals_ignoring_case(word, "slave")) return ClientKind::kReplica;
  if (equals_ignoring_case(word, "replica")) return ClientKind::kReplica;
  if (equals_ignoring_case(word, "pubsub")) return ClientKind::kPubsub;
  return std::nullopt;
}

// CLIENT LIST [TYPE type | ID id ...]
void client_list(Context& context) {
  const resp::Args args = context.args;
  std::string lines;
  if (args.size() == 4 && equals_ignoring_case(args[2], "type")) {
    const auto type = parse_type(args[3]);
    if (!type) return context.reply.error(fmt::format("ERR Unknown client type '{}'", args[3]));
    for (const auto& [id, session] : context.state.clients) {
      if (session->client_kind() == *type) lines += describe(*session, context.now) + "\n";
    }
    return context.reply.bulk(lines);
  } else if (args.size() > 3 && equals_ignoring_case(args[2], "id")) {
    for (const std::string_view word : args.subspan(3)) {
      const auto id = resp::parse_integer(word);
      if (!id || *id < 0) return context.reply.error("ERR Invalid client ID");
      const auto client = context.state.clients.find(static_cast<uint64_t>(*id));
      if (client != context.state.clients.end()) {
        lines += describe(*client->second, context.now) + "\n";
      }
    }
    return context.reply.bulk(lines);
  } else if (args.size() != 2) {
    return context.reply.error(kSyntaxError);
  }
  for (const auto& [id, session] : context.state.clients) {
    lines += describe(*session, context.now) + "\n";
  }
  context.reply.bulk(lines);
}

struct KillFilter {
  std::optional<uint64_t> id;
  std::string_view address;
  std::string_view local_address;
  std::optional<ClientKind> type;
  bool skip_me = true;

  bool matches(const Session& session, const Session& me) const {
    if (id && session.id() != *id) return false;
    if (!address.empty() && session.peer().address != address) return false;
    if (!local_address.empty() && session.peer().local_address != local_address) return false;
    if (type && session.client_kind() != *type) return false;
    return !(skip_me && &session == &me);
  }
};

// Reads one "option value" pair; answers and returns false if it makes no sense.
bool parse_kill_option(Context& context, std::string_view option, std::string_view value,
                       KillFilter& filter) {
  if (equals_ignoring_case(option, "id")) {
    const auto id = resp::parse_integer(value);
    if (!id || *id < 1) {
      context.reply.error("ERR client-id should be greater than 0");
      return false;
    }
    filter.id = static_cast<uint64_t>(*id);
  } else if (equals_ignoring_case(option, "type")) {
    filter.type = parse_type(value);
    if (!filter.type) {
      context.reply.error(fmt::format("ERR Unknown client type '{}'", value));
      return false;
    }
  } else if (equals_ignoring_case(option, "addr")) {
    filter.address = value;
  } else if (equals_ignoring_case(option, "laddr")) {
    filter.local_address = value;
  } else if (equals_ignoring_case(option, "user")) {
    if (value == "default") return true;
    context.reply.error(fmt::format("ERR No such user '{}'", value));
    return false;
  } else if (equals_ignoring_case(option, "skipme") &&
             (equals_ignoring_case(value, "yes") || equals_ignoring_case(value, "no"))) {
    filter.skip_me = equals_ignoring_case(value, "yes");
  } else {
    context.reply.error(kSyntaxError);
    return false;
  }
  return true;
}

int64_t kill_matching(Context& context, const KillFilter& filter) {
  int64_t killed = 0;
  for (const auto& [id, session] : context.state.clients) {
    if (!filter.matches(*session, context.session)) continue;
    ++killed;
    if (session == &context.session) {
      session->next = resp::Next::kClose;
    } else if (session->cut) {
      session->cut();
    }
  }
  return killed;
}

// CLIENT KILL address | option value ...
void client_kill(Context& context) {
  const resp::Args args = context.args;
  KillFilter filter;
  if (args.size() == 3) {
    filter.address = args[2];
    filter.skip_me = false;
    if (kill_matching(context, filter) == 0) return context.reply.error("ERR No such client");
    return context.reply.ok();
  }
  if (args.size() % 2 != 0) return context.reply.error(kSyntaxError);
  for (size_t i = 2; i < args.size(); i += 2) {
    if (!parse_kill_option(context, args[i], args[i + 1], filter)) return;
  }
  context.reply.integer(kill_matching(context, filter));
}

void client_reply(Context& context) {
  const std::string_view mode = context.args[2];
  if (equals_ignoring_case(mode, "on")) {
    context.session.reply_mode = ReplyMode::kOn;
    context.reply.ok();
  } else if (equals_ignoring_case(mode, "off")) {
    context.session.reply_mode = ReplyMode::kOff;
  } else if (equals_ignoring_case(mode, "skip")) {
    if (context.session.reply_mode != ReplyMode::kOff) {
      context.session.reply_mode = ReplyMode::kSkipNext;
    }
  } else {
    context.reply.error(kSyntaxError);
  }
}

void client_no_evict(Context& context) {
  const bool on = equals_ignoring_case(context.args[2], "on");
  if (!on && !equals_ignoring_case(context.args[2], "off")) {
    return context.reply.error(kSyntaxError);
  }
  context.session.no_evict = on;
  context.reply.ok();
}

void client_help(Context& context) {
  constexpr std::string_view kLines[] = {
      "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "GETNAME",
      "    Answers the name of this connection.",
      "ID",
      "    Answers the number of this connection.",
      "INFO",
      "    Describes this connection.",
      "KILL <ip:port> | <option> <value> ...",
      "    Closes connections; options: ID, ADDR, LADDR, TYPE, USER, SKIPME.",
      "LIST [TYPE <type> | ID <id> ...]",
      "    Describes all connections.",
      "NO-EVICT (ON|OFF)",
      "    Protects this connection from eviction.",
      "REPLY (ON|OFF|SKIP)",
      "    Sends replies to this connection, or not.",
      "SETNAME <name>",
      "    Names this connection.",
      "HELP",
      "    Prints this help."};
  context.reply.array(std::size(kLines));
  for (const std::string_view line : kLines) context.reply.simple(line);
}

constexpr uint32_t kOwn = kNoScript | kLoading | kStale;

constexpr Command kSubcommands[] = {
    {"client|getname", client_getname, 2, kOwn, Group::kConnection, "2.6.9",
     "Answers the name of the connection"},
    {"client|help", client_help, 2, kLoading | kStale, Group::kConnection, "5.0.0",
     "Answers what CLIENT can do"},
    {"client|id", client_id, 2, kOwn, Group::kConnection, "5.0.0",
     "Answers the number of the connection"},
    {"client|info",
     client_info,
     2,
     kOwn,
     Group::kConnection,
     "6.2.0",
     "Describes the connection",
     {},
     {},
     "nondeterministic_output"},
    {"client|kill", client_kill, -3, kOwn | kAdmin, Group::kConnection, "2.4.0",
     "Closes connections"},
    {"client|list",
     client_list,
     -2,
     kOwn | kAdmin,
     Group::kConnection,
     "2.4.0",
     "Describes all connections",
     {},
     {},
     "nondeterministic_output"},
    {"client|no-evict", client_no_evict, 3, kOwn | kAdmin, Group::kConnection, "7.0.0",
     "Protects the connection from eviction"},
    {"client|reply", client_reply, 3, kOwn, Group::kConnection, "3.2.0", "Sends replies, or not"},
    {"client|setname", client_setname, 3, kOwn, Group::kConnection, "2.6.9",
     "Names the connection"},
};

constexpr Command kCommands[] = {
    {"client",
     nullptr,
     -2,
     0,
     Group::kConnection,
     "2.4.0",
     "Commands about connections",
     {},
     {},
     {},
     kSubcommands},
};

}  // namespace

std::span<const Command> client_commands() { return kCommands; }

}  // namespace seatrial::kv
