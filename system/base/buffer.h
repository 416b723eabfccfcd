// A growable run of bytes: filled at the end, used up from the front. What connections read and
// write and what logs take is kept in these; unlike std::string it hands out room without writing
// zeros into it first.
#pragma once

#include "base/bytes.h"
#include "base/check.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace seatrial::base {

class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }

  // Room for at least `count` more bytes behind the last one. What was put there counts once it
  // is committed. Pointers and views into the buffer are void afterwards.
  char* reserve(size_t count) {
    if (capacity_ - end_ < count) [[unlikely]]
      make_room(count);
    return data_.get() + end_;
  }
  void commit(size_t count) {
    CHECK(count <= capacity_ - end_);
    end_ += count;
  }
  void append(Bytes bytes) {
    if (bytes.empty()) return;
    std::memcpy(reserve(bytes.size()), bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  void append(char byte) {
    *reserve(1) = byte;
    ++end_;
  }

  // Puts other bytes where some are already.
  void overwrite(size_t offset, Bytes bytes) {
    CHECK(offset <= size());
    CHECK(bytes.size() <= size() - offset);
    std::memcpy(data_.get() + begin_ + offset, bytes.data(), bytes.size());
  }

  // Drops bytes from the front.
  void consume(size_t count) {
    CHECK(count <= size());
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Drops bytes from the end.
  void truncate(size_t size) {
    CHECK(size <= this->size());
    end_ = begin_ + size;
  }
  void clear() { begin_ = end_ = 0; }
  // Gives memory back, if nothing is in it and it holds more than `bytes`.
  void shrink_to(size_t bytes) {
    if (begin_ != end_ || capacity_ <= bytes) return;
    data_.reset();
    begin_ = end_ = capacity_ = 0;
  }

  Bytes bytes() const { return {data_.get() + begin_, end_ - begin_}; }
  size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  size_t capacity() const { return capacity_; }
  // Room behind the last byte that is there already.
  size_t room() const { return capacity_ - end_; }

  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  void make_room(size_t count) {
    const size_t used = size();
    if (begin_ > 0 && capacity_ - used >= count && begin_ >= capacity_ / 2) {
      std::memmove(data_.get(), data_.get() + begin_, used);
    } else {
      const size_t capacity = std::max(used + count, std::max<size_t>(2 * capacity_, 256));
      auto data = std::make_unique_for_overwrite<char[]>(capacity);
      if (used > 0) std::memcpy(data.get(), data_.get() + begin_, used);
      data_ = std::move(data);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = used;
  }

  std::unique_ptr<char[]> data_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t capacity_ = 0;
};

}  // namespace seatrial::base
