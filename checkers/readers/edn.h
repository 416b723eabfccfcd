// EDN, Clojure's data notation, as far as histories use it: nil, booleans, numbers, strings,
// characters, keywords, symbols, lists, vectors, maps, sets, comments, #_ for what to skip. A tag
// (#jepsen.history.Op{...}) is dropped, its value stays.
//
// https://github.com/edn-format/edn
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::checkers {

struct Edn {
  enum class Kind : uint8_t {
    kNil,
    kBoolean,
    kInteger,
    kReal,  // A number that is no whole one of 64 bits: `text` has it as it stands.
    kString,
    kKeyword,  // `text` without its colon.
    kSymbol,
    kList,  // A list, a vector or a set.
    kMap,   // Key, value, key, value...
  };

  Kind kind = Kind::kNil;
  int64_t integer = 0;  // 1 for true.
  std::string text;
  std::vector<Edn> items;
  size_t line = 0;  // Where it begins, from 1.

  bool is_nil() const { return kind == Kind::kNil; }
  bool is_integer() const { return kind == Kind::kInteger; }
  bool is_keyword(std::string_view name) const { return kind == Kind::kKeyword && text == name; }
  bool is_list() const { return kind == Kind::kList; }
  // The value under that keyword in a map; null where there is none.
  const Edn* find(std::string_view keyword) const;
  // As it could be read again, for messages.
  std::string print() const;
};

// Reads forms one after the other.
class EdnReader {
 public:
  explicit EdnReader(std::string_view bytes) : rest_(bytes) {}

  // Whether another form follows.
  base::Result<bool> has_next();
  // The next form. Errors say the line, what stands there and what was expected.
  base::Result<Edn> next();
  // Takes the opening bracket of a vector, so that next() gives its items one by one, and its
  // end ends the input. False where none stands here.
  base::Result<bool> enter_vector();

 private:
  base::Result<void> skip();
  base::Result<Edn> form(int depth);
  base::Result<Edn> sequence(char end, Edn::Kind kind, int depth);
  base::Result<Edn> dispatch(int depth);
  base::Result<Edn> string();
  base::Result<void> escape(std::string& out);
  base::Result<Edn> token();
  void drop(size_t count);
  std::string_view peek_token() const;
  std::unexpected<base::Error> wrong(std::string_view expected) const;

  std::string_view rest_;
  size_t line_ = 1;
  bool inside_vector_ = false;
};

}  // namespace seatrial::checkers
