#include "cluster/peer_store.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "cluster/thread.h"
#include "swarmgate/base/log.h"

namespace swarmgate::cluster {
namespace {

using model::Record;
using model::ServiceName;

// How often what has no message of its own is looked at: addresses, waiters, a disk that was full.
constexpr Duration kTick{250};
constexpr Duration kLoadAgain{500};

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

PeerStore::PeerStore(const PeerStoreOptions& options, const Membership& self,
                     const Directory& directory, ports::PeerLog& log, const Clock& clock)
    : options_(options), self_(self), directory_(directory), log_(log), clock_(clock) {}

PeerStore::~PeerStore() { Stop(); }

std::int64_t PeerStore::UnixMs() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.WallNow().time_since_epoch())
      .count();
}

// --- threads -------------------------------------------------------------------------------------

void PeerStore::Start() {
  started_ = Now();
  owner_ = Spawn([this] { Run(); });
}

void PeerStore::Stop() {
  Cancel();
  inbox_.Close();
  if (owner_.joinable()) owner_.join();
}

void PeerStore::Cancel() { cancelled_.Close(); }

void PeerStore::Run() {
  (void)EnsureLoaded();  // failing: whoever asks is told, and it is tried again
  while (!inbox_.closed()) {
    auto work = inbox_.PopUntil(Now() + kTick);
    while (work) {
      (*work)();
      work = inbox_.PopUntil(SteadyTime());
    }
    Tick();
  }
  // Nobody is left waiting.
  while (auto work = inbox_.PopUntil(SteadyTime())) (*work)();
  for (auto& [address, poller] : pollers_) ended_.push_back(std::move(poller));
  for (const auto& poller : ended_) {
    poller->wakeup.Close();
    poller->link->Cancel();
  }
  for (const auto& poller : ended_) poller->thread.join();
  for (const Waiter& waiter : waiters_) waiter.answer->Push(Fail(Code::kCancelled, "cancelled"));
}

void PeerStore::Tick() {
  if (!EnsureLoaded()) return;
  if (save_failed_) (void)Save();
  MatchPollers();
  JudgeStart();
  AnswerWaiters();
}

// --- the disk ------------------------------------------------------------------------------------

Status PeerStore::EnsureLoaded() {
  if (loaded_) return Ok();
  if (Now() < load_at_) return tl::unexpected<Error>(load_error_);
  auto state = log_.Load();
  if (!state && state.error().code == Code::kCorrupt) state = log_.Load();
  if (!state) {
    load_error_ = state.error();
    load_at_ = Now() + kLoadAgain;
    return Forward(state.error());
  }
  records_.Restore(std::move(*state));
  records_.Forget(UnixMs());
  loaded_ = true;
  AfterChange();
  return Ok();
}

Status PeerStore::Save() {
  const auto delta = records_.Unsaved();
  save_failed_ = false;
  if (!delta) return Ok();
  Status saved = log_.Save(*delta);
  if (saved) {
    records_.Saved();
    return saved;
  }
  save_failed_ = true;
  if (saved.error().code != Code::kCorrupt) return saved;
  // A new file, a new history: what is in memory is written to it as if it had come from a peer.
  auto state = log_.Load();
  if (!state) return Forward(state.error());
  auto documents = records_.After(0);
  const std::uint64_t revision = records_.position().revision;
  records_.Restore(std::move(*state));
  (void)records_.Merge(std::move(documents), revision, UnixMs());
  const auto all = records_.Unsaved();
  if (all) saved = log_.Save(*all);
  if (saved) records_.Saved();
  save_failed_ = !saved;
  return saved;
}

// What could not be stored is in memory nevertheless, and handed to peers: a change is not lost
// with this disk, and the engine's own store has it.
Result<std::uint64_t> PeerStore::Written(Result<std::uint64_t> written) {
  if (!written) return written;
  records_.Forget(UnixMs());
  SaveOrTell();
  AfterChange();
  WakePollers();
  return written;
}

void PeerStore::SaveOrTell() {
  const bool told = save_failed_;  // it is tried again all the time
  const Status saved = Save();
  if (saved || told) return;
  LogEvent(LogLevel::kWarning, "PEER_LOG_FAILED",
           "what replicas share cannot be written to this disk now; it is in memory",
           {{"error", saved.error().ToString()}});
}

void PeerStore::AfterChange() {
  shown_.Set(
      std::make_shared<const Shown>(Shown{records_.position(), applied_, records_.digest()}));
  AnswerWaiters();
}

// --- what the engine asks ------------------------------------------------------------------------

Result<ports::StoredRecords> PeerStore::Load() {
  return Ask<ports::StoredRecords>([this] { return Result<ports::StoredRecords>(records_.All()); });
}

Result<std::uint64_t> PeerStore::Put(const Record& record, std::uint64_t expected) {
  return Ask<std::uint64_t>(
      [this, record, expected] { return Written(records_.Put(record, expected)); });
}

Result<std::uint64_t> PeerStore::DeleteAt(const ServiceName& service, std::uint64_t expected,
                                          std::int64_t made_unix_ms) {
  return Ask<std::uint64_t>([this, service, expected, made_unix_ms] {
    const bool there = records_.Get(service).record.has_value();
    const std::int64_t made = made_unix_ms == 0 && there ? UnixMs() : made_unix_ms;
    return Written(records_.Delete(service, expected, made));
  });
}

Result<ports::SharedRecord> PeerStore::Get(const ServiceName& service) {
  return Ask<ports::SharedRecord>(
      [this, service] { return Result<ports::SharedRecord>(records_.Get(service)); });
}

Result<ports::Changes> PeerStore::Watch(const ports::SharedPosition& after, Duration wait) {
  const SteadyTime until = Now() + wait;
  auto answer = std::make_shared<Inbox<Result<ports::Changes>>>();
  const Result<bool> posted = Ask<bool>([this, after, until, answer] {
    waiters_.push_back({after, until, answer});
    AnswerWaiters();
    return Result<bool>(true);
  });
  if (!posted) return Forward(posted.error());
  for (;;) {
    // Cancel wakes nobody who waits elsewhere: it is looked for.
    if (auto changes = answer->PopUntil(Now() + kTick)) return std::move(*changes);
    if (cancelled_.closed()) return Fail(Code::kCancelled, "cancelled");
  }
}

// A replica that begins is first told what its peers know: its own disk may be an old one.
void PeerStore::AnswerWaiters() {
  const SteadyTime now = Now();
  std::erase_if(waiters_, [&](const Waiter& waiter) {
    if (waiter.after.epoch.empty() && !caught_up_) return false;
    ports::Changes changes = records_.Since(waiter.after);
    const bool news = changes.complete || changes.position != waiter.after;
    if (!news && now < waiter.until) return false;
    waiter.answer->Push(std::move(changes));
    return true;
  });
}

Result<std::vector<ports::Replica>> PeerStore::Announce(const ports::Replica& self) {
  return Ask<std::vector<ports::Replica>>([this, self] {
    constexpr Duration kGone{10000};
    if (std::exchange(applied_, self.revision) != self.revision) AfterChange();
    std::vector<ports::Replica> replicas = {self};
    for (const auto& [address, seen] : seen_) {
      if (!seen.identity || seen.at + kGone < Now() || IsDuplicate(address, *seen.identity)) {
        continue;
      }
      const model::ReplicaIdentity& peer = *seen.identity;
      replicas.push_back(
          {peer.instance, address, peer.applied, peer.started_unix_ms, peer.version});
    }
    std::sort(replicas.begin(), replicas.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    return Result<std::vector<ports::Replica>>(std::move(replicas));
  });
}

// --- what peers ask ------------------------------------------------------------------------------

void PeerStore::Describe(model::ReplicaIdentity& identity) const {
  const auto shown = shown_.Get();
  identity.epoch = shown->position.epoch;
  identity.revision = shown->position.revision;
  identity.applied = shown->applied;
  identity.digest = shown->digest;
}

void PeerStore::Heard(const std::string& instance, const std::string& digest) {
  if (digest.empty() || digest == shown_.Get()->digest) return;
  // Anybody may ask: what does not fit is found out by the next question of ours.
  constexpr int kMostWaiting = 64;
  if (heard_waiting_.fetch_add(1) >= kMostWaiting) {
    --heard_waiting_;
    return;
  }
  // It has something else: what of it is newer is fetched now, and not a second later.
  const bool posted = inbox_.Push([this, instance, digest] {
    --heard_waiting_;
    const std::pair<std::string, std::string> difference{digest, records_.digest()};
    for (auto& [address, seen] : seen_) {
      const auto poller = pollers_.find(address);
      if (!seen.identity || seen.identity->instance != instance || poller == pollers_.end() ||
          std::exchange(seen.heard, difference) == difference) {
        continue;
      }
      poller->second->wakeup.Push(true);
    }
  });
  if (!posted) --heard_waiting_;
}

Result<codec::DocumentList> PeerStore::DocumentsAfter(const std::string& epoch,
                                                      std::uint64_t revision) {
  return Ask<codec::DocumentList>([this, epoch, revision] {
    const ports::SharedPosition position = records_.position();
    const bool known = epoch == position.epoch && revision <= position.revision;
    return Result<codec::DocumentList>(codec::DocumentList{
        position.epoch, position.revision, records_.After(known ? revision : 0), 0});
  });
}

}  // namespace swarmgate::cluster
