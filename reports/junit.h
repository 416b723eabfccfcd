// JUnit XML of a results.jsonl, for CI: one testsuite a scenario, one testcase a seed. A violation
// or a nondeterminism is a <failure>, a crash or a stuck run an <error>; each carries the reason
// and the command that repeats it.
#pragma once

#include "base/error.h"
#include "reports/run_result.h"

#include <string>
#include <string_view>

namespace seatrial::reports {

// Reads the results once for the counts and once more for each scenario.
Result<void> write_junit(const std::string& results_path, const std::string& junit_path);

// Text as XML 1.0 allows it, in attributes as well: control characters and bytes that are no
// UTF-8 become U+FFFD.
std::string escape_xml(std::string_view text);

}  // namespace seatrial::reports
