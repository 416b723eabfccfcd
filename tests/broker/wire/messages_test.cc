// Every message in every version: what was written is read back, and nothing but the whole of it
// is accepted.
#include "base/buffer.h"
#include "broker/wire/codec.h"
#include "broker/wire/messages/api_versions.h"
#include "broker/wire/messages/create_topics.h"
#include "broker/wire/messages/delete_topics.h"
#include "broker/wire/messages/fetch.h"
#include "broker/wire/messages/list_offsets.h"
#include "broker/wire/messages/metadata.h"
#include "broker/wire/messages/produce.h"
#include "tests/broker/support/any_message.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <string>

namespace seatrial::broker {
namespace {

template <class Message>
class EveryMessage : public testing::Test {};

using Messages =
    testing::Types<ApiVersionsRequest, ApiVersionsReply, MetadataRequest, MetadataReply,
                   ProduceRequest, ProduceReply, FetchRequest, FetchReply, ListOffsetsRequest,
                   ListOffsetsReply, CreateTopicsRequest, CreateTopicsReply, DeleteTopicsRequest,
                   DeleteTopicsReply>;
TYPED_TEST_SUITE(EveryMessage, Messages);

template <class Message>
std::string encoded(const Message& message, int16_t version) {
  base::Buffer buffer;
  encode(buffer, message, version);
  return std::string(buffer.bytes());
}

TYPED_TEST(EveryMessage, IsReadBackAsWritten) {
  EXPECT_TRUE(rc::check([] {
    const auto version = *rc::gen::inRange<int16_t>(0, TypeParam::kVersionMax + 1);
    std::deque<std::string> kept;
    const auto message = any_message<TypeParam>(version, kept);
    const std::string bytes = encoded(message, version);
    const auto read = decode<TypeParam>(bytes, version);
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == message);
    RC_ASSERT(encoded(*read, version) == bytes);
  }));
}

TYPED_TEST(EveryMessage, IsRefusedWhenCutAnywhereOrTooLong) {
  EXPECT_TRUE(rc::check([] {
    const auto version = *rc::gen::inRange<int16_t>(0, TypeParam::kVersionMax + 1);
    std::deque<std::string> kept;
    const std::string bytes = encoded(any_message<TypeParam>(version, kept), version);
    for (size_t size = 0; size < bytes.size(); ++size) {
      // On the heap and of that very size: a byte too many that is read is seen by sanitizers.
      const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
      RC_ASSERT(!decode<TypeParam>({cut.data(), cut.size()}, version));
    }
    RC_ASSERT(!decode<TypeParam>(bytes + "x", version));
  }));
}

TYPED_TEST(EveryMessage, WithAnyByteChangedIsReadOrRefused) {
  EXPECT_TRUE(rc::check([] {
    const auto version = *rc::gen::inRange<int16_t>(0, TypeParam::kVersionMax + 1);
    std::deque<std::string> kept;
    std::string bytes = encoded(any_message<TypeParam>(version, kept), version);
    for (char& byte : bytes) {
      const char before = byte;
      byte = *rc::gen::arbitrary<char>();
      const std::vector<char> changed(bytes.begin(), bytes.end());
      if (const auto read = decode<TypeParam>({changed.data(), changed.size()}, version)) {
        RC_ASSERT(encoded(*read, version).size() <= bytes.size() + 8);
      }
      byte = before;
    }
  }));
}

TYPED_TEST(EveryMessage, FlexibleFromAsItsHeader) {
  EXPECT_EQ(TypeParam::kFlexibleFrom, flexible_from(TypeParam::kApi));
}

}  // namespace
}  // namespace seatrial::broker
