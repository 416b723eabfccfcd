// DIR of `--out DIR`: results.jsonl grows by one line a run and can be read at any time, also
// after the runner was killed; capsules/ holds the failing runs; finish() writes junit.xml.
//
// A folder holds one suite's results: opening it anew replaces results.jsonl and junit.xml.
#pragma once

#include "base/error.h"
#include "reports/results_file.h"
#include "reports/run_result.h"

#include <string>
#include <string_view>

namespace seatrial::reports {

class ResultsFolder {
 public:
  // Makes the folder and those above it. Errors name the path and the system's reason.
  static Result<ResultsFolder> create(std::string path);

  // Appends and flushes one line.
  Result<void> add(const RunResult& result);
  // Writes capsules/kv-register-17.json and returns its path.
  Result<std::string> write_capsule(std::string_view scenario, uint64_t seed,
                                    std::string_view json);
  // Writes junit.xml; nothing can be added afterwards.
  Result<void> finish();

  const std::string& path() const { return path_; }
  const std::string& results_path() const { return lines_.path(); }

 private:
  ResultsFolder(std::string path, OutputFile lines)
      : path_(std::move(path)), lines_(std::move(lines)) {}

  std::string path_;
  OutputFile lines_;
};

}  // namespace seatrial::reports
