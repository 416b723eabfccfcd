// A client's hands on a kv server: connects, again and again if need be, asks, and says honestly
// what became of it: an answer, or an outcome that nobody knows.
#pragma once

#include "os/os.h"
#include "resp/client.h"

#include <memory>
#include <string>
#include <vector>

namespace seatrial::scenarios {

using Command = std::vector<std::string>;

class KvClient {
 public:
  KvClient(os::Os& os, std::vector<os::Address> servers)
      : os_(os), servers_(std::move(servers)), random_(os.random.stream("kv client")) {}

  bool connected() const { return client_ != nullptr; }
  // Of `servers`: the one that it is, or was last, connected to.
  const os::Address& server() const { return servers_[server_]; }
  // Ends the connection, with whatever it watched.
  void leave() { client_.reset(); }
  // Connects if it is not connected, however long that takes. Errors: kCancelled.
  base::Result<void> ready();
  // Sends all commands in one go and reads an answer to each. On an error the outcome of all of
  // them is unknown, and the connection, with whatever it watched, is gone.
  base::Result<std::vector<resp::Reply>> call(const std::vector<Command>& commands);
  base::Result<resp::Reply> call(Command command);

 private:
  os::Os& os_;
  std::vector<os::Address> servers_;
  base::RandomStream random_;
  size_t server_ = 0;
  std::unique_ptr<resp::Client> client_;
};

}  // namespace seatrial::scenarios
