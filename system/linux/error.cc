// What the kernel says, in the boundary's words.
#include "linux/parts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace seatrial::linux {
namespace {

Errc errc_of(int code) {
  switch (code) {
    case ENOENT:
    case ESRCH:
    case ECHILD: return Errc::kNotFound;
    case EEXIST: return Errc::kExists;
    case ENOTDIR: return Errc::kNotDirectory;
    case EISDIR: return Errc::kIsDirectory;
    case ENOTEMPTY: return Errc::kNotEmpty;
    case EACCES:
    case EPERM:
    case EROFS: return Errc::kPermission;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return Errc::kNoSpace;
    case EBADF: return Errc::kReadOnly;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN: return Errc::kExhausted;
    case EBUSY:
    case ETXTBSY: return Errc::kBusy;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
    case EXDEV:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT: return Errc::kInvalidArgument;
    case EADDRINUSE: return Errc::kAddressInUse;
    case ECONNREFUSED: return Errc::kRefused;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE: return Errc::kReset;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ETIMEDOUT: return Errc::kUnreachable;
    default: return Errc::kIo;
  }
}

}  // namespace

Error error_of(int code, std::string_view what) {
  char buffer[128];
  return Error(errc_of(code), fmt::format("{}: {}", what, strerror_r(code, buffer, sizeof buffer)));
}

void Descriptor::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace seatrial::linux
