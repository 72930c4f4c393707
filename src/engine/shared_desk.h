// When to write what to the shared store, when to tell the others of this replica, and what is
// known of the store's health. Which record says what is StoreKeeper's business. Thread: owner.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/backoff.h"
#include "engine/message.h"
#include "engine/store_keeper.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/engine/engine.h"
#include "swarmgate/engine/snapshot.h"

namespace swarmgate::engine {

class SharedDesk {
 public:
  /// Without a shared store (`enabled` is false) nothing is ever asked.
  SharedDesk(const SharingOptions& options, bool enabled, const StoreKeeper& store,
             Sources& sources, const Clock& clock);

  /// News that are taken when no call is being judged.
  void Hold(SharedNews news);
  [[nodiscard]] std::vector<ports::Changes> TakeHeld();
  [[nodiscard]] bool has_news() const { return !held_.empty(); }

  void On(const ShareDone& done);
  void On(ReplicasSeen seen);

  /// Asks for what is due. `applied`: what the shared store says up to here is what HAProxy serves.
  void RunDue(bool applied);
  [[nodiscard]] SteadyTime Next() const;

  /// The answer to a call that was received then should wait for this record's way.
  [[nodiscard]] bool ShouldAwait(const model::ServiceName& name, SteadyTime received) const;
  /// Readiness should wait.
  [[nodiscard]] bool ShouldAwaitStart() const;
  [[nodiscard]] SteadyTime start_deadline() const { return start_deadline_; }
  [[nodiscard]] const SharingOptions& options() const { return options_; }
  /// Brings the picture up to date.
  void Describe(SharedStatus& status) const;

 private:
  void Note(const Error* error);
  [[nodiscard]] const model::ServiceName* NextToShare(SteadyTime now) const;

  const SharingOptions& options_;
  bool enabled_;
  const StoreKeeper& store_;
  Sources& sources_;
  const Clock& clock_;

  std::vector<ports::Changes> held_;
  bool loaded_ = false;  ///< everything was read once
  SteadyTime start_deadline_;
  PartnerStatus partner_;

  bool in_flight_ = false;
  SteadyTime share_not_before_;
  Backoff backoff_{Duration(100), Duration(5000)};
  /// Writes that the store refuses, and when they are tried again.
  std::map<model::ServiceName, std::pair<SteadyTime, std::string>> refused_;

  bool announcing_ = false;
  SteadyTime announce_at_;
  std::uint64_t announced_ = 0;
  std::shared_ptr<const std::vector<ports::Replica>> replicas_ =
      std::make_shared<const std::vector<ports::Replica>>();
};

}  // namespace swarmgate::engine
