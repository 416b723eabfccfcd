#include "base/error.h"

namespace seatrial::base {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::kCancelled: return "cancelled";
    case Errc::kDeadline: return "deadline passed";
    case Errc::kClosed: return "closed";
    case Errc::kReset: return "connection reset";
    case Errc::kRefused: return "connection refused";
    case Errc::kUnreachable: return "host unreachable";
    case Errc::kAddressInUse: return "address in use";
    case Errc::kNotFound: return "not found";
    case Errc::kExists: return "already exists";
    case Errc::kNotDirectory: return "not a directory";
    case Errc::kIsDirectory: return "is a directory";
    case Errc::kNotEmpty: return "directory not empty";
    case Errc::kPermission: return "permission denied";
    case Errc::kNoSpace: return "no space left on disk";
    case Errc::kIo: return "input/output error";
    case Errc::kReadOnly: return "opened for reading only";
    case Errc::kExhausted: return "system limit reached";
    case Errc::kBusy: return "held by another process";
    case Errc::kInvalidArgument: return "invalid argument";
    case Errc::kInvalidData: return "invalid data";
  }
  return "unknown error";
}

std::string Error::message() const {
  if (!detail_) return std::string(to_string(code_));
  return *detail_;
}

Error Error::in(std::string_view where) const {
  return Error(code_, std::string(where) + ": " + message());
}

}  // namespace seatrial::base
