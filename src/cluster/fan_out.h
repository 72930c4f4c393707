// One call to all other replicas at once.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/mutex.h"
#include "swarmgate/cluster/membership.h"
#include "swarmgate/model/replica.h"

namespace swarmgate::cluster {

/// A replica may answer at several addresses; the call is to reach it once. The one lock that is
/// needed where several threads do the same at the same time. Thread: any.
class Claims {
 public:
  /// False: somebody has claimed it before.
  bool Claim(const std::string& run) EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    return claimed_.insert(run).second;
  }

 private:
  Mutex mutex_;
  std::set<std::string> claimed_ GUARDED_BY(mutex_);
};

/// See Cluster::Send. Takes as long as the slowest, and never much longer than `deadline`.
[[nodiscard]] std::vector<model::PeerAnswer> FanOut(const Membership& self,
                                                    const std::vector<std::string>& addresses,
                                                    const model::PeerCall& call, Duration deadline);

}  // namespace swarmgate::cluster
