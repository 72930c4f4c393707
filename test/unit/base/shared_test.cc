// Values that are shared are told from each other by what they hold.
#include "swarmgate/base/shared.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace swarmgate {
namespace {

TEST(SharedTest, IsReadAsAnOptionalAndComparedByContent) {
  const Shared<std::string> nothing;
  const Shared<std::string> a(std::string("a"));
  EXPECT_FALSE(nothing);
  EXPECT_FALSE(Shared<std::string>(std::optional<std::string>()));
  ASSERT_TRUE(a.has_value());
  EXPECT_EQ(*a + std::to_string(a->size()), "a1");
  EXPECT_EQ(a, Shared<std::string>(std::string("a")));
  EXPECT_NE(a, Shared<std::string>(std::string("b")));
  EXPECT_NE(a, nothing);
  EXPECT_NE(nothing, a);
  EXPECT_EQ(nothing, Shared<std::string>());
}

TEST(SharedTest, ACopyIsTheSameObject) {
  const Shared<std::string> a(std::string("a"));
  const Shared<std::string> copy = a;  // NOLINT(performance-unnecessary-copy-initialization)
  EXPECT_EQ(&*copy, &*a);
}

}  // namespace
}  // namespace swarmgate
