// The outgoing side: a connection to a RESP server, for whoever asks (workloads, replicas,
// sentinels). Requests are collected and sent together; answers come in the same order.
//
// An error of exchange() means that the outcome of the requests is unknown: they may have been
// carried out in part, wholly, or not at all, and the connection is of no more use.
#pragma once

#include "os/os.h"
#include "resp/reply.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::resp {

class Client {
 public:
  // Parks until connected. Errors as of Network::connect().
  static base::Result<std::unique_ptr<Client>> connect(os::Os& os, const os::Address& address,
                                                       os::MonotonicTime deadline = os::kNever);

  // Puts a request, a list of words, behind those not yet sent.
  void add(std::span<const std::string> words);
  // Sends what was added and parks until every answer is there. Errors: those of the stream;
  // kClosed where the server ended it; kInvalidData where it does not speak RESP2.
  base::Result<std::vector<Reply>> exchange(os::MonotonicTime deadline = os::kNever);

 private:
  Client(os::Fibers& fibers, std::unique_ptr<os::Stream> stream)
      : fibers_(fibers), stream_(std::move(stream)) {}
  base::Result<std::vector<Reply>> read_replies(size_t wanted, os::MonotonicTime deadline);

  os::Fibers& fibers_;
  std::unique_ptr<os::Stream> stream_;
  std::string outgoing_;
  size_t awaited_ = 0;
  ReplyParser parser_;
};

}  // namespace seatrial::resp
