// Files of results: writing them so that a full disk is noticed, reading results.jsonl back line
// by line, so that a million seeds cost no more memory than one.
#pragma once

#include "base/error.h"
#include "reports/run_result.h"

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace seatrial::reports {

// A file that is written from its start. What was there before is replaced at once.
class OutputFile {
 public:
  static Result<OutputFile> create(std::string path);

  Result<void> write(std::string_view text);
  // To the system: it outlives this process, not the machine.
  Result<void> flush();
  // Errors that the system kept back until now; the file is closed in any case.
  Result<void> close();

  const std::string& path() const { return path_; }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  OutputFile(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  std::unexpected<base::Error> failed(std::string_view what) const;

  std::string path_;
  std::unique_ptr<std::FILE, Closer> file_;
};

// Calls `visit` for each line of a results.jsonl, in order. Its error, or one of the file
// ("results.jsonl:3: a result: the key \"seed\" is missing"), ends it.
Result<void> for_each_result(const std::string& path,
                             const std::function<Result<void>(const RunResult&)>& visit);

}  // namespace seatrial::reports
