#include "swarmgate/base/cow.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace swarmgate {
namespace {

struct Part {
  std::vector<std::string> names;
  int count = 0;
  friend auto operator<=>(const Part&, const Part&) = default;
};

TEST(CowTest, OneThatNobodySetsIsWhatTheTypeSays) {
  const Cow<Part> part;
  EXPECT_TRUE(part->names.empty());
  EXPECT_EQ(part, Part());
  EXPECT_EQ(part, Cow<Part>(Part()));
}

TEST(CowTest, AChangeIsNotSeenByCopies) {
  Cow<Part> first(Part{{"a"}, 1});
  const Cow<Part> copy = first;
  EXPECT_EQ(&*first, &*copy);
  first.Edit().names.emplace_back("b");
  EXPECT_EQ(copy->names, std::vector<std::string>{"a"});
  EXPECT_EQ(first->names, (std::vector<std::string>{"a", "b"}));
  EXPECT_NE(first, copy);
}

TEST(CowTest, OneThatNobodySharesIsChangedInPlace) {
  Cow<Part> part(Part{{}, 1});
  const Part* place = &*part;
  part.Edit().count = 2;
  EXPECT_EQ(&*part, place);
  EXPECT_EQ(part->count, 2);
}

TEST(CowTest, WhatIsSharedElsewhereIsNeverChanged) {
  const Shared<Part> held(Part{{"a"}, 1});
  Cow<Part> part(held);
  EXPECT_EQ(&*part, &*held);
  part.Edit().count = 2;
  EXPECT_EQ(held->count, 1);
}

TEST(CowTest, ComparedByContent) {
  const Cow<Part> a(Part{{"a"}, 1});
  const Cow<Part> b(Part{{"a"}, 1});
  EXPECT_EQ(a, b);
  EXPECT_LT(a, Cow<Part>(Part{{"a"}, 2}));
  EXPECT_LT(Cow<Part>(), a);
}

TEST(CowTest, OneThatIsNothingAgainIsNothing) {
  Cow<Part> part;
  part.Edit().count = 0;
  const Part* place = &*part;
  part.Settle();
  EXPECT_NE(&*part, place);
  EXPECT_EQ(&*part, &*Cow<Part>());
}

}  // namespace
}  // namespace swarmgate
