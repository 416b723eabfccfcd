// Small files that are always whole: whatever happens, what stands under the name is the old text
// or the new one.
#pragma once

#include "base/error.h"
#include "os/disk.h"

#include <string_view>

namespace seatrial::broker {

// Parks until `text` and its name are durable. After an error either text may be there.
base::Result<void> replace_file(os::Disk& disk, std::string_view path, std::string_view text);

// Makes the directory and those above it, as far as they are missing, and their names durable.
base::Result<void> make_directories(os::Disk& disk, std::string_view path);

}  // namespace seatrial::broker
