#include "cluster/facts_feed.h"

#include <utility>

#include "swarmgate/codec/applied_json.h"
#include "swarmgate/codec/facts_json.h"

namespace swarmgate::cluster {

void FactsFeed::Take(const ports::AppliedDelta& delta) {
  // Written before the lock is taken.
  std::map<std::string, std::string> texts;
  for (const model::ServiceFacts& facts : delta.upserts) {
    texts[facts.id] = codec::EncodeServiceFacts(facts);
  }
  const std::string host = delta.host ? codec::EncodeHostFacts(*delta.host) : std::string();
  if (texts.empty() && host.empty() && delta.removals.empty()) return;
  MutexLock lock(mutex_);
  ++revision_;
  if (!host.empty()) host_ = {host, revision_};
  for (auto& [id, text] : texts) services_[id] = {std::move(text), revision_};
  for (const std::string& id : delta.removals) {
    if (services_.erase(id) == 0) continue;
    // One revision for each, so that they are told in their order.
    removed_[++revision_] = id;
  }
  while (removed_.size() > kMostRemoved) {
    complete_before_ = removed_.begin()->first;
    removed_.erase(removed_.begin());
  }
  changed_.NotifyAll();
}

void FactsFeed::SetHeard(bool heard) {
  MutexLock lock(mutex_);
  if (heard_ == heard) return;
  heard_ = heard;
  changed_.NotifyAll();
}

std::string FactsFeed::TextAfter(const std::string& epoch, std::uint64_t revision) const {
  codec::FactsTexts facts;
  facts.epoch = epoch_;
  facts.revision = revision_;
  facts.complete = epoch != epoch_ || revision < complete_before_ || revision > revision_;
  const std::uint64_t after = facts.complete ? 0 : revision;
  if (host_.revision > after) facts.host = host_.text;
  for (const auto& [id, entry] : services_) {
    if (entry.revision > after) facts.services.push_back(entry.text);
  }
  if (!facts.complete) {
    for (auto at = removed_.upper_bound(after); at != removed_.end(); ++at) {
      if (!services_.contains(at->second)) facts.removed.push_back(at->second);
    }
  }
  return codec::EncodeFacts(facts);
}

Result<std::string> FactsFeed::After(const std::string& epoch, std::uint64_t revision,
                                     SteadyTime deadline) {
  MutexLock lock(mutex_);
  if (waiting_ < kMostWaiting) {
    ++waiting_;
    while (!stopped_ && heard_ && (revision_ == 0 || (epoch == epoch_ && revision == revision_))) {
      if (!changed_.WaitUntil(mutex_, deadline)) break;
    }
    --waiting_;
  }
  if (!heard_) return Fail(Code::kUnavailable, "this replica has lost its own Docker");
  if (revision_ == 0) {
    return Fail(Code::kUnavailable, "this replica has not heard of its own Docker yet");
  }
  return TextAfter(epoch, revision);
}

void FactsFeed::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  changed_.NotifyAll();
}

}  // namespace swarmgate::cluster
