#include "reports/junit.h"

#include "reports/results_file.h"

#include <fmt/format.h>

#include <map>

namespace seatrial::reports {
namespace {

using std::chrono::nanoseconds;

struct Suite {
  uint64_t tests = 0;
  uint64_t failures = 0;
  uint64_t errors = 0;
  nanoseconds time{};

  void add(const RunResult& result);
};

bool is_error(Verdict verdict) { return verdict == Verdict::kCrash || verdict == Verdict::kStuck; }

void Suite::add(const RunResult& result) {
  ++tests;
  time += result.wall_time;
  if (result.verdict == Verdict::kPass) return;
  ++(is_error(result.verdict) ? errors : failures);
}

double seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

std::string attributes(const Suite& suite) {
  return fmt::format(R"(tests="{}" failures="{}" errors="{}" time="{:.3f}")", suite.tests,
                     suite.failures, suite.errors, seconds(suite.time));
}

std::string testcase(const RunResult& result) {
  std::string text =
      fmt::format(R"(    <testcase classname="{}" name="seed {}" time="{:.3f}")",
                  escape_xml(result.scenario), result.seed, seconds(result.wall_time));
  if (result.verdict == Verdict::kPass) return text + "/>\n";
  std::string_view element = is_error(result.verdict) ? "error" : "failure";
  text += fmt::format(">\n      <{} type=\"{}\" message=\"{}\">", element,
                      to_string(result.verdict), escape_xml(reason(result)));
  for (const Violation& violation : result.violations) {
    text += escape_xml(fmt::format("{}: {}\n", violation.checker, violation.summary));
  }
  if (!result.message.empty()) text += escape_xml(result.message + "\n");
  text += escape_xml("repeat: " + repeat_command(result) + "\n");
  if (!result.capsule.empty()) text += escape_xml("capsule: " + result.capsule + "\n");
  return text + fmt::format("</{}>\n    </testcase>\n", element);
}

// The length of the UTF-8 sequence at the start of `text` that XML allows, or 0.
size_t valid_prefix(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  if (first < 0x80) {
    bool allowed = first >= 0x20 || first == '\t' || first == '\n' || first == '\r';
    return allowed ? 1 : 0;
  }
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length == 0 || first > 0xf4 || text.size() < length) return 0;
  uint32_t code = first & (0xffU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10ffff) return 0;
  bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return surrogate || code == 0xfffe || code == 0xffff ? 0 : length;
}

}  // namespace

std::string escape_xml(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    size_t length = valid_prefix(text);
    if (length == 0) {
      escaped += "\xef\xbf\xbd";
      length = 1;
    } else if (length > 1) {
      escaped += text.substr(0, length);
    } else {
      switch (text.front()) {
        case '&': escaped += "&amp;"; break;
        case '<': escaped += "&lt;"; break;
        case '>': escaped += "&gt;"; break;
        case '"': escaped += "&quot;"; break;
        // A parser would turn these into blanks where they stand in an attribute.
        case '\n': escaped += "&#10;"; break;
        case '\r': escaped += "&#13;"; break;
        case '\t': escaped += "&#9;"; break;
        default: escaped += text.front();
      }
    }
    text.remove_prefix(length);
  }
  return escaped;
}

Result<void> write_junit(const std::string& results_path, const std::string& junit_path) {
  std::map<std::string, Suite> suites;
  Suite all;
  TRY(for_each_result(results_path, [&](const RunResult& result) -> Result<void> {
    suites[result.scenario].add(result);
    all.add(result);
    return {};
  }));
  OutputFile file = TRY(OutputFile::create(junit_path));
  TRY(file.write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
  TRY(file.write(fmt::format("<testsuites name=\"seatrial\" {}>\n", attributes(all))));
  for (const auto& [scenario, suite] : suites) {
    TRY(file.write(
        fmt::format("  <testsuite name=\"{}\" {}>\n", escape_xml(scenario), attributes(suite))));
    TRY(for_each_result(results_path, [&](const RunResult& result) -> Result<void> {
      if (result.scenario != scenario) return {};
      return file.write(testcase(result));
    }));
    TRY(file.write("  </testsuite>\n"));
  }
  TRY(file.write("</testsuites>\n"));
  return file.close();
}

}  // namespace seatrial::reports
