// What the engine needs of a running HAProxy.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::ports {

struct ReloadOutcome {
  int old_pid = 0;
  int new_pid = 0;
};

/// Thread: the engine's owner thread only, but for CheckFiles (one other thread may run it
/// meanwhile).
class ProxyControl {
 public:
  virtual ~ProxyControl() = default;

  /// The worker's pid. Errors: kUnavailable when no HAProxy answers.
  virtual Result<int> Pid(SteadyTime deadline) = 0;

  /// Carries out steps in order and verifies by reading back what they touched. Returns how many of
  /// them, from the front, are confirmed. Errors: kRejected (HAProxy's words), kUnavailable,
  /// kDeadlineExceeded, kCorrupt: then what HAProxy holds is unknown until ReadBack.
  virtual Result<std::size_t> Execute(const std::vector<haproxy::Step>& steps,
                                      SteadyTime deadline) = 0;

  /// Everything that it holds: maps and servers. `base` and `declared` of the image are taken from
  /// `assumed`.
  virtual Result<haproxy::Held> ReadBack(const haproxy::Image& assumed, SteadyTime deadline) = 0;

  /// Sessions of each draining server; absent ones are gone already.
  virtual Result<std::map<model::ServerName, std::uint64_t>> Sessions(const model::SlotName& slot,
                                                                      SteadyTime deadline) = 0;

  /// Starts a new worker on the files and waits until it has taken over. Errors: kRejected (the old
  /// worker keeps serving), kUnavailable, kDeadlineExceeded.
  virtual Result<ReloadOutcome> Reload(SteadyTime deadline) = 0;

  /// `haproxy -c` on a directory that holds `conf/` and `maps/`. Errors: kRejected with HAProxy's
  /// alerts.
  virtual Status CheckFiles(const std::string& directory, SteadyTime deadline) = 0;
};

/// The files that HAProxy starts from. Thread: the engine's owner thread only.
class ConfigFiles {
 public:
  virtual ~ConfigFiles() = default;

  /// Replaces or creates each file atomically (temporary name, rename), removes those in `removed`.
  /// Files not named stay. Errors: kUnavailable (disk), with the path.
  virtual Status Write(const haproxy::Files& changed, const std::vector<std::string>& removed) = 0;

  /// The content on disk now; empty when there is none.
  virtual Result<haproxy::Files> Load() = 0;

  /// Writes a complete set into a scratch directory, for ProxyControl::CheckFiles, and returns it.
  /// Map paths inside the configuration are those of the scratch directory.
  virtual Result<std::string> Stage(const haproxy::Files& files) = 0;
};

}  // namespace swarmgate::ports
