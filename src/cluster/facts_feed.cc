#include "cluster/facts_feed.h"

#include <utility>

#include "swarmgate/codec/applied_json.h"
#include "swarmgate/codec/facts_json.h"

namespace swarmgate::cluster {

void FactsFeed::Take(const ports::AppliedDelta& delta) {
  // Written before the lock is taken.
  std::map<std::string, Text> texts;
  for (const model::ServiceFacts& facts : delta.upserts) {
    texts[facts.id] = std::make_shared<const std::string>(codec::EncodeServiceFacts(facts));
  }
  Text host;
  if (delta.host) host = std::make_shared<const std::string>(codec::EncodeHostFacts(*delta.host));
  if (texts.empty() && host == nullptr && delta.removals.empty()) return;
  MutexLock lock(mutex_);
  ++revision_;
  if (host != nullptr) host_ = {std::move(host), revision_};
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

FactsFeed::News FactsFeed::NewsAfter(const std::string& epoch, std::uint64_t revision) const {
  News news;
  news.revision = revision_;
  news.complete = epoch != epoch_ || revision < complete_before_ || revision > revision_;
  const std::uint64_t after = news.complete ? 0 : revision;
  if (host_.revision > after) news.host = host_.text;
  for (const auto& [id, entry] : services_) {
    if (entry.revision > after) news.services.push_back(entry.text);
  }
  if (news.complete) return news;
  for (auto at = removed_.upper_bound(after); at != removed_.end(); ++at) {
    if (!services_.contains(at->second)) news.removed.push_back(at->second);
  }
  return news;
}

Result<FactsFeed::News> FactsFeed::AwaitNews(const std::string& epoch, std::uint64_t revision,
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
  return NewsAfter(epoch, revision);
}

Result<std::string> FactsFeed::After(const std::string& epoch, std::uint64_t revision,
                                     SteadyTime deadline) {
  bool first = false;
  {
    MutexLock lock(mutex_);
    first = !std::exchange(followed_, true);
  }
  if (first && on_follower_) on_follower_();
  const auto news = AwaitNews(epoch, revision, deadline);
  if (!news) return Forward(news.error());
  // Put together without the lock: whoever tells us news need not wait for that.
  codec::FactsTexts facts;
  facts.epoch = epoch_;
  facts.revision = news->revision;
  facts.complete = news->complete;
  if (news->host != nullptr) facts.host = *news->host;
  for (const Text& service : news->services) facts.services.push_back(*service);
  facts.removed = news->removed;
  return codec::EncodeFacts(facts);
}

void FactsFeed::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  changed_.NotifyAll();
}

}  // namespace swarmgate::cluster
