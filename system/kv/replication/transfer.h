// A snapshot as it comes over the link, in either of its frames:
//
//   $<length>\r\n<that many bytes>
//   $EOF:<mark of 40 bytes>\r\n<bytes><mark>
//
// The frame is taken off; what is left is an RDB.
#pragma once

#include "kv/rdb/source.h"
#include "kv/replication/link_input.h"
#include "os/os.h"

#include <cstdint>
#include <optional>
#include <string>

namespace seatrial::kv {

// The bytes of one snapshot, up to its end.
class SnapshotInput {
 public:
  static constexpr size_t kMarkBytes = 40;

  // Reads the frame's head. kInvalidData: it is none.
  static base::Result<SnapshotInput> open(LinkInput& input);

  // The next bytes, at most into.size(); 0: the snapshot is complete.
  base::Result<size_t> read(base::MutableBytes into);

  // Unknown where its end is told by a mark.
  std::optional<uint64_t> length() const { return length_; }
  uint64_t received() const { return received_; }

 private:
  explicit SnapshotInput(LinkInput& input) : input_(&input) {}
  base::Result<size_t> read_marked(base::MutableBytes into);

  LinkInput* input_;
  std::optional<uint64_t> length_;
  std::string end_mark_;
  bool ended_ = false;
  uint64_t received_ = 0;
};

// For the reader of an RDB that is loaded while it comes.
class SnapshotSource final : public rdb::Source {
 public:
  explicit SnapshotSource(SnapshotInput& input) : input_(input) {}

 private:
  base::Result<size_t> read(base::MutableBytes into) override { return input_.read(into); }

  SnapshotInput& input_;
};

}  // namespace seatrial::kv
