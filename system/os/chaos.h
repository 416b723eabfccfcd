// Places in production code where a rare branch can be provoked for free (FoundationDB's
// buggify), and tuning values that can be shaken. Always as they are in linux/; in sim/ a plan
// says for each server which sites are armed and which knobs are turned.
//
//   const size_t room = CHANCE(os.chaos, "aof: short write") ? 1 : bytes.size();
//   const int64_t bytes = KNOB(os.chaos, "aof: block bytes", 4096, 1, 100);
//
// The catalog of all of them is known before anything runs, like that of the marks: use them in a
// .cc file, in ordinary functions (not in templates, inline ones or lambdas). What a site provokes
// must be harmless: something that production may do at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace seatrial::os {

// Both lie side by side like the elements of an array: a compiler may align large objects more
// than their type says, but not more than this.
struct alignas(32) ChanceSite {
  const char* name;  // Unique in the code.
  const char* file;
  int line;
};

struct alignas(64) KnobSite {
  const char* name;  // Unique in the code.
  const char* file;
  int line;
  const int64_t* others;  // Values that it may be turned to.
  size_t others_count;

  std::span<const int64_t> values() const { return {others, others_count}; }
};

static_assert(sizeof(ChanceSite) == 32 && sizeof(KnobSite) == 64);

// All of the binary, in link order: sort by name before showing or drawing.
std::span<const ChanceSite> all_chances();
std::span<const KnobSite> all_knobs();

class Chaos {
 public:
  virtual ~Chaos() = default;

  // Does not park.
  virtual bool chance(const ChanceSite& site) = 0;

  // `normal` in linux/. To be read once, at start. Does not park.
  virtual int64_t knob(const KnobSite& site, int64_t normal) = 0;
};

}  // namespace seatrial::os

// Whether the rare branch is to be taken this time.
#define CHANCE(chaos, text)                                                                      \
  (__extension__({                                                                               \
    [[gnu::section("seatrial_chances"),                                                          \
      gnu::used]] static constinit ::seatrial::os::ChanceSite chance_{text, __FILE__, __LINE__}; \
    (chaos).chance(chance_);                                                                     \
  }))

// The tuning value: `normal`, or one of the others that follow it.
#define KNOB(chaos, text, normal, ...)                                                             \
  (__extension__({                                                                                 \
    static constexpr int64_t others_[] = {__VA_ARGS__};                                            \
    [[gnu::section("seatrial_knobs"), gnu::used]] static constinit ::seatrial::os::KnobSite knob_{ \
        text, __FILE__, __LINE__, others_, sizeof others_ / sizeof *others_};                      \
    (chaos).knob(knob_, normal);                                                                   \
  }))
