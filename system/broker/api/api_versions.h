// ApiVersions: the first request of most clients.
#pragma once

#include "broker/api/api.h"

namespace seatrial::broker {

// Also for versions that it does not know: it answers those in version 0, so that any client can
// read what there is.
base::Result<Answer> api_versions(Context& context, const RequestHeader& header, base::Bytes body);

}  // namespace seatrial::broker
