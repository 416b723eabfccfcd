// Produce: batches take their place in the log as their requests arrive; the replies wait for the
// file (acks=1) or for the flush (acks=all).
#pragma once

#include "broker/api/api.h"

namespace seatrial::broker {

base::Result<Answer> produce(Context& context, const RequestHeader& header, base::Bytes body);

}  // namespace seatrial::broker
