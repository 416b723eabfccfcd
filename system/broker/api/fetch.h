// Fetch: batches from an offset on, never beyond the high watermark; waits until there are enough
// or the time is over.
#pragma once

#include "broker/api/api.h"

namespace seatrial::broker {

base::Result<Answer> fetch(Context& context, const RequestHeader& header, base::Bytes body);

}  // namespace seatrial::broker
