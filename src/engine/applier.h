// Carries out what is desired: files first, then runtime commands or a reload, confirmed. Knows
// what HAProxy holds, or that it does not know, and then reads it back. Everything that HAProxy,
// the disk or the check may answer ends in a state from which the next Apply goes on.
// Thread: owner.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/backoff.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/engine/engine.h"
#include "swarmgate/engine/snapshot.h"
#include "swarmgate/haproxy/image.h"
#include "swarmgate/haproxy/plan.h"
#include "swarmgate/haproxy/renderer.h"
#include "swarmgate/haproxy/slot_book.h"
#include "swarmgate/ports/proxy_control.h"
#include "swarmgate/ports/state_store.h"

namespace swarmgate::engine {

struct Applied {
  enum class State {
    kLive,     ///< HAProxy holds what is desired (or, while a reload is put off, what can be held)
    kWaiting,  ///< not confirmed; Apply again when `Applier::attention`, or at retry_at
    kRefused,  ///< `haproxy -c` refuses the files; nothing was touched
  };
  State state = State::kLive;
  bool changed = false;  ///< something was carried out
  Error error;           ///< kWaiting, kRefused
};

class Applier {
 public:
  Applier(const EngineOptions& options, ports::ProxyControl& proxy, ports::ConfigFiles& files,
          const Clock& clock, Counters& counters);

  /// Slots and structure of the last run. REQUIRES: before the first Apply.
  void Restore(const haproxy::SlotMap& slots, std::string structure, int proxy_pid);

  Applied Apply(const model::Desired& desired);
  /// Writes all files anew and reloads, whatever HAProxy holds.
  Applied ForceReload(const model::Desired& desired);
  /// What the check says to files that would serve `desired`; changes nothing.
  Status Check(const model::Desired& desired);
  /// A reload or a check of another structure failed for no service's fault: serve what the running
  /// structure can hold, and try again later.
  void PutOffStructure();

  /// Is HAProxy there, and still the same process? True: Apply is wanted, because it is another
  /// one, or because it stays away: the files may hold what keeps it from starting.
  bool PollPid();
  /// HAProxy is being started: whether it answers is looked at now, and often.
  void ExpectProxy();
  /// Retires draining servers that are idle. True: Apply is wanted.
  bool PollDrains();
  /// When PollPid or PollDrains has something to do.
  [[nodiscard]] SteadyTime NextPoll() const;
  /// When a structure that was put off is to be tried again.
  [[nodiscard]] std::optional<SteadyTime> structure_retry_at() const { return put_off_until_; }

  [[nodiscard]] bool proxy_up() const { return proxy_up_; }
  [[nodiscard]] const Error& proxy_error() const { return proxy_error_; }
  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] bool files_complete() const { return written_.has_value() && !files_failed_; }
  /// Grows with each write of files.
  [[nodiscard]] std::uint64_t writes() const { return writes_; }
  [[nodiscard]] const haproxy::SlotMap& slots() const { return book_.slots(); }
  /// Hash and pid, for the store; nothing while the running structure is not known.
  [[nodiscard]] std::optional<std::pair<std::string, int>> structure() const;
  [[nodiscard]] std::size_t draining_servers() const { return drains_.size(); }
  /// Nothing is drained in a slot that is unknown.
  [[nodiscard]] bool IsDraining(const model::SlotName& slot, const std::string& name_prefix) const;
  /// Ports that do not speak HTTP and that the running HAProxy listens on. One that has been away
  /// for long listens on none.
  [[nodiscard]] std::set<std::uint16_t> TcpPortsHeld();
  /// Of the ports that do not speak HTTP those that HAProxy refused in the last Apply, by name in
  /// its alerts. What fails without a name is nobody's fault: it is tried again.
  [[nodiscard]] std::set<std::uint16_t> RefusedPorts(const model::Desired& desired);
  [[nodiscard]] const std::string& rejection() const { return rejection_; }
  /// The configuration on disk as one text.
  [[nodiscard]] std::string ConfigText() const;

 private:
  struct Structure {
    std::string base;
    haproxy::Declared declared;
  };
  struct Drain {
    SteadyTime since;
    SteadyTime next;
    Backoff backoff{Duration(5), Duration(1000)};
  };
  using DrainKey = std::pair<model::SlotName, model::ServerName>;

  static constexpr Duration kPidDeadline{2000};

  [[nodiscard]] SteadyTime In(Duration duration) const { return clock_.Now() + duration; }
  /// Nothing while the files are not what `written_` says.
  [[nodiscard]] std::optional<Structure> WrittenStructure() const;
  haproxy::Image MakeImage(const model::Desired& desired);
  Applied TryApply(const model::Desired& desired);
  /// kRejected: the check refused a new structure. Others: the files could not be written.
  /// On success the image has moved into `written_`.
  Status PutFiles(haproxy::Image& image);
  /// What runs before files of another structure are written runs on those that are there.
  void NoteWhatRuns();
  struct Rewrite {
    haproxy::Files changed;
    std::vector<std::string> removed;
  };
  /// What is to be written so that the files say `image`; may make next_plan_ on the way.
  Rewrite FindRewrite(const haproxy::Image& image);
  void TakeWritten(haproxy::Image& image, bool first);
  Status CheckStructure(const haproxy::Image& image);
  Applied Converge(const haproxy::Image& wanted);
  /// REQUIRES: `plan` is MakePlan(*held_, image), and no reload.
  Status Carry(const haproxy::Plan& plan, const haproxy::Image& image);
  bool EnsureHeld(const haproxy::Image& image, Error& error);
  Status Reload(const char* reason_class, const std::string& reason);
  void NoteProxyDown(const Error& error);
  [[nodiscard]] bool IsDead() const;
  void NotePid(int pid);
  void SyncDrains();
  /// REQUIRES: the slots are those of the backends.
  void NoteDrainTimeouts(const Chunked<model::Backend>& backends);
  /// The slots that were given out last are not used.
  void TakeBack(const haproxy::SlotMap& before);
  bool Retire(const std::vector<haproxy::Step>& steps);
  [[nodiscard]] bool SameStructure(const haproxy::Image& image, const Structure& other) const {
    return image.base == other.base && image.declared == other.declared;
  }

  const EngineOptions& options_;
  ports::ProxyControl& proxy_;
  ports::ConfigFiles& files_;
  const Clock& clock_;
  Counters& counters_;

  haproxy::SlotBook book_;
  haproxy::Renderer renderer_;
  std::optional<haproxy::Held> written_;  ///< what the files say (nothing drains in files)
  std::optional<haproxy::Held> held_;     ///< what HAProxy holds, where known
  std::optional<Structure> running_;      ///< what the worker was started with, where known
  /// What a worker was started with that has come since the last look at the pid: the structure
  /// that the files have had ever since. Nothing when they have had more than one.
  std::optional<Structure> on_disk_;
  std::optional<haproxy::Plan> next_plan_;  ///< from held_ to written_, made on the way
  bool aligned_ = false;                    ///< held_ and written_ have the same image
  bool files_failed_ = false;  ///< the files are not what written_ says: write them all
  bool file_error_logged_ = false;
  std::string rejection_;         ///< why HAProxy did not take over in the last Apply
  bool reload_rejected_ = false;  ///< since the last Apply began
  std::uint64_t writes_ = 0;
  std::optional<SteadyTime> put_off_until_;
  Backoff put_off_backoff_{Duration(1000), Duration(60000)};

  std::string saved_structure_;
  int saved_pid_ = 0;
  bool startable_ = true;  ///< a HAProxy may start: there were files, or it was told of ours
  bool expected_ = false;  ///< it was told to start: whether it answers is looked at
  int found_pid_ = 0;      ///< what ran before the first files were written, 0: nothing
  int pid_ = 0;            ///< of the worker that was seen last
  bool proxy_up_ = false;
  std::optional<SteadyTime> down_since_;  ///< nobody has answered since
  bool death_seen_ = false;               ///< by PollPid
  Error proxy_error_;
  SteadyTime next_pid_poll_;
  Backoff pid_backoff_{Duration(20), Duration(1000)};
  std::map<DrainKey, Drain> drains_;
  /// Of slots whose tenant has its own; that of the last tenant holds until there is another.
  std::map<model::SlotName, Duration> drain_timeouts_;
  Chunked<model::Backend> timeouts_noted_;  ///< of these, in the slots that they have
};

}  // namespace swarmgate::engine
