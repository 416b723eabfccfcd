// A client's hands on a broker: one connection that carries many requests at once and hears their
// answers in order, as Kafka's clients use it. It speaks the messages of broker/wire, and makes
// and reads the batches in them by itself (record_batches.h).
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "broker/wire/codec.h"
#include "broker/wire/frame_reader.h"
#include "os/os.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace seatrial::scenarios {

using base::Result;

// An answer and the bytes that it points into.
template <typename Reply>
struct Answer {
  std::unique_ptr<std::string> frame;
  Reply reply;
};

class BrokerClient {
 public:
  // A whole frame, or why there will be none.
  using OnReply = std::move_only_function<void(Result<base::Bytes>)>;

  // Told what was wrong with an answer that no broker may give.
  using OnNonsense = std::function<void(std::string_view)>;

  // `name`: of its own random choices, different for each client of a process.
  BrokerClient(os::Os& os, std::string_view name, OnNonsense on_nonsense)
      : os_(os), on_nonsense_(std::move(on_nonsense)), random_(os.random.stream(name)) {}
  // Whoever still waits hears nothing any more.
  ~BrokerClient() = default;
  BrokerClient(const BrokerClient&) = delete;
  BrokerClient& operator=(const BrokerClient&) = delete;

  // Connects if it is not connected, however long that takes. Errors: kCancelled.
  Result<void> ready(const os::Address& server);
  bool connected() const { return stream_ != nullptr && !broken_; }
  // Of this connection among all that this client had: whose order counts.
  int64_t connection() const { return connection_; }

  // Sends a request; `on_reply` is called once, from the fiber that reads or from close(). Null:
  // no answer is expected. Only one fiber at a time may send; requests reach the broker in its
  // order. An error breaks the connection.
  template <typename Request>
  Result<void> send(const Request& request, int16_t version, os::Duration patience,
                    OnReply on_reply) {
    base::Buffer buffer;
    const int32_t correlation = next_correlation_++;
    broker::encode_request(buffer, request, version, correlation, "seatrial");
    return send_frame(buffer.bytes(), correlation, patience, std::move(on_reply));
  }

  // Sends and waits. An error breaks the connection: what came of the request is unknown.
  template <typename Reply, typename Request>
  Result<Answer<Reply>> call(const Request& request, int16_t version, os::Duration patience) {
    const std::shared_ptr<Call> call = std::make_shared<Call>(os_.fibers);
    auto sent = send(request, version, patience, [call](Result<base::Bytes> frame) {
      call->frame = frame ? Result<std::string>(std::string(*frame)) : base::fail(frame.error());
      call->done.set();
    });
    if (!sent) return base::fail(sent.error());
    TRY(call->done.wait());
    if (!call->frame) return base::fail(call->frame.error());
    Answer<Reply> answer{std::make_unique<std::string>(*std::move(call->frame)), {}};
    auto reply = broker::decode_reply<Reply>(*answer.frame, version);
    if (!reply) {
      on_nonsense_(reply.error().message());
      close(reply.error());
      return base::fail(reply.error());
    }
    answer.reply = *std::move(reply);
    return answer;
  }

  // Waits until every request that was sent has been answered or given up. Errors: kCancelled.
  Result<void> settle();
  // Ends the connection; whoever waits is told.
  void close(base::Error why);

 private:
  struct Call {
    explicit Call(os::Fibers& fibers) : done(fibers) {}
    os::Event done;
    Result<std::string> frame;
  };
  struct Awaited {
    int32_t correlation;
    os::MonotonicTime deadline;
    OnReply on_reply;
  };

  Result<void> send_frame(base::Bytes frame, int32_t correlation, os::Duration patience,
                          OnReply on_reply);
  // Hears answers until the connection breaks.
  void listen(os::Stream& stream);

  os::Os& os_;
  OnNonsense on_nonsense_;
  std::unique_ptr<os::Stream> stream_;
  std::deque<Awaited> awaited_;
  os::Event settled_{os_.fibers};
  bool broken_ = false;
  int64_t connection_ = 0;
  int32_t next_correlation_ = 1;
  base::RandomStream random_;
  std::unique_ptr<os::FiberGroup> listener_;  // Last: it uses all of the above.
};

}  // namespace seatrial::scenarios
