#include "kv/rdb/format.h"

#include <iterator>

namespace seatrial::kv::rdb {

std::string_view type_name(uint8_t code) {
  constexpr std::string_view kNames[] = {"string",
                                         "list",
                                         "set",
                                         "sorted set",
                                         "hash",
                                         "sorted set, version 2",
                                         "module value, before release",
                                         "module value",
                                         "",
                                         "hash as zipmap",
                                         "list as ziplist",
                                         "set of integers",
                                         "sorted set as ziplist",
                                         "hash as ziplist",
                                         "list as quicklist",
                                         "stream",
                                         "hash as listpack",
                                         "sorted set as listpack",
                                         "list as quicklist, version 2",
                                         "stream, version 2"};
  return code < std::size(kNames) ? kNames[code] : "";
}

}  // namespace seatrial::kv::rdb
