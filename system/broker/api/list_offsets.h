// ListOffsets: where a partition begins and ends for consumers, and offsets by time.
#pragma once

#include "broker/api/api.h"

namespace seatrial::broker {

base::Result<Answer> list_offsets(Context& context, const RequestHeader& header, base::Bytes body);

}  // namespace seatrial::broker
