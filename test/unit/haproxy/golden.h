// Comparison with a file below fixtures/haproxy; UPDATE_GOLDEN=1 rewrites it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "support/paths.h"

namespace swarmgate::haproxy {

inline void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = testing::SourcePath("fixtures/haproxy/") + name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  EXPECT_EQ(text, content.str()) << "differs from " << path << "; UPDATE_GOLDEN=1 rewrites it";
}

}  // namespace swarmgate::haproxy
