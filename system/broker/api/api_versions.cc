#include "broker/api/api_versions.h"

#include "broker/dispatch.h"
#include "broker/wire/messages/api_versions.h"
#include "os/mark.h"

namespace seatrial::broker {

base::Result<Answer> api_versions(Context&, const RequestHeader& header, base::Bytes body) {
  ApiVersionsReply reply;
  for (const Api& api : apis()) {
    reply.apis.push_back({api.key, api.version_min, api.version_max});
  }
  if (header.version < 0 || header.version > ApiVersionsRequest::kVersionMax) {
    MARK("broker: ApiVersions of an unknown version");
    RequestHeader oldest = header;
    oldest.version = 0;
    reply.error = ErrorCode::kUnsupportedVersion;
    return answer_with(oldest, std::move(reply));
  }
  TRY(decode<ApiVersionsRequest>(body, header.version));
  return answer_with(header, std::move(reply));
}

}  // namespace seatrial::broker
