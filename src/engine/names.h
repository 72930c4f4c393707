// Addresses of names that are resolved at run time: which are wanted, what they resolve to, and
// when to ask again. An answer that failed keeps the last addresses; that a name does not exist is
// believed when it has been said three times. Thread: owner.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/message.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::engine {

class Names {
 public:
  Names(Duration interval, bool enabled, Sources& sources, const Clock& clock)
      : interval_(interval), enabled_(enabled), sources_(sources), clock_(clock) {}

  void Restore(routing::ResolvedNames names) { resolved_ = std::move(names); }
  /// The names that are wanted from now on; others are forgotten.
  void SetWanted(const std::vector<std::string>& wanted);
  /// True: an address changed.
  bool Take(const NamesResolved& answer);
  void RunDue();
  [[nodiscard]] SteadyTime Next() const;
  [[nodiscard]] const routing::ResolvedNames& resolved() const { return resolved_; }
  /// Some wanted name has never been answered.
  [[nodiscard]] bool unanswered() const { return !fresh_.empty(); }

 private:
  Duration interval_;
  bool enabled_;
  Sources& sources_;
  const Clock& clock_;
  std::set<std::string> wanted_;
  std::set<std::string> fresh_;  ///< wanted, and not answered yet
  routing::ResolvedNames resolved_;
  std::map<std::string, int> missing_;  ///< answers in a row that it does not exist
  bool in_flight_ = false;
  SteadyTime due_;
};

}  // namespace swarmgate::engine
