// Metadata: this broker, the topics, and the creation of those that are asked for and missing.
#pragma once

#include "broker/api/api.h"

namespace seatrial::broker {

base::Result<Answer> metadata(Context& context, const RequestHeader& header, base::Bytes body);

}  // namespace seatrial::broker
