// How often a property is tried.
#pragma once

#include <algorithm>
#include <cstdlib>

namespace swarmgate::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SWARMGATE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SWARMGATE_SANITIZED 1
#endif
#endif

/// `usual`; a tenth of it where a sanitizer makes every round cost ten times as much;
/// SWARMGATE_SOAK=30 in the environment: thirty times as many. At least one.
inline unsigned Rounds(unsigned usual) {
#ifdef SWARMGATE_SANITIZED
  usual /= 10;
#endif
  const char* soak = std::getenv("SWARMGATE_SOAK");
  const int factor = soak == nullptr ? 1 : std::max(1, std::atoi(soak));
  return std::max(1U, usual) * static_cast<unsigned>(factor);
}

}  // namespace swarmgate::testing
