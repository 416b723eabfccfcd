#include "resp/client.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace seatrial::resp {

base::Result<std::unique_ptr<Client>> Client::connect(os::Os& os, const os::Address& address,
                                                      os::MonotonicTime deadline) {
  // Not in one expression: TRY would leave it with the memory taken and nobody to free it.
  auto stream = TRY(os.network.connect(address, deadline));
  return std::unique_ptr<Client>(new Client(std::move(stream)));
}

void Client::add(std::span<const std::string> words) {
  auto out = std::back_inserter(outgoing_);
  fmt::format_to(out, "*{}\r\n", words.size());
  for (const std::string& word : words) fmt::format_to(out, "${}\r\n{}\r\n", word.size(), word);
  ++awaited_;
}

base::Result<std::vector<Reply>> Client::exchange(os::MonotonicTime deadline) {
  TRY(os::write_all(*stream_, std::exchange(outgoing_, {}), deadline));
  std::vector<Reply> replies;
  std::array<char, 4096> buffer;
  for (size_t left = std::exchange(awaited_, 0); left > 0;) {
    if (auto reply = TRY(parser_.next())) {
      replies.push_back(*std::move(reply));
      --left;
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
