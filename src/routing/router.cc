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

using model::Diagnostic;
using model::HostMatch;

/// All but what concerns single services: addresses of names and of containers, ports that are
/// taken.
bool SameButAddresses(const BuildContext& a, const BuildContext& b) {
  return a.networks == b.networks && a.own_network_ids == b.own_network_ids &&
         a.on_host == b.on_host && a.bound_ports == b.bound_ports &&
         a.label_prefix == b.label_prefix && a.tls == b.tls;
}

/// Does a change of this one reach beyond the regions of its routes?
bool ReachesFar(const Entry& entry, const RouteBook& book) {
  return std::any_of(entry.drafts.begin(), entry.drafts.end(), [&book](const Draft& draft) {
    const HostMatch::Kind host = draft.route->host.kind;
    return StandsUnderOtherHosts(draft.route) || host == HostMatch::Kind::kRegex ||
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
  const bool same_context = context_ && SameButAddresses(*context_, context);
  std::set<model::ServiceName> changed;
  std::set<model::ServiceName> gone;
  const auto note = [&changed](const auto& input) { changed.insert(input->spec->name); };
  Inputs::Diff(
      inputs_, services, [](const auto& a, const auto& b) { return a->spec->name < b->spec->name; },
      [&gone](const auto& input) { gone.insert(input->spec->name); }, note,
      [&note](const auto&, const auto& now) { note(now); });
  const bool same_addresses = same_context && context_->names == context.names &&
                              context_->gateway_addresses == context.gateway_addresses;
  if (same_context && !same_addresses) {
    NoteAddresses(context, changed);
    for (const model::ServiceName& name : gone) changed.erase(name);
    context_->names = context.names;
    context_->gateway_addresses = context.gateway_addresses;
  }
  if (same_context && context_->reserved_ports != context.reserved_ports) {
    context_->reserved_ports = context.reserved_ports;
    tcp_changed_ = true;
  }
  inputs_ = services;
  if (!same_context) {
    context_ = context;
    chooser_.emplace(*context_);
  }
  touched_.clear();
  // Where most has changed, one after the other costs more than all together.
  const bool many = changed.size() + gone.size() > 64 + services.size() / 8;
  if (!same_context || always_all_ || many || !UpdateSome(changed, gone)) UpdateAll();
  Tell();
  return built_;
}

void Router::Impl::NoteAddresses(const BuildContext& context,
                                 std::set<model::ServiceName>& changed) {
  const auto differs = [](const auto& before, const auto& now, const auto& key) {
    const auto had = before.find(key);
    const auto has = now.find(key);
    const bool both = had != before.end() && has != now.end();
    return both ? had->second != has->second : (had != before.end()) != (has != now.end());
  };
  const bool gateways = context_->gateway_addresses != context.gateway_addresses;
  for (const auto& [service, entry] : book_.entries()) {
    bool other = std::any_of(entry.names->begin(), entry.names->end(), [&](const auto& name) {
      return differs(context_->names, context.names, name);
    });
    if (gateways && !other && entry.input->facts) {
      const auto& tasks = entry.input->facts->tasks;
      other = std::any_of(tasks.begin(), tasks.end(), [&](const model::TaskFacts& task) {
        return differs(context_->gateway_addresses, context.gateway_addresses, task.container_id);
      });
    }
    if (other) changed.insert(service);
  }
}

// --- services -> drafts --------------------------------------------------------------------------

/// What the service itself says.
void Router::Impl::Look(Entry& entry, std::shared_ptr<const ServiceInput> input) const {
  entry.input = std::move(input);
  const ServiceInput& service = *entry.input;
  std::vector<Diagnostic> told;
  entry.served = Serve(service, told);
  entry.raw = !service.spec->raw->empty() && !entry.served.dests.empty();
  if (entry.raw) entry.served.dests.clear();
  KeepReachable(entry, told);
  entry.served_told = std::move(told);
  entry.tcp =
      std::any_of(entry.served.dests.begin(), entry.served.dests.end(),
                  [](const ServedDest& dest) { return dest.spec->mode != model::ReqMode::kHttp; });
}

void Router::Impl::Take(Entry& entry, std::shared_ptr<const ServiceInput> input) {
  Look(entry, std::move(input));
  NoteConverging(entry);
  if (!entry.served.dests.empty()) book_.AddName(entry);
}

void Router::Impl::NoteConverging(const Entry& entry) {
  const ServiceInput& service = *entry.input;
  const bool converging = service.facts && service.spec->discovery == model::Discovery::kTasks &&
                          IsConverging(*service.facts);
  const bool news = converging ? converging_.insert(service.spec->name).second
                               : converging_.erase(service.spec->name) > 0;
  converging_changed_ = converging_changed_ || news;
}

/// Takes the input where the service asks for the same routes as before (nearly always: its tasks
/// have changed). False: it does not, and nothing was changed.
bool Router::Impl::KeepDrafts(Entry& entry, const std::shared_ptr<const ServiceInput>& input) {
  if (!entry.input || entry.input->created_unix_ns != input->created_unix_ns ||
      AclNameOf(*entry.input) != AclNameOf(*input)) {
    return false;
  }
  Entry now;
  Look(now, input);
  // Under the same aclName or under none, as before.
  if (now.served.dests.empty() != entry.owner_acl.empty()) return false;
  std::vector<Diagnostic> told;
  if (!entry.owner_acl.empty()) NameBackends(now.served, entry.owner, told);
  now.drafts = MakeDrafts(now.served, told);
  const bool same =
      std::equal(now.drafts.begin(), now.drafts.end(), entry.drafts.begin(), entry.drafts.end(),
                 [](const Draft& a, const Draft& b) {
                   return a.route == b.route && a.weight == b.weight && a.divisible == b.divisible;
                 });
  if (!same) return false;
  raw_changed_ = raw_changed_ || entry.raw || now.raw;
  tcp_changed_ = tcp_changed_ || entry.tcp || now.tcp;
  entry.input = std::move(now.input);
  entry.served = std::move(now.served);
  entry.way = std::move(now.way);
  entry.served_told = std::move(now.served_told);
  entry.drafts_told = std::move(told);
  entry.raw = now.raw;
  entry.tcp = now.tcp;
  NoteConverging(entry);
  touched_.insert(entry.input->spec->name);
  return true;
}

/// Leaves out the destinations whose tasks cannot be reached from here; finds the way to the
/// others.
void Router::Impl::KeepReachable(Entry& entry, std::vector<Diagnostic>& told) const {
  const auto uses_tasks = [&](const ServedDest& dest) {
    return EndpointChooser::UsesTasks(*entry.input, *dest.spec);
  };
  entry.way = {};
  std::vector<ServedDest>& dests = entry.served.dests;
  if (std::none_of(dests.begin(), dests.end(), uses_tasks)) return;
  entry.way = chooser_->FindWay(*entry.input, told);
  if (!entry.way.reachable) std::erase_if(dests, uses_tasks);
}

void Router::Impl::Draw(Entry& entry) {
  std::vector<Diagnostic> told;
  entry.owner = entry.owner_acl.empty() ? model::ServiceName() : book_.OwnerOf(entry.owner_acl);
  if (!entry.owner_acl.empty()) NameBackends(entry.served, entry.owner, told);
  entry.drafts = MakeDrafts(entry.served, told);
  entry.drafts_told = std::move(told);
}

bool Router::Impl::UpdateSome(const std::set<model::ServiceName>& changed,
                              const std::set<model::ServiceName>& gone) {
  std::set<Region> regions;
  std::set<std::string> acls;
  bool far = false;
  const auto leave = [&](Entry& entry) {
    far = far || ReachesFar(entry, book_);
    for (Draft& draft : entry.drafts) LeaveOut(draft);
    book_.Remove(entry, regions);
    entry.drafts.clear();
    if (!entry.owner_acl.empty()) acls.insert(entry.owner_acl);
    raw_changed_ = raw_changed_ || entry.raw;
    tcp_changed_ = tcp_changed_ || entry.tcp;
  };
  std::set<model::ServiceName> drawn;
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
    std::shared_ptr<const ServiceInput> input = InputOf(name);
    if (KeepDrafts(entry, input)) continue;
    drawn.insert(name);
    leave(entry);
    book_.RemoveName(entry);
    Take(entry, std::move(input));
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
  return !far && JudgeRegions(regions);
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
    Take(book_.entries()[input->spec->name], input);
    touched_.insert(input->spec->name);
  }
  for (auto& [name, entry] : book_.entries()) Draw(entry);
  std::set<model::ServiceName> unranked;
  std::vector<Draft*> all = book_.All();
  Judged judged = JudgeAll({all.begin(), all.end()}, max_inserted_);
  if (judged.too_large) {
    unranked = YoungestRanked({all.begin(), all.end()}, judged, max_inserted_);
    for (const model::ServiceName& name : unranked) {
      Entry& entry = *book_.Find(name);
      for (Draft& draft : entry.drafts) Unrank(draft);
      entry.drafts_told.push_back(RankIgnored(name));
    }
    all = book_.All();
    judged = JudgeAll({all.begin(), all.end()}, std::numeric_limits<std::size_t>::max());
  }
  for (auto& [name, entry] : book_.entries()) book_.Add(entry);
  inserted_ = judged.inserted_sum;
  std::vector<Cow<model::Route>> routes;
  std::vector<LostRoute> lost;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Draft& draft = *all[i];
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
    const HostMatch& host = draft->route->host;
    if (!draft->outcome.kept || host.kind == HostMatch::Kind::kRegex) return true;
    const std::string key = host.text + draft->key;
    const auto& entries = built_.desired.matches.entries;
    const auto found =
        entries.PartitionPoint([&key](const model::MatchEntry& entry) { return entry.key < key; });
    return found != entries.end() && found->key == key &&
           std::any_of(
               found->candidates.begin(), found->candidates.end(),
               [draft](const auto& candidate) { return candidate.route == draft->route->id; });
  });
}

// --- drafts -> routes ----------------------------------------------------------------------------

bool Router::Impl::JudgeRegions(const std::set<Region>& regions) {
  std::set<std::string> hosts;
  for (const Region& region : regions) {
    if (!region.host.empty()) hosts.insert(region.host);
  }
  inserted_ += hosts.size() * book_.specials().size();
  if (!book_.specials().empty() && inserted_ > max_inserted_) return false;
  // More than that, and all at once costs less.
  std::size_t budget = 1000 + 2 * book_.entries().size();
  std::set<Region> judged;
  for (std::vector<Region> queue = Outermost(regions); !queue.empty();) {
    Region region = std::move(queue.back());
    queue.pop_back();
    const bool done = std::any_of(judged.begin(), judged.end(), [&region](const Region& other) {
      return other.host == region.host && region.key.starts_with(other.key);
    });
    if (done) continue;
    const std::vector<const Draft*> drafts = book_.Of(region);
    if (drafts.size() > budget) return false;
    budget -= drafts.size();
    JudgedRegion result = JudgeRegion(drafts, region, built_.desired.matches.entries);
    if (!result.wider.empty()) {
      queue.push_back({region.host, result.wider});
      continue;
    }
    if (!TakeRegion(region, drafts, result.judged)) return false;
    judged.insert(std::move(region));
  }
  return true;
}

bool Router::Impl::TakeRegion(const Region& region, const std::vector<const Draft*>& drafts,
                              Judged& judged) {
  // Both in order of precedence.
  std::vector<Draft*> inside = book_.Inside(region);
  std::sort(inside.begin(), inside.end(), RouteBook::ByOrder());
  auto draft = inside.begin();
  for (std::size_t i = 0; i < drafts.size() && draft != inside.end(); ++i) {
    if (drafts[i] != *draft) continue;
    Draft& here = **draft++;
    if (judged.outcomes[i] == here.outcome) continue;
    // Another one has begun or ceased to share its requests, and it stands under other hosts, too.
    if (StandsUnderOtherHosts(here.route)) return false;
    LeaveOut(here);
    here.outcome = std::move(judged.outcomes[i]);
    PutIn(here);
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
void Router::Impl::LeaveOut(Draft& draft) {
  if (draft.outcome.kept) {
    auto& routes = built_.desired.routes;
    const auto at = routes.PartitionPoint(
        [&draft](const model::Route& route) { return ComesBefore(route, draft.route); });
    SWARMGATE_CHECK(at != routes.end() && (*at)->id == draft.route->id);
    routes.erase(at);
  }
  if (!draft.outcome.lost.empty()) {
    const auto at = built_.lost.PartitionPoint(
        [&draft](const LostRoute& lost) { return ComesBefore(lost.route, draft.route); });
    SWARMGATE_CHECK(at != built_.lost.end() && at->route->id == draft.route->id);
    built_.lost.erase(at);
  }
  TouchSharers(draft);
  shared_.erase(&draft);
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
  touched_.insert(draft.route->service);
  for (const model::Share& share : draft.outcome.shares) touched_.insert(share.service);
}

}  // namespace swarmgate::routing
