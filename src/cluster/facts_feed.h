// What this replica's Docker says, for replicas that have none: kept as texts, each with the
// revision of its last change, so that a change costs in proportion to itself. Empty for as long as
// nobody has asked.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/base/mutex.h"
#include "swarmgate/ports/state_store.h"

namespace swarmgate::cluster {

/// One lock around texts; nothing calls out while holding it. Thread: any.
class FactsFeed {
 public:
  /// Removals that are remembered; who is further behind gets everything.
  static constexpr std::size_t kMostRemoved = 1000;
  /// Askers that wait at a time: each holds a thread of the API. Others are answered at once.
  static constexpr int kMostWaiting = 6;

  explicit FactsFeed(std::string epoch) : epoch_(std::move(epoch)) {}

  /// Called once, by the first one who asks, who waits for what is taken then. Set before that.
  void OnFollower(std::function<void()> told) { on_follower_ = std::move(told); }
  /// The first one is everything.
  void Take(const ports::AppliedDelta& delta) EXCLUDES_LOCK(mutex_);
  /// While our Docker does not answer nothing is told: whoever follows may know one that does.
  void SetHeard(bool heard) EXCLUDES_LOCK(mutex_);
  /// What is new after `revision` of the feed `epoch` (codec/facts_json.h); waits for it until
  /// `deadline`. Errors: kUnavailable while nothing is known, and while our Docker is lost.
  Result<std::string> After(const std::string& epoch, std::uint64_t revision, SteadyTime deadline)
      EXCLUDES_LOCK(mutex_);
  /// Ends all waiting.
  void Stop() EXCLUDES_LOCK(mutex_);

 private:
  using Text = std::shared_ptr<const std::string>;
  struct Entry {
    Text text;
    std::uint64_t revision = 0;
  };
  /// What is to be told, before it is put together.
  struct News {
    std::uint64_t revision = 0;
    bool complete = false;
    Text host;  ///< null: it has not changed
    std::vector<Text> services;
    std::vector<std::string> removed;
  };
  [[nodiscard]] News NewsAfter(const std::string& epoch, std::uint64_t revision) const
      REQUIRES_LOCK(mutex_);
  [[nodiscard]] Result<News> AwaitNews(const std::string& epoch, std::uint64_t revision,
                                       SteadyTime deadline) EXCLUDES_LOCK(mutex_);

  const std::string epoch_;
  std::function<void()> on_follower_;
  Mutex mutex_;
  CondVar changed_;
  std::uint64_t revision_ GUARDED_BY(mutex_) = 0;
  Entry host_ GUARDED_BY(mutex_);
  std::map<std::string, Entry> services_ GUARDED_BY(mutex_);  ///< by id
  std::map<std::uint64_t, std::string> removed_ GUARDED_BY(mutex_);
  std::uint64_t complete_before_ GUARDED_BY(mutex_) = 1;  ///< who knows less gets everything
  bool followed_ GUARDED_BY(mutex_) = false;
  int waiting_ GUARDED_BY(mutex_) = 0;
  bool stopped_ GUARDED_BY(mutex_) = false;
  bool heard_ GUARDED_BY(mutex_) = true;
};

}  // namespace swarmgate::cluster
