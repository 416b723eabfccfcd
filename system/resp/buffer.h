// What connections and the log keep their bytes in.
#pragma once

#include "base/buffer.h"

namespace seatrial::resp {

using base::Buffer;

}  // namespace seatrial::resp
