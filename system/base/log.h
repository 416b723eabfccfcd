// The log's façade: nodes write lines, the machine under them decides where they go and with
// which time they are stamped. No clock, no file, no spdlog here.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace seatrial::base {

enum class LogLevel : unsigned char { kDebug, kInfo, kWarn, kError, kOff };

std::string_view to_string(LogLevel level);

class Log {
 public:
  virtual ~Log() = default;

  template <typename... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) {
    write(LogLevel::kDebug, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    write(LogLevel::kInfo, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) {
    write(LogLevel::kWarn, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) {
    write(LogLevel::kError, format, std::forward<Args>(args)...);
  }

  LogLevel level() const { return level_; }
  void set_level(LogLevel level) { level_ = level; }

 protected:
  // One line without its newline. Never parks a fiber.
  virtual void line(LogLevel level, std::string_view text) = 0;

 private:
  template <typename... Args>
  void write(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (level < level_) return;
    line(level, fmt::format(format, std::forward<Args>(args)...));
  }

  LogLevel level_ = LogLevel::kInfo;
};

}  // namespace seatrial::base
