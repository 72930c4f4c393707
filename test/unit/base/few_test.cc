#include "swarmgate/base/few.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace swarmgate {
namespace {

using Texts = Few<std::string>;

TEST(FewTest, CostsAPointer) { EXPECT_EQ(sizeof(Texts), sizeof(void*)); }

TEST(FewTest, NoneIsAnEmptyVector) {
  const Texts none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.size(), 0U);
  EXPECT_EQ(none.begin(), none.end());
  EXPECT_EQ(none, std::vector<std::string>());
  EXPECT_EQ(none, Texts(std::vector<std::string>()));
}

TEST(FewTest, OneThatWasEmptiedIsNone) {
  Texts texts = {"a"};
  texts.Edit().clear();
  EXPECT_TRUE(texts.empty());
  EXPECT_EQ(texts, Texts());
  EXPECT_EQ(Texts(texts), Texts());
}

TEST(FewTest, AChangeIsNotSeenByCopies) {
  Texts first = {"a"};
  const Texts copy = first;
  first.push_back("b");
  first.emplace_back(2, 'c');
  EXPECT_EQ(copy, std::vector<std::string>{"a"});
  EXPECT_EQ(first, (std::vector<std::string>{"a", "b", "cc"}));
  EXPECT_EQ(first[1], "b");
  EXPECT_EQ(first.front(), "a");
  EXPECT_EQ(first.back(), "cc");
  first = copy;
  EXPECT_EQ(first, copy);
}

TEST(FewTest, OneThatWasMovedFromIsNone) {
  Texts first = {"a"};
  const Texts second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is what is asked
  EXPECT_EQ(second.size(), 1U);
}

TEST(FewTest, OrderedAsVectorsAre) {
  EXPECT_LT(Texts(), Texts{"a"});
  EXPECT_LT(Texts{"a"}, (Texts{"a", "b"}));
}

}  // namespace
}  // namespace swarmgate
