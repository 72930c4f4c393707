// The part of PeerStore that speaks to peers.
#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "cluster/peer_store.h"
#include "cluster/thread.h"
#include "swarmgate/base/log.h"

namespace swarmgate::cluster {
namespace {

// A difference that news do not settle (a document of a newer version, a history that was turned
// back) is looked into by reading everything, and not all the time.
constexpr Duration kSettlesByNews{5000};
constexpr Duration kFullEvery{60000};
// As many records may come as there are.
constexpr Duration kDocumentsDeadline{30000};

// Between two questions to one peer, however much happens.
constexpr Duration kLeastPause{100};

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

// --- on the poller's thread ----------------------------------------------------------------------

void PeerStore::PollLoop(Poller& poller) {
  std::minstd_rand random{std::random_device{}()};
  while (!poller.wakeup.closed()) {
    const Advice advice = Round(poller);
    const Duration longest = advice.stranger ? options_.stranger : options_.poll;
    const Duration pause(std::uniform_int_distribution<std::int64_t>(
        longest.count() * 3 / 4, std::max<std::int64_t>(1, longest.count()))(random));
    const SteadyTime least = Now() + kLeastPause;
    (void)poller.wakeup.PopUntil(Now() + pause);
    // What came in meanwhile is one reason to ask again.
    while (!poller.wakeup.closed() && Now() < least) (void)poller.wakeup.PopUntil(least);
    while (poller.wakeup.PopUntil(SteadyTime())) {
    }
  }
  poller.ended.Set(std::make_shared<const bool>(true));
}

PeerStore::Advice PeerStore::Round(Poller& poller) {
  auto identity = poller.link->Identify(shown_.Get()->digest, Now() + options_.deadline);
  std::optional<model::ReplicaIdentity> peer;
  if (identity) peer = *identity;
  const auto advice = Ask<Advice>([this, address = poller.address, identity] {
    return Result<Advice>(TakeIdentity(address, identity));
  });
  if (!advice || !advice->fetch || !peer) return advice ? *advice : Advice();
  auto list = poller.link->Documents(*peer, advice->after, Now() + kDocumentsDeadline);
  if (list && list->epoch != peer->epoch) {
    list = Fail(Code::kCorrupt, "its records are of another history than it said");
  }
  const bool everything = advice->after == 0;
  (void)Ask<bool>([this, address = poller.address, everything, peer, list] {
    if (list) {
      TakeDocuments(address, *peer, everything, *list);
    } else {
      NoteUnread(address, list.error());
    }
    return Result<bool>(true);
  });
  return *advice;
}

// --- on the owner's thread -----------------------------------------------------------------------

void PeerStore::MatchPollers() {
  const std::vector<std::string> addresses = directory_.Addresses();
  for (auto next = pollers_.begin(); next != pollers_.end();) {
    const auto entry = next++;
    if (std::binary_search(addresses.begin(), addresses.end(), entry->first)) continue;
    entry->second->wakeup.Close();
    entry->second->link->Cancel();
    seen_.erase(entry->first);
    ended_.push_back(std::move(entry->second));
    pollers_.erase(entry);
  }
  // A history is known for as long as somebody shows it.
  std::erase_if(known_upto_, [this](const auto& entry) {
    return std::none_of(seen_.begin(), seen_.end(), [&entry](const auto& seen) {
      return seen.second.identity && HistoryOf(*seen.second.identity) == entry.first;
    });
  });
  std::erase_if(ended_, [](const std::unique_ptr<Poller>& poller) {
    if (!*poller->ended.Get()) return false;
    poller->thread.join();
    return true;
  });
  for (const std::string& address : addresses) {
    if (pollers_.contains(address)) continue;
    auto poller = std::make_unique<Poller>();
    poller->address = address;
    poller->link = std::make_unique<PeerLink>(self_, address);
    poller->thread = Spawn([this, started = poller.get()] { PollLoop(*started); });
    pollers_.emplace(address, std::move(poller));
  }
}

// The same replica may answer at several addresses: the first of them counts.
bool PeerStore::IsDuplicate(const std::string& address,
                            const model::ReplicaIdentity& identity) const {
  const SteadyTime lately = Now() - 4 * options_.poll;
  return std::any_of(seen_.begin(), seen_.end(), [&](const auto& entry) {
    const auto& [other, seen] = entry;
    return other < address && seen.identity && seen.identity->run == identity.run &&
           seen.at >= lately;
  });
}

// It is there, but does not give its records: that is told once, and asked again like all else.
void PeerStore::NoteUnread(const std::string& address, const Error& error) {
  const auto seen = seen_.find(address);
  if (seen == seen_.end() || error.code == Code::kCancelled) return;
  if (std::exchange(seen->second.unread, error.ToString()) == error.ToString()) return;
  LogEvent(LogLevel::kWarning, "PEER_UNREAD", "a replica does not give the records that it has",
           {{"address", address}, {"error", error.ToString()}});
}

PeerStore::Advice PeerStore::TakeIdentity(const std::string& address,
                                          Result<model::ReplicaIdentity> identity) {
  Advice advice;
  if (!pollers_.contains(address)) return advice;  // of one that is not asked any more
  Seen& seen = seen_[address];
  if (!identity) {
    const Error& error = identity.error();
    if (error.ToString() != std::exchange(seen.told, error.ToString()) &&
        error.code != Code::kCancelled) {
      LogEvent(LogLevel::kWarning, "PEER_LOST", "no replica to share with answers there",
               {{"address", address}, {"error", error.ToString()}});
    }
    seen.identity.reset();
    seen.at = Now();
    advice.stranger = error.code == Code::kNotFound || error.code == Code::kRejected ||
                      error.code == Code::kCorrupt;
    JudgeStart();
    return advice;
  }
  const bool known = seen.identity.has_value();
  seen.at = Now();
  if (identity->run == self_.run) {
    seen.told = "itself";
    seen.identity.reset();
    advice.stranger = true;
    JudgeStart();
    return advice;
  }
  seen.identity = *identity;
  seen.told.clear();
  if (!known) {
    LogEvent(LogLevel::kInfo, "PEER_FOUND", "another replica of this proxy answers",
             {{"address", address}, {"instance", identity->instance}});
  }
  if (identity->epoch.empty() || IsDuplicate(address, *identity)) {
    advice.stranger = identity->epoch.empty();  // it shares through Consul
    return advice;
  }
  if (identity->digest == records_.digest()) {
    known_upto_[HistoryOf(*identity)] = identity->revision;
    (void)records_.Merge({}, identity->revision, UnixMs());
    seen.differs_since = SteadyTime::max();
    seen.unread.clear();
    caught_up_ = true;
    SaveOrTell();
    AfterChange();
    return advice;
  }
  seen.differs_since = std::min(seen.differs_since, seen.at);
  advice.fetch = true;
  const auto upto = known_upto_.find(HistoryOf(*identity));
  const bool stays =
      seen.differs_since + kSettlesByNews < seen.at && seen.full_not_before < seen.at;
  if (stays) seen.full_not_before = seen.at + kFullEvery;
  const bool backwards = upto != known_upto_.end() && upto->second > identity->revision;
  advice.after = upto == known_upto_.end() || backwards || stays ? 0 : upto->second;
  return advice;
}

void PeerStore::TakeDocuments(const std::string& address, const model::ReplicaIdentity& peer,
                              bool everything, codec::DocumentList list) {
  if (list.unreadable > 0 && everything) {
    LogEvent(LogLevel::kWarning, "PEER_NEWER",
             "a replica has records of a newer version, which are left to it",
             {{"address", address}, {"records", std::to_string(list.unreadable)}});
  }
  const std::size_t taken = records_.Merge(std::move(list.documents), list.revision, UnixMs());
  records_.Forget(UnixMs());
  known_upto_[HistoryOf(peer)] = list.revision;
  caught_up_ = true;
  SaveOrTell();
  AfterChange();
  if (taken > 0) WakePollers();
}

void PeerStore::WakePollers() {
  for (const auto& [address, poller] : pollers_) {
    const auto seen = seen_.find(address);
    if (seen != seen_.end() && seen->second.identity) poller->wakeup.Push(true);
  }
}

bool PeerStore::EveryPeerAgrees() {
  bool agrees = true;
  for (const auto& [address, poller] : pollers_) {
    const auto seen = seen_.find(address);
    if (seen == seen_.end() || !seen->second.identity) continue;
    const model::ReplicaIdentity& peer = *seen->second.identity;
    if (peer.epoch.empty() || IsDuplicate(address, peer) || peer.digest == records_.digest()) {
      continue;
    }
    poller->wakeup.Push(true);
    agrees = false;
  }
  return agrees;
}

bool PeerStore::AwaitPeers(Duration wait) {
  constexpr Duration kLook{20};
  const SteadyTime end = Now() + wait;
  Inbox<bool> nothing;
  for (;;) {
    const Result<bool> agreed = Ask<bool>([this] { return Result<bool>(EveryPeerAgrees()); });
    if (!agreed || *agreed) return agreed.has_value();
    if (Now() >= end) return false;
    (void)nothing.PopUntil(Now() + kLook);
  }
}

// Nobody is waited for who cannot be reached, and nobody for long.
void PeerStore::JudgeStart() {
  if (caught_up_) return;
  const auto asked = [&](const auto& entry) {
    const auto seen = seen_.find(entry.first);
    return seen != seen_.end() && !seen->second.identity;
  };
  const bool alone = directory_.asked() && std::all_of(pollers_.begin(), pollers_.end(), asked) &&
                     pollers_.size() == directory_.Addresses().size();
  if (alone || Now() >= started_ + options_.catch_up) {
    caught_up_ = true;
    AnswerWaiters();
  }
}

}  // namespace swarmgate::cluster
