// Addresses of names that are resolved at run time: which are wanted, what they resolve to, and
// when to ask again. An answer that failed keeps the last addresses; that a name does not exist is
// believed when it has been said three times. A name that fails is asked for less and less often,
// and names that have never been answered, or that fail, never take all of the resolver's threads:
// one service's dead names must not make everybody's addresses old. Thread: owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/backoff.h"
#include "engine/message.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::engine {

class Names {
 public:
  Names(Duration interval, bool enabled, Sources& sources, const Clock& clock)
      : interval_(interval), enabled_(enabled), sources_(sources), clock_(clock) {}

  void Restore(routing::ResolvedNames names) {
    resolved_ = std::move(names);
    ++version_;
  }
  /// The names that are wanted from now on; others are forgotten.
  void SetWanted(const std::vector<std::string>& wanted);
  /// True: an address changed.
  bool Take(const NameResolved& answer);
  void RunDue();
  [[nodiscard]] SteadyTime Next() const;
  [[nodiscard]] const routing::ResolvedNames& resolved() const { return resolved_; }
  /// Another number for each content of `resolved`; 0 for the empty one at the beginning.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  /// Some wanted name has never been answered.
  [[nodiscard]] bool unanswered() const { return fresh_ > 0; }

 private:
  enum class State { kFresh, kGood, kFailing };
  struct Entry {
    State state = State::kFresh;
    int missing = 0;  ///< answers in a row that it does not exist
    SteadyTime due;
    Backoff backoff;
  };
  /// By the time at which they are due.
  using Queue = std::set<std::pair<SteadyTime, std::string>>;

  [[nodiscard]] Queue& QueueOf(State state) { return state == State::kGood ? good_ : doubtful_; }
  void Schedule(const std::string& name, Entry& entry, SteadyTime due);
  void SetState(Entry& entry, State state);
  bool TakeFailure(const std::string& name, Entry& entry, const Error& error);
  void AskFrom(Queue& queue, bool doubtful);
  /// May one more of this kind be asked for now?
  [[nodiscard]] bool HasRoom(bool doubtful) const;

  Duration interval_;
  bool enabled_;
  Sources& sources_;
  const Clock& clock_;
  std::map<std::string, Entry> wanted_;
  std::size_t fresh_ = 0;  ///< wanted, and not answered yet
  Queue good_;
  Queue doubtful_;                         ///< fresh or failing
  std::map<std::string, bool> in_flight_;  ///< name → doubtful when it was asked for
  std::size_t doubtful_in_flight_ = 0;
  routing::ResolvedNames resolved_;
  std::uint64_t version_ = 0;
  std::vector<std::string> last_wanted_;
};

}  // namespace swarmgate::engine
