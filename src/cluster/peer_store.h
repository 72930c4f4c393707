// ports::SharedStore without a store in common: each replica holds all records (ReplicatedRecords)
// on its own disk, compares a digest with every peer about once a second, and fetches what differs.
// To the engine it is a shared store that is always there.
//
// One thread owns the records and what is known of peers; the others send it work (Ask, Post). A
// thread per peer asks that peer, so that one that hangs holds up nobody.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cluster/directory.h"
#include "cluster/peer_link.h"
#include "cluster/replicated_records.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/base/inbox.h"
#include "swarmgate/cluster/membership.h"
#include "swarmgate/ports/peer_log.h"
#include "swarmgate/ports/shared_store.h"

namespace swarmgate::cluster {

struct PeerStoreOptions {
  Duration poll{1000};      ///< of each peer; shortened by up to a quarter
  Duration stranger{5000};  ///< of an address where none of us answers
  Duration deadline{2000};  ///< of a question to a peer
  Duration catch_up{3000};  ///< how long the first answer of Watch waits for a peer
};

class PeerStore final : public ports::SharedStore {
 public:
  /// All outlive it; the directory runs.
  PeerStore(const PeerStoreOptions& options, const Membership& self, const Directory& directory,
            ports::PeerLog& log, const Clock& clock);
  ~PeerStore() override;
  PeerStore(const PeerStore&) = delete;
  PeerStore& operator=(const PeerStore&) = delete;

  void Start();
  void Stop();

  /// Fills in what is ours of an identity.
  void Describe(model::ReplicaIdentity& identity) const;
  /// A peer has asked, and says what it has.
  void Heard(const std::string& instance, const std::string& digest);
  /// What a peer does not know that knows our history up to `revision`; everything when it is
  /// another history. Errors: kUnavailable.
  Result<codec::DocumentList> DocumentsAfter(const std::string& epoch, std::uint64_t revision);

  /// Waits until every peer that answers has what is ours, at most for `wait`. False: it may lack
  /// something. Thread: any.
  bool AwaitPeers(Duration wait);

  Result<ports::StoredRecords> Load() override;
  Result<std::uint64_t> Put(const model::Record& record, std::uint64_t expected) override;
  Result<std::uint64_t> DeleteAt(const model::ServiceName& service, std::uint64_t expected,
                                 std::int64_t made_unix_ms) override;
  Result<ports::SharedRecord> Get(const model::ServiceName& service) override;
  Result<ports::Changes> Watch(const ports::SharedPosition& after, Duration wait) override;
  Result<std::vector<ports::Replica>> Announce(const ports::Replica& self) override;
  Status Withdraw() override { return Ok(); }  // who does not answer is gone
  void Cancel() override;

 private:
  struct Poller {
    std::string address;
    std::unique_ptr<PeerLink> link;
    Inbox<bool> wakeup;  ///< a push ends a pause
    Cell<bool> ended{std::make_shared<const bool>(false)};
    std::thread thread;
  };
  /// What is known of an address.
  struct Seen {
    std::optional<model::ReplicaIdentity> identity;  ///< nothing: none of us, or no answer
    SteadyTime at;
    std::string told;    ///< the last failure
    std::string unread;  ///< why its records could not be had
    /// Its digest and ours when it asked last: a difference is one reason to ask it, once.
    std::pair<std::string, std::string> heard;
    SteadyTime differs_since = SteadyTime::max();
    SteadyTime full_not_before;
  };
  struct Waiter {
    ports::SharedPosition after;
    SteadyTime until;
    std::shared_ptr<Inbox<Result<ports::Changes>>> answer;
  };
  /// What to do with a peer now.
  struct Advice {
    bool fetch = false;
    bool stranger = false;
    std::uint64_t after = 0;
  };
  /// The identity's part that others read.
  struct Shown {
    ports::SharedPosition position;
    std::uint64_t applied = 0;
    std::string digest;
  };

  /// Does `work` on the owner's thread, which never waits for anything but its own disk.
  template <typename T, typename Work>
  Result<T> Ask(Work work);
  static constexpr Duration kOwnerAnswers{10000};
  void Run();
  void Tick();

  // --- of the owner thread (peer_store.cc)
  Status EnsureLoaded();
  Result<std::uint64_t> Written(Result<std::uint64_t> written);
  Status Save();
  void SaveOrTell();
  void AfterChange();
  void AnswerWaiters();
  [[nodiscard]] std::int64_t UnixMs() const;

  // --- peers (peer_poll.cc); the first two on the poller's thread
  void PollLoop(Poller& poller);
  Advice Round(Poller& poller);
  void MatchPollers();
  void NoteUnread(const std::string& address, const Error& error);
  Advice TakeIdentity(const std::string& address, Result<model::ReplicaIdentity> identity);
  void TakeDocuments(const std::string& address, const model::ReplicaIdentity& peer,
                     bool everything, codec::DocumentList list);
  [[nodiscard]] bool IsDuplicate(const std::string& address,
                                 const model::ReplicaIdentity& identity) const;
  void WakePollers();
  /// Have all that answer said that they have what is ours? Those that have not are asked at once.
  [[nodiscard]] bool EveryPeerAgrees();
  void JudgeStart();

  const PeerStoreOptions options_;
  const Membership& self_;
  const Directory& directory_;
  ports::PeerLog& log_;
  const Clock& clock_;

  Inbox<std::function<void()>> inbox_;
  std::atomic<int> heard_waiting_{0};  ///< messages of Heard in the inbox
  Inbox<bool> cancelled_;              ///< never pushed to: closed by Cancel
  Cell<Shown> shown_{std::make_shared<const Shown>()};
  std::thread owner_;

  // Of the owner thread.
  ReplicatedRecords records_;
  bool loaded_ = false;
  Error load_error_;
  SteadyTime load_at_;
  bool save_failed_ = false;
  std::uint64_t applied_ = 0;
  std::vector<Waiter> waiters_;
  std::map<std::string, std::unique_ptr<Poller>> pollers_;  ///< by address
  std::vector<std::unique_ptr<Poller>> ended_;
  std::map<std::string, Seen> seen_;  ///< by address
  /// Run and epoch. A replica that starts again may do so on an old copy of its disk, whose history
  /// goes on differently.
  using History = std::pair<std::string, std::string>;
  static History HistoryOf(const model::ReplicaIdentity& peer) { return {peer.run, peer.epoch}; }
  std::map<History, std::uint64_t> known_upto_;  ///< of peers' histories
  SteadyTime started_;
  bool caught_up_ = false;  ///< with a peer, or there is none to be reached
};

template <typename T, typename Work>
Result<T> PeerStore::Ask(Work work) {
  if (cancelled_.closed()) return Fail(Code::kCancelled, "cancelled");
  auto answer = std::make_shared<Inbox<Result<T>>>();
  const bool posted = inbox_.Push([this, answer, work = std::move(work)] {
    const Status loaded = EnsureLoaded();
    answer->Push(loaded ? work() : Result<T>(Forward(loaded.error())));
  });
  std::optional<Result<T>> result;
  if (posted) result = answer->PopUntil(std::chrono::steady_clock::now() + kOwnerAnswers);
  if (result) return std::move(*result);
  return Fail(posted ? Code::kDeadlineExceeded : Code::kCancelled, "the replica's own records");
}

}  // namespace swarmgate::cluster
