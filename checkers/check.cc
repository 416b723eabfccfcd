#include "checkers/check.h"

#include "checkers/bank.h"
#include "checkers/election.h"
#include "checkers/hjl.h"
#include "checkers/lease.h"
#include "checkers/linearizability.h"
#include "checkers/list_append.h"
#include "checkers/offsets.h"
#include "checkers/prefix.h"
#include "checkers/read_write.h"
#include "checkers/readers/jepsen.h"
#include "checkers/readers/porcupine.h"
#include "checkers/transactions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace seatrial::checkers {
namespace {

using base::Errc;
using base::fail;

struct Row {
  CheckerInfo info;
  Verdict (*run)(const History&, const Options&);
};

constexpr std::array kRows = {
    Row{{"register", "register", "linearizable registers: get, set"}, check_linearizability},
    Row{{"kv", "kv register", "linearizable keys: get, set, cas, del, incr, getset, append"},
        check_linearizability},
    Row{{"kvx", "kvx", "linearizable keys with expiry: get, set (px), del, incr, getset"},
        check_linearizability},
    Row{{"counter", "counter", "linearizable counters: get, incr, incrby, decrby"},
        check_linearizability},
    Row{{"list", "list", "linearizable lists: rpush, lrange, lpop"}, check_linearizability},
    Row{{"queue", "queue", "linearizable queues: rpush, lpop"}, check_linearizability},
    Row{{"hash", "hash", "linearizable hashes: hset, hget, hdel, hgetall"}, check_linearizability},
    Row{{"set", "set", "linearizable sets: sadd, srem, sismember, smembers"},
        check_linearizability},
    Row{{"zset", "zset", "linearizable sorted sets: zadd, zrem, zscore, zrange"},
        check_linearizability},
    Row{{"txn", "txn", "strictly serializable transactions: get, set, watch, exec"},
        check_transactions},
    Row{{"appendtxn", "appendtxn", "isolation of list-append transactions: exec of rpush, lrange"},
        check_list_append},
    Row{{"rwtxn", "rwtxn", "isolation of read-write-register transactions: exec of get, set"},
        check_read_write},
    Row{{"bank", "txn", "the total over all accounts stays the same in every audit"}, check_bank},
    Row{{"lease", "lease", "leases with a deadline under WATCH: get, set (px), del, watch, exec"},
        check_leases},
    Row{{"offsets", "kafka log",
         "a partitioned log: dense, ordered, seen stays, acknowledged stays"},
        check_offsets},
    Row{{"prefix", "prefix", "a store over its crashes: always the first N of its writes"},
        check_prefix},
    Row{{"election", "election",
         "one primary an epoch, and after calm one that all agree on: promote, observe, calm"},
        check_election},
};

constexpr auto kInfos = [] {
  std::array<CheckerInfo, kRows.size()> infos;
  std::ranges::transform(kRows, infos.begin(), &Row::info);
  return infos;
}();

bool takes(const CheckerInfo& info, std::string_view type) {
  return fmt::format(" {} ", info.types).find(fmt::format(" {} ", type)) != std::string::npos;
}

Result<const Row*> find_model(std::string_view model) {
  const auto row = std::ranges::find(kRows, model, [](const Row& r) { return r.info.model; });
  if (row != kRows.end()) return &*row;
  std::string known;
  for (const Row& r : kRows) known += (known.empty() ? "" : ", ") + std::string(r.info.model);
  return fail(Errc::kInvalidArgument,
              fmt::format("no checker for model \"{}\", there are {}", model, known));
}

}  // namespace

std::span<const CheckerInfo> list_checkers() { return kInfos; }

Result<History> read_history(std::string_view bytes) {
  if (is_jepsen_register_log(bytes)) return read_jepsen_register_log(bytes);
  if (is_porcupine_kv(bytes)) return read_porcupine_kv(bytes);
  if (is_jepsen_edn(bytes)) return read_jepsen_edn(bytes);
  return read_hjl(bytes);
}

Result<Verdict> check(std::string_view model, const History& history, const Options& options) {
  const Row* row = TRY(find_model(model));
  if (!takes(row->info, history.type())) {
    return fail(Errc::kInvalidArgument,
                fmt::format("model {} takes histories of type {}, this one is of type {}", model,
                            row->info.types, history.type()));
  }
  return row->run(history, options);
}

Result<Verdict> check(std::string_view model, std::string_view bytes, const Options& options) {
  TRY(find_model(model));
  const History history = TRY(read_history(bytes));
  return check(model, history, options);
}

}  // namespace seatrial::checkers
