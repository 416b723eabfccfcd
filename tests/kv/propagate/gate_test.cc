#include "kv/propagate/gate.h"
#include "tests/kv/support/on_node.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::kv {
namespace {

using namespace std::chrono_literals;

// Waits on a fiber of its own, and writes down how it ended.
void wait_for(os::Os& os, ReplyGate& gate, Ticket ticket, std::string& log, char name) {
  os.fibers.spawn("waiter", [&gate, ticket, &log, name] {
    const auto passed = gate.wait(ticket);
    log += name;
    if (!passed) log += '!';
  });
}

TEST(ReplyGate, LetsThroughWhatIsKeptAndNothingElse) {
  OnNode().run([](os::Os& os) {
    ReplyGate gate(os.fibers);
    std::string log;
    gate.logged(10);
    wait_for(os, gate, {.seen = 10, .wrote = 10}, log, 'a');
    ASSERT_TRUE(os.clock.sleep_for(1ms));
    gate.keeping(10);
    gate.logged(5);
    wait_for(os, gate, {.seen = 15, .wrote = 15}, log, 'b');
    wait_for(os, gate, {.seen = 10, .wrote = 0}, log, 'c');
    wait_for(os, gate, {.seen = 0, .wrote = 0}, log, 'd');
    ASSERT_TRUE(os.clock.sleep_for(1ms));
    EXPECT_EQ(log, "d");
    gate.keep(10);
    ASSERT_TRUE(os.clock.sleep_for(1ms));
    EXPECT_EQ(log.size(), 3U);
    EXPECT_EQ(log.find('b'), std::string::npos);
    gate.keeping(15);
    gate.keep(15);
    ASSERT_TRUE(os.clock.sleep_for(1ms));
    EXPECT_EQ(log.size(), 4U);
    EXPECT_EQ(log.back(), 'b');
  });
}

TEST(ReplyGate, AfterAFailureNothingPassesNotEvenWhatWasKept) {
  OnNode().run([](os::Os& os) {
    ReplyGate gate(os.fibers);
    std::string log;
    gate.logged(10);
    wait_for(os, gate, {.seen = 10, .wrote = 10}, log, 'a');
    ASSERT_TRUE(os.clock.sleep_for(1ms));
    gate.fail();
    ASSERT_TRUE(os.clock.sleep_for(1ms));
    wait_for(os, gate, {.seen = 0, .wrote = 0}, log, 'b');
    ASSERT_TRUE(os.clock.sleep_for(1ms));
    EXPECT_EQ(log, "a!b!");
  });
}

TEST(ReplyGate, WhileStalledOnlyRepliesThatWroteWait) {
  OnNode().run([](os::Os& os) {
    ReplyGate gate(os.fibers);
    std::string log;
    gate.logged(10);
    gate.keeping(10);
    wait_for(os, gate, {.seen = 10, .wrote = 10}, log, 'w');
    wait_for(os, gate, {.seen = 10, .wrote = 0}, log, 'r');
    ASSERT_TRUE(os.clock.sleep_for(1ms));
    EXPECT_EQ(log, "");
    gate.set_stalled(true);
    ASSERT_TRUE(os.clock.sleep_for(1ms));
    EXPECT_EQ(log, "r");
    gate.set_stalled(false);
    gate.keep(10);
    ASSERT_TRUE(os.clock.sleep_for(1ms));
    EXPECT_EQ(log, "rw");
  });
}

}  // namespace
}  // namespace seatrial::kv
