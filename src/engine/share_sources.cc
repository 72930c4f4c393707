// The two threads that speak to the shared store: one watches it, one writes to it. What a lost
// race means is decided here, because it takes further questions to the store.
#include <algorithm>
#include <random>
#include <utility>

#include "engine/backoff.h"
#include "engine/sharing.h"
#include "engine/sources.h"

namespace swarmgate::engine {
namespace {

constexpr Duration kWatchWait{60000};
constexpr Duration kRetryFirst{100};
constexpr Duration kRetryLast{5000};

}  // namespace

void ThreadSources::Share(ShareRequest request) { share_requests_.Push(std::move(request)); }
void ThreadSources::Announce(ports::Replica self) { share_requests_.Push(std::move(self)); }

void ThreadSources::SharedWatchLoop() {
  std::minstd_rand random{std::random_device{}()};
  Backoff backoff(kRetryFirst, kRetryLast);
  ports::SharedPosition position;  // empty: everything is read at the start
  bool failed = false;
  while (!shared_wakeup_.closed()) {
    // After a failure it is told at once that the store is back. One that held nothing may have
    // been written to since, and been emptied: then everything is read.
    if (failed && position.revision == 0) position = {};
    Result<ports::Changes> changes =
        ports_.shared->Watch(position, failed ? Duration(0) : kWatchWait);
    if (shared_wakeup_.closed()) return;
    if (changes) {
      backoff.Reset();
      const bool news = changes->complete || changes->position != position;
      position = changes->position;
      if (news || std::exchange(failed, false)) inbox_.Push(SharedNews{std::move(changes)});
      failed = false;
      continue;
    }
    failed = true;
    inbox_.Push(SharedNews{std::move(changes)});
    // Replicas that lost it together do not come back together.
    const Duration pause = backoff.Next();
    const auto jitter = std::uniform_int_distribution<std::int64_t>(0, pause.count() / 2)(random);
    (void)shared_wakeup_.PopUntil(ports_.clock->Now() + pause + Duration(jitter));
  }
}

void ThreadSources::ShareLoop() {
  while (!share_requests_.closed()) {
    auto request = share_requests_.PopUntil(ports_.clock->Now() + Duration(60000));
    if (!request) continue;
    if (auto* replica = std::get_if<ports::Replica>(&*request)) {
      inbox_.Push(ReplicasSeen{ports_.shared->Announce(*replica)});
    } else {
      auto& share = std::get<ShareRequest>(*request);
      Result<Settlement> outcome = ShareOne(*ports_.shared, share);
      inbox_.Push(ShareDone{std::move(share.name), share.waiting, std::move(share.epoch),
                            std::move(outcome)});
    }
  }
  (void)ports_.shared->Withdraw();  // failing: the others forget us a little later
}

}  // namespace swarmgate::engine
