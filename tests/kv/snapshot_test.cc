#include "kv/snapshot.h"
#include "tests/kv/rdb/memory.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::kv {
namespace {

const KeyspaceSnapshot& as_snapshot(const os::Snapshot& snapshot) {
  return static_cast<const KeyspaceSnapshot&>(snapshot);
}

TEST(KeyspaceSnapshot, AFrozenOneSeesNoLaterWrite) {
  rdb::Data data;
  const std::string large(1000, 'x');
  data.set(0, "number", "1");
  data.set(0, "small", "a", 77);
  data.set(0, "large", large);
  data.set(5, "gone", large, 5);
  rdb::Info info;
  info.created_seconds = 7;
  const KeyspaceSnapshot live(data.keyspace, info);
  const auto frozen = live.freeze();
  const auto before = rdb::contents(data.keyspace);
  data.keyspace.at(0).assign_integer(data.keyspace.at(0).find("number"), 2);
  data.keyspace.at(0).find("small")->set_deadline(78);
  EXPECT_TRUE(data.keyspace.at(0).find("large")->assign_in_place(std::string(1000, 'y')));
  data.keyspace.at(0).append(data.keyspace.at(0).find("small"), "b");
  data.set(0, "new", "1");
  data.keyspace.flush(5);
  EXPECT_NE(rdb::contents(data.keyspace), before);
  EXPECT_EQ(rdb::contents(as_snapshot(*frozen).keyspace()), before);
  EXPECT_EQ(as_snapshot(*frozen).info(), info);
  EXPECT_EQ(rdb::contents(as_snapshot(live).keyspace()), rdb::contents(data.keyspace));
  const auto again = as_snapshot(*frozen).freeze();
  EXPECT_EQ(rdb::contents(as_snapshot(*again).keyspace()), before);
}

}  // namespace
}  // namespace seatrial::kv
