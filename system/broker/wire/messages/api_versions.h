// ApiVersions: which requests, in which versions, this broker takes.
#pragma once

#include "broker/wire/api_key.h"
#include "broker/wire/error_code.h"

#include <cstdint>
#include <string>
#include <vector>

namespace seatrial::broker {

struct ApiVersionsRequest {
  static constexpr ApiKey kApi = ApiKey::kApiVersions;
  static constexpr int16_t kVersionMax = 3;
  static constexpr int16_t kFlexibleFrom = 3;

  std::string client_software_name;     // From version 3.
  std::string client_software_version;  // From version 3.

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    if (c.version() >= 3) {
      c(m.client_software_name);
      c(m.client_software_version);
    }
    c.tags();
  }
  friend bool operator==(const ApiVersionsRequest&, const ApiVersionsRequest&) = default;
};

struct ApiVersionsReply {
  static constexpr ApiKey kApi = ApiKey::kApiVersions;
  static constexpr int16_t kVersionMax = 3;
  static constexpr int16_t kFlexibleFrom = 3;

  struct Api {
    ApiKey api{};
    int16_t version_min = 0;
    int16_t version_max = 0;

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.api);
      c(m.version_min);
      c(m.version_max);
      c.tags();
    }
    friend bool operator==(const Api&, const Api&) = default;
  };

  ErrorCode error = ErrorCode::kNone;
  std::vector<Api> apis;
  int32_t throttle_ms = 0;  // From version 1.

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    c(m.error);
    c(m.apis);
    if (c.version() >= 1) c(m.throttle_ms);
    c.tags();
  }
  friend bool operator==(const ApiVersionsReply&, const ApiVersionsReply&) = default;
};

}  // namespace seatrial::broker
