// What a handler of one API is given and gives back. Each lives in a file of its own here; the
// table of all is in dispatch.cc.
//
// A request is handled in two steps. The handler runs in the order in which requests arrive, and
// does what later requests of the connection must find done: an append takes its place, a topic
// is created. What it returns, an Answer, runs in the same order but behind it, so that the
// requests of a pipeline wait for their flushes together: it waits, reads, and writes the reply.
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "broker/catalog.h"
#include "broker/config.h"
#include "broker/wire/codec.h"
#include "os/os.h"

#include <fmt/format.h>

#include <functional>
#include <string>
#include <utility>

namespace seatrial::broker {

struct Context {
  os::Os& os;
  const Config& config;
  Catalog& catalog;
  // Of the connection that asks.
  os::Address local;       // Where it came in.
  os::Address peer;        // Where it came from.
  os::Event& stirred;      // For long polls: set by whatever ends one, also by the peer's going.
  bool peer_gone = false;  // It sends nothing more: nobody waits for long.
};

// Puts the reply's frame behind what is in `out`; nothing where the request has no reply. May
// park. An error ends the connection without a reply.
using Answer = std::move_only_function<base::Result<void>(base::Buffer& out)>;

// `body`: the request behind its header; its bytes are there only until the handler returns. May
// park. An error ends the connection, once all requests before this one are answered.
using Handler = base::Result<Answer> (*)(Context& context, const RequestHeader& header,
                                         base::Bytes body);

// The answer that is known already.
template <class Reply>
Answer answer_with(const RequestHeader& header, Reply reply) {
  return [version = header.version, correlation = header.correlation,
          reply = std::move(reply)](base::Buffer& out) -> base::Result<void> {
    encode_reply(out, reply, version, correlation);
    return {};
  };
}

// A message for people in a reply: bounded, whatever of the request it quotes.
inline std::string error_text(std::string text) {
  constexpr size_t kBytesMax = 1000;
  if (text.size() > kBytesMax) text = text.substr(0, kBytesMax) + "...";
  return text;
}

}  // namespace seatrial::broker
