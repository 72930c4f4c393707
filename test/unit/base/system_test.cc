#include "swarmgate/base/system.h"

#include <gtest/gtest.h>

namespace swarmgate {
namespace {

TEST(System, TheMachineHasANameAndNoNameIsMadeUpTwice) {
  EXPECT_FALSE(HostName().empty());
  const std::string one = MakeUniqueName();
  EXPECT_EQ(one.size(), 16U);
  EXPECT_NE(one, MakeUniqueName());
}

}  // namespace
}  // namespace swarmgate
