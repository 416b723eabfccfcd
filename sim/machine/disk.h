// A process's way to its node's file system: each call takes time, and may stall, fall short or
// fail. What is durable is decided in file_system.h.
#pragma once

#include "os/disk.h"
#include "sim/machine/file_system.h"

#include <memory>

namespace seatrial::sim {

class SimProcess;

class SimDisk : public os::Disk {
 public:
  explicit SimDisk(SimProcess& process);
  Result<std::unique_ptr<os::File>> open(std::string_view path, os::OpenOptions options) override;
  Result<void> rename(std::string_view from, std::string_view to) override;
  Result<void> unlink(std::string_view path) override;
  Result<void> make_directory(std::string_view path) override;
  Result<void> remove_directory(std::string_view path) override;
  Result<std::vector<os::DirectoryEntry>> list(std::string_view path) override;
  Result<void> sync_directory(std::string_view path) override;

 private:
  friend class SimFile;
  enum class Call : unsigned char { kOther, kSync };

  // Parks for as long as the call takes, whatever cancel() asks; kCancelled if the process ended
  // meanwhile.
  Result<void> begin(Call call);
  void wait_out_stall(bool sync);
  // Whether this sync or write is to fail: by chance, or because a fault is due.
  bool sync_fails();
  bool write_fails();
  FileSystem& files();
  DiskWeather& weather();
  void note(std::string_view what, std::string_view path);

  SimProcess& process_;
  base::RandomStream random_;
};

}  // namespace seatrial::sim
