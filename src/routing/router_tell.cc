// The part of Router that makes everything else of the routes: backends, shares, what is told.
#include <algorithm>
#include <tuple>
#include <utility>

#include "routing/router.h"
#include "routing/shares.h"
#include "routing/tcp.h"
#include "routing/tidy.h"
#include "swarmgate/base/check.h"
#include "swarmgate/model/names.h"

namespace swarmgate::routing {

using model::Backend;
using model::BackendName;
using model::Diagnostic;

namespace {

/// The place of a name among backends.
auto PlaceOf(const Chunked<Backend>& backends, const BackendName& name) {
  return backends.PartitionPoint([&name](const Backend& backend) { return backend.name < name; });
}

std::set<BackendName> UsedBackends(const Entry& entry) {
  std::set<BackendName> used;
  for (const Draft& draft : entry.drafts) {
    const bool shared = !draft.outcome.shares.empty();
    if (draft.outcome.shares_in || (draft.outcome.kept && !shared)) {
      used.insert(draft.route->backend);
    }
  }
  return used;
}

}  // namespace

std::shared_ptr<const ServiceInput> Router::Impl::InputOf(const model::ServiceName& name) const {
  const auto at =
      inputs_.PartitionPoint([&name](const auto& input) { return input->spec->name < name; });
  SWARMGATE_CHECK(at != inputs_.end() && (*at)->spec->name == name);
  return *at;
}

void Router::Impl::Tell() {
  for (const model::ServiceName& name : touched_) {
    if (Entry* entry = book_.Find(name)) {
      TellBackends(*entry);
      tcp_changed_ = tcp_changed_ || entry->tcp;
    }
  }
  if (std::exchange(raw_changed_, false)) TellRaw();
  if (std::exchange(tcp_changed_, false)) TellTcp();
  SettleShares();
  for (const model::ServiceName& name : touched_) {
    if (const Entry* entry = book_.Find(name)) {
      built_.services.insert_or_assign(name, OutcomeOf(*entry));
    }
  }
  if (std::exchange(names_changed_, false)) {
    built_.names_wanted.clear();
    for (const auto& [name, count] : names_) built_.names_wanted.push_back(name);
  }
  if (std::exchange(converging_changed_, false)) {
    built_.converging.assign(converging_.begin(), converging_.end());
  }
}

void Router::Impl::Forget(const model::ServiceName& name, Entry& entry) {
  SetBackends(name, entry.backends, {});
  SetBackends(name, entry.tcp_backends.Edit(), {});
  DropNames(*entry.names);
  converging_changed_ = converging_.erase(name) > 0 || converging_changed_;
  built_.services.erase(name);
}

void Router::Impl::TellBackends(Entry& entry) {
  const BackendMaker maker(*context_, *chooser_);
  std::set<std::string> names;
  ServiceBackends made = maker.Make(entry.served, entry.way, UsedBackends(entry), names);
  entry.backend_told = std::move(made.diagnostics);
  SetBackends(entry.input->spec->name, entry.backends, std::move(made.backends));
  SetNames(entry, std::move(names));
}

void Router::Impl::SetBackends(const model::ServiceName& service, std::vector<BackendName>& held,
                               std::vector<Backend> backends) {
  std::sort(backends.begin(), backends.end(),
            [](const Backend& a, const Backend& b) { return a.name < b.name; });
  Chunked<Backend>& all = built_.desired.backends;
  std::vector<BackendName> now;
  now.reserve(backends.size());
  for (const Backend& backend : backends) now.push_back(backend.name);
  for (const BackendName& name : held) {
    if (std::binary_search(now.begin(), now.end(), name)) continue;
    // Its name may be another service's by now.
    const auto at = PlaceOf(all, name);
    if (at != all.end() && at->name == name && at->service == service) all.erase(at);
  }
  for (Backend& backend : backends) {
    const auto at = PlaceOf(all, backend.name);
    if (at == all.end() || at->name != backend.name) {
      all.insert(at, std::move(backend));
    } else if (!(*at == backend)) {
      all.Edit(at) = std::move(backend);
    }
  }
  held = std::move(now);
}

void Router::Impl::SetNames(Entry& entry, std::set<std::string> names) {
  for (const std::string& name : names) {
    if (entry.names->contains(name)) continue;
    names_changed_ = ++names_[name] == 1 || names_changed_;
  }
  std::set<std::string> dropped;
  std::set_difference(entry.names->begin(), entry.names->end(), names.begin(), names.end(),
                      std::inserter(dropped, dropped.end()));
  DropNames(dropped);
  entry.names = std::move(names);
}

void Router::Impl::DropNames(const std::set<std::string>& names) {
  for (const std::string& name : names) {
    const auto found = names_.find(name);
    if (--found->second > 0) continue;
    names_.erase(found);
    names_changed_ = true;
  }
}

/// Services that say themselves, in HAProxy's language, what is done with their requests.
void Router::Impl::TellRaw() {
  std::vector<const model::ServiceSpec*> specs;
  for (const auto& [name, entry] : book_.entries()) {
    if (entry.raw) specs.push_back(&*entry.input->spec);
  }
  std::sort(specs.begin(), specs.end(), [](const auto* a, const auto* b) {
    return std::tie(a->acl_name, a->name) < std::tie(b->acl_name, b->name);
  });
  built_.desired.raw.clear();
  for (const model::ServiceSpec* spec : specs) {
    built_.desired.raw.push_back({spec->name, spec->raw});
  }
}

void Router::Impl::TellTcp() {
  std::vector<ServedService> served;
  for (auto& [name, entry] : book_.entries()) {
    const bool was = !entry.tcp_told.empty() || entry.listens || !entry.tcp_backends.empty();
    if (!entry.tcp && !was) continue;
    touched_.insert(name);
    entry.tcp_told.clear();
    entry.listens = false;
    if (!entry.tcp) continue;
    TellBackends(entry);  // with it, the names that it wants without its ports
    served.push_back(entry.served);
  }
  std::sort(served.begin(), served.end(), [](const ServedService& a, const ServedService& b) {
    return std::tie(a.input->created_unix_ns, a.input->spec->name) <
           std::tie(b.input->created_unix_ns, b.input->spec->name);
  });
  const BackendMaker maker(*context_, *chooser_);
  TcpContext context;
  context.http_ports = context_->bound_ports;
  context.reserved_ports = context_->reserved_ports;
  context.tls = context_->tls;
  context.servers = [&](const ServedService& service, const ServedDest& dest) {
    Entry& entry = *book_.Find(service.input->spec->name);
    std::size_t unreached = 0;
    std::set<std::string> names = entry.names;
    std::vector<model::Server> servers =
        maker.ServersOf(*service.input, dest, entry.way, names, unreached);
    SetNames(entry, std::move(names));
    if (unreached > 0) entry.tcp_told.push_back(maker.Unreached(*service.input, unreached));
    return servers;
  };
  model::Desired made;
  std::vector<Diagnostic> diagnostics;
  BuildTcp(served, context, made, diagnostics);
  for (Diagnostic& diagnostic : diagnostics) {
    Entry& entry = *book_.Find(diagnostic.service);
    entry.tcp_told.push_back(std::move(diagnostic));
  }
  for (const model::TcpRoute& route : made.tcp_routes) book_.Find(route.service)->listens = true;
  std::map<model::ServiceName, std::vector<Backend>> backends;
  for (const Backend& backend : made.backends) backends[backend.service].push_back(backend);
  for (auto& [name, entry] : book_.entries()) {
    if (!entry.tcp && entry.tcp_backends.empty()) continue;
    // What was a port's may be one for requests by now.
    std::vector<BackendName>& held = entry.tcp_backends.Edit();
    std::erase_if(held, [&entry = entry](const BackendName& backend) {
      return std::binary_search(entry.backends.begin(), entry.backends.end(), backend);
    });
    SetBackends(name, held, std::move(backends[name]));
  }
  built_.desired.tcp_listeners = std::move(made.tcp_listeners);
  built_.desired.tcp_routes = std::move(made.tcp_routes);
}

// --- shares --------------------------------------------------------------------------------------

std::vector<model::Share> Router::Impl::SettledShares(std::vector<model::Share> shares) const {
  const Chunked<Backend>& backends = built_.desired.backends;
  Settle(shares, [&backends](const model::Share& share) {
    const Backend* backend = model::FindBackend(backends, share.backend);
    return backend != nullptr && !backend->servers.empty();
  });
  return shares;
}

model::MatchEntry Router::Impl::Settled(model::MatchEntry entry) const {
  for (model::MatchCandidate& candidate : entry.candidates) {
    candidate.shares = SettledShares(std::move(candidate.shares));
  }
  return entry;
}

/// A service without a server leaves its part of the requests to the others.
void Router::Impl::SettleShares() {
  for (const Draft* draft : shared_) {
    const std::vector<model::Share> shares = SettledShares(draft->outcome.shares);
    auto& routes = built_.desired.routes;
    const auto route = routes.PartitionPoint(
        [draft](const model::Route& other) { return ComesBefore(other, draft->route); });
    SWARMGATE_CHECK(route != routes.end() && (*route)->id == draft->route->id);
    if ((*route)->shares == shares) continue;
    routes.Edit(route).Edit().shares = shares;
    const auto settle = [&](const model::MatchCandidate& candidate) {
      return candidate.route == draft->route->id && candidate.shares != shares;
    };
    auto& entries = built_.desired.matches.entries;
    // One that comes before those of other hosts may stand anywhere.
    const bool anywhere = StandsUnderOtherHosts(draft->route);
    const std::string begin = anywhere ? "" : draft->route->host.text + draft->key;
    auto at = entries.PartitionPoint(
        [&begin](const model::MatchEntry& entry) { return entry.key < begin; });
    for (; at != entries.end() && at->key.starts_with(begin); ++at) {
      if (std::none_of(at->candidates.begin(), at->candidates.end(), settle)) continue;
      for (model::MatchCandidate& candidate : entries.Edit(at).candidates) {
        if (settle(candidate)) candidate.shares = shares;
      }
    }
    for (model::HostRegexEntry& entry : built_.desired.matches.host_regexes) {
      if (settle(entry.candidate)) entry.candidate.shares = shares;
    }
  }
}

// --- for people ----------------------------------------------------------------------------------

ServiceOutcome Router::Impl::OutcomeOf(const Entry& entry) const {
  ServiceOutcome outcome;
  std::vector<Diagnostic> told;
  const auto tell = [&told](const std::vector<Diagnostic>& more) {
    told.insert(told.end(), more.begin(), more.end());
  };
  for (const auto* more :
       {&entry.served_told, &entry.drafts_told, &entry.backend_told, &entry.tcp_told}) {
    tell(*more);
  }
  for (const Draft& draft : entry.drafts) {
    tell(draft.outcome.diagnostics);
    const bool whole = draft.outcome.kept && draft.outcome.shares.empty();
    if (whole || draft.outcome.shares_in) ++outcome.routes;
  }
  // Until here a diagnostic names a parameter as the table of labels does; its owner wrote it as
  // the origin of his service demands.
  for (Diagnostic& diagnostic : told) {
    if (diagnostic.label.empty()) continue;
    diagnostic.label =
        model::ShownParameter(entry.input->origin, context_->label_prefix, diagnostic.label);
  }
  TidyDiagnostics(told);
  outcome.diagnostics = std::move(told);
  outcome.backends = entry.backends;
  outcome.backends.insert(outcome.backends.end(), entry.tcp_backends.begin(),
                          entry.tcp_backends.end());
  std::sort(outcome.backends.begin(), outcome.backends.end());
  outcome.listens = entry.listens;
  outcome.raw = entry.raw;
  return outcome;
}

}  // namespace swarmgate::routing
