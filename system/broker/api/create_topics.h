// CreateTopics: each topic is answered once it is durable.
#pragma once

#include "broker/api/api.h"

namespace seatrial::broker {

base::Result<Answer> create_topics(Context& context, const RequestHeader& header, base::Bytes body);

}  // namespace seatrial::broker
