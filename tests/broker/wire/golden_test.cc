// Frames recorded from real clients: read, understood, and written again byte for byte the same.
#include "broker/wire/codec.h"
#include "broker/wire/messages/api_versions.h"
#include "broker/wire/messages/create_topics.h"
#include "broker/wire/messages/fetch.h"
#include "broker/wire/messages/list_offsets.h"
#include "broker/wire/messages/metadata.h"
#include "broker/wire/messages/produce.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace seatrial::broker {
namespace {

struct Golden {
  std::string file;
  bool request = false;
  ApiKey api{};
  int16_t version = 0;
  std::string frame;
};

std::vector<Golden> read_golden(const std::string& name) {
  std::ifstream file(SEATRIAL_SOURCE_DIR "/tests/broker/golden/" + name);
  std::vector<Golden> all;
  std::string direction;
  std::string hex;
  int api = 0;
  int version = 0;
  while (file >> direction >> api >> version >> hex) {
    Golden golden{
        name, direction == "request", static_cast<ApiKey>(api), static_cast<int16_t>(version), {}};
    for (size_t i = 0; i + 1 < hex.size(); i += 2) {
      golden.frame += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    all.push_back(std::move(golden));
  }
  return all;
}

std::string without_length(const base::Buffer& buffer) {
  return std::string(buffer.bytes().substr(4));
}

template <class Request, class Reply>
std::string read_and_write(const Golden& golden) {
  base::Buffer buffer;
  if (golden.request) {
    base::Bytes body = golden.frame;
    const auto header = take_request_header(body);
    if (!header) return header.error().message();
    const auto request = decode<Request>(body, header->version);
    if (!request) return request.error().message();
    encode_request(buffer, *request, header->version, header->correlation, header->client_id);
  } else {
    const auto reply = decode_reply<Reply>(golden.frame, golden.version);
    if (!reply) return reply.error().message();
    encode_reply(buffer, *reply, golden.version, *correlation_of(golden.frame));
  }
  return without_length(buffer);
}

std::string read_and_write_any(const Golden& golden) {
  switch (golden.api) {
    case ApiKey::kProduce: return read_and_write<ProduceRequest, ProduceReply>(golden);
    case ApiKey::kFetch: return read_and_write<FetchRequest, FetchReply>(golden);
    case ApiKey::kListOffsets: return read_and_write<ListOffsetsRequest, ListOffsetsReply>(golden);
    case ApiKey::kMetadata: return read_and_write<MetadataRequest, MetadataReply>(golden);
    case ApiKey::kApiVersions: return read_and_write<ApiVersionsRequest, ApiVersionsReply>(golden);
    case ApiKey::kCreateTopics:
      return read_and_write<CreateTopicsRequest, CreateTopicsReply>(golden);
    case ApiKey::kDeleteTopics: break;
  }
  return "not captured";
}

class GoldenFrames : public testing::TestWithParam<std::string> {};

TEST_P(GoldenFrames, AreReadAndWrittenAgainTheSame) {
  const auto frames = read_golden(GetParam());
  ASSERT_GE(frames.size(), 10U);
  for (const Golden& golden : frames) {
    EXPECT_EQ(read_and_write_any(golden), golden.frame)
        << (golden.request ? "request " : "reply ") << to_string(golden.api) << " version "
        << golden.version;
  }
}

INSTANTIATE_TEST_SUITE_P(OfClients, GoldenFrames,
                         testing::Values("kcat-1.7.1.txt", "kafka-python-2.0.2.txt"),
                         [](const auto& file) {
                           return std::string(file.param == "kcat-1.7.1.txt" ? "Kcat"
                                                                             : "KafkaPython");
                         });

TEST(GoldenMessages, SayWhatTheirClientsMeant) {
  for (const Golden& golden : read_golden("kcat-1.7.1.txt")) {
    if (!golden.request) continue;
    base::Bytes body = golden.frame;
    ASSERT_TRUE(take_request_header(body));
    if (golden.api == ApiKey::kProduce) {
      const auto produce = decode<ProduceRequest>(body, golden.version);
      ASSERT_TRUE(produce);
      EXPECT_EQ(produce->acks, -1);
      ASSERT_EQ(produce->topics.size(), 1U);
      EXPECT_EQ(produce->topics[0].name, "quay");
      EXPECT_GT(produce->topics[0].partitions[0].records->size(), 61U);
    } else if (golden.api == ApiKey::kApiVersions) {
      EXPECT_EQ(decode<ApiVersionsRequest>(body, 3)->client_software_name, "librdkafka");
    }
  }
}

}  // namespace
}  // namespace seatrial::broker
