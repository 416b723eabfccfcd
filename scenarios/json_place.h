// Where in a file of JSON something stands, for messages about it. The file is read once more for
// that, which only a message is worth.
#pragma once

#include "base/error.h"

#include <optional>
#include <string>
#include <string_view>

namespace seatrial::scenarios {

// The line, from 1 on, of the value at `path` ("plan.faults[3].kind"; of a member: where its key
// stands). Nothing where there is none, or no JSON.
std::optional<size_t> line_of(std::string_view text, std::string_view path);

// Why the text is no JSON, with its line: "12: ...". Nothing where it is.
std::optional<std::string> syntax_error(std::string_view text);

// The error of a reader, whose message begins with the path of what is wrong ("plan.storm_us:
// expected ..."), with file and line before it.
base::Error placed(const base::Error& error, std::string_view file, std::string_view text);

}  // namespace seatrial::scenarios
