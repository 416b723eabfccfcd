#include "scenarios/course.h"
#include "scenarios/run.h"

#include <gtest/gtest.h>

#include <memory>

namespace seatrial::scenarios {
namespace {

using sim::TraceEvent;
using sim::TraceKind;
using sim::VirtualTime;

TraceEvent event(uint64_t number, uint64_t hash, TraceKind kind, std::string_view text) {
  return {number, hash, VirtualTime(1'500'000 * number), "kv0", kind, text};
}

Course three_events() { return {.events = 3, .hashes = {0x1111, 0x2222, 0x3333}, .kinds = "rsk"}; }

std::string followed(const std::vector<TraceEvent>& events, bool ended = true) {
  const Course course = three_events();
  CourseFollower follower(course);
  for (const TraceEvent& each : events) follower.heard(each);
  return follower.departure(ended);
}

TEST(Course, TheSameRunDepartsNowhere) {
  const std::vector<TraceEvent> same{event(1, 0xaa1111, TraceKind::kResume, "a"),
                                     event(2, 0xbb2222, TraceKind::kSend, "b"),
                                     event(3, 0xcc3333, TraceKind::kDisk, "c")};
  EXPECT_EQ(followed(same), "");
}

TEST(Course, TheFirstEventThatDiffersIsNamedWithBothSides) {
  EXPECT_EQ(followed({event(1, 0x1111, TraceKind::kResume, "a"),
                      event(2, 0x9999, TraceKind::kDisk, "sync x"),
                      event(3, 0x8888, TraceKind::kDisk, "sync y")}),
            "departs at event 2, at 0.003000 s: then a send event, here disk kv0 sync x");
  // Another kind of event is another, whatever its hash.
  EXPECT_EQ(followed({event(1, 0x1111, TraceKind::kMark, "m")}),
            "departs at event 1, at 0.001500 s: then a resume event, here mark kv0 m");
}

TEST(Course, AnotherLengthIsADeparture) {
  std::vector<TraceEvent> events{event(1, 0x1111, TraceKind::kResume, "a"),
                                 event(2, 0x2222, TraceKind::kSend, "b")};
  EXPECT_EQ(followed(events), "ends after event 2, where it went on then with a disk event");
  EXPECT_EQ(followed(events, false), "") << "it was cut short on purpose";
  events.push_back(event(3, 0x3333, TraceKind::kDisk, "c"));
  events.push_back(event(4, 0x4444, TraceKind::kNote, "d"));
  EXPECT_EQ(followed(events),
            "goes on after event 3, where it ended then, at 0.006000 s: here note kv0 d");
}

TEST(Course, EachKindHasALetterOfItsOwn) {
  for (int i = 0; i <= static_cast<int>(TraceKind::kNote); ++i) {
    const auto kind = static_cast<TraceKind>(i);
    EXPECT_EQ(kind_of(letter_of(kind)), kind) << to_string(kind);
  }
  EXPECT_FALSE(kind_of('?'));
}

TEST(Course, HashesComeBackFromTextAsTheyWere) {
  for (size_t count = 0; count < 9; ++count) {
    Course course;
    for (size_t i = 0; i < count; ++i) {
      course.hashes.push_back(static_cast<uint16_t>(0xfffe + 257 * i));
    }
    const auto parsed = parse_hashes(hashes_text(course));
    ASSERT_TRUE(parsed) << count;
    EXPECT_EQ(*parsed, course.hashes);
  }
  EXPECT_EQ(hashes_text(Course{.hashes = {0x614d, 0x4d6e}}), "TWFuTQ==");
  for (const char* bad : {"A", "AAA", "AAA*", "AAAA="}) EXPECT_FALSE(parse_hashes(bad)) << bad;
}

TEST(CourseRecorder, OfALongRunTheBeginningIsKept) {
  auto memory = std::make_unique<CourseRecorder::Memory>();
  CourseRecorder recorder(*memory);
  for (uint64_t i = 0; i < Course::kEventsMax + 10; ++i) {
    recorder.heard(event(i + 1, i, TraceKind::kSend, ""));
  }
  const Course course = CourseRecorder::course(*memory);
  EXPECT_EQ(course.events, Course::kEventsMax + 10);
  EXPECT_EQ(course.hashes.size(), Course::kEventsMax);
  EXPECT_EQ(course.kinds.size(), Course::kEventsMax);
}

TEST(Course, ARunFollowsItsOwnAndNotAnothers) {
  const auto scenario = load_scenario("kv/register");
  ASSERT_TRUE(scenario);
  const auto plan = make_plan(*scenario, 3);
  ASSERT_TRUE(plan);
  auto memory = std::make_unique<CourseRecorder::Memory>();
  CourseRecorder recorder(*memory);
  ASSERT_TRUE(run_seed(*scenario, 3, *plan,
                       {.trace = [&](const TraceEvent& each) { recorder.heard(each); }}));
  const Course course = CourseRecorder::course(*memory);
  EXPECT_GT(course.events, 1000U);
  CourseFollower same(course);
  ASSERT_TRUE(
      run_seed(*scenario, 3, *plan, {.trace = [&](const TraceEvent& each) { same.heard(each); }}));
  EXPECT_EQ(same.departure(true), "");
  CourseFollower other(course);
  ASSERT_TRUE(
      run_seed(*scenario, 4, *plan, {.trace = [&](const TraceEvent& each) { other.heard(each); }}));
  EXPECT_TRUE(other.departed());
}

}  // namespace
}  // namespace seatrial::scenarios
