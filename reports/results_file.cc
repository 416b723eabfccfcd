#include "reports/results_file.h"

#include "base/check.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace seatrial::reports {

using base::Errc;

Result<OutputFile> OutputFile::create(std::string path) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) {
    return base::fail(Errc::kIo, fmt::format("cannot create {}: {}", path, std::strerror(errno)));
  }
  return OutputFile(std::move(path), file);
}

Result<void> OutputFile::write(std::string_view text) {
  CHECK(file_ != nullptr);
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) return failed("write");
  return {};
}

Result<void> OutputFile::flush() {
  CHECK(file_ != nullptr);
  if (std::fflush(file_.get()) != 0) return failed("write");
  return {};
}

Result<void> OutputFile::close() {
  CHECK(file_ != nullptr);
  if (std::fclose(file_.release()) != 0) return failed("close");
  return {};
}

std::unexpected<base::Error> OutputFile::failed(std::string_view what) const {
  return base::fail(Errc::kIo, fmt::format("cannot {} {}: {}", what, path_, std::strerror(errno)));
}

Result<void> for_each_result(const std::string& path,
                             const std::function<Result<void>(const RunResult&)>& visit) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return base::fail(Errc::kNotFound,
                      fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  std::string line;
  for (uint64_t number = 1; std::getline(file, line); ++number) {
    Result<RunResult> result = parse_run_result(line);
    if (!result) return base::fail(result.error().in(fmt::format("{}:{}", path, number)));
    TRY(visit(*result));
  }
  if (file.bad()) return base::fail(Errc::kIo, fmt::format("cannot read {} to its end", path));
  return {};
}

}  // namespace seatrial::reports
