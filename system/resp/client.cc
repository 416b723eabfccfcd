#include "resp/client.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace seatrial::resp {

base::Result<std::unique_ptr<Client>> Client::connect(os::Os& os, const os::Address& address,
                                                      os::MonotonicTime deadline) {
  // Not in one expression: TRY would leave it with the memory taken and nobody to free it.
  auto stream = TRY(os.network.connect(address, deadline));
  return std::unique_ptr<Client>(new Client(os.fibers, std::move(stream)));
}

void Client::add(std::span<const std::string> words) {
  auto out = std::back_inserter(outgoing_);
  fmt::format_to(out, "*{}\r\n", words.size());
  for (const std::string& word : words) fmt::format_to(out, "${}\r\n{}\r\n", word.size(), word);
  ++awaited_;
}

base::Result<std::vector<Reply>> Client::exchange(os::MonotonicTime deadline) {
  const std::string outgoing = std::exchange(outgoing_, {});
  const size_t count = std::exchange(awaited_, 0);
  if (count == 1) {
    TRY(os::write_all(*stream_, outgoing, deadline));
    return read_replies(count, deadline);
  }
  // A server whose replies nobody takes stops taking requests: so both at once. Where the writing
  // fails, so does the reading.
  os::FiberGroup writer(fibers_);
  writer.spawn("requests", [&] { (void)os::write_all(*stream_, outgoing, deadline); });
  return read_replies(count, deadline);
}

base::Result<std::vector<Reply>> Client::read_replies(size_t wanted, os::MonotonicTime deadline) {
  std::vector<Reply> replies;
  std::array<char, 4096> buffer;
  while (replies.size() < wanted) {
    if (auto reply = TRY(parser_.next())) {
      replies.push_back(*std::move(reply));
      continue;
    }
    const size_t count = TRY(stream_->read(buffer, deadline));
    if (count == 0) {
      return base::fail(base::Errc::kClosed, "the server ended the connection");
    }
    parser_.feed({buffer.data(), count});
  }
  return replies;
}

}  // namespace seatrial::resp
