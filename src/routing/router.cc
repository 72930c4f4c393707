// The services that differ from the last time → what differs of the result.
//
// Routes meet only where one stands in the region of the lookup table that another one opens, so a
// change is judged anew in the regions that it touches. What reaches further (another context,
// routes that come before those of more specific hosts, host regexes) makes everything anew.
#include "routing/router.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "swarmgate/base/check.h"

namespace swarmgate::routing {
namespace {

using model::HostMatch;

bool SameButNames(const BuildContext& a, const BuildContext& b) {
  return a.networks == b.networks && a.own_network_ids == b.own_network_ids &&
         a.on_host == b.on_host && a.gateway_addresses == b.gateway_addresses &&
         a.bound_ports == b.bound_ports && a.label_prefix == b.label_prefix && a.tls == b.tls &&
         a.reserved_ports == b.reserved_ports;
}

/// Does a change of this one reach beyond the regions of its routes?
bool ReachesFar(const Entry& entry, const RouteBook& book) {
  return std::any_of(entry.drafts.begin(), entry.drafts.end(), [&book](const Draft& draft) {
    const HostMatch::Kind host = draft.route.host.kind;
    return IsSpecial(draft.route) || host == HostMatch::Kind::kRegex ||
           (host == HostMatch::Kind::kWildcard && book.listed());
  });
}

/// Without those that lie in another one.
std::vector<Region> Outermost(const std::set<Region>& regions) {
  std::vector<Region> outermost;
  for (const Region& region : regions) {  // by host and key: what contains comes first
    if (!outermost.empty() && outermost.back().host == region.host &&
        region.key.starts_with(outermost.back().key)) {
      continue;
    }
    outermost.push_back(region);
  }
  return outermost;
}

}  // namespace

const Built& Router::Impl::Update(const Inputs& services, const BuildContext& context) {
  const bool same_context = context_ && SameButNames(*context_, context);
  std::set<model::ServiceName> changed;
  std::set<model::ServiceName> gone;
  const auto note = [&changed](const auto& input) { changed.insert(input->spec.name); };
  Inputs::Diff(
      inputs_, services, [](const auto& a, const auto& b) { return a->spec.name < b->spec.name; },
      [&gone](const auto& input) { gone.insert(input->spec.name); }, note,
      [&note](const auto&, const auto& now) { note(now); });
  if (same_context && context_->names != context.names) {
    NoteNames(context.names, changed);
    for (const model::ServiceName& name : gone) changed.erase(name);
  }
  inputs_ = services;
  if (!same_context) {
    context_ = context;
    chooser_.emplace(*context_);
  } else if (context_->names != context.names) {
    context_->names = context.names;
  }
  touched_.clear();
  // Where most has changed, one after the other costs more than all together.
  const bool many = changed.size() + gone.size() > 64 + services.size() / 8;
  if (!same_context || always_all_ || many || !UpdateSome(changed, gone)) UpdateAll();
  Tell();
  return built_;
}

void Router::Impl::NoteNames(const ResolvedNames& names, std::set<model::ServiceName>& changed) {
  for (auto& [service, entry] : book_.entries()) {
    const bool differs = std::any_of(entry.names.begin(), entry.names.end(), [&](const auto& name) {
      const auto before = context_->names.find(name);
      const auto now = names.find(name);
      const bool had = before != context_->names.end();
      const bool has = now != names.end();
      return had != has || (had && before->second != now->second);
    });
    if (differs) changed.insert(service);
  }
}

// --- services -> drafts --------------------------------------------------------------------------

void Router::Impl::Take(Entry& entry, std::shared_ptr<const ServiceInput> input) {
  entry.input = std::move(input);
  const ServiceInput& service = *entry.input;
  entry.served_told.clear();
  entry.served = Serve(service, entry.served_told);
  entry.raw = !service.spec.raw.empty() && !entry.served.dests.empty();
  if (entry.raw) entry.served.dests.clear();
  KeepReachable(entry);
  entry.tcp =
      std::any_of(entry.served.dests.begin(), entry.served.dests.end(),
                  [](const ServedDest& dest) { return dest.spec->mode != model::ReqMode::kHttp; });
  const bool converging = service.facts && service.spec.discovery == model::Discovery::kTasks &&
                          IsConverging(*service.facts);
  converging_changed_ = (converging ? converging_.insert(service.spec.name).second
                                    : converging_.erase(service.spec.name) > 0) ||
                        converging_changed_;
  if (!entry.served.dests.empty()) book_.AddName(entry);
}

/// Leaves out the destinations whose tasks cannot be reached from here; finds the way to the
/// others.
void Router::Impl::KeepReachable(Entry& entry) {
  const auto uses_tasks = [&](const ServedDest& dest) {
    return EndpointChooser::UsesTasks(*entry.input, *dest.spec);
  };
  entry.way = {};
  std::vector<ServedDest>& dests = entry.served.dests;
  if (std::none_of(dests.begin(), dests.end(), uses_tasks)) return;
  entry.way = chooser_->FindWay(*entry.input, entry.served_told);
  if (!entry.way.reachable) std::erase_if(dests, uses_tasks);
}

void Router::Impl::Draw(Entry& entry) {
  entry.drafts_told.clear();
  entry.owner = entry.owner_acl.empty() ? model::ServiceName() : book_.OwnerOf(entry.owner_acl);
  if (!entry.owner_acl.empty()) NameBackends(entry.served, entry.owner, entry.drafts_told);
  entry.drafts = MakeDrafts(entry.served, entry.drafts_told);
}

bool Router::Impl::UpdateSome(const std::set<model::ServiceName>& changed,
                              const std::set<model::ServiceName>& gone) {
  std::set<Region> regions;
  std::set<std::string> acls;
  bool far = false;
  const auto leave = [&](Entry& entry) {
    far = far || ReachesFar(entry, book_);
    for (const Draft& draft : entry.drafts) LeaveOut(draft);
    book_.Remove(entry, regions);
    entry.drafts.clear();
    if (!entry.owner_acl.empty()) acls.insert(entry.owner_acl);
    raw_changed_ = raw_changed_ || entry.raw;
    tcp_changed_ = tcp_changed_ || entry.tcp;
  };
  std::set<model::ServiceName> drawn = changed;
  for (const model::ServiceName& name : gone) {
    Entry* entry = book_.Find(name);
    if (entry == nullptr) continue;
    leave(*entry);
    book_.RemoveName(*entry);
    Forget(name, *entry);
    book_.entries().erase(name);
  }
  for (const model::ServiceName& name : changed) {
    Entry& entry = book_.entries()[name];
    leave(entry);
    book_.RemoveName(entry);
    Take(entry, InputOf(name));
    if (!entry.owner_acl.empty()) acls.insert(entry.owner_acl);
  }
  // Who is the oldest of an aclName decides how the backends of all others are called.
  for (const std::string& acl : acls) {
    const model::ServiceName owner = book_.OwnerOf(acl);
    for (const model::ServiceName& name : book_.WithAcl(acl)) {
      Entry& entry = *book_.Find(name);
      if (entry.owner == owner || drawn.contains(name)) continue;
      leave(entry);
      drawn.insert(name);
    }
  }
  for (const model::ServiceName& name : drawn) {
    Entry& entry = *book_.Find(name);
    Draw(entry);
    book_.Add(entry);
    RouteBook::AddRegions(entry, regions);
    touched_.insert(name);
    raw_changed_ = raw_changed_ || entry.raw;
    tcp_changed_ = tcp_changed_ || entry.tcp;
  }
  for (const model::ServiceName& name : drawn) far = far || ReachesFar(*book_.Find(name), book_);
  return !far && JudgeRegions(std::move(regions));
}

void Router::Impl::UpdateAll() {
  ++rebuilds_;
  book_.Clear();
  shared_.clear();
  names_.clear();
  converging_.clear();
  built_ = {};
  touched_.clear();
  for (const auto& input : inputs_) {
    Take(book_.entries()[input->spec.name], input);
    touched_.insert(input->spec.name);
  }
  for (auto& [name, entry] : book_.entries()) Draw(entry);
  std::set<model::ServiceName> unranked;
  Judged judged;
  std::vector<const Draft*> all = book_.All();
  judged = JudgeAll(all, max_inserted_);
  if (judged.too_large) {
    unranked = YoungestRanked(all, judged, max_inserted_);
    for (const model::ServiceName& name : unranked) {
      Entry& entry = *book_.Find(name);
      for (Draft& draft : entry.drafts) Unrank(draft);
      entry.drafts_told.push_back(RankIgnored(name));
    }
    all = book_.All();
    judged = JudgeAll(all, std::numeric_limits<std::size_t>::max());
  }
  for (auto& [name, entry] : book_.entries()) book_.Add(entry);
  inserted_ = judged.inserted_sum;
  std::vector<model::Route> routes;
  std::vector<LostRoute> lost;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Draft& draft = const_cast<Draft&>(*all[i]);
    draft.outcome = std::move(judged.outcomes[i]);
    if (draft.outcome.kept) routes.push_back(draft.route);
    if (!draft.outcome.lost.empty()) lost.push_back({draft.route, draft.outcome.lost});
    if (!draft.outcome.shares.empty()) shared_.insert(&draft);
  }
  built_.desired.routes = std::move(routes);
  built_.lost = std::move(lost);
  built_.desired.matches = std::move(judged.matches);
  raw_changed_ = tcp_changed_ = true;
  always_all_ = !unranked.empty() || !SpecialsStandAlone();
}

/// Is every route that may come before those of other hosts reached under its own? Then no ordinary
/// one can make it come or go.
bool Router::Impl::SpecialsStandAlone() const {
  return std::all_of(book_.specials().begin(), book_.specials().end(), [this](const Draft* draft) {
    const HostMatch& host = draft->route.host;
    if (!draft->outcome.kept || host.kind == HostMatch::Kind::kRegex) return true;
    const std::string key = host.text + draft->key;
    const auto& entries = built_.desired.matches.entries;
    const auto found =
        entries.PartitionPoint([&key](const model::MatchEntry& entry) { return entry.key < key; });
    return found != entries.end() && found->key == key &&
           std::any_of(
               found->candidates.begin(), found->candidates.end(),
               [draft](const auto& candidate) { return candidate.route == draft->route.id; });
  });
}

// --- drafts -> routes ----------------------------------------------------------------------------

bool Router::Impl::JudgeRegions(std::set<Region> regions) {
  inserted_ += regions.size() * book_.specials().size();
  if (!book_.specials().empty() && inserted_ > max_inserted_) return false;
  for (std::vector<Region> queue = Outermost(regions); !queue.empty();) {
    Region region = std::move(queue.back());
    queue.pop_back();
    std::vector<const Draft*> drafts = book_.Of(region);
    JudgedRegion result = JudgeRegion(drafts, region);
    if (!result.wider.empty()) {
      queue.push_back({region.host, result.wider});
      continue;
    }
    if (!TakeRegion(region, drafts, result.judged)) return false;
  }
  return true;
}

bool Router::Impl::TakeRegion(const Region& region, const std::vector<const Draft*>& drafts,
                              Judged& judged) {
  std::set<const Draft*> inside;
  for (const Draft* draft : book_.Inside(region)) inside.insert(draft);
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (!inside.contains(drafts[i]) || judged.outcomes[i] == drafts[i]->outcome) continue;
    // Another one has begun or ceased to share its requests, and it stands under other hosts, too.
    if (IsSpecial(drafts[i]->route)) return false;
    auto& draft = const_cast<Draft&>(*drafts[i]);
    LeaveOut(draft);
    draft.outcome = std::move(judged.outcomes[i]);
    PutIn(draft);
  }
  Chunked<model::MatchEntry>& held = built_.desired.matches.entries;
  const std::string begin = region.host + region.key;
  const auto before = [&begin](const model::MatchEntry& entry) { return entry.key < begin; };
  auto made = judged.matches.entries.PartitionPoint(before);
  const auto end = judged.matches.entries.end();
  auto at = held.PartitionPoint(before);
  const auto here = [&begin](const model::MatchEntry& entry) {
    return entry.key.starts_with(begin);
  };
  // Both are sorted; what is the same stays where it is.
  while ((at != held.end() && here(*at)) || (made != end && here(*made))) {
    const bool has = at != held.end() && here(*at);
    const bool wants = made != end && here(*made);
    if (has && (!wants || at->key < made->key)) {
      at = held.erase(at);
    } else if (!has || made->key < at->key) {
      at = std::next(held.insert(at, Settled(*made++)));
    } else {
      model::MatchEntry entry = Settled(*made++);
      if (!(entry == *at)) held.Edit(at) = std::move(entry);
      ++at;
    }
  }
  return true;
}

/// Takes a draft's part of the result out of it.
void Router::Impl::LeaveOut(const Draft& draft) {
  if (draft.outcome.kept) {
    auto& routes = built_.desired.routes;
    const auto at = routes.PartitionPoint(
        [&draft](const model::Route& route) { return ComesBefore(route, draft.route); });
    SWARMGATE_CHECK(at != routes.end() && at->id == draft.route.id);
    routes.erase(at);
  }
  if (!draft.outcome.lost.empty()) {
    const auto at = built_.lost.PartitionPoint(
        [&draft](const LostRoute& lost) { return ComesBefore(lost.route, draft.route); });
    SWARMGATE_CHECK(at != built_.lost.end() && at->route.id == draft.route.id);
    built_.lost.erase(at);
  }
  TouchSharers(draft);
  shared_.erase(const_cast<Draft*>(&draft));
}

void Router::Impl::PutIn(Draft& draft) {
  if (draft.outcome.kept) {
    auto& routes = built_.desired.routes;
    routes.insert(routes.PartitionPoint([&draft](const model::Route& route) {
      return ComesBefore(route, draft.route);
    }),
                  draft.route);
  }
  if (!draft.outcome.lost.empty()) {
    built_.lost.insert(built_.lost.PartitionPoint([&draft](const LostRoute& lost) {
      return ComesBefore(lost.route, draft.route);
    }),
                       {draft.route, draft.outcome.lost});
  }
  TouchSharers(draft);
  if (!draft.outcome.shares.empty()) shared_.insert(&draft);
}

void Router::Impl::TouchSharers(const Draft& draft) {
  touched_.insert(draft.route.service);
  for (const model::Share& share : draft.outcome.shares) touched_.insert(share.service);
}

}  // namespace swarmgate::routing
