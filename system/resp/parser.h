// Step 2 of a request: bytes to words. Understands arrays of bulk strings and, as Redis does,
// inline commands (a line of words, with quotes).
//
// The parser keeps no bytes. It remembers how far it came in an incomplete request, as offsets,
// so that a request of many words arriving piece by piece is not read from its start each time,
// and so that the input may move in memory meanwhile. Invariant: offsets are relative to the
// first byte of the current request, which is the first byte of the input given to next().
#pragma once

#include "base/bytes.h"
#include "resp/request.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::resp {

struct ParserLimits {
  size_t bulk_bytes_max = 512 * 1024 * 1024;
  size_t line_bytes_max = 64 * 1024;  // An inline request, or a length without its end of line.
};

// Splits a line into words: quotes, and \n \r \t \b \a \xHH within double quotes. False: quotes
// do not match. Also the syntax of configuration files.
bool split_words(std::string_view line, std::vector<std::string>& words);

class Parser {
 public:
  enum class Outcome : unsigned char { kRequest, kIncomplete, kInvalid };

  explicit Parser(const ParserLimits& limits = {}) : limits_(limits) {}

  // Reads one request from the front of `input`. kRequest: args() holds it (no words at all for
  // an empty line or array: nothing to answer), and the next one starts at consumed().
  // kIncomplete: call again with the same bytes and more. kInvalid: error() says why; the
  // stream is out of step and cannot be read further.
  Outcome next(base::Bytes input);

  Args args() const { return args_; }
  // Whether args() point into the input, and so outlive the next call.
  bool args_in_input() const { return args_in_input_; }
  size_t consumed() const { return consumed_; }
  // Without the leading "-": "ERR Protocol error: ...".
  const std::string& error() const { return error_; }
  // After kIncomplete: the input must be at least this long before it can be complete.
  size_t bytes_wanted() const { return wanted_; }

  // Forgets how far it came in an incomplete request: other input follows.
  void restart() { words_left_ = bulk_length_ = -1; }

  void set_limits(const ParserLimits& limits) { limits_ = limits; }

 private:
  struct Word {
    size_t offset;
    size_t length;
  };

  Outcome next_inline(base::Bytes input);
  Outcome next_array(base::Bytes input);
  // Reads the number between a type byte at `position_` and its end of line, and moves behind it.
  Outcome length_line(base::Bytes input, const char* too_long, int64_t& value, bool& valid);
  Outcome finish(base::Bytes input);
  Outcome invalid(std::string_view what);

  ParserLimits limits_;
  std::vector<Word> words_;
  std::vector<std::string_view> args_;
  std::vector<std::string> inline_words_;
  std::string error_;
  size_t position_ = 0;
  size_t consumed_ = 0;
  size_t wanted_ = 0;
  int64_t words_left_ = -1;  // -1: the array's header was not read yet.
  int64_t bulk_length_ = -1;
  bool args_in_input_ = false;
};

}  // namespace seatrial::resp
