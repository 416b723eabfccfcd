#include "base/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seatrial::base {
namespace {

class Lines : public Log {
 public:
  std::vector<std::string> lines;

 private:
  void line(LogLevel level, std::string_view text) override {
    lines.push_back(std::string(to_string(level)) + " " + std::string(text));
  }
};

TEST(Log, FormatsEachLevel) {
  Lines log;
  log.set_level(LogLevel::kDebug);
  log.debug("{}", 1);
  log.info("{} {}", "two", 2);
  log.warn("three");
  log.error("{:04}", 4);
  EXPECT_EQ(log.lines,
            (std::vector<std::string>{"debug 1", "info two 2", "warn three", "error 0004"}));
}

TEST(Log, DropsWhatIsBelowItsLevel) {
  Lines log;
  log.debug("not by default");
  log.info("kept");
  log.set_level(LogLevel::kError);
  log.warn("dropped");
  log.error("kept too");
  log.set_level(LogLevel::kOff);
  log.error("nothing at all");
  EXPECT_EQ(log.lines, (std::vector<std::string>{"info kept", "error kept too"}));
}

}  // namespace
}  // namespace seatrial::base
