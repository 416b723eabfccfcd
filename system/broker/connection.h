// Step 1 of a request, and the last one: the only reader and writer of a client's stream.
//
// One fiber reads frames and has each handled, in order; another completes the answers, in the
// same order, one write a reply. So requests that wait for their flush do so together, and no
// reply overtakes another. What waits is bounded: a client that does not read its replies is not
// read from.
#pragma once

#include "base/buffer.h"
#include "broker/api/api.h"
#include "broker/wire/frame_reader.h"
#include "os/os.h"

namespace seatrial::broker {

class Connection {
 public:
  Connection(os::Os& os, const Config& config, Catalog& catalog, os::Stream& stream);

  // Serves until the peer has gone, sends what cannot be understood, is idle for too long, or the
  // fiber is cancelled. Parks.
  void serve();

 private:
  base::Result<void> read_requests();
  // The next frame; none: the peer has ended its side.
  base::Result<std::optional<base::Bytes>> next_frame();
  void write_answers();
  base::Result<void> write_answer(Answer answer);
  void report(const base::Error& error) const;

  os::Os& os_;
  const Config& config_;
  os::Stream& stream_;
  FrameReader frames_;
  os::Event stirred_;
  Context context_;
  os::Channel<Answer> answers_;
  base::Buffer reply_;
  bool answering_ = false;
  os::FiberGroup writer_;
};

}  // namespace seatrial::broker
