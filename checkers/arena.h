// Memory that is freed all at once: a history's values, a search's nodes. Bump allocation in
// chunks; nothing stored here is destroyed, so only trivially destructible things belong in it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace seatrial::checkers {

class Arena {
 public:
  // Uninitialised room for `count` objects of T; valid until the arena dies, also if it moves.
  template <typename T>
  std::span<T> make(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count == 0) return {};
    return {static_cast<T*>(allocate(count * sizeof(T), alignof(T))), count};
  }

  std::string_view copy(std::string_view text) {
    std::span<char> room = make<char>(text.size());
    std::copy(text.begin(), text.end(), room.begin());
    return {room.data(), room.size()};
  }

  // Forgets everything, but keeps one chunk for what comes next.
  void clear() {
    if (!chunks_.empty()) {
      chunks_.erase(chunks_.begin(), chunks_.end() - 1);
      size_bytes_ = chunk_bytes_;
    }
    used_ = 0;
  }

  size_t size_bytes() const { return size_bytes_; }

 private:
  static constexpr size_t kChunkBytes = size_t{64} * 1024;

  void* allocate(size_t bytes, size_t alignment) {
    size_t start = (used_ + alignment - 1) / alignment * alignment;
    if (chunks_.empty() || start + bytes > chunk_bytes_) {
      chunk_bytes_ = std::max(kChunkBytes, bytes);
      chunks_.push_back(std::make_unique<std::byte[]>(chunk_bytes_));
      size_bytes_ += chunk_bytes_;
      start = 0;
    }
    used_ = start + bytes;
    return chunks_.back().get() + start;
  }

  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  size_t chunk_bytes_ = 0;
  size_t used_ = 0;
  size_t size_bytes_ = 0;
};

}  // namespace seatrial::checkers
