// Errors as values. An operation that can fail returns Result<T>; TRY keeps bodies flat:
//
//   Result<size_t> load(os::Disk& disk) {
//     auto file = TRY(disk.open("aof", mode));
//     TRY(file->sync_data());
//     return TRY(file->size());
//   }
//
// Errc says what a caller can decide upon; the detail says what a person needs to know.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace seatrial::base {

enum class Errc : unsigned char {
  kCancelled,        // The fiber was cancelled, or its node is coming down.
  kDeadline,         // The deadline passed first.
  kClosed,           // Our side of the stream, channel or listener is closed.
  kReset,            // The peer, or the network, cut the stream.
  kRefused,          // Nobody listens there.
  kUnreachable,      // No such host, or no way to it.
  kAddressInUse,     // Another listener holds the port.
  kNotFound,         // No such file, directory or process.
  kExists,           // It is there already.
  kNotDirectory,     // A directory was expected.
  kIsDirectory,      // A file was expected.
  kNotEmpty,         // The directory still has entries.
  kPermission,       // The system refuses.
  kNoSpace,          // The disk is full.
  kIo,               // The device failed; what is on it is unknown.
  kReadOnly,         // The file is open for reading only.
  kExhausted,        // A limit of the system: processes, descriptors, memory.
  kBusy,             // Somebody else holds it: a lock, another process.
  kInvalidArgument,  // The caller's argument makes no sense.
  kInvalidData,      // Bytes from outside do not parse.
};

std::string_view to_string(Errc code);

// A code and, in words, what was attempted and what came of it. Cheap to move and to copy; the
// detail is allocated only when there is one.
class [[nodiscard]] Error {
 public:
  Error(Errc code) : code_(code) {}  // NOLINT: an Errc is an Error without detail.
  Error(Errc code, std::string detail)
      : code_(code), detail_(std::make_shared<const std::string>(std::move(detail))) {}

  Errc code() const { return code_; }
  std::string_view detail() const { return detail_ ? std::string_view(*detail_) : ""; }
  // "no such file: appendonly.aof", or the code's own text where there is no detail.
  std::string message() const;
  // The same error with `where: ` in front of its message.
  Error in(std::string_view where) const;

  friend bool operator==(const Error& error, Errc code) { return error.code_ == code; }

 private:
  Errc code_;
  std::shared_ptr<const std::string> detail_;
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Errc code) { return std::unexpected<Error>(Error(code)); }
inline std::unexpected<Error> fail(Errc code, std::string detail) {
  return std::unexpected<Error>(Error(code, std::move(detail)));
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }

}  // namespace seatrial::base

// Evaluates to the value of a Result, or returns its error from the enclosing function. A
// statement expression: the fibers' code stays flat without exceptions. May be nested.
#define TRY(expression) SEATRIAL_TRY(SEATRIAL_TRY_NAME(__COUNTER__), expression)

#define SEATRIAL_TRY(name, expression)                        \
  __extension__({                                             \
    auto name = (expression);                                 \
    if (!name) [[unlikely]]                                   \
      return ::seatrial::base::fail(std::move(name).error()); \
    ::seatrial::base::detail::unwrap(std::move(name));        \
  })
#define SEATRIAL_TRY_NAME(number) SEATRIAL_TRY_PASTE(try_result_, number)
#define SEATRIAL_TRY_PASTE(word, number) word##number

namespace seatrial::base::detail {

template <typename T>
T unwrap(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace seatrial::base::detail
