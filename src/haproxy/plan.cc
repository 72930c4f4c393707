#include "swarmgate/haproxy/plan.h"

#include <algorithm>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "haproxy/certificates.h"
#include "haproxy/slots.h"
#include "haproxy/tcp_config.h"
#include "swarmgate/base/check.h"

namespace swarmgate::haproxy {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;
using Entry = MapEntries::value_type;
using Servers = std::vector<model::Server>;

// Costs on 2.6 in nanoseconds, measured: `set map` and `del map` look through the whole list, the
// others do not.
constexpr std::size_t kCommandCost = 6000;
constexpr std::size_t kSearchCostPerEntry = 15;
constexpr std::size_t kReplaceCostPerEntry = 4000;
constexpr std::size_t kReplaceCost = 3'000'000;

// A command with its payload must fit into HAProxy's buffer of 16 kB.
constexpr std::size_t kMaxCertificatePayload = 12'000;

bool SamePlace(const model::Server& a, const model::Server& b) {
  return a.name == b.name && a.address == b.address && a.port == b.port;
}

MapEntries& TreeOf(Image& image, MapId id) {
  SWARMGATE_CHECK(IsTree(id));
  return id == MapId::kRoutes       ? image.routes
         : id == MapId::kConditions ? image.conditions
                                    : image.policies;
}
MapLines& ListOf(Image& image, MapId id) {
  switch (id) {
    case MapId::kRegexes:
      return image.regexes;
    case MapId::kHostRegexes:
      return image.host_regexes;
    default:
      SWARMGATE_CHECK(id == MapId::kRewrites);
      return image.rewrites;
  }
}

/// The steps of one map: those that add or change, and those that take away.
struct MapSteps {
  std::vector<Step> in;
  std::vector<Step> out;
  [[nodiscard]] bool empty() const { return in.empty() && out.empty(); }
};

MapSteps DiffTree(MapId id, const MapEntries& held, const MapEntries& desired) {
  MapSteps steps;
  std::size_t searches = 0;
  MapEntries::Diff(
      held, desired,
      [&](const Entry& gone) {
        steps.out.emplace_back(DeleteMapEntry{id, gone.first});
        ++searches;
      },
      [&](const Entry& added) {
        steps.in.emplace_back(SetMapEntry{id, added.first, added.second, true});
      },
      [&](const Entry& /*before*/, const Entry& after) {
        steps.in.emplace_back(SetMapEntry{id, after.first, after.second, false});
        ++searches;
      });
  // Only the routes: what others refer to must not vanish before them.
  const std::size_t changes = steps.in.size() + steps.out.size();
  const std::size_t size = std::max(held.size(), desired.size());
  const std::size_t one_by_one = changes * kCommandCost + searches * size * kSearchCostPerEntry;
  if (id == MapId::kRoutes && one_by_one > kReplaceCost + desired.size() * kReplaceCostPerEntry) {
    ReplaceMap replace{id, {}};
    replace.entries.assign(desired.begin(), desired.end());
    steps = {};
    steps.in.emplace_back(std::move(replace));
  }
  return steps;
}

/// A list first becomes "desired, then what goes": whoever still refers to an old entry finds it
/// until the routes have changed.
MapSteps DiffList(MapId id, const MapLines& held, const MapLines& desired) {
  MapSteps steps;
  if (held == desired) return steps;
  std::unordered_map<std::string_view, const std::string*> wanted;
  for (const auto& [key, value] : desired) wanted.emplace(key, &value);
  std::unordered_map<std::string_view, const std::string*> known;
  Entries leaving;
  Entries staying;
  for (const auto& entry : held) {
    // A key that is there twice (foreign hands) cannot be told apart by the commands.
    if (!known.emplace(entry.first, &entry.second).second) {
      steps.in.emplace_back(ReplaceMap{id, desired.ToVector()});
      return steps;
    }
    (wanted.count(entry.first) != 0 ? staying : leaving).push_back(entry);
  }
  // What stays is in `desired`, so that there are not more of the former.
  const bool in_order = std::equal(staying.begin(), staying.end(), desired.begin(),
                                   [](const auto& a, const auto& b) { return a.first == b.first; });
  if (in_order) {
    for (const auto& [key, value] : desired) {
      const auto old = known.find(key);
      if (old == known.end()) {
        steps.in.emplace_back(SetMapEntry{id, key, value, true});
      } else if (*old->second != value) {
        steps.in.emplace_back(SetMapEntry{id, key, value, false});
      }
    }
  } else {
    ReplaceMap replace{id, desired.ToVector()};
    replace.entries.insert(replace.entries.end(), leaving.begin(), leaving.end());
    steps.in.emplace_back(std::move(replace));
  }
  for (const auto& entry : leaving) steps.out.emplace_back(DeleteMapEntry{id, entry.first});
  return steps;
}

/// Servers in, servers out; the slots whose file changes.
struct ServerSteps {
  std::vector<Step> in;
  std::vector<Step> out;
  std::set<model::SlotName> slots;
  std::string reload_reason;
};

/// REQUIRES: they are not the same.
void DiffSlot(const model::SlotName& slot, const Servers& before, const Servers& after,
              const Held& held, ServerSteps& steps) {
  const auto draining = held.draining.find(slot);
  const auto parsed = ParseSlotName(slot);
  const bool sticky = parsed && KindOf(parsed->backend_class) == model::BackendKind::kSticky;

  std::map<model::ServerName, const model::Server*> old;
  for (const model::Server& server : before) old.emplace(server.name, &server);
  bool changed = before.size() != after.size();
  for (const model::Server& server : after) {
    const auto found = old.find(server.name);
    if (found != old.end()) {
      if (!SamePlace(*found->second, server)) {
        steps.reload_reason = "server " + server.name.str() + " of " + slot.str() + " moves";
        changed = true;
      }
      old.erase(found);
      continue;
    }
    changed = true;
    if (draining != held.draining.end() && draining->second.count(server.name) != 0) {
      steps.in.emplace_back(ReviveServer{slot, server});
    } else {
      steps.in.emplace_back(AddServer{slot, server, sticky});
    }
  }
  for (const auto& [name, server] : old) {
    changed = true;
    steps.out.emplace_back(DrainServer{slot, name});
  }
  if (changed) steps.slots.insert(slot);
}

ServerSteps DiffServers(const Held& held, const Image& desired) {
  const Servers none;
  ServerSteps steps;
  const auto diff = [&](const model::SlotName& slot, const Servers& before, const Servers& after) {
    // Options follow from the name.
    if (std::equal(before.begin(), before.end(), after.begin(), after.end(), SamePlace)) return;
    DiffSlot(slot, before, after, held, steps);
  };
  SharedMap<model::SlotName, Servers>::Diff(
      held.image.servers, desired.servers,
      [&](const auto& gone) { diff(gone.first, gone.second, none); },
      [&](const auto& added) { diff(added.first, none, added.second); },
      [&](const auto& before, const auto& after) {
        diff(after.first, before.second, after.second);
      });
  return steps;
}

/// Certificates in, certificates out.
struct CertificateSteps {
  std::vector<Step> in;
  std::vector<Step> out;
  std::set<std::string> files;
  std::string reload_reason;
};

CertificateSteps DiffCertificates(const Image& held, const Image& desired) {
  CertificateSteps steps;
  const auto check_size = [&steps](const std::string& file, std::size_t size) {
    if (size > kMaxCertificatePayload) {
      steps.reload_reason = "certificate " + file + " is larger than a command may be";
    }
  };
  for (const auto& [file, certificate] : desired.certificates) {
    const auto known = held.certificates.find(file);
    if (known != held.certificates.end() && known->second == certificate) continue;
    steps.files.insert(file);
    if (!certificate.staple.empty()) steps.files.insert(file + kStapleEnding);
    steps.files.insert(kCertificateList);
    // A list that foreign hands have changed.
    if (known != held.certificates.end()) steps.in.emplace_back(DropCertificate{file});
    steps.in.emplace_back(
        AddCertificate{file, certificate.names, certificate.pem, certificate.staple});
    std::size_t names = 0;
    for (const std::string& name : certificate.names) names += name.size() + 1;
    check_size(file, std::max(certificate.pem.reveal().size(), names));
    check_size(file, certificate.staple.reveal().size() * 4 / 3);
  }
  for (const auto& [file, certificate] : held.certificates) {
    if (desired.certificates.count(file) != 0) continue;
    steps.files.insert(file);
    if (!certificate.staple.empty()) steps.files.insert(file + kStapleEnding);
    steps.files.insert(kCertificateList);
    steps.out.emplace_back(DropCertificate{file});
  }
  if (held.default_pem != desired.default_pem && !desired.default_pem.empty()) {
    steps.files.insert(kDefaultCertificate);
    steps.in.emplace_back(SetDefaultCertificate{desired.default_pem, desired.default_print});
    check_size(kDefaultCertificate, desired.default_pem.reveal().size());
  }
  if (held.default_pem.empty() != desired.default_pem.empty()) {
    steps.files.insert(kDefaultCertificate);
    steps.files.insert(kCertificateList);
  }
  return steps;
}

std::string Count(std::uint32_t number) { return number == 0 ? "none" : std::to_string(number); }

/// Calls `visit(class, before, after)` for every class that is declared before or after.
template <typename Visit>
void ForEachClass(const Declared& held, const Declared& desired, Visit visit) {
  static const ClassSlots none;
  std::set<model::BackendClass> classes;
  for (const auto& [name, slots] : held) classes.insert(name);
  for (const auto& [name, slots] : desired) classes.insert(name);
  for (const model::BackendClass& name : classes) {
    const auto h = held.find(name);
    const auto d = desired.find(name);
    visit(name, h == held.end() ? none : h->second, d == desired.end() ? none : d->second);
  }
}

std::string StructureReason(const Image& held, const Image& desired) {
  if (held.base != desired.base) {
    const std::string tcp = TcpChange(held.base, desired.base);
    return tcp.empty() ? "base configuration changed" : tcp;
  }
  std::string reason;
  if (held.declared == desired.declared) return reason;
  ForEachClass(held.declared, desired.declared,
               [&reason](const auto& name, const ClassSlots& before, const ClassSlots& after) {
                 if (!reason.empty() || before == after) return;
                 reason = before.count == after.count
                              ? "slots of class " + name.str() + " change"
                              : "slots of class " + name.str() +
                                    (before.count < after.count ? " grow" : " shrink") + " from " +
                                    Count(before.count) + " to " + Count(after.count);
               });
  return reason;
}

/// Shards whose slots are declared otherwise than before.
void DeclaredFiles(const Image& held, const Image& desired, std::set<std::string>& files) {
  if (held.declared == desired.declared) return;
  ForEachClass(held.declared, desired.declared,
               [&files](const auto& name, const ClassSlots& before, const ClassSlots& after) {
                 const bool same = before.head == after.head && before.lines == after.lines;
                 const std::uint32_t first = same ? std::min(before.count, after.count) + 1 : 1;
                 const std::uint32_t last = std::max(before.count, after.count);
                 for (std::uint32_t number = first; number <= last; ++number) {
                   files.insert(ShardFile({name, number}));
                 }
               });
}

void Append(std::vector<Step>& to, std::vector<Step>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

bool IsTree(MapId id) {
  return id == MapId::kRoutes || id == MapId::kConditions || id == MapId::kPolicies;
}

Plan MakePlan(const Held& held, const Image& desired) {
  Plan plan;
  ServerSteps servers = DiffServers(held, desired);
  CertificateSteps certificates = DiffCertificates(held.image, desired);
  std::map<MapId, MapSteps> maps;
  maps[MapId::kRoutes] = DiffTree(MapId::kRoutes, held.image.routes, desired.routes);
  maps[MapId::kConditions] =
      DiffTree(MapId::kConditions, held.image.conditions, desired.conditions);
  maps[MapId::kRegexes] = DiffList(MapId::kRegexes, held.image.regexes, desired.regexes);
  maps[MapId::kHostRegexes] =
      DiffList(MapId::kHostRegexes, held.image.host_regexes, desired.host_regexes);
  maps[MapId::kRewrites] = DiffList(MapId::kRewrites, held.image.rewrites, desired.rewrites);
  maps[MapId::kPolicies] = DiffTree(MapId::kPolicies, held.image.policies, desired.policies);

  for (const auto& [id, steps] : maps) {
    if (!steps.empty()) plan.files.insert(std::string(MapFile(id)));
  }
  for (const model::SlotName& name : servers.slots) {
    if (const auto slot = ParseSlotName(name)) plan.files.insert(ShardFile(*slot));
  }
  plan.reload_reason = StructureReason(held.image, desired);
  if (held.image.base != desired.base) {
    // Whoever held nothing has no files either: an empty map must exist as well.
    plan.files.insert(kBaseFile);
    for (const auto& [id, steps] : maps) plan.files.insert(std::string(MapFile(id)));
  }
  plan.files.merge(certificates.files);
  DeclaredFiles(held.image, desired, plan.files);
  if (plan.reload_reason.empty()) plan.reload_reason = servers.reload_reason;
  if (plan.reload_reason.empty()) plan.reload_reason = certificates.reload_reason;
  if (!plan.reload_reason.empty()) return plan;

  // Nothing is referred to before it is there, and nothing goes while it is referred to.
  Append(plan.steps, certificates.in);
  Append(plan.steps, servers.in);
  for (const MapId id : {MapId::kRegexes, MapId::kHostRegexes, MapId::kRewrites, MapId::kPolicies,
                         MapId::kConditions, MapId::kRoutes}) {
    Append(plan.steps, maps[id].in);
  }
  for (const MapId id : {MapId::kRoutes, MapId::kConditions, MapId::kRegexes, MapId::kHostRegexes,
                         MapId::kRewrites, MapId::kPolicies}) {
    Append(plan.steps, maps[id].out);
  }
  Append(plan.steps, servers.out);
  Append(plan.steps, certificates.out);
  return plan;
}

namespace {

void Insert(Image& image, const model::SlotName& slot, const model::Server& server) {
  auto& list = image.servers[slot];
  const auto at = std::lower_bound(
      list.begin(), list.end(), server,
      [](const model::Server& a, const model::Server& b) { return a.name < b.name; });
  if (at != list.end() && at->name == server.name) {
    *at = server;
  } else {
    list.insert(at, server);
  }
}

void Erase(Image& image, const model::SlotName& slot, const model::ServerName& name) {
  const auto found = image.servers.find(slot);
  if (found == image.servers.end()) return;
  auto& list = image.servers.Edit(found);
  list.erase(std::remove_if(list.begin(), list.end(),
                            [&name](const model::Server& server) { return server.name == name; }),
             list.end());
  if (list.empty()) image.servers.erase(slot);
}

void ForgetDraining(Held& held, const model::SlotName& slot, const model::ServerName& name) {
  const auto found = held.draining.find(slot);
  if (found == held.draining.end()) return;
  found->second.erase(name);
  if (found->second.empty()) held.draining.erase(found);
}

MapLines::const_iterator FindKey(const MapLines& list, const std::string& key) {
  return std::find_if(list.begin(), list.end(),
                      [&key](const Entry& entry) { return entry.first == key; });
}

struct Applier {
  Held& held;

  void operator()(const AddServer& step) const { Insert(held.image, step.slot, step.server); }
  void operator()(const ReviveServer& step) const {
    ForgetDraining(held, step.slot, step.server.name);
    Insert(held.image, step.slot, step.server);
  }
  void operator()(const DrainServer& step) const {
    Erase(held.image, step.slot, step.server);
    held.draining[step.slot].insert(step.server);
  }
  void operator()(const RetireServer& step) const {
    Erase(held.image, step.slot, step.server);
    ForgetDraining(held, step.slot, step.server);
  }
  void operator()(const SetMapEntry& step) const {
    if (IsTree(step.map)) {
      TreeOf(held.image, step.map).insert_or_assign(step.key, step.value);
      return;
    }
    MapLines& list = ListOf(held.image, step.map);
    const auto found = FindKey(list, step.key);
    if (found == list.end()) {
      list.push_back({step.key, step.value});
    } else {
      list.Edit(found).second = step.value;
    }
  }
  void operator()(const DeleteMapEntry& step) const {
    if (IsTree(step.map)) {
      TreeOf(held.image, step.map).erase(step.key);
      return;
    }
    MapLines& list = ListOf(held.image, step.map);
    for (auto at = FindKey(list, step.key); at != list.end(); at = FindKey(list, step.key)) {
      list.erase(at);
    }
  }
  void operator()(const ReplaceMap& step) const {
    if (IsTree(step.map)) {
      TreeOf(held.image, step.map) = MapEntries(step.entries.begin(), step.entries.end());
    } else {
      ListOf(held.image, step.map) = step.entries;
    }
  }
  void operator()(const AddCertificate& step) const {
    held.image.certificates[step.file] = {step.names, step.pem, step.staple};
  }
  void operator()(const DropCertificate& step) const { held.image.certificates.erase(step.file); }
  void operator()(const SetDefaultCertificate& step) const {
    held.image.default_pem = step.pem;
    held.image.default_print = step.print;
  }
};

}  // namespace

void TakeOptions(Image& read_back, const Image& assumed) {
  for (auto at = read_back.servers.begin(); at != read_back.servers.end(); ++at) {
    const auto known = assumed.servers.find(at->first);
    if (known == assumed.servers.end()) continue;
    for (model::Server& server : read_back.servers.Edit(at)) {
      const auto same =
          std::find_if(known->second.begin(), known->second.end(),
                       [&server](const model::Server& other) { return other.name == server.name; });
      if (same != known->second.end()) server.options = same->options;
    }
  }
}

void TakePems(Image& read_back, const Image& assumed) {
  for (auto& [file, certificate] : read_back.certificates) {
    const auto known = assumed.certificates.find(file);
    if (known != assumed.certificates.end()) {
      certificate.pem = known->second.pem;
      certificate.staple = known->second.staple;
    }
  }
  if (!read_back.default_print.empty() && read_back.default_print == assumed.default_print) {
    read_back.default_pem = assumed.default_pem;
  }
}

bool IsCertificateStep(const Step& step) {
  return std::holds_alternative<AddCertificate>(step) ||
         std::holds_alternative<DropCertificate>(step) ||
         std::holds_alternative<SetDefaultCertificate>(step);
}

void ApplyStep(Held& held, const Step& step) { std::visit(Applier{held}, step); }

void ApplyPlan(Held& held, const Plan& plan, const Image& desired) {
  for (const Step& step : plan.steps) {
    if (const auto* revive = std::get_if<ReviveServer>(&step)) {
      ForgetDraining(held, revive->slot, revive->server.name);
    } else if (const auto* drain = std::get_if<DrainServer>(&step)) {
      held.draining[drain->slot].insert(drain->server);
    }
  }
  held.image = desired;
}

}  // namespace swarmgate::haproxy
