// Desired → Image. What an image says of a backend or of a key follows from few others, so that a
// change is worked out by itself; what several refer to counts who does.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "haproxy/base_config.h"
#include "haproxy/certificates.h"
#include "haproxy/groups.h"
#include "haproxy/quote.h"
#include "haproxy/records.h"
#include "haproxy/regex.h"
#include "haproxy/tcp_config.h"
#include "swarmgate/base/check.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/renderer.h"

namespace swarmgate::haproxy {
namespace {

constexpr std::size_t kMaxKey = 4096;

/// How many refer to each group.
class Uses {
 public:
  /// True: it is the first one.
  bool Add(const std::string& id) { return ++counts_[Hash64(id)] == 1; }
  /// True: it was the last one.
  bool Drop(const std::string& id) {
    const auto found = counts_.find(Hash64(id));
    SWARMGATE_CHECK(found != counts_.end());
    if (--found->second > 0) return false;
    counts_.erase(found);
    return true;
  }

 private:
  std::unordered_map<std::uint64_t, std::uint32_t> counts_;
};

/// Calls `visit(name)` for each backend that requests of a candidate may be led to.
template <typename Visit>
void ForEachBackend(const model::MatchCandidate& candidate, Visit visit) {
  visit(candidate.backend);
  for (const model::Share& share : candidate.shares) visit(share.backend);
}

/// Which keys lead to which backend. By the backend's hash: one key too many costs nothing.
class KeysOfBackends {
 public:
  void Add(const model::MatchEntry& entry) {
    ForEach(entry, [this](Use use) {
      const auto at = Find(use);
      if (at == uses_.end() || *at != use) uses_.insert(at, std::move(use));
    });
  }
  void Remove(const model::MatchEntry& entry) {
    ForEach(entry, [this](const Use& use) {
      const auto at = Find(use);
      if (at != uses_.end() && *at == use) uses_.erase(at);
    });
  }
  template <typename Visit>
  void ForEachKey(const model::BackendName& backend, Visit visit) const {
    const std::uint64_t hash = Hash64(backend.str());
    for (auto at = Find({hash, ""}); at != uses_.end() && at->first == hash; ++at) {
      visit(at->second);
    }
  }

 private:
  using Use = std::pair<std::uint64_t, std::string>;

  template <typename Visit>
  static void ForEach(const model::MatchEntry& entry, Visit visit) {
    for (const model::MatchCandidate& candidate : entry.candidates) {
      ForEachBackend(candidate, [&](const model::BackendName& backend) {
        visit(Use(Hash64(backend.str()), entry.key));
      });
    }
  }
  [[nodiscard]] Chunked<Use>::const_iterator Find(const Use& use) const {
    return uses_.PartitionPoint([&use](const Use& other) { return other < use; });
  }

  Chunked<Use> uses_;  ///< sorted
};

bool IsKey(const std::string& key) { return IsMapWord(key, kMaxKey) && key.front() != '!'; }
bool IsWildcard(const std::string& key) { return key.front() == '.'; }

/// The lines of the list whose keys begin with `prefix` stand together; where they begin.
MapLines::const_iterator FindPrefix(const MapLines& lines, const std::string& prefix) {
  return lines.PartitionPoint([&prefix](const auto& line) {
    return std::string_view(line.first).substr(0, prefix.size()) < prefix;
  });
}

void EraseGroup(MapEntries& entries, const std::string& prefix) {
  auto at = entries.lower_bound(prefix);
  while (at != entries.end() && at->first.starts_with(prefix)) at = entries.erase(at);
}

/// Host regexes in order, each once.
struct HostLines {
  MapLines lines;
  std::vector<Group> groups;
  bool headers = false;
};
HostLines RenderHosts(const model::MatchTable& matches, Records& records) {
  HostLines hosts;
  std::set<std::string> known;
  for (const model::HostRegexEntry& entry : matches.host_regexes) {
    auto key = HostKey(entry.regex);
    if (!key || !known.insert(*key).second) continue;
    hosts.headers = hosts.headers || !entry.candidate.header_regex.empty();
    hosts.lines.push_back({std::move(*key), Target(entry.candidate, records, hosts.groups)});
  }
  return hosts;
}

std::map<std::string, std::string> RenderTcpKeys(const std::vector<model::TcpRoute>& routes,
                                                 Records& records) {
  std::map<std::string, std::string> keys;
  for (const model::TcpRoute& route : routes) {
    std::string key = TcpKey(route);
    if (!IsMapWord(key)) continue;
    const model::Share place{route.id, route.service, route.backend, 0};
    keys.emplace(std::move(key), records.Of(place));
  }
  return keys;
}

}  // namespace

class Renderer::State {
 public:
  explicit State(Settings settings) : settings_(std::move(settings)) {}

  const Image& Update(const model::Desired& desired, const SlotMap& slots) {
    Change change{desired,
                  slots,
                  Records(desired_.backends, slots_, settings_),
                  Records(desired.backends, slots, settings_),
                  {}};
    UpdateFixed(desired, slots);
    UpdateBackends(change);
    UpdateEntries(change);
    UpdateHosts(change);
    UpdateTcp(change);
    SetFlag(kHeaderFlag, headers_);
    SetFlag(kRegexFlag, !image_.host_regexes.empty());
    SetFlag(kWildcardFlag, wildcards_ > 0 || !image_.host_regexes.empty());
    slots_ = slots;
    desired_ = desired;
    // They say nothing that the entries do not say.
    desired_.routes.clear();
    fresh_ = false;
    return image_;
  }

 private:
  struct Change {
    const model::Desired& desired;
    const SlotMap& slots;
    Records before;
    Records after;
    std::set<model::BackendName> moved;  ///< backends whose records are others
  };
  /// A backend that may have changed; nullptr: not there.
  struct Touched {
    const model::Backend* before = nullptr;
    const model::Backend* after = nullptr;
    [[nodiscard]] const model::BackendName& name() const {
      return before != nullptr ? before->name : after->name;
    }
  };

  void UpdateFixed(const model::Desired& desired, const SlotMap& slots) {
    if (fresh_ || desired.raw != desired_.raw || desired.tcp_listeners != desired_.tcp_listeners) {
      image_.base =
          RenderBase(settings_, desired.raw) + RenderTcp(desired.tcp_listeners, settings_);
    }
    if (image_.declared != slots.declared) image_.declared = slots.declared;
    if (fresh_ || desired.tls != desired_.tls) {
      image_.certificates.clear();
      RenderCertificates(desired.tls, settings_, image_);
    }
  }

  // --- backends: servers, policies, rewrites -----------------------------------------------------

  void UpdateBackends(Change& change) {
    std::vector<Touched> touched;  // sorted by name
    Chunked<model::Backend>::Diff(
        desired_.backends, change.desired.backends,
        [](const auto& a, const auto& b) { return a.name < b.name; },
        [&](const auto& gone) {
          touched.push_back({&gone, nullptr});
        },
        [&](const auto& added) {
          touched.push_back({nullptr, &added});
        },
        [&](const auto& before, const auto& after) {
          touched.push_back({&before, &after});
        });
    std::vector<Touched> others;
    const auto moves = [&](const auto& assigned) {
      const model::BackendName& name = assigned.first;
      const auto at =
          std::partition_point(touched.begin(), touched.end(),
                               [&](const Touched& other) { return other.name() < name; });
      if (at != touched.end() && at->name() == name) return;
      const Touched other{model::FindBackend(desired_.backends, name),
                          model::FindBackend(change.desired.backends, name)};
      if (other.before != nullptr || other.after != nullptr) others.push_back(other);
    };
    SharedMap<model::BackendName, model::SlotName>::Diff(
        slots_.assigned, change.slots.assigned, moves, moves,
        [&](const auto& before, const auto& /*after*/) { moves(before); });
    touched.insert(touched.end(), others.begin(), others.end());

    // A slot may go from one to another: all that go out first.
    for (const Touched& backend : touched) {
      if (backend.before != nullptr) image_.servers.erase(slots_.assigned.at(backend.name()));
    }
    for (const Touched& backend : touched) UpdateBackend(backend, change);
  }

  void UpdateBackend(const Touched& backend, Change& change) {
    const model::BackendName& name = backend.name();
    Treatment before;
    if (backend.before != nullptr) before = TreatmentOf(*backend.before, settings_);
    if (backend.after != nullptr) {
      const auto slot = change.slots.assigned.find(name);
      SWARMGATE_CHECK(slot != change.slots.assigned.end());
      std::vector<model::Server> servers = WireServers(*backend.after);
      if (!servers.empty()) image_.servers.insert_or_assign(slot->second, std::move(servers));
      Treatment after = TreatmentOf(*backend.after, settings_);
      AddTreatment(after);
      const bool moved = backend.before != nullptr &&
                         (before.tail != after.tail || slots_.assigned.at(name) != slot->second);
      if (moved) change.moved.insert(name);
      change.after.TakeTail(*backend.after, std::move(after.tail));
    }
    DropTreatment(before);
  }

  void AddTreatment(const Treatment& treatment) {
    if (!treatment.policy.id.empty() && policies_.Add(treatment.policy.id)) {
      for (const auto& [key, value] : treatment.policy.lines) image_.policies.emplace(key, value);
    }
    if (treatment.rewrites.id.empty() || !rewrites_.Add(treatment.rewrites.id)) return;
    for (const auto& line : treatment.rewrites.lines) {
      image_.rewrites.insert(FindRewrite(line.first), line);
    }
  }

  void DropTreatment(const Treatment& treatment) {
    if (!treatment.policy.id.empty() && policies_.Drop(treatment.policy.id)) {
      EraseGroup(image_.policies, treatment.policy.id + ":");
    }
    if (treatment.rewrites.id.empty() || !rewrites_.Drop(treatment.rewrites.id)) return;
    for (const auto& line : treatment.rewrites.lines) {
      const auto at = FindRewrite(line.first);
      if (at != image_.rewrites.end() && *at == line) image_.rewrites.erase(at);
    }
  }

  [[nodiscard]] MapLines::const_iterator FindRewrite(const std::string& key) const {
    return image_.rewrites.PartitionPoint([&key](const auto& line) { return line.first < key; });
  }

  // --- entries: routes, conditions, regexes ------------------------------------------------------

  void UpdateEntries(Change& change) {
    std::set<std::string_view> done;
    Chunked<model::MatchEntry>::Diff(
        desired_.matches.entries, change.desired.matches.entries,
        [](const auto& a, const auto& b) { return a.key < b.key; },
        [&](const auto& gone) { UpdateEntry(&gone, nullptr, change); },
        [&](const auto& added) { UpdateEntry(nullptr, &added, change); },
        [&](const auto& before, const auto& after) {
          UpdateEntry(&before, &after, change);
          if (!change.moved.empty()) done.insert(before.key);
        });
    std::set<std::string> keys;
    for (const model::BackendName& name : change.moved) {
      keys_.ForEachKey(name, [&](const std::string& key) { keys.insert(key); });
    }
    const auto& entries = change.desired.matches.entries;
    for (const std::string& key : keys) {
      const auto entry = entries.PartitionPoint(
          [&key](const model::MatchEntry& other) { return other.key < key; });
      SWARMGATE_CHECK(entry != entries.end() && entry->key == key);
      const auto& old = desired_.matches.entries;
      const auto before =
          old.PartitionPoint([&key](const model::MatchEntry& other) { return other.key < key; });
      // One that has just come was worked out already.
      if (before == old.end() || before->key != key || done.contains(key)) continue;
      UpdateEntry(&*before, &*entry, change);
    }
  }

  /// nullptr: not there.
  void UpdateEntry(const model::MatchEntry* before, const model::MatchEntry* after,
                   Change& change) {
    const std::string& key = before != nullptr ? before->key : after->key;
    if (!IsKey(key)) return;
    std::vector<Group> old_groups;
    if (before != nullptr) {
      (void)EntryValue(*before, change.before, old_groups);  // for the groups that it has used
      if (after == nullptr) image_.routes.erase(key);
      keys_.Remove(*before);
      if (IsWildcard(key)) --wildcards_;
    }
    if (after != nullptr) {
      std::vector<Group> groups;
      image_.routes.insert_or_assign(key, EntryValue(*after, change.after, groups));
      AddGroups(groups);
      keys_.Add(*after);
      if (IsWildcard(key)) ++wildcards_;
    }
    DropGroups(old_groups);
  }

  void AddGroups(const std::vector<Group>& groups) {
    for (const Group& group : groups) {
      if (!groups_.Add(group.id)) continue;
      if (!IsRegexGroup(group.id)) {
        for (const auto& [key, value] : group.lines) image_.conditions.emplace(key, value);
        continue;
      }
      auto at = FindPrefix(image_.regexes, GroupPrefix(group.id));
      for (const auto& line : group.lines) at = std::next(image_.regexes.insert(at, line));
    }
  }

  void DropGroups(const std::vector<Group>& groups) {
    for (const Group& group : groups) {
      if (!groups_.Drop(group.id)) continue;
      const std::string prefix = GroupPrefix(group.id);
      if (!IsRegexGroup(group.id)) {
        EraseGroup(image_.conditions, prefix);
        continue;
      }
      auto at = FindPrefix(image_.regexes, prefix);
      while (at != image_.regexes.end() && at->first.starts_with(prefix)) {
        at = image_.regexes.erase(at);
      }
    }
  }

  // --- made anew when anything of it changes: it is little, or a list ----------------------------

  void UpdateHosts(Change& change) {
    const auto& entries = change.desired.matches.host_regexes;
    const bool moved = !change.moved.empty() &&
                       std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
                         bool found = false;
                         ForEachBackend(entry.candidate, [&](const model::BackendName& name) {
                           found = found || change.moved.contains(name);
                         });
                         return found;
                       });
    if (!moved && entries == desired_.matches.host_regexes) return;
    const HostLines before = RenderHosts(desired_.matches, change.before);
    HostLines after = RenderHosts(change.desired.matches, change.after);
    AddGroups(after.groups);
    DropGroups(before.groups);
    if (image_.host_regexes != after.lines) image_.host_regexes = std::move(after.lines);
    headers_ = after.headers;
  }

  void UpdateTcp(Change& change) {
    const auto& routes = change.desired.tcp_routes;
    const bool moved =
        !change.moved.empty() && std::any_of(routes.begin(), routes.end(), [&](const auto& route) {
          return change.moved.contains(route.backend);
        });
    if (!moved && routes == desired_.tcp_routes) return;
    const auto before = RenderTcpKeys(desired_.tcp_routes, change.before);
    const auto after = RenderTcpKeys(routes, change.after);
    for (const auto& [key, record] : before) {
      if (!after.contains(key)) image_.conditions.erase(key);
    }
    for (const auto& [key, record] : after) image_.conditions.insert_or_assign(key, record);
  }

  void SetFlag(const char* key, bool set) {
    if (set) {
      image_.routes.emplace(key, "1");
    } else {
      image_.routes.erase(key);
    }
  }

  const Settings settings_;
  bool fresh_ = true;       ///< there is no image yet
  model::Desired desired_;  ///< what the image was made of
  SlotMap slots_;
  Image image_;
  Uses policies_;
  Uses rewrites_;
  Uses groups_;
  KeysOfBackends keys_;
  std::size_t wildcards_ = 0;  ///< keys of wildcard hosts
  bool headers_ = false;       ///< a host regex looks at headers
};

Renderer::Renderer(Settings settings) : state_(std::make_unique<State>(std::move(settings))) {}
Renderer::Renderer(Renderer&&) noexcept = default;
Renderer& Renderer::operator=(Renderer&&) noexcept = default;
Renderer::~Renderer() = default;

const Image& Renderer::Update(const model::Desired& desired, const SlotMap& slots) {
  return state_->Update(desired, slots);
}

Image Render(const model::Desired& desired, const SlotMap& slots, const Settings& settings) {
  return Renderer(settings).Update(desired, slots);
}

}  // namespace swarmgate::haproxy
