#include "reports/results_folder.h"

#include "reports/junit.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace seatrial::reports {
namespace {

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && !std::filesystem::is_directory(path, error)) {
    return base::fail(base::Errc::kNotDirectory, fmt::format("{} is not a folder", path));
  }
  if (error) {
    return base::fail(base::Errc::kIo,
                      fmt::format("cannot make the folder {}: {}", path, error.message()));
  }
  return {};
}

}  // namespace

Result<ResultsFolder> ResultsFolder::create(std::string path) {
  TRY(make_folder(path));
  // A junit.xml of the suite before would speak for results that are gone.
  std::error_code ignored;
  std::filesystem::remove(path + "/junit.xml", ignored);
  OutputFile lines = TRY(OutputFile::create(path + "/results.jsonl"));
  return ResultsFolder(std::move(path), std::move(lines));
}

Result<void> ResultsFolder::add(const RunResult& result) {
  TRY(lines_.write(to_json(result) + "\n"));
  return lines_.flush();
}

Result<std::string> ResultsFolder::write_capsule(std::string_view scenario, uint64_t seed,
                                                 std::string_view json) {
  std::string folder = path_ + "/capsules";
  TRY(make_folder(folder));
  std::string name(scenario);
  std::replace(name.begin(), name.end(), '/', '-');
  OutputFile file = TRY(OutputFile::create(fmt::format("{}/{}-{}.json", folder, name, seed)));
  TRY(file.write(json));
  TRY(file.close());
  return file.path();
}

Result<void> ResultsFolder::finish() {
  TRY(lines_.close());
  return write_junit(lines_.path(), path_ + "/junit.xml");
}

}  // namespace seatrial::reports
