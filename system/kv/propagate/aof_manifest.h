// The manifest of the append-only log, in Redis 7's format: which files make up the log.
//
//   file appendonly.aof.2.base.rdb seq 2 type b     the data at some instant; at most one
//   file appendonly.aof.1.incr.aof seq 1 type h     history: of no use any more, to be deleted
//   file appendonly.aof.4.incr.aof seq 4 type i     what came after it, file after file; the
//   file appendonly.aof.5.incr.aof seq 5 type i     last one is written to
//
// A line starting with '#' is a remark. Names with blanks are quoted.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::kv {

struct ManifestFile {
  std::string name;  // Within the log's directory.
  uint64_t sequence = 0;
  friend bool operator==(const ManifestFile&, const ManifestFile&) = default;
};

struct Manifest {
  std::optional<ManifestFile> base;
  std::vector<ManifestFile> increments;  // By rising sequence.
  std::vector<ManifestFile> history;

  bool empty() const { return !base && increments.empty() && history.empty(); }
  bool names(std::string_view file) const;
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

std::string format_manifest(const Manifest& manifest);
// An error names `place` and the line: kInvalidData.
base::Result<Manifest> parse_manifest(std::string_view text, std::string_view place);

// What a file of the log is, by its name: <log>.<sequence>.<base|incr>.<rdb|aof>.
enum class LogFileKind : unsigned char { kBaseRdb, kBaseAof, kIncrement };
struct LogFileName {
  LogFileKind kind;
  uint64_t sequence;
};
std::string log_file_name(std::string_view log, const LogFileName& name);
std::optional<LogFileName> parse_log_file_name(std::string_view log, std::string_view text);

}  // namespace seatrial::kv
