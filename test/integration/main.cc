#include <gtest/gtest.h>

#include "integration/world.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const int result = RUN_ALL_TESTS();
  swarmgate::testing::TearDownWorld();
  return result;
}
