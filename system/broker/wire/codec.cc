#include "broker/wire/codec.h"

#include "base/check.h"

#include <cstring>
#include <utility>

namespace seatrial::broker {

int16_t flexible_from(ApiKey api) {
  switch (api) {
    case ApiKey::kProduce: return 9;
    case ApiKey::kFetch: return 12;
    case ApiKey::kListOffsets: return 6;
    case ApiKey::kMetadata: return 9;
    case ApiKey::kApiVersions: return 3;
    case ApiKey::kCreateTopics: return 5;
    case ApiKey::kDeleteTopics: return 4;
  }
  return INT16_MAX;
}

base::Result<RequestHeader> peek_request_header(base::Bytes frame) {
  RequestHeader header;
  Decoder fields(frame, 0, false);
  fields(header.api);
  fields(header.version);
  fields(header.correlation);
  TRY(fields.result());
  return header;
}

base::Result<RequestHeader> take_request_header(base::Bytes& frame) {
  RequestHeader header;
  // The client's name is never compact: whoever reads the header may not know the version.
  Decoder fields(frame, 0, false);
  fields(header.api);
  fields(header.version);
  fields(header.correlation);
  fields(header.client_id);
  TRY(fields.result());
  size_t used = fields.position();
  if (header.version >= flexible_from(header.api)) {
    Decoder tags(fields.rest(), 0, true);
    tags.tags();
    TRY(tags.result());
    used += tags.position();
  }
  frame.remove_prefix(used);
  return header;
}

Frame::Frame(base::Buffer& buffer, const RequestHeader& header)
    : buffer_(buffer), start_(buffer.size()) {
  Encoder fields(buffer, 0, false);
  fields(int32_t{0});
  fields(header.api);
  fields(header.version);
  fields(header.correlation);
  fields(header.client_id);
  Encoder(buffer, 0, header.version >= flexible_from(header.api)).tags();
}

Frame::Frame(base::Buffer& buffer, int32_t correlation, bool tagged)
    : buffer_(buffer), start_(buffer.size()) {
  Encoder fields(buffer, 0, tagged);
  fields(int32_t{0});
  fields(correlation);
  fields.tags();
}

void Frame::finish() {
  const size_t length = buffer_.size() - start_ - 4;
  CHECK(length <= INT32_MAX);
  char bytes[4];
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(length >> (24 - 8 * i));
  buffer_.overwrite(start_, {bytes, sizeof(bytes)});
}

base::Result<int32_t> correlation_of(base::Bytes frame) {
  Decoder fields(frame, 0, false);
  int32_t correlation = 0;
  fields(correlation);
  TRY(fields.result());
  return correlation;
}

}  // namespace seatrial::broker
