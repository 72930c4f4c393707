#include "engine/applier.h"

#include <utility>

#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::engine {
namespace {

using haproxy::Held;
using haproxy::Image;
using haproxy::Plan;

constexpr Duration kReadDeadline{10000};
constexpr Duration kExecuteDeadline{5000};
constexpr Duration kReloadDeadline{30000};
constexpr Duration kCheckDeadline{30000};
// Something runs and does not say its pid; no process has this one.
constexpr int kSomeProcess = -1;

std::string HashStructure(const std::string& base, const haproxy::Declared& declared) {
  std::string text = base;
  for (const auto& [backend_class, slots] : declared) {
    text += "\n" + backend_class.str() + "=" + std::to_string(slots.count) + '\n' + slots.head +
            slots.lines;
  }
  return HashHex(text);
}

Applied Waiting(Error error, bool changed = false) {
  return {Applied::State::kWaiting, changed, std::move(error)};
}

// What of an image a process of this structure can hold. Routes to a slot that is not declared yet
// find no backend and answer 503 until it is. Nothing declared: it is not known what is.
void RestrictTo(Image& image, const std::string& base, const haproxy::Declared& declared) {
  image.base = base;
  image.declared = declared;
  if (base.find(haproxy::kCertificateList) == std::string::npos) {
    image.certificates.clear();
    image.default_pem = {};
    image.default_print.clear();
  }
  if (declared.empty()) return;
  image.servers.EraseIf(
      [&](const auto& entry) { return !haproxy::IsDeclared(entry.first, declared); });
}

}  // namespace

Applier::Applier(const EngineOptions& options, ports::ProxyControl& proxy,
                 ports::ConfigFiles& files, const Clock& clock, Counters& counters)
    : options_(options),
      proxy_(proxy),
      files_(files),
      clock_(clock),
      counters_(counters),
      renderer_(options.proxy) {
  next_pid_poll_ = clock_.Now();
}

void Applier::Restore(const haproxy::SlotMap& slots, std::string structure, int proxy_pid) {
  book_ = haproxy::SlotBook(slots);
  saved_structure_ = std::move(structure);
  saved_pid_ = proxy_pid;
}

std::optional<std::pair<std::string, int>> Applier::structure() const {
  if (!running_ || pid_ == 0) return std::nullopt;
  return std::pair(HashStructure(running_->base, running_->declared), pid_);
}

std::optional<Applier::Structure> Applier::WrittenStructure() const {
  if (!written_ || files_failed_) return std::nullopt;
  return Structure{written_->image.base, written_->image.declared};
}

void Applier::PutOffStructure() { put_off_until_ = In(put_off_backoff_.Next()); }

Image Applier::MakeImage(const model::Desired& desired) {
  std::vector<model::SlotName> busy;
  if (held_) {
    for (const auto& [slot, servers] : held_->draining) busy.push_back(slot);
  }
  const haproxy::SlotMap& slots = book_.Assign(desired.backends, busy, options_.minimum_slots);
  NoteDrainTimeouts(desired.backends);
  Image image = renderer_.Update(desired, slots);
  if (put_off_until_ && written_) {
    RestrictTo(image, written_->image.base, written_->image.declared);
  }
  return image;
}

void Applier::TakeBack(const haproxy::SlotMap& before) {
  book_ = haproxy::SlotBook(before);
  timeouts_noted_.clear();
}

Applied Applier::Apply(const model::Desired& desired) {
  if (put_off_until_ && clock_.Now() >= *put_off_until_) put_off_until_.reset();
  reload_rejected_ = false;
  rejection_.clear();
  Applied applied = TryApply(desired);
  // A structure that HAProxy cannot run must not keep data from going live.
  if (reload_rejected_ && put_off_until_ && written_) applied = TryApply(desired);
  return applied;
}

Applied Applier::TryApply(const model::Desired& desired) {
  const bool was_put_off = put_off_until_.has_value();
  const haproxy::SlotMap before = book_.slots();
  Image image = MakeImage(desired);
  Status put = PutFiles(image);
  if (!put && put.error().code == Code::kRejected) {
    // A profile that was refused must not stay declared: it would spoil every later check.
    TakeBack(before);
    return {Applied::State::kRefused, false, put.error()};
  }
  if (!put && !written_) return Waiting(put.error());
  // The new structure cannot be had now: go on with the old one.
  if (!put && put_off_until_ && !was_put_off) return TryApply(desired);
  // A full disk is no reason to leave a request without its server: what is known to hold goes to
  // HAProxy, the files follow.
  Applied applied = Converge(put ? written_->image : image);
  if (applied.state == Applied::State::kLive && applied.changed) ++counters_.applies;
  // Of another structure HAProxy has learned nothing.
  if (applied.state == Applied::State::kLive && !put && put_off_until_) {
    return Waiting(put.error(), applied.changed);
  }
  return applied;
}

Applied Applier::ForceReload(const model::Desired& desired) {
  files_failed_ = true;
  aligned_ = false;
  put_off_until_.reset();
  rejection_.clear();
  const haproxy::SlotMap before = book_.slots();
  Image image = MakeImage(desired);
  Status put = PutFiles(image);
  if (!put) {
    const bool refused = put.error().code == Code::kRejected;
    if (refused) TakeBack(before);
    return {refused ? Applied::State::kRefused : Applied::State::kWaiting, false, put.error()};
  }
  Result<int> pid = proxy_.Pid(In(kPidDeadline));
  if (!pid) {
    NoteProxyDown(pid.error());
    return Waiting(pid.error());
  }
  Status reloaded = Reload("manual", "asked for by the API");
  if (!reloaded) return Waiting(reloaded.error());
  Applied applied = Converge(written_->image);
  applied.changed = true;
  return applied;
}

Status Applier::Check(const model::Desired& desired) {
  const haproxy::SlotMap slots =
      haproxy::AssignSlots(book_.slots(), desired.backends, {}, options_.minimum_slots);
  return CheckStructure(haproxy::Render(desired, slots, options_.proxy));
}

Status Applier::CheckStructure(const Image& image) {
  Result<std::string> staged = files_.Stage(haproxy::RenderFiles(image));
  if (!staged) {
    return Fail(Code::kUnavailable, staged.error().ToString(), "staging files");
  }
  return proxy_.CheckFiles(*staged, In(kCheckDeadline));
}

void Applier::NoteWhatRuns() {
  const Result<int> pid = proxy_.Pid(In(kPidDeadline));
  if (written_) {
    // It may have started since the last look, and the old files describe it.
    if (pid) NotePid(*pid);
    return;
  }
  found_pid_ = pid ? *pid : pid.error().code == Code::kUnavailable ? 0 : kSomeProcess;
}

Applier::Rewrite Applier::FindRewrite(const Image& image) {
  Rewrite rewrite;
  if (written_ && !files_failed_) {
    const bool same = aligned_ && held_;
    Plan plan = haproxy::MakePlan(same ? *held_ : *written_, image);
    if (!plan.files.empty()) rewrite.changed = haproxy::RenderFiles(image, plan.files);
    for (const std::string& path : plan.files) {
      if (!rewrite.changed.contains(path)) rewrite.removed.push_back(path);
    }
    if (same) next_plan_ = std::move(plan);
    return rewrite;
  }
  rewrite.changed = haproxy::RenderFiles(image);
  const Result<haproxy::Files> disk = files_.Load();
  if (!written_ && !files_failed_) startable_ = !disk || !disk->empty();
  if (!disk) return rewrite;
  for (const auto& [path, content] : *disk) {
    const auto wanted = rewrite.changed.find(path);
    if (wanted == rewrite.changed.end()) {
      rewrite.removed.push_back(path);
    } else if (wanted->second == content) {
      rewrite.changed.erase(wanted);
    }
  }
  return rewrite;
}

Status Applier::PutFiles(Image& image) {
  next_plan_.reset();
  const bool structural =
      !written_ || image.base != written_->image.base || image.declared != written_->image.declared;
  if (structural) {
    Status checked = CheckStructure(image);
    if (!checked && checked.error().code != Code::kRejected && written_) PutOffStructure();
    if (!checked) return checked;
    NoteWhatRuns();
  }
  const auto [changed, removed] = FindRewrite(image);
  const bool first = !written_;
  if (structural || files_failed_) on_disk_.reset();
  if (changed.empty() && removed.empty()) {
    TakeWritten(image, first);
    return Ok();
  }
  ++writes_;
  Status written = files_.Write(changed, removed);
  aligned_ = false;
  if (!written) {
    files_failed_ = true;
    if (structural && written_) PutOffStructure();
    if (!file_error_logged_) {
      LogEvent(LogLevel::kError, "FILES_UNWRITTEN",
               "HAProxy's files could not be written; a restart of HAProxy would lose changes",
               {{"error", written.error().ToString()}});
    }
    file_error_logged_ = true;
    return Forward(Error{Code::kUnavailable, written.error().message, written.error().context});
  }
  if (file_error_logged_)
    LogEvent(LogLevel::kInfo, "FILES_WRITTEN", "HAProxy's files are written again");
  file_error_logged_ = false;
  TakeWritten(image, first);
  return Ok();
}

void Applier::TakeWritten(Image& image, bool first) {
  written_ = Held{std::move(image), {}};
  files_failed_ = false;
  // HAProxy is first started when it is told that there are files.
  if (found_pid_ == 0 && (first || !startable_)) on_disk_ = WrittenStructure();
}

bool Applier::EnsureHeld(const Image& image, Error& error) {
  if (held_) return true;
  Result<int> pid = proxy_.Pid(In(kPidDeadline));
  if (!pid) {
    NoteProxyDown(pid.error());
    error = pid.error();
    return false;
  }
  NotePid(*pid);
  if (!running_ && *pid == found_pid_ && *pid == saved_pid_ &&
      saved_structure_ == HashStructure(image.base, image.declared)) {
    running_ = Structure{image.base, image.declared};
  }
  Image assumed;
  if (running_) {
    assumed.base = running_->base;
    assumed.declared = running_->declared;
  }
  assumed.certificates = image.certificates;
  assumed.default_pem = image.default_pem;
  assumed.default_print = image.default_print;
  Result<Held> held = proxy_.ReadBack(assumed, In(kReadDeadline));
  if (!held) {
    if (held.error().code == Code::kUnavailable) NoteProxyDown(held.error());
    error = held.error();
    return false;
  }
  held_ = std::move(*held);
  SyncDrains();
  return true;
}

Applied Applier::Converge(const Image& wanted) {
  Image restricted;
  const Image* image = &wanted;
  bool changed = false;
  bool reloaded = false;
  int failures = 0;
  Error error;
  for (;;) {
    if (!held_) next_plan_.reset();
    if (!EnsureHeld(wanted, error)) {
      aligned_ = false;
      return Waiting(error, changed);
    }
    if (put_off_until_ &&
        (held_->image.base != wanted.base || held_->image.declared != wanted.declared)) {
      restricted = wanted;
      RestrictTo(restricted, held_->image.base, held_->image.declared);
      image = &restricted;
    }
    Plan plan;
    if (next_plan_ && image == &wanted) {
      plan = std::move(*next_plan_);
    } else {
      plan = haproxy::MakePlan(*held_, *image);
    }
    next_plan_.reset();
    if (plan.reload_reason.empty() && plan.steps.empty()) {
      aligned_ = image == &wanted && !files_failed_;
      // What was read back shares nothing with what is wanted, and is equal to it.
      held_->image = *image;
      if (!changed) ++counters_.noops;
      return {Applied::State::kLive, changed, {}};
    }
    aligned_ = false;
    if (!plan.reload_reason.empty()) {
      if (reloaded || files_failed_) {
        return Waiting({Code::kInternal, "HAProxy still differs after a reload", ""}, changed);
      }
      const bool grows = running_ && running_->base == wanted.base;
      const bool tcp = plan.reload_reason.starts_with("tcp port ");
      Status done = Reload(grows ? "slots" : tcp ? "tcp" : "settings", plan.reload_reason);
      if (!done) return Waiting(done.error(), changed);
      reloaded = changed = true;
      continue;
    }
    Status carried = Carry(plan, *image);
    if (carried) {
      changed = true;
      aligned_ = image == &wanted && !files_failed_;
      SyncDrains();
      return {Applied::State::kLive, true, {}};
    }
    error = carried.error();
    if (error.code == Code::kUnavailable || error.code == Code::kCancelled) {
      NoteProxyDown(error);
      return Waiting(error, changed);
    }
    if (++failures < 2) continue;
    if (reloaded || files_failed_) return Waiting(error, changed);
    Status done = Reload("fallback", "HAProxy does not carry out the commands: " + error.message);
    if (!done) return Waiting(done.error(), changed);
    reloaded = changed = true;
  }
}

Status Applier::Carry(const Plan& plan, const Image& image) {
  const auto extra = Duration(static_cast<std::int64_t>(plan.steps.size()));
  Result<std::size_t> confirmed = proxy_.Execute(plan.steps, In(kExecuteDeadline + extra));
  if (confirmed && *confirmed == plan.steps.size()) {
    counters_.runtime_commands += plan.steps.size();
    haproxy::ApplyPlan(*held_, plan, image);
    return Ok();
  }
  held_.reset();
  ++counters_.apply_failures;
  Error error =
      confirmed ? Error{Code::kRejected, "only a part was confirmed", ""} : confirmed.error();
  LogEvent(LogLevel::kWarning, "APPLY_FAILED",
           "HAProxy did not confirm a change; what it holds is read back and compared",
           {{"error", error.ToString()}, {"steps", std::to_string(plan.steps.size())}});
  return Forward(error);
}

Status Applier::Reload(const char* reason_class, const std::string& reason) {
  LogEvent(LogLevel::kInfo, "RELOAD_PLANNED", reason, {{"class", reason_class}});
  held_.reset();
  aligned_ = false;
  Result<ports::ReloadOutcome> outcome = proxy_.Reload(In(kReloadDeadline));
  if (outcome) {
    ++counters_.reloads[reason_class];
    pid_ = outcome->new_pid;
    found_pid_ = 0;
    running_ = on_disk_ = WrittenStructure();
    put_off_backoff_.Reset();
    SyncDrains();
    LogEvent(LogLevel::kInfo, "RELOAD_DONE", "a new worker has taken over",
             {{"old_pid", std::to_string(outcome->old_pid)},
              {"new_pid", std::to_string(outcome->new_pid)}});
    return Ok();
  }
  ++counters_.apply_failures;
  LogEvent(LogLevel::kError, "RELOAD_FAILED", "the old worker keeps serving",
           {{"error", outcome.error().ToString()}});
  if (outcome.error().code == Code::kRejected) {
    reload_rejected_ = true;
    rejection_ = outcome.error().message;
    PutOffStructure();
    // A restart must not find files that cannot run: the next PutFiles brings the old structure
    // back, with the data of now.
    if (written_ && running_ && !SameStructure(written_->image, *running_)) {
      written_->image.base = running_->base;
      written_->image.declared = running_->declared;
      files_failed_ = true;
    }
  }
  return Forward(outcome.error());
}

std::string Applier::ConfigText() const {
  return written_ ? haproxy::ConfigText(haproxy::RenderFiles(written_->image)) : std::string();
}

}  // namespace swarmgate::engine
