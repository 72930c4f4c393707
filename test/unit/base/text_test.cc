#include "swarmgate/base/text.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace swarmgate {
namespace {

using namespace std::string_view_literals;

TEST(TextTest, ReadsAsTheStringThatItWasMadeOf) {
  const Text text(std::string("running\0x", 9));
  EXPECT_EQ(text.str(), "running\0x"sv);
  EXPECT_FALSE(text.empty());
  EXPECT_TRUE(Text().empty());
  EXPECT_TRUE(Text("").empty());
  EXPECT_EQ(Text().str(), "");
}

TEST(TextTest, OrderedAndComparedAsStrings) {
  EXPECT_EQ(Text("a"), Text("a"));
  EXPECT_EQ(Text("a"), "a");
  EXPECT_EQ(Text("a"), std::string("a"));
  EXPECT_NE(Text("a"), Text());
  EXPECT_LT(Text("a"), Text("b"));
  EXPECT_LT(Text(), Text("a"));
  EXPECT_LT(Text("a"), "b"sv);
  EXPECT_EQ(std::hash<Text>()(Text("a")), std::hash<Text>()(Text("a")));
}

TEST(TextTest, CopiesAreOneTextWhateverBecomesOfEach) {
  Text first("one that is longer than a string holds in place");
  const Text copy = first;
  EXPECT_EQ(first.str().data(), copy.str().data());
  Text moved = std::move(first);
  EXPECT_EQ(moved.str().data(), copy.str().data());
  moved = Text("two");
  EXPECT_EQ(copy, "one that is longer than a string holds in place");
  Text& same = moved;
  moved = same;
  EXPECT_EQ(moved, "two");
}

TEST(TextTest, IsAStringWhereOneIsNeeded) {
  const Text text("ab");
  const std::string string = text.str();
  EXPECT_EQ(string, "ab");
  EXPECT_EQ(text + "c" + text + std::string("d") + text.str(), "abcabdab");
  EXPECT_EQ("x" + text, "xab");
  EXPECT_EQ(text + text, "abab");
  EXPECT_EQ(std::string("x") + Text(), "x");
  EXPECT_EQ(Text(std::string("a\0b", 3)).size(), 3U);
}

TEST(TextTest, SharedByThreads) {
  const Text text("shared");
  std::atomic<bool> good = true;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&text, &good, copy = text] {
      for (int round = 0; round < 10000; ++round) {
        Text mine = round % 2 == 0 ? copy : text;
        if (mine != "shared") good = false;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(good);
}

TEST(TextPoolTest, EqualTextsBecomeOne) {
  TextPool pool;
  Text first("node-1");
  Text second("node-1");
  Text other("node-2");
  Text none;
  for (Text* text : {&first, &second, &other, &none}) pool.Share(*text);
  EXPECT_EQ(first.str().data(), second.str().data());
  EXPECT_EQ(other, "node-2");
  EXPECT_TRUE(none.empty());
}

TEST(TextPoolTest, EndlesslyManyTextsDoNotFillIt) {
  TextPool pool;
  Text kept("kept");
  pool.Share(kept);
  for (int i = 0; i < 20000; ++i) {
    Text text("message " + std::to_string(i));
    pool.Share(text);
    EXPECT_EQ(text, "message " + std::to_string(i));
  }
  EXPECT_LE(pool.size(), TextPool::kMost);
  EXPECT_EQ(kept, "kept");
}

}  // namespace
}  // namespace swarmgate
