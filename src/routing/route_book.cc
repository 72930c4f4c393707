#include "routing/route_book.h"

#include <algorithm>
#include <limits>
#include <string_view>

namespace swarmgate::routing {

using model::HostMatch;

Entry* RouteBook::Find(const model::ServiceName& name) {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

void RouteBook::Add(Entry& entry) {
  for (Draft& draft : entry.drafts) {
    const HostMatch& host = draft.route->host;
    const bool regex = host.kind == HostMatch::Kind::kRegex;
    if (!regex) hosts_[host.text].emplace(draft.key, &draft);
    if (regex) ++host_regexes_;
    if (!StandsUnderOtherHosts(draft.route)) continue;
    if (host.kind == HostMatch::Kind::kWildcard) ++special_wildcards_;
    specials_.insert(&draft);
  }
}

void RouteBook::Remove(Entry& entry, std::set<Region>& regions) {
  AddRegions(entry, regions);
  for (Draft& draft : entry.drafts) {
    const HostMatch& host = draft.route->host;
    if (host.kind == HostMatch::Kind::kRegex) {
      --host_regexes_;
    } else {
      const auto by_key = hosts_.find(host.text);
      auto at = by_key->second.lower_bound(draft.key);
      while (at->second != &draft) ++at;
      by_key->second.erase(at);
      if (by_key->second.empty()) hosts_.erase(by_key);
    }
    if (!StandsUnderOtherHosts(draft.route)) continue;
    if (host.kind == HostMatch::Kind::kWildcard) --special_wildcards_;
    specials_.erase(&draft);
  }
}

void RouteBook::AddRegions(const Entry& entry, std::set<Region>& regions) {
  for (const Draft& draft : entry.drafts) {
    if (draft.route->host.kind == HostMatch::Kind::kRegex) continue;
    regions.insert({draft.route->host.text, draft.key});
  }
}

void RouteBook::Clear() { *this = RouteBook(); }

std::vector<Draft*> RouteBook::All() {
  std::vector<Draft*> all;
  for (auto& [name, entry] : entries_) {
    for (Draft& draft : entry.drafts) all.push_back(&draft);
  }
  std::sort(all.begin(), all.end(), ByOrder());
  return all;
}

std::vector<const Draft*> RouteBook::Of(const Region& region) const {
  std::vector<const Draft*> found;
  for (const Draft* special : specials_) {
    if (special->route->host.text != region.host) found.push_back(special);
  }
  if (const auto by_key = hosts_.find(region.host); by_key != hosts_.end()) {
    for (std::size_t size = 1; size < region.key.size(); ++size) {
      auto [at, end] = by_key->second.equal_range(std::string_view(region.key).substr(0, size));
      for (; at != end; ++at) found.push_back(at->second);
    }
  }
  for (const Draft* draft : Inside(region)) found.push_back(draft);
  std::sort(found.begin(), found.end(), ByOrder());
  return found;
}

std::vector<Draft*> RouteBook::Inside(const Region& region) const {
  std::vector<Draft*> found;
  const auto by_key = hosts_.find(region.host);
  if (by_key == hosts_.end()) return found;
  for (auto at = by_key->second.lower_bound(region.key);
       at != by_key->second.end() && at->first.str().starts_with(region.key); ++at) {
    found.push_back(at->second);
  }
  return found;
}

RouteBook::Named RouteBook::NamedAs(const Entry& entry) {
  return {entry.owner_acl, entry.input->created_unix_ns, entry.input->spec->name};
}

std::set<RouteBook::Named>::const_iterator RouteBook::FirstWith(const std::string& acl) const {
  return acls_.lower_bound({acl, std::numeric_limits<std::int64_t>::min(), {}});
}

model::ServiceName RouteBook::OwnerOf(const std::string& acl) const {
  const auto first = FirstWith(acl);
  const bool found = first != acls_.end() && std::get<Text>(*first) == acl;
  return found ? std::get<model::ServiceName>(*first) : model::ServiceName();
}

std::vector<model::ServiceName> RouteBook::WithAcl(const std::string& acl) const {
  std::vector<model::ServiceName> names;
  for (auto at = FirstWith(acl); at != acls_.end() && std::get<Text>(*at) == acl; ++at) {
    names.push_back(std::get<model::ServiceName>(*at));
  }
  return names;
}

void RouteBook::AddName(Entry& entry) {
  // The backends of "a" for srcHttpsPort are called as those of "https-a" are.
  entry.owner_acl = AclNameOf(*entry.input);
  std::string_view acl = entry.owner_acl;
  constexpr std::string_view kHttps = "https-";
  while (acl.size() > kHttps.size() && acl.starts_with(kHttps)) acl.remove_prefix(kHttps.size());
  if (acl.size() != entry.owner_acl.size()) entry.owner_acl = acl;
  acls_.insert(NamedAs(entry));
}

void RouteBook::RemoveName(Entry& entry) {
  if (entry.owner_acl.empty()) return;
  acls_.erase(NamedAs(entry));
  entry.owner_acl = {};
}

}  // namespace swarmgate::routing
