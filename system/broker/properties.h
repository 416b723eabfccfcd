// Java's properties syntax, as server.properties is written in: comments, continued lines,
// escapes.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace seatrial::broker {

struct Property {
  std::string place;  // "server.properties:12"
  std::string key;
  std::string value;
};

// In the order of the text. Errors: kInvalidData, with the place.
base::Result<std::vector<Property>> parse_properties(std::string_view file_name,
                                                     std::string_view text);

}  // namespace seatrial::broker
