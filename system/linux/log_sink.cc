// Where the node's log goes here: spdlog, one line a call, written out at once.
#include "linux/parts.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace seatrial::linux {
namespace {

spdlog::level::level_enum level_of(base::LogLevel level) {
  switch (level) {
    case base::LogLevel::kDebug: return spdlog::level::debug;
    case base::LogLevel::kInfo: return spdlog::level::info;
    case base::LogLevel::kWarn: return spdlog::level::warn;
    case base::LogLevel::kError: return spdlog::level::err;
    case base::LogLevel::kOff: return spdlog::level::off;
  }
  UNREACHABLE("log level {}", static_cast<int>(level));
}

class LinuxLog final : public base::Log {
 public:
  explicit LinuxLog(spdlog::sink_ptr sink) : logger_("seatrial", std::move(sink)) {
    logger_.set_level(spdlog::level::trace);  // base::Log has filtered already.
    logger_.set_pattern("%Y-%m-%d %H:%M:%S.%e [%P] %l: %v");
    logger_.flush_on(spdlog::level::trace);
  }

 private:
  void line(base::LogLevel level, std::string_view text) override {
    logger_.log(level_of(level), spdlog::string_view_t(text.data(), text.size()));
  }

  spdlog::logger logger_;
};

}  // namespace

Result<std::unique_ptr<base::Log>> make_log(const LinuxOptions& options) {
  std::unique_ptr<base::Log> log;
  // spdlog reports by exception; this is the only place where one is expected.
  try {
    spdlog::sink_ptr sink;
    if (options.log_file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(options.log_file);
    }
    log = std::make_unique<LinuxLog>(std::move(sink));
  } catch (const spdlog::spdlog_ex& error) {
    return base::fail(Errc::kIo, std::string("log file: ") + error.what());
  }
  log->set_level(options.log_level);
  return log;
}

}  // namespace seatrial::linux
