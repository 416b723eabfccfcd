#include "broker/replace_file.h"

#include <string>

namespace seatrial::broker {

base::Result<void> replace_file(os::Disk& disk, std::string_view path, std::string_view text) {
  const std::string fresh = std::string(path) + ".tmp";
  {
    const auto file = TRY(disk.open(fresh, os::kReplace));
    TRY(os::append_all(*file, text));
    TRY(file->sync_data());
  }
  TRY(disk.rename(fresh, path));
  return disk.sync_directory(os::directory_of(path));
}

base::Result<void> make_directories(os::Disk& disk, std::string_view path) {
  if (const auto made = disk.make_directory(path); made || made.error() == base::Errc::kExists) {
    // Somebody may have made it just before a crash: its name is made durable in any case.
    return disk.sync_directory(os::directory_of(path));
  } else if (made.error() != base::Errc::kNotFound || os::directory_of(path) == path) {
    return base::fail(made.error());
  }
  TRY(make_directories(disk, os::directory_of(path)));
  TRY(disk.make_directory(path));
  return disk.sync_directory(os::directory_of(path));
}

}  // namespace seatrial::broker
