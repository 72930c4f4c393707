#include "swarmgate/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace swarmgate::internal {

void CheckFailed(const char* file, int line, const char* expression) {
  std::fprintf(stderr, "swarmgate: broken invariant at %s:%d: %s\n", file, line, expression);
  std::fflush(stderr);
  std::abort();
}

}  // namespace swarmgate::internal
