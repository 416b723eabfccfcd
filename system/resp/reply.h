// A server's answer in RESP2, as a value, and the parser that makes it of bytes that come in
// pieces. Bounds: see the constants; what exceeds them, or is no RESP2, is kInvalidData.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::resp {

class Reply {
 public:
  enum class Kind : unsigned char { kNil, kInteger, kStatus, kError, kBulk, kArray };

  static Reply nil() { return Reply(Kind::kNil); }
  static Reply integer(int64_t value);
  static Reply text(Kind kind, std::string text);
  static Reply array(std::vector<Reply> items);

  Kind kind() const { return kind_; }
  bool is_nil() const { return kind_ == Kind::kNil; }
  bool is_integer() const { return kind_ == Kind::kInteger; }
  bool is_error() const { return kind_ == Kind::kError; }
  bool is_array() const { return kind_ == Kind::kArray; }

  int64_t as_integer() const { return integer_; }
  // Of a status, an error (with its code in front) or a bulk; empty for the others.
  std::string_view as_text() const { return text_; }
  const std::vector<Reply>& items() const { return items_; }

  friend bool operator==(const Reply&, const Reply&) = default;

 private:
  explicit Reply(Kind kind) : kind_(kind) {}

  Kind kind_;
  int64_t integer_ = 0;
  std::string text_;
  std::vector<Reply> items_;
};

class ReplyParser {
 public:
  static constexpr int64_t kBulkBytesMax = 512 * 1024 * 1024;
  static constexpr int64_t kItemsMax = 1024 * 1024;
  static constexpr int kDepthMax = 32;
  static constexpr size_t kLineBytesMax = 64 * 1024;

  void feed(std::string_view bytes) { pending_.append(bytes); }
  // The next whole answer, or nothing where more bytes are needed.
  base::Result<std::optional<Reply>> next();

 private:
  // Parses one value at `at`; nothing where it is not all there. A value that is not complete is
  // parsed again from its start when more has come: answers are small.
  base::Result<std::optional<Reply>> value(size_t& at, int depth) const;
  base::Result<std::optional<std::string_view>> line(size_t& at) const;

  std::string pending_;
};

}  // namespace seatrial::resp
