#include "resp/parser.h"
#include "resp/writer.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace seatrial::resp {
namespace {

using Words = std::vector<std::string>;

Words words_of(const Parser& parser) { return {parser.args().begin(), parser.args().end()}; }

// Parses one request that must be whole.
Words parse(std::string_view input) {
  Parser parser;
  EXPECT_EQ(parser.next(input), Parser::Outcome::kRequest) << input;
  EXPECT_EQ(parser.consumed(), input.size());
  return words_of(parser);
}

std::string error_of(std::string_view input, ParserLimits limits = {}) {
  Parser parser(limits);
  if (parser.next(input) != Parser::Outcome::kInvalid) return "no error";
  return parser.error();
}

std::string encode(const Words& words) {
  Writer writer;
  writer.request(words);
  return std::string(writer.bytes());
}

TEST(Parser, ReadsArraysOfBulkStrings) {
  EXPECT_EQ(parse("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"), (Words{"GET", "k"}));
  EXPECT_EQ(parse("*1\r\n$0\r\n\r\n"), (Words{""}));
  EXPECT_EQ(parse("*1\r\n$4\r\n\r\n*$\r\n"), (Words{"\r\n*$"}));
}

TEST(Parser, EmptyRequestsHaveNoWords) {
  EXPECT_EQ(parse("*0\r\n"), Words{});
  EXPECT_EQ(parse("*-1\r\n"), Words{});
  EXPECT_EQ(parse("\r\n"), Words{});
  EXPECT_EQ(parse("   \n"), Words{});
}

TEST(Parser, ReadsInlineCommandsWithQuotes) {
  EXPECT_EQ(parse("PING\r\n"), Words{"PING"});
  EXPECT_EQ(parse("  SET  a   b \n"), (Words{"SET", "a", "b"}));
  EXPECT_EQ(parse("SET a \"b c\\x41\\n\"\r\n"), (Words{"SET", "a", "b cA\n"}));
  EXPECT_EQ(parse("SET '' 'it\\'s'\r\n"), (Words{"SET", "", "it's"}));
  EXPECT_EQ(error_of("SET a \"b\r\n"), "ERR Protocol error: unbalanced quotes in request");
  EXPECT_EQ(error_of("SET a 'b'c\r\n"), "ERR Protocol error: unbalanced quotes in request");
}

TEST(Parser, NamesWhatIsWrong) {
  EXPECT_EQ(error_of("*x\r\n"), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(error_of("*2147483648\r\n"), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(error_of("*1\r\n:4\r\n"), "ERR Protocol error: expected '$', got ':'");
  EXPECT_EQ(error_of("*1\r\n$-1\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(error_of("*1\r\n$x\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(error_of("*1\r\n$11\r\n", {.bulk_bytes_max = 10}),
            "ERR Protocol error: invalid bulk length");
}

TEST(Parser, BoundsLinesWithoutAnEnd) {
  const std::string much(64 * 1024 + 1, '1');
  EXPECT_EQ(error_of(much), "ERR Protocol error: too big inline request");
  EXPECT_EQ(error_of("*" + much), "ERR Protocol error: too big mbulk count string");
  EXPECT_EQ(error_of("*1\r\n$" + much), "ERR Protocol error: too big bulk count string");
}

TEST(Parser, SaysHowMuchItWants) {
  Parser parser;
  EXPECT_EQ(parser.next("*1\r\n$10\r\nabc"), Parser::Outcome::kIncomplete);
  EXPECT_EQ(parser.bytes_wanted(), std::string_view("*1\r\n$10\r\n").size() + 12);
}

RC_GTEST_PROP(ParserProperty, WhateverTheSplitTheRequestsAreTheSame, ()) {
  const auto requests = *rc::gen::nonEmpty<std::vector<Words>>();
  std::string bytes;
  for (const Words& words : requests) bytes += encode(words);
  Parser parser;
  std::vector<Words> seen;
  std::string buffered;
  size_t at = 0;
  while (seen.size() < requests.size()) {
    // A copy each time: the parser must not hold on to where the bytes were.
    const std::string input = buffered;
    const auto outcome = parser.next(input);
    RC_ASSERT(outcome != Parser::Outcome::kInvalid);
    if (outcome == Parser::Outcome::kRequest) {
      seen.push_back(words_of(parser));
      buffered.erase(0, parser.consumed());
      continue;
    }
    RC_ASSERT(parser.bytes_wanted() > buffered.size());
    RC_ASSERT(at < bytes.size());
    const auto count = *rc::gen::inRange<size_t>(1, std::min<size_t>(bytes.size() - at, 40) + 1);
    buffered += bytes.substr(at, count);
    at += count;
  }
  RC_ASSERT(seen == requests);
  RC_ASSERT(at == bytes.size());
  RC_ASSERT(buffered.empty());
}

RC_GTEST_PROP(ParserProperty, AnyBytesEndInARequestAnErrorOrAWish, (std::string bytes)) {
  Parser parser;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const auto outcome = parser.next(rest);
    if (outcome != Parser::Outcome::kRequest) break;
    RC_ASSERT(parser.consumed() > 0);
    RC_ASSERT(parser.consumed() <= rest.size());
    rest.remove_prefix(parser.consumed());
  }
}

}  // namespace
}  // namespace seatrial::resp
