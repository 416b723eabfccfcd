#include "base/buffer.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace seatrial::base {
namespace {

RC_GTEST_PROP(BufferProperty, HoldsWhatWasPutAndNotYetTaken, ()) {
  Buffer buffer;
  std::string model;
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 5));
  for (const int step : steps) {
    if (step <= 2) {
      const auto text = *rc::gen::arbitrary<std::string>();
      buffer.append(text);
      model += text;
    } else if (step == 3) {
      const auto count = *rc::gen::inRange<size_t>(0, model.size() + 1);
      buffer.consume(count);
      model.erase(0, count);
    } else {
      const auto size = *rc::gen::inRange<size_t>(0, model.size() + 1);
      buffer.truncate(size);
      model.resize(size);
    }
    RC_ASSERT(buffer.bytes() == model);
  }
}

TEST(Buffer, GivesMemoryBackOnlyWhenEmpty) {
  Buffer buffer;
  buffer.append(std::string(5000, 'x'));
  buffer.shrink_to(100);
  EXPECT_EQ(buffer.size(), 5000U);
  buffer.clear();
  buffer.shrink_to(100);
  EXPECT_EQ(buffer.capacity(), 0U);
  buffer.append("again");
  EXPECT_EQ(buffer.bytes(), "again");
}

}  // namespace
}  // namespace seatrial::base
