#include <gtest/gtest.h>

#include <cstdio>

#include "cluster/world.h"

namespace {
/// What ctest takes for "skipped".
constexpr int kSkipped = 77;
}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (const std::string why = swarmgate::testing::Cluster::WhyNot(); !why.empty()) {
    std::printf("[  SKIPPED ] Cluster: no cluster can be raised here: %s\n", why.c_str());
    return kSkipped;
  }
  const int result = RUN_ALL_TESTS();
  swarmgate::testing::Cluster::TearDown();
  return result;
}
