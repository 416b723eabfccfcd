#include "scenarios/course.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace seatrial::scenarios {

using base::Errc;
using base::fail;
using sim::TraceKind;

namespace {

constexpr std::pair<TraceKind, char> kLetters[] = {
    {TraceKind::kResume, 'r'},  {TraceKind::kConnect, 'c'},   {TraceKind::kSend, 's'},
    {TraceKind::kDeliver, 'd'}, {TraceKind::kFinish, 'f'},    {TraceKind::kReset, 'x'},
    {TraceKind::kStall, 'w'},   {TraceKind::kDisk, 'k'},      {TraceKind::kProcess, 'p'},
    {TraceKind::kFault, 'F'},   {TraceKind::kOperation, 'o'}, {TraceKind::kMark, 'm'},
    {TraceKind::kChaos, 'h'},   {TraceKind::kNote, 'n'}};

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t j = 0; j < 3; ++j) {
      word = word << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0);
    }
    for (size_t j = 0; j < 4; ++j) {
      text += j <= count ? kBase64[word >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

std::optional<std::string> decode(std::string_view text) {
  if (text.size() % 4 != 0) return {};
  size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    const size_t digit = kBase64.find(c);
    if (digit == std::string_view::npos) return {};
    word = word << 6 | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(word >> bits & 0xff);
  }
  return bytes;
}

std::string_view name_of(char letter) {
  const auto kind = kind_of(letter);
  return kind ? to_string(*kind) : "?";
}

}  // namespace

char letter_of(TraceKind kind) {
  return std::ranges::find(kLetters, kind, &std::pair<TraceKind, char>::first)->second;
}

std::optional<TraceKind> kind_of(char letter) {
  const auto* found = std::ranges::find(kLetters, letter, &std::pair<TraceKind, char>::second);
  if (found == std::end(kLetters)) return {};
  return found->first;
}

std::string hashes_text(const Course& course) {
  std::string bytes;
  bytes.reserve(course.hashes.size() * 2);
  for (const uint16_t hash : course.hashes) {
    bytes += static_cast<char>(hash & 0xff);
    bytes += static_cast<char>(hash >> 8);
  }
  return encode(bytes);
}

Result<std::vector<uint16_t>> parse_hashes(std::string_view text) {
  const auto bytes = decode(text);
  if (!bytes || bytes->size() % 2 != 0) {
    return fail(Errc::kInvalidData, "expected base64 of two bytes for each event");
  }
  std::vector<uint16_t> hashes;
  hashes.reserve(bytes->size() / 2);
  for (size_t i = 0; i < bytes->size(); i += 2) {
    hashes.push_back(static_cast<uint16_t>(static_cast<unsigned char>((*bytes)[i]) |
                                           static_cast<unsigned char>((*bytes)[i + 1]) << 8));
  }
  return hashes;
}

void CourseRecorder::heard(const sim::TraceEvent& event) {
  if (memory_.events < Course::kEventsMax) {
    memory_.hashes[memory_.events] = static_cast<uint16_t>(event.hash);
    memory_.kinds[memory_.events] = letter_of(event.kind);
  }
  ++memory_.events;
}

Course CourseRecorder::course(const Memory& memory) {
  const size_t kept = std::min<size_t>(memory.events, Course::kEventsMax);
  return {.events = memory.events,
          .hashes = {memory.hashes, memory.hashes + kept},
          .kinds = {memory.kinds, memory.kinds + kept}};
}

void CourseFollower::heard(const sim::TraceEvent& event) {
  const uint64_t index = events_++;
  if (departure_) return;
  const auto describe = [&] {
    return fmt::format("here {} {} {}", to_string(event.kind),
                       event.node.empty() ? "-" : event.node, event.text);
  };
  const double seconds = std::chrono::duration<double>(event.time).count();
  if (index >= course_.events) {
    departure_ = fmt::format("goes on after event {}, where it ended then, at {:.6f} s: {}", index,
                             seconds, describe());
    return;
  }
  if (index >= course_.hashes.size()) return;
  if (static_cast<uint16_t>(event.hash) == course_.hashes[index] &&
      letter_of(event.kind) == course_.kinds[index]) {
    return;
  }
  departure_ = fmt::format("departs at event {}, at {:.6f} s: then a {} event, {}", index + 1,
                           seconds, name_of(course_.kinds[index]), describe());
}

std::string CourseFollower::departure(bool ended) const {
  if (departure_) return *departure_;
  if (!ended || events_ >= course_.events) return {};
  std::string next;
  if (events_ < course_.kinds.size()) {
    next = fmt::format(" with a {} event", name_of(course_.kinds[events_]));
  }
  return fmt::format("ends after event {}, where it went on then{}", events_, next);
}

}  // namespace seatrial::scenarios
