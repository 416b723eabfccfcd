// Which APIs there are, and the way of a request from its frame to its handler.
#pragma once

#include "broker/api/api.h"

#include <span>

namespace seatrial::broker {

struct Api {
  ApiKey key;
  // What ApiVersions tells. The first is 0 throughout, as librdkafka turns features on by exact
  // versions that it looks for in these ranges; what is too old is refused in its own reply.
  int16_t version_min;
  int16_t version_max;
  Handler handle;
};

std::span<const Api> apis();

// Handles one frame. Errors: kInvalidData with what was expected, where there is no reply that
// could say so; those of the handler.
base::Result<Answer> dispatch(Context& context, base::Bytes frame);

}  // namespace seatrial::broker
