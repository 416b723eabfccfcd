#include "kv/propagate/aof_manifest.h"

#include "kv/command_table.h"
#include "resp/number.h"
#include "resp/parser.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::kv {
namespace {

constexpr size_t kLineBytesMax = 1024;
constexpr std::string_view kExpected = "expected \"file <name> seq <number> type b|i|h\"";

std::string quote_name(std::string_view name) {
  const auto plain = [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\''; };
  if (std::ranges::all_of(name, plain)) return std::string(name);
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c >= ' ' && c < '\x7f') {
      quoted += c;
    } else {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return quoted + '"';
}

void add_line(std::string& text, const ManifestFile& file, char type) {
  text += fmt::format("file {} seq {} type {}\n", quote_name(file.name), file.sequence, type);
}

struct Line {
  ManifestFile file;
  char type = '\0';
};

std::optional<Line> parse_line(std::string_view text) {
  std::vector<std::string> words;
  Line line;
  if (text.size() > kLineBytesMax || !resp::split_words(text, words)) return std::nullopt;
  if (words.size() < 6 || words.size() % 2 != 0) return std::nullopt;
  for (size_t i = 0; i < words.size(); i += 2) {
    const std::string& value = words[i + 1];
    // Other keys may come with later versions of Redis.
    if (equals_ignoring_case(words[i], "file")) {
      line.file.name = value;
    } else if (equals_ignoring_case(words[i], "seq")) {
      const auto sequence = resp::parse_integer(value);
      if (!sequence || *sequence <= 0) return std::nullopt;
      line.file.sequence = static_cast<uint64_t>(*sequence);
    } else if (equals_ignoring_case(words[i], "type")) {
      line.type = value.size() == 1 ? value[0] : '\0';
    }
  }
  const std::string& name = line.file.name;
  if (name.empty() || name == "." || name == ".." || line.file.sequence == 0) return std::nullopt;
  if (name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) return std::nullopt;
  return line;
}

// Puts the line where it belongs; returns what is wrong with it, or nothing.
std::string_view take_line(Manifest& manifest, Line line) {
  if (manifest.names(line.file.name)) return "the file is named twice";
  switch (line.type) {
    case 'b':
      if (manifest.base) return "a second base file";
      manifest.base = std::move(line.file);
      return {};
    case 'h': manifest.history.push_back(std::move(line.file)); return {};
    case 'i':
      if (!manifest.increments.empty() &&
          manifest.increments.back().sequence >= line.file.sequence) {
        return "its sequence number does not rise";
      }
      manifest.increments.push_back(std::move(line.file));
      return {};
    default: return kExpected;
  }
}

}  // namespace

bool Manifest::names(std::string_view file) const {
  const auto named = [file](const ManifestFile& entry) { return entry.name == file; };
  return (base && named(*base)) || std::ranges::any_of(increments, named) ||
         std::ranges::any_of(history, named);
}

std::string format_manifest(const Manifest& manifest) {
  std::string text;
  if (manifest.base) add_line(text, *manifest.base, 'b');
  for (const ManifestFile& file : manifest.history) add_line(text, file, 'h');
  for (const ManifestFile& file : manifest.increments) add_line(text, file, 'i');
  return text;
}

base::Result<Manifest> parse_manifest(std::string_view text, std::string_view place) {
  Manifest manifest;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (end != std::string_view::npos && (line.empty() || line[0] == '#')) continue;
    std::string_view problem = kExpected;
    if (end == std::string_view::npos) {
      problem = "the line does not end";
    } else if (auto parsed = parse_line(line)) {
      problem = take_line(manifest, std::move(*parsed));
    }
    if (!problem.empty()) {
      return base::fail(
          base::Errc::kInvalidData,
          fmt::format("{}:{}: {}, found \"{}\"", place, number, problem, line.substr(0, 200)));
    }
  }
  if (manifest.empty()) {
    return base::fail(base::Errc::kInvalidData, fmt::format("{}: it names no file", place));
  }
  return manifest;
}

std::string log_file_name(std::string_view log, const LogFileName& name) {
  const std::string_view kind = name.kind == LogFileKind::kBaseRdb   ? "base.rdb"
                                : name.kind == LogFileKind::kBaseAof ? "base.aof"
                                                                     : "incr.aof";
  return fmt::format("{}.{}.{}", log, name.sequence, kind);
}

std::optional<LogFileName> parse_log_file_name(std::string_view log, std::string_view text) {
  if (!text.starts_with(log)) return std::nullopt;
  std::string_view rest = text.substr(log.size());
  if (!rest.starts_with('.')) return std::nullopt;
  rest.remove_prefix(1);
  const size_t dot = rest.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto sequence = resp::parse_integer(rest.substr(0, dot));
  if (!sequence || *sequence <= 0) return std::nullopt;
  for (const LogFileKind kind :
       {LogFileKind::kBaseRdb, LogFileKind::kBaseAof, LogFileKind::kIncrement}) {
    const LogFileName name{kind, static_cast<uint64_t>(*sequence)};
    if (log_file_name(log, name) == text) return name;
  }
  return std::nullopt;
}

}  // namespace seatrial::kv
