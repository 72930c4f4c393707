// Growing pauses between attempts.
#pragma once

#include <algorithm>

#include "swarmgate/base/clock.h"

namespace swarmgate::engine {

class Backoff {
 public:
  Backoff(Duration first, Duration last) : first_(first), last_(last), next_(first) {}
  /// The pause before the next attempt; each is half as long again as the one before.
  Duration Next() {
    const Duration pause = next_;
    next_ = std::min(last_, next_ + std::max(next_ / 2, Duration(1)));
    return pause;
  }
  void Reset() { next_ = first_; }

 private:
  Duration first_;
  Duration last_;
  Duration next_;
};

}  // namespace swarmgate::engine
