// How a message of the protocol is described, and whole requests and replies made of it.
//
// A message is a struct with one codec for both directions and all versions:
//
//   struct Metadata {
//     static constexpr ApiKey kApi = ...;
//     static constexpr int16_t kVersionMax = 9, kFlexibleFrom = 9;
//     std::string name;
//     template <class Codec, class Self>
//     static void codec(Codec& c, Self& m) { c(m.name); if (c.version() >= 3) c(m.rack); c.tags();
//     }
//   };
//
// A server decodes requests and encodes replies, a client does the opposite; a field that a
// version does not have keeps its default. Field order, types and versions are those of Kafka's
// public protocol guide (https://kafka.apache.org/protocol).
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "broker/wire/api_key.h"
#include "broker/wire/decoder.h"
#include "broker/wire/encoder.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace seatrial::broker {

template <class Message>
void encode(base::Buffer& buffer, const Message& message, int16_t version) {
  Encoder encoder(buffer, version, version >= Message::kFlexibleFrom);
  Message::codec(encoder, message);
}

// Errors: kInvalidData, with the place; also where bytes are left over. Records in the message
// are views into `bytes`.
template <class Message>
base::Result<Message> decode(base::Bytes bytes, int16_t version) {
  Decoder decoder(bytes, version, version >= Message::kFlexibleFrom);
  Message message;
  Message::codec(decoder, message);
  TRY(decoder.finish());
  return message;
}

// What stands before a request's fields. The versions of a header follow from the request's.
struct RequestHeader {
  ApiKey api{};
  int16_t version = 0;
  int32_t correlation = 0;
  std::optional<std::string> client_id;
  friend bool operator==(const RequestHeader&, const RequestHeader&) = default;
};

// The first version of this request with a flexible header; INT16_MAX where none is known.
int16_t flexible_from(ApiKey api);

// Reads the API, the version and the correlation id only, which all versions of the header begin
// with: what follows depends on them. `frame`: a request without its length.
base::Result<RequestHeader> peek_request_header(base::Bytes frame);

// Takes the header off the front of `frame`.
base::Result<RequestHeader> take_request_header(base::Bytes& frame);

// The length and the header of a message go in front of what is encoded after the constructor;
// the length is filled in by finish().
class Frame {
 public:
  // A request's.
  Frame(base::Buffer& buffer, const RequestHeader& header);
  // A reply's; `tagged`: with a section for tagged fields.
  Frame(base::Buffer& buffer, int32_t correlation, bool tagged);
  void finish();

 private:
  base::Buffer& buffer_;
  size_t start_;
};

// One whole request, behind what is in the buffer.
template <class Request>
void encode_request(base::Buffer& buffer, const Request& request, int16_t version,
                    int32_t correlation, std::optional<std::string> client_id) {
  Frame frame(buffer, {Request::kApi, version, correlation, std::move(client_id)});
  encode(buffer, request, version);
  frame.finish();
}

// The reply to ApiVersions has no tagged fields in its header, in any version: its reader may not
// know yet what this server speaks.
template <class Reply>
constexpr bool reply_header_tagged(int16_t version) {
  return Reply::kApi != ApiKey::kApiVersions && version >= Reply::kFlexibleFrom;
}

// One whole reply, behind what is in the buffer.
template <class Reply>
void encode_reply(base::Buffer& buffer, const Reply& reply, int16_t version, int32_t correlation) {
  Frame frame(buffer, correlation, reply_header_tagged<Reply>(version));
  encode(buffer, reply, version);
  frame.finish();
}

// The number of the request that `frame`, a reply without its length, belongs to: its first four
// bytes.
base::Result<int32_t> correlation_of(base::Bytes frame);

template <class Reply>
base::Result<Reply> decode_reply(base::Bytes frame, int16_t version) {
  Decoder header(frame, version, reply_header_tagged<Reply>(version));
  int32_t correlation = 0;
  header(correlation);
  header.tags();
  TRY(header.result());
  return decode<Reply>(header.rest(), version);
}

}  // namespace seatrial::broker
