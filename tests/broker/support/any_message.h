// Draws a message with arbitrary contents: the fields that it has in a version, and no others. A
// third direction of the codecs beside reading and writing.
#pragma once

#include "broker/wire/decoder.h"

#include <rapidcheck.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace seatrial::broker {

class AnyFields {
 public:
  // What the drawn records are views into lives in `kept`.
  AnyFields(int16_t version, std::deque<std::string>& kept) : version_(version), kept_(kept) {}

  int16_t version() const { return version_; }

  template <FixedWidth T>
  void operator()(T& value) {
    if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(*rc::gen::arbitrary<std::underlying_type_t<T>>());
    } else {
      value = *rc::gen::arbitrary<T>();
    }
  }
  void operator()(bool& value) { value = *rc::gen::arbitrary<bool>(); }
  void operator()(std::string& text) { text = *rc::gen::arbitrary<std::string>(); }
  void operator()(std::optional<std::string>& text) {
    text.reset();
    if (*rc::gen::arbitrary<bool>()) text = *rc::gen::arbitrary<std::string>();
  }
  void operator()(Records& records) {
    records.reset();
    if (*rc::gen::arbitrary<bool>()) {
      records = kept_.emplace_back(*rc::gen::arbitrary<std::string>());
    }
  }
  template <typename T>
  void operator()(std::vector<T>& list) {
    list.clear();
    const int count = *rc::gen::inRange(0, 4);
    for (int i = 0; i < count; ++i) {
      T& element = list.emplace_back();
      if constexpr (requires { (*this)(element); }) {
        (*this)(element);
      } else {
        T::codec(*this, element);
      }
    }
  }
  template <typename T>
  void operator()(std::optional<std::vector<T>>& list) {
    list.reset();
    if (*rc::gen::arbitrary<bool>()) (*this)(list.emplace());
  }
  void tags() {}

 private:
  int16_t version_;
  std::deque<std::string>& kept_;
};

template <class Message>
Message any_message(int16_t version, std::deque<std::string>& kept) {
  AnyFields fields(version, kept);
  Message message;
  Message::codec(fields, message);
  return message;
}

}  // namespace seatrial::broker
