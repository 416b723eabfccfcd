// The guide's examples are judged as it says: each history on the page, by the model in the command
// below it, word by word.
#include "checkers/check.h"
#include "checkers/tell.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace seatrial::checkers {
namespace {

std::string guide() {
  std::ifstream file(SEATRIAL_SOURCE_DIR "/checkers/README.md");
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

struct Example {
  std::string model;
  std::string history;
  std::string told;
};

// What stands between a fence that opens with `language` and its end; `from` moves behind it.
std::string fenced(const std::string& text, std::string_view language, size_t& from) {
  const std::string open = fmt::format("\n```{}\n", language);
  const size_t begin = text.find(open, from);
  if (begin == std::string::npos) {
    from = std::string::npos;
    return {};
  }
  const size_t end = text.find("\n```", begin + open.size());
  from = end;
  return text.substr(begin + open.size(), end + 1 - begin - open.size());
}

std::vector<Example> examples() {
  const std::string text = guide();
  std::vector<Example> all;
  size_t at = 0;
  while (true) {
    Example example;
    example.history = fenced(text, "json", at);
    if (at == std::string::npos) return all;
    std::string output = fenced(text, "text", at);
    const std::string_view command = "$ seatrial check ";
    EXPECT_TRUE(output.starts_with(command)) << output;
    const size_t end = output.find('\n');
    example.model =
        output.substr(command.size(), output.find(' ', command.size()) - command.size());
    example.told = output.substr(end + 1);
    all.push_back(std::move(example));
  }
}

TEST(Readme, ExamplesAreJudgedAsItSays) {
  for (const Example& example : examples()) {
    const Result<Verdict> verdict = check(example.model, example.history);
    ASSERT_TRUE(verdict) << example.model << ": " << verdict.error().message() << "\n"
                         << example.history;
    EXPECT_EQ(tell(*verdict), example.told) << example.model;
  }
}

TEST(Readme, HasAnExampleOfEachModelThatFails) {
  std::set<std::string> shown;
  for (const Example& example : examples()) {
    if (example.told.find(": violation") != std::string::npos) shown.insert(example.model);
  }
  const std::string text = guide();
  for (const CheckerInfo& info : list_checkers()) {
    const std::string model(info.model);
    EXPECT_TRUE(shown.contains(model)) << "checkers/README.md shows no violation of " << model;
    EXPECT_NE(text.find(fmt::format("### `{}`", model)), std::string::npos)
        << "checkers/README.md has no section on " << model;
  }
}

}  // namespace
}  // namespace seatrial::checkers
