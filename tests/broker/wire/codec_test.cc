#include "broker/wire/codec.h"
#include "broker/wire/messages/api_versions.h"
#include "broker/wire/messages/fetch.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace seatrial::broker {
namespace {

using namespace std::literals;

std::string why(const base::Result<void>& result) {
  return result ? "good" : std::string(result.error().detail());
}

TEST(Decoder, BelievesNoLengthThatHasNoBytesBehindIt) {
  Decoder text("\x00\x05quay"sv, 0, false);
  std::string value = "before";
  text(value);
  EXPECT_EQ(value, "");
  EXPECT_EQ(why(text.result()), "at byte 2: 5 bytes are needed, 4 are left");

  Decoder records("\x7f\xff\xff\xff..."sv, 0, false);
  Records bytes;
  records(bytes);
  EXPECT_EQ(bytes, std::nullopt);
  EXPECT_EQ(why(records.result()), "at byte 4: 2147483647 bytes are needed, 3 are left");

  Decoder list("\x7f\xff\xff\xff\x00\x00\x00\x01"sv, 0, false);
  std::vector<int32_t> numbers;
  list(numbers);
  EXPECT_EQ(numbers.capacity(), 0U);
  EXPECT_EQ(why(list.result()), "at byte 4: an array of 2147483647 elements, 4 bytes are left");
}

TEST(Decoder, RefusesNegativeLengthsAndNullsOutOfPlace) {
  std::string text;
  Decoder null_text("\xff\xff"sv, 0, false);
  null_text(text);
  EXPECT_EQ(why(null_text.result()), "at byte 2: a length of -1");

  std::optional<std::string> nullable = "before";
  Decoder null_allowed("\xff\xff"sv, 0, false);
  null_allowed(nullable);
  EXPECT_EQ(nullable, std::nullopt);
  EXPECT_EQ(why(null_allowed.finish()), "good");

  Decoder negative("\xff\xfe"sv, 0, false);
  negative(nullable);
  EXPECT_EQ(why(negative.result()), "at byte 2: a length of -2");

  std::vector<int32_t> list;
  Decoder null_list("\xff\xff\xff\xff"sv, 0, false);
  null_list(list);
  EXPECT_EQ(why(null_list.result()), "at byte 4: null where an array is expected");
}

TEST(Decoder, StopsAtItsFirstFault) {
  Decoder decoder("\x00\x09...."sv, 0, false);
  std::string text;
  int32_t number = 7;
  decoder(text);
  decoder(number);
  EXPECT_EQ(number, 0);
  EXPECT_EQ(why(decoder.result()), "at byte 2: 9 bytes are needed, 4 are left");
}

TEST(Decoder, ReadsVariableLengthIntegersOf32Bits) {
  EXPECT_EQ(Decoder("\x00"sv, 0, true).varint(), 0U);
  EXPECT_EQ(Decoder("\x7f"sv, 0, true).varint(), 127U);
  EXPECT_EQ(Decoder("\x80\x01"sv, 0, true).varint(), 128U);
  EXPECT_EQ(Decoder("\xff\xff\xff\xff\x0f"sv, 0, true).varint(), UINT32_MAX);
  for (const auto bytes : {"\xff\xff\xff\xff\x1f"sv, "\x80\x80\x80\x80\x80\x01"sv, "\x80"sv}) {
    Decoder decoder(bytes, 0, true);
    EXPECT_EQ(decoder.varint(), 0U);
    EXPECT_FALSE(decoder.good());
  }
}

TEST(Decoder, PassesOverTaggedFieldsItDoesNotKnow) {
  Decoder decoder(
      "\x02\x00\x03"
      "abc"
      "\x05\x00"
      "\x00\x07"s,
      0, true);
  decoder.tags();
  int16_t after = 0;
  decoder(after);
  EXPECT_EQ(after, 7);
  EXPECT_EQ(why(decoder.finish()), "good");

  Decoder more_than_there_is("\x7f\x00"sv, 0, true);
  more_than_there_is.tags();
  EXPECT_FALSE(more_than_there_is.good());
}

TEST(Decoder, RefusesACompactTextLongerThanAReplyCouldCarry) {
  const std::string bytes = "\x81\x80\x02"s + std::string(32768, 'x');
  Decoder decoder(bytes, 0, true);
  std::string text;
  decoder(text);
  EXPECT_EQ(why(decoder.result()), "at byte 3: a length of 32768");
}

RC_GTEST_PROP(EncoderProperty, VarintsAreReadBack, (uint32_t value)) {
  base::Buffer buffer;
  Encoder(buffer, 0, true).varint(value);
  Decoder decoder(buffer.bytes(), 0, true);
  RC_ASSERT(decoder.varint() == value);
  RC_ASSERT(decoder.finish().has_value());
}

TEST(Request, HasItsHeaderInFrontOfIt) {
  base::Buffer buffer;
  encode_request(buffer, ApiVersionsRequest{.client_software_name = "x"}, 3, 9, "me");
  base::Bytes frame = buffer.bytes();
  EXPECT_EQ(frame, "\x00\x00\x00\x11\x00\x12\x00\x03\x00\x00\x00\x09\x00\x02me\x00\x02x\x01\x00"s);
  frame.remove_prefix(4);
  const auto header = take_request_header(frame);
  ASSERT_TRUE(header);
  EXPECT_EQ(*header, (RequestHeader{ApiKey::kApiVersions, 3, 9, "me"}));
  EXPECT_EQ(decode<ApiVersionsRequest>(frame, 3)->client_software_name, "x");
}

TEST(Request, WithAHeaderThatIsCutIsRefused) {
  const std::string whole = "\x00\x12\x00\x03\x00\x00\x00\x09\x00\x02me\x00"s;
  for (size_t size = 0; size < whole.size(); ++size) {
    base::Bytes frame = base::Bytes(whole).substr(0, size);
    EXPECT_FALSE(take_request_header(frame)) << size;
  }
}

TEST(Reply, CarriesTagsInItsHeaderButForApiVersions) {
  base::Buffer buffer;
  encode_reply(buffer, ApiVersionsReply{}, 3, 5);
  EXPECT_EQ(buffer.bytes(), "\x00\x00\x00\x0c\x00\x00\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00"s);
  buffer.clear();
  encode_reply(buffer, FetchReply{}, 12, 6);
  EXPECT_EQ(buffer.bytes().substr(0, 9), "\x00\x00\x00\x11\x00\x00\x00\x06\x00"s);
  const base::Bytes frame = buffer.bytes().substr(4);
  EXPECT_EQ(*correlation_of(frame), 6);
  EXPECT_EQ(*decode_reply<FetchReply>(frame, 12), FetchReply{});
}

}  // namespace
}  // namespace seatrial::broker
