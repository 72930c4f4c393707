// Where other replicas may be.
#pragma once

#include <string>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"

namespace swarmgate::ports {

/// One way to find them. Nothing is believed of an address before whoever answers there has
/// identified itself.
/// Thread: Find from one at a time; Cancel from any.
class Peers {
 public:
  virtual ~Peers() = default;
  /// "10.0.0.3:8080", "[fd00::1]:8080": literal addresses, sorted, each once. Ours may be among
  /// them. Errors: kUnavailable, kDeadlineExceeded, kCorrupt, kRejected, kCancelled: whoever knows
  /// earlier ones keeps them.
  virtual Result<std::vector<std::string>> Find(SteadyTime deadline) = 0;
  /// Ends every call under way and every later one with kCancelled.
  virtual void Cancel() = 0;
};

}  // namespace swarmgate::ports
