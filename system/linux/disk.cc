// Files by descriptor. Every call goes to the workers: even a read may wait for the device, and a
// write for the page cache to be cleaned.
#include "os/disk.h"
#include "linux/parts.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace seatrial::linux {
namespace {

using base::Bytes;
using base::MutableBytes;

// Repeats a system call that a signal has interrupted.
template <typename Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

Result<size_t> count_or_fail(ssize_t count, std::string_view what, const std::string& path) {
  if (count >= 0) return static_cast<size_t>(count);
  return fail_with(errno, fmt::format("{} {}", what, path));
}

Result<void> zero_or_fail(int result, std::string_view what, std::string_view path) {
  if (result == 0) return {};
  return fail_with(errno, fmt::format("{} {}", what, path));
}

class LinuxFile final : public os::File {
 public:
  LinuxFile(Workers& workers, int fd, bool writable, std::string path)
      : workers_(workers), fd_(fd), writable_(writable), path_(std::move(path)) {}
  ~LinuxFile() override { workers_.close_later(fd_); }

  Result<size_t> pread(uint64_t offset, MutableBytes into) override {
    return workers_.run([&] {
      return count_or_fail(
          uninterrupted(
              [&] { return ::pread(fd_, into.data(), into.size(), static_cast<off_t>(offset)); }),
          "read", path_);
    });
  }

  Result<size_t> pwrite(uint64_t offset, Bytes from) override {
    TRY(check_writable("write"));
    return workers_.run([&] {
      return count_or_fail(
          uninterrupted(
              [&] { return ::pwrite(fd_, from.data(), from.size(), static_cast<off_t>(offset)); }),
          "write", path_);
    });
  }

  // Not O_APPEND at open: on Linux pwrite() would append as well.
  Result<size_t> append(Bytes from) override {
    TRY(check_writable("append"));
    return workers_.run([&] {
      const iovec part{const_cast<char*>(from.data()), from.size()};
      return count_or_fail(uninterrupted([&] { return pwritev2(fd_, &part, 1, 0, RWF_APPEND); }),
                           "append", path_);
    });
  }

  Result<void> truncate(uint64_t size) override {
    TRY(check_writable("truncate"));
    return workers_.run([&] {
      return zero_or_fail(uninterrupted([&] { return ::ftruncate(fd_, static_cast<off_t>(size)); }),
                          "truncate", path_);
    });
  }

  Result<uint64_t> size() override {
    return workers_.run([&]() -> Result<uint64_t> {
      struct stat status {};
      if (::fstat(fd_, &status) != 0) return fail_with(errno, "stat " + path_);
      return static_cast<uint64_t>(status.st_size);
    });
  }

  Result<void> sync_data() override {
    TRY(check_writable("sync"));
    // Not repeated after a failure, whatever it is: the second call may lie.
    return workers_.run([&] { return zero_or_fail(::fdatasync(fd_), "fdatasync", path_); });
  }

 private:
  Result<void> check_writable(std::string_view what) const {
    if (writable_) return {};
    return base::fail(Errc::kReadOnly, fmt::format("{} {}: opened for reading only", what, path_));
  }

  Workers& workers_;
  const int fd_;
  const bool writable_;
  const std::string path_;
};

int flags_of(const os::OpenOptions& options) {
  int flags = O_CLOEXEC | O_NOCTTY | (options.write ? O_RDWR : O_RDONLY);
  if (options.create) flags |= O_CREAT;
  if (options.exclusive) flags |= O_EXCL;
  if (options.truncate) flags |= O_TRUNC;
  return flags;
}

// Names come as views; the kernel wants them terminated.
class LinuxDisk final : public os::Disk {
 public:
  LinuxDisk(Workers& workers, int directory) : workers_(workers), directory_(directory) {}

  Result<std::unique_ptr<os::File>> open(std::string_view path, os::OpenOptions options) override {
    std::string name(path);
    if (!options.write && (options.create || options.truncate)) {
      return base::fail(Errc::kInvalidArgument,
                        fmt::format("open {}: create or truncate without write", name));
    }
    const int fd = TRY(workers_.run([&] { return open_file(name, options); }));
    return std::make_unique<LinuxFile>(workers_, fd, options.write, std::move(name));
  }

  Result<void> rename(std::string_view from, std::string_view to) override {
    return workers_.run([&, source = std::string(from), target = std::string(to)] {
      return zero_or_fail(::renameat(directory_, source.c_str(), directory_, target.c_str()),
                          "rename", fmt::format("{} to {}", source, target));
    });
  }

  Result<void> unlink(std::string_view path) override {
    return workers_.run([&, name = std::string(path)] {
      return zero_or_fail(::unlinkat(directory_, name.c_str(), 0), "unlink", name);
    });
  }

  Result<void> make_directory(std::string_view path) override {
    return workers_.run([&, name = std::string(path)] {
      return zero_or_fail(::mkdirat(directory_, name.c_str(), 0755), "make directory", name);
    });
  }

  Result<void> remove_directory(std::string_view path) override {
    return workers_.run([&, name = std::string(path)] {
      return zero_or_fail(::unlinkat(directory_, name.c_str(), AT_REMOVEDIR), "remove directory",
                          name);
    });
  }

  Result<std::vector<os::DirectoryEntry>> list(std::string_view path) override {
    return workers_.run([&, name = std::string(path)] { return list_directory(name); });
  }

  Result<void> sync_directory(std::string_view path) override {
    return workers_.run([&, name = std::string(path)]() -> Result<void> {
      const Descriptor directory(
          ::openat(directory_, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!directory) return fail_with(errno, "sync directory " + name);
      return zero_or_fail(::fsync(directory.get()), "sync directory", name);
    });
  }

 private:
  Result<int> open_file(const std::string& name, const os::OpenOptions& options) const {
    Descriptor fd(
        uninterrupted([&] { return ::openat(directory_, name.c_str(), flags_of(options), 0644); }));
    if (!fd) return fail_with(errno, "open " + name);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return fail_with(errno, "stat " + name);
    if (S_ISDIR(status.st_mode)) return fail_with(EISDIR, "open " + name);
    return fd.release();
  }

  Result<std::vector<os::DirectoryEntry>> list_directory(const std::string& name) const {
    Descriptor fd(::openat(directory_, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return fail_with(errno, "list " + name);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), &::closedir);
    if (!stream) return fail_with(errno, "list " + name);
    const int directory = fd.release();  // The stream closes it.
    std::vector<os::DirectoryEntry> entries;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) break;
      const std::string_view entry_name = entry->d_name;
      if (entry_name == "." || entry_name == "..") continue;
      bool is_directory = entry->d_type == DT_DIR;
      if (entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK) {
        struct stat status {};
        is_directory =
            ::fstatat(directory, entry->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
      }
      entries.push_back({std::string(entry_name),
                         is_directory ? os::EntryKind::kDirectory : os::EntryKind::kFile});
    }
    if (errno != 0) return fail_with(errno, "list " + name);
    std::ranges::sort(entries, {}, &os::DirectoryEntry::name);
    return entries;
  }

  Workers& workers_;
  const int directory_;
};

}  // namespace

std::unique_ptr<os::Disk> make_disk(Workers& workers, int working_directory) {
  return std::make_unique<LinuxDisk>(workers, working_directory);
}

}  // namespace seatrial::linux
