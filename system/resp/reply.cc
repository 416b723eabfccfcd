#include "resp/reply.h"

#include <fmt/format.h>

#include <charconv>

namespace seatrial::resp {

using base::Errc;
using base::fail;

namespace {

base::Result<int64_t> number(std::string_view text, char type, int64_t low, int64_t high) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    return fail(Errc::kInvalidData,
                fmt::format("answer: expected a number after '{}', found \"{}\"", type,
                            text.substr(0, 40)));
  }
  return value;
}

}  // namespace

Reply Reply::integer(int64_t value) {
  Reply reply(Kind::kInteger);
  reply.integer_ = value;
  return reply;
}

Reply Reply::text(Kind kind, std::string text) {
  Reply reply(kind);
  reply.text_ = std::move(text);
  return reply;
}

Reply Reply::array(std::vector<Reply> items) {
  Reply reply(Kind::kArray);
  reply.items_ = std::move(items);
  return reply;
}

base::Result<std::optional<Reply>> ReplyParser::next() {
  size_t at = 0;
  auto reply = TRY(value(at, 0));
  if (reply) pending_.erase(0, at);
  return reply;
}

base::Result<std::optional<std::string_view>> ReplyParser::line(size_t& at) const {
  const size_t end = pending_.find("\r\n", at);
  if (end == std::string::npos) {
    if (pending_.size() - at > kLineBytesMax) {
      return fail(Errc::kInvalidData, "answer: a line without end");
    }
    return std::nullopt;
  }
  const std::string_view text(pending_.data() + at, end - at);
  at = end + 2;
  return text;
}

base::Result<std::optional<Reply>> ReplyParser::value(size_t& at, int depth) const {
  if (depth > kDepthMax) return fail(Errc::kInvalidData, "answer: arrays nested too deep");
  const auto head = TRY(line(at));
  if (!head) return std::nullopt;
  if (head->empty()) return fail(Errc::kInvalidData, "answer: an empty line");
  const char type = head->front();
  const std::string_view rest = head->substr(1);
  switch (type) {
    case '+': return Reply::text(Reply::Kind::kStatus, std::string(rest));
    case '-': return Reply::text(Reply::Kind::kError, std::string(rest));
    case ':': return Reply::integer(TRY(number(rest, type, INT64_MIN, INT64_MAX)));
    case '$': {
      const int64_t length = TRY(number(rest, type, -1, kBulkBytesMax));
      if (length < 0) return Reply::nil();
      const auto size = static_cast<size_t>(length);
      if (pending_.size() < at + size + 2) return std::nullopt;
      if (pending_.compare(at + size, 2, "\r\n") != 0) {
        return fail(Errc::kInvalidData, "answer: a bulk that does not end where it says");
      }
      std::string text = pending_.substr(at, size);
      at += size + 2;
      return Reply::text(Reply::Kind::kBulk, std::move(text));
    }
    case '*': {
      const int64_t count = TRY(number(rest, type, -1, kItemsMax));
      if (count < 0) return Reply::nil();
      std::vector<Reply> items;
      for (int64_t i = 0; i < count; ++i) {
        auto item = TRY(value(at, depth + 1));
        if (!item) return std::nullopt;
        items.push_back(*std::move(item));
      }
      return Reply::array(std::move(items));
    }
    default:
      return fail(Errc::kInvalidData, fmt::format("answer: expected a type, found byte {:#04x}",
                                                  static_cast<unsigned char>(type)));
  }
}

}  // namespace seatrial::resp
