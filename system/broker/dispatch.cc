#include "broker/dispatch.h"

#include "broker/api/api_versions.h"
#include "broker/api/create_topics.h"
#include "broker/api/fetch.h"
#include "broker/api/list_offsets.h"
#include "broker/api/metadata.h"
#include "broker/api/produce.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::broker {
namespace {

constexpr Api kApis[] = {
    {ApiKey::kProduce, 0, 8, produce},          {ApiKey::kFetch, 0, 11, fetch},
    {ApiKey::kListOffsets, 0, 5, list_offsets}, {ApiKey::kMetadata, 0, 9, metadata},
    {ApiKey::kApiVersions, 0, 3, api_versions}, {ApiKey::kCreateTopics, 0, 4, create_topics},
};

std::string name_of(const RequestHeader& header) {
  return fmt::format("{} (API {}) version {}, correlation id {}", to_string(header.api),
                     static_cast<int16_t>(header.api), header.version, header.correlation);
}

}  // namespace

std::span<const Api> apis() { return kApis; }

base::Result<Answer> dispatch(Context& context, base::Bytes frame) {
  auto header = peek_request_header(frame);
  if (!header) return base::fail(header.error().in("a request's header"));
  const auto* const api = std::ranges::find(kApis, header->api, &Api::key);
  if (api == std::end(kApis)) {
    return base::fail(base::Errc::kInvalidData,
                      fmt::format("{}: this broker has no such API", name_of(*header)));
  }
  if (header->version >= api->version_min && header->version <= api->version_max) {
    auto whole = take_request_header(frame);
    if (!whole) return base::fail(whole.error().in("a request's header"));
    header = std::move(whole);
  } else if (header->api != ApiKey::kApiVersions) {
    return base::fail(base::Errc::kInvalidData,
                      fmt::format("{}: expected version {} to {}", name_of(*header),
                                  api->version_min, api->version_max));
  }
  auto answer = api->handle(context, *header, frame);
  if (!answer && answer.error() == base::Errc::kInvalidData) {
    return base::fail(answer.error().in(name_of(*header)));
  }
  return answer;
}

}  // namespace seatrial::broker
