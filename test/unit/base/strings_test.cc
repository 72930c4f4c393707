#include "swarmgate/base/strings.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace swarmgate {
namespace {

using Parts = std::vector<std::string_view>;

/// Whether it may be split. It is a template that refuses a string which nobody holds, because
/// otherwise a literal would be one as well.
template <typename Text>
concept IsSplit = requires(Text&& text) {
  Split(std::forward<Text>(text), ',');
};
static_assert(!IsSplit<std::string>, "its parts would point to what is gone");
static_assert(IsSplit<const std::string&>);
static_assert(IsSplit<std::string_view>);
static_assert(IsSplit<const char (&)[4]>);

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(Split("a,,b", ','), (Parts{"a", "", "b"}));
  EXPECT_EQ(Split("", ','), (Parts{""}));
  EXPECT_EQ(Split("a,", ','), (Parts{"a", ""}));
}

TEST(Trim, TakesWhiteSpaceOffBothEnds) {
  EXPECT_EQ(Trim("  a b\t\r\n"), "a b");
  EXPECT_EQ(Trim(" \n "), "");
}

TEST(ParseUint, AcceptsPlainDecimalsUpToTheMaximum) {
  EXPECT_EQ(ParseUint("0", 10), 0U);
  EXPECT_EQ(ParseUint("65535", 65535), 65535U);
  const auto max = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(ParseUint("18446744073709551615", max), max);
}

TEST(ParseUint, RefusesAnythingElse) {
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "08", "1.0", "0x10", "abc", "65536",
                           "99999999999999999999999"}) {
    EXPECT_FALSE(ParseUint(text, 65535)) << text;
  }
  EXPECT_FALSE(ParseUint("18446744073709551616", std::numeric_limits<std::uint64_t>::max()));
  EXPECT_FALSE(ParseUint("5", 3));
  EXPECT_EQ(ParseUint("3", 3), 3U);
}

TEST(Printable, EscapesWhatCouldForgeALineOrSteerATerminal) {
  EXPECT_EQ(Printable("a\nb"), "a\\x0ab");
  EXPECT_EQ(Printable("\x1b[31m"), "\\x1b[31m");
  EXPECT_EQ(Printable("\xc2\x9b"), "\\xc2\\x9b");
  EXPECT_EQ(Printable("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(Printable("\xc0\xaf \xed\xa0\x80 \xff"), "\\xc0\\xaf \\xed\\xa0\\x80 \\xff");
}

TEST(Printable, CutsAtTheLimitWithoutSplittingACharacter) {
  EXPECT_EQ(Printable("abcdef", 3), "abc…");
  EXPECT_EQ(Printable("ab\xc3\xa9", 3), "ab…");
  EXPECT_EQ(Printable("abc", 3), "abc");
}

TEST(ClosestMatch, FindsWhatWasProbablyMeant) {
  const std::vector<std::string> names = {"port", "servicePath", "serviceDomain", "pathType"};
  EXPECT_EQ(ClosestMatch("prot", names), "port");
  EXPECT_EQ(ClosestMatch("serivcePath", names), "servicePath");
  EXPECT_EQ(ClosestMatch("servicepath", names), "servicePath");
  EXPECT_EQ(ClosestMatch("ServiceDomian", names), "serviceDomain");
}

TEST(ClosestMatch, SaysNothingAboutWordsThatAreFarFromAll) {
  const std::vector<std::string> names = {"port", "servicePath"};
  EXPECT_FALSE(ClosestMatch("replicas", names));
  EXPECT_FALSE(ClosestMatch("", names));
  EXPECT_FALSE(ClosestMatch(std::string(100000, 'p'), names));
}

TEST(HashHex, IsFnv1aSoThatNamesStayTheSameAcrossReleases) {
  EXPECT_EQ(HashHex(""), "cbf29ce484222325");
  EXPECT_EQ(HashHex("a"), "af63dc4c8601ec8c");
}

}  // namespace
}  // namespace swarmgate
