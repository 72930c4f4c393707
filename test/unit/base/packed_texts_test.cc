#include "swarmgate/base/packed_texts.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace swarmgate {
namespace {

using Map = std::map<std::string, std::string>;

TEST(PackedTextsTest, SaysWhatTheMapSaidWhateverBytesItHolds) {
  const Map map{{"", "no name"},
                {"empty", ""},
                {"zero", std::string("\0\x1f\n", 3)},
                {"long", std::string(70'000, 'x')}};
  const PackedTexts packed(map);
  EXPECT_EQ(packed.Unpack(), map);
  EXPECT_FALSE(packed.empty());
  EXPECT_TRUE(PackedTexts(Map()).empty());
  EXPECT_TRUE(PackedTexts().Unpack().empty());
}

TEST(PackedTextsTest, TakesWhatNamesBeginAlikeOnce) {
  const Map map{{"com.df.notify", "true"},
                {"com.df.port", "1"},
                {"com.df.port.1", "2"},
                {"com.df.port.10", "3"},
                {std::string(300, 'x'), "4"},
                {std::string(300, 'x') + "y", "5"},
                {"z", "6"}};
  const PackedTexts packed(map);
  EXPECT_EQ(packed.Unpack(), map);
  for (const auto& [name, value] : map) EXPECT_TRUE(packed.contains(name)) << name;
  EXPECT_FALSE(packed.contains("com.df."));
  EXPECT_FALSE(packed.contains("com.df.port.2"));
}

TEST(PackedTextsTest, KnowsItsNamesAndTellsThemFromValues) {
  const PackedTexts packed{{"com.df.notify", "com.df.port"}, {"b", ""}};
  EXPECT_TRUE(packed.contains("com.df.notify"));
  EXPECT_TRUE(packed.contains("b"));
  EXPECT_FALSE(packed.contains("com.df.port"));
  EXPECT_FALSE(packed.contains(""));
  EXPECT_FALSE(packed.contains("com.df"));
}

TEST(PackedTextsTest, ComparedByWhatTheySay) {
  const PackedTexts a{{"x", "1"}, {"y", "2"}};
  EXPECT_EQ(a, (PackedTexts{{"y", "2"}, {"x", "1"}}));
  EXPECT_NE(a, (PackedTexts{{"x", "1"}}));
  EXPECT_NE((PackedTexts{{"x", "yz"}}), (PackedTexts{{"xy", "z"}}));
}

TEST(PackedTextsTest, AChangeIsNotSeenByCopies) {
  PackedTexts packed{{"x", "1"}};
  const PackedTexts copy = packed;
  packed.Set("x", "2");
  packed.Set("y", "3");
  EXPECT_EQ(packed.Unpack(), (Map{{"x", "2"}, {"y", "3"}}));
  packed.Erase("x");
  EXPECT_EQ(packed.Unpack(), (Map{{"y", "3"}}));
  EXPECT_EQ(copy.Unpack(), (Map{{"x", "1"}}));
}

}  // namespace
}  // namespace swarmgate
