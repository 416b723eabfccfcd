#include "scenarios/json_place.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <vector>

namespace seatrial::scenarios {
namespace {

using nlohmann::json;

size_t line_at(std::string_view text, size_t position) {
  const std::string_view before = text.substr(0, std::min(position, text.size()));
  return 1 + static_cast<size_t>(std::ranges::count(before, '\n'));
}

// Tells how much of the text was taken.
struct Counting {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at = nullptr;
  const char** taken = nullptr;

  reference operator*() const { return *at; }
  Counting& operator++() {
    *taken = ++at;
    return *this;
  }
  Counting operator++(int) {
    Counting before = *this;
    ++*this;
    return before;
  }
  friend bool operator!=(const Counting& a, const Counting& b) { return a.at != b.at; }
};

// Walks through the text until it stands at the path.
class Seeker : public nlohmann::json_sax<json> {
 public:
  Seeker(std::string_view text, std::string_view path) : text_(text), path_(path) {}

  std::optional<size_t> line;
  std::optional<std::string> error;
  const char* taken = nullptr;

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool string(string_t&) override { return value(); }
  bool binary(binary_t&) override { return value(); }
  bool start_object(std::size_t) override { return begin(false); }
  bool start_array(std::size_t) override { return begin(true); }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }
  bool key(string_t& name) override {
    Level& level = levels_.back();
    level.place = level.of.empty() ? name : level.of + "." + name;
    return !arrived(level.place);
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& why) override {
    const std::string_view all = why.what();
    const size_t colon = all.find(": ");
    error = fmt::format("{}: not JSON: {}", line_at(text_, position == 0 ? 0 : position - 1),
                        colon == std::string_view::npos ? all : all.substr(colon + 2));
    return false;
  }

 private:
  struct Level {
    std::string of;     // The path of the object or array.
    std::string place;  // The path of the member that comes, in an object.
    bool array = false;
    size_t index = 0;
  };

  // The path of the value that has come; false: it is the one.
  bool value() {
    if (levels_.empty() || !levels_.back().array) return true;
    Level& level = levels_.back();
    level.place = fmt::format("{}[{}]", level.of, level.index++);
    return !arrived(level.place);
  }
  bool begin(bool array) {
    if (!value()) return false;
    levels_.push_back({levels_.empty() ? "" : levels_.back().place, "", array, 0});
    return true;
  }
  bool end() {
    levels_.pop_back();
    return true;
  }
  bool arrived(std::string_view place) {
    if (path_.empty() || place != path_) return false;
    // The reader may be one character ahead.
    line = line_at(text_, static_cast<size_t>(taken - text_.data()) - 1);
    return true;
  }

  std::string_view text_;
  std::string_view path_;
  std::vector<Level> levels_;
};

Seeker seek(std::string_view text, std::string_view path) {
  Seeker seeker(text, path);
  seeker.taken = text.data();
  const Counting first{text.data(), &seeker.taken};
  const Counting last{text.data() + text.size(), &seeker.taken};
  json::sax_parse(first, last, &seeker);
  return seeker;
}

}  // namespace

std::optional<size_t> line_of(std::string_view text, std::string_view path) {
  return seek(text, path).line;
}

std::optional<std::string> syntax_error(std::string_view text) { return seek(text, "").error; }

base::Error placed(const base::Error& error, std::string_view file, std::string_view text) {
  const std::string whole = error.message();
  const std::string_view message = whole;
  // A key may hold a colon itself: the longest path that there is.
  std::optional<size_t> line;
  for (size_t colon = message.find(": "); colon != std::string_view::npos;
       colon = message.find(": ", colon + 1)) {
    const std::string place(message.substr(0, colon));
    if (const auto found = line_of(text, place)) line = found;
    // place: "member" is not known
    const std::string_view rest = message.substr(colon + 2);
    if (!rest.starts_with('"')) continue;
    const std::string member(rest.substr(1, rest.find('"', 1) - 1));
    if (const auto found = line_of(text, place + "." + member)) line = found;
  }
  const std::string where = line ? fmt::format("{}:{}", file, *line) : std::string(file);
  return base::Error(error.code(), fmt::format("{}: {}", where, message));
}

}  // namespace seatrial::scenarios
