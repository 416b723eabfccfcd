#include "kv/propagate/unit.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::kv {

std::string select_command(int database) {
  const std::string index = fmt::format("{}", database);
  return fmt::format("*2\r\n$6\r\nselect\r\n${}\r\n{}\r\n", index.size(), index);
}

size_t UnitEncoder::append(const Effects& effects, resp::Buffer& to) {
  const size_t before = to.size();
  const bool transaction = effects.list().size() > 1;
  bool begun = false;
  for (const Effect& effect : effects.list()) {
    if (effect.database != database_) {
      database_ = effect.database;
      to.append(select_command(database_));
    }
    if (transaction && !begun) to.append("*1\r\n$5\r\nMULTI\r\n");
    begun = true;
    to.append(effects.bytes(effect));
  }
  if (transaction) to.append("*1\r\n$4\r\nEXEC\r\n");
  return to.size() - before;
}

size_t UnitEncoder::append_idle(resp::Buffer& to) {
  database_ = std::max(database_, 0);
  const std::string select = select_command(database_);
  to.append(select);
  return select.size();
}

}  // namespace seatrial::kv
