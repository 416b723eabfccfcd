#include "kv/restore/aof_reader.h"

#include "base/check.h"
#include "resp/number.h"

#include <algorithm>

namespace seatrial::kv {
namespace {

constexpr size_t kWindowBytes = 64 * 1024;
constexpr size_t kNumberLineMax = 24;
constexpr size_t kCommentMax = 1024;
constexpr int64_t kWordsMax = 1024 * 1024 * 1024;
constexpr int64_t kWordBytesMax = int64_t{4} * 1024 * 1024 * 1024;

}  // namespace

base::Result<base::Bytes> AofReader::bytes(uint64_t offset, size_t count) {
  CHECK(offset <= size_);
  count = static_cast<size_t>(std::min<uint64_t>(count, size_ - offset));
  if (offset < window_begin_ || offset + count > window_begin_ + window_.size()) {
    const size_t want =
        static_cast<size_t>(std::min<uint64_t>(std::max(count, kWindowBytes), size_ - offset));
    window_.clear();
    window_begin_ = offset;
    char* const room = window_.reserve(want);
    const size_t filled = TRY(os::pread_full(file_, offset, {room, want}));
    if (filled < count) {
      return base::fail(base::Errc::kIo, "the file ended before its size");
    }
    window_.commit(filled);
  }
  return window_.bytes().substr(offset - window_begin_, count);
}

base::Result<uint64_t> AofReader::find(std::string_view text, uint64_t from, uint64_t to) {
  while (from + text.size() <= to) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(kWindowBytes, to - from));
    const size_t found = TRY(bytes(from, count)).find(text);
    if (found != base::Bytes::npos) return from + found;
    // What is searched for may lie across the edge.
    from += count == to - from ? count : count - (text.size() - 1);
  }
  return to;
}

base::Result<AofReader::Line> AofReader::number_line(char type, uint64_t& offset, int64_t& number) {
  const base::Bytes line = TRY(bytes(offset, kNumberLineMax));
  if (line.empty()) return Line::kTruncated;
  if (line[0] != type) return Line::kMalformed;
  const size_t end = line.find("\r\n");
  if (end == base::Bytes::npos) {
    return line.size() < kNumberLineMax ? Line::kTruncated : Line::kMalformed;
  }
  const auto value = resp::parse_integer(line.substr(1, end - 1));
  if (!value) return Line::kMalformed;
  number = *value;
  offset += end + 2;
  return Line::kNumber;
}

base::Result<AofReader::Item> AofReader::comment(uint64_t offset) {
  const base::Bytes line = TRY(bytes(offset, kCommentMax));
  const size_t end = line.find('\n');
  if (end != base::Bytes::npos) return Item{Kind::kComment, offset, offset + end + 1, {}};
  if (line.size() < kCommentMax) return Item{Kind::kTruncated, offset, size_, {}};
  return Item{Kind::kMalformed, offset, offset, "an annotation line without its end"};
}

base::Result<AofReader::Item> AofReader::item(uint64_t begin) {
  if (begin == size_) return Item{Kind::kEnd, begin, begin, {}};
  if (TRY(bytes(begin, 1))[0] == '#') return TRY(comment(begin));
  uint64_t offset = begin;
  int64_t words = 0;
  const auto stopped = [&](Line line, std::string_view expected) {
    return line == Line::kTruncated ? Item{Kind::kTruncated, begin, size_, {}}
                                    : Item{Kind::kMalformed, begin, offset, expected};
  };
  const Line header = TRY(number_line('*', offset, words));
  if (header != Line::kNumber) return stopped(header, "expected '*' and a number of words");
  if (words < 1 || words > kWordsMax) return stopped(Line::kMalformed, "impossible word count");
  for (; words > 0; --words) {
    int64_t length = 0;
    const Line line = TRY(number_line('$', offset, length));
    if (line != Line::kNumber) return stopped(line, "expected '$' and a length");
    if (length < 0 || length > kWordBytesMax) {
      return stopped(Line::kMalformed, "impossible length");
    }
    if (size_ - offset < static_cast<uint64_t>(length) + 2) return stopped(Line::kTruncated, {});
    offset += static_cast<uint64_t>(length);
    if (TRY(bytes(offset, 2)) != "\r\n") {
      return stopped(Line::kMalformed, "expected the end of a word");
    }
    offset += 2;
  }
  return Item{Kind::kCommand, begin, offset, {}};
}

}  // namespace seatrial::kv
