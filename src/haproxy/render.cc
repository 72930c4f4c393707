// Desired → Image.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "haproxy/base_config.h"
#include "haproxy/quote.h"
#include "haproxy/regex.h"
#include "haproxy/slots.h"
#include "swarmgate/base/check.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/image.h"

namespace swarmgate::haproxy {
namespace {

constexpr std::size_t kMaxKey = 4096;

/// "<slot>|<service>|<route>", and for rich and sticky ones "|<server ms>|<tunnel ms>[|<n>|<rewrite
/// id>]".
class Records {
 public:
  Records(const model::Desired& desired, const SlotMap& slots, const Settings& settings,
          Image& image) {
    std::map<std::string, std::pair<std::string, std::string>> rewrites;
    for (const model::Backend& backend : desired.backends) {
      const auto slot = slots.assigned.find(backend.name);
      SWARMGATE_CHECK(slot != slots.assigned.end());
      Entry& entry = entries_[backend.name];
      entry.head = slot->second.str();
      if (backend.backend_class != model::BackendClass::kPlain) {
        entry.tail =
            "|" + std::to_string(backend.timeout_server.value_or(settings.timeout_server).count()) +
            "|" + std::to_string(backend.timeout_tunnel.value_or(settings.timeout_tunnel).count()) +
            Rewrites(backend, image);
      }
    }
    SortRewrites(image);
  }

  [[nodiscard]] std::string Of(const model::MatchCandidate& candidate) const {
    const auto found = entries_.find(candidate.backend);
    SWARMGATE_CHECK(found != entries_.end());
    return found->second.head + "|" + RecordField(candidate.service.str()) + "|" +
           RecordField(candidate.route.str()) + found->second.tail;
  }

 private:
  struct Entry {
    std::string head;
    std::string tail;
  };

  /// "|<n>|<id>", or nothing. The id follows from the content: equal lists are one, and a changed
  /// list is another one that is complete before a record names it.
  std::string Rewrites(const model::Backend& backend, Image& image) {
    std::vector<model::PathRewrite> usable;
    std::string content;
    for (const model::PathRewrite& rewrite : backend.path_rewrites) {
      if (usable.size() == kMaxRewrites) break;
      if (!WhyNotRewritable(rewrite).empty()) continue;
      usable.push_back(rewrite);
      content += rewrite.search + "\n" + rewrite.replace + "\n";
    }
    if (usable.empty()) return "";
    const std::string id = HashHex(content);
    if (rewrite_ids_.insert(id).second) {
      for (std::size_t i = 0; i < usable.size(); ++i) {
        auto line = RewriteLine(id, i + 1, usable[i]);
        if (line) image.rewrites.push_back(std::move(*line));
      }
    }
    return "|" + std::to_string(usable.size()) + "|" + id;
  }

  static void SortRewrites(Image& image) {
    std::stable_sort(image.rewrites.begin(), image.rewrites.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
  }

  std::map<model::BackendName, Entry> entries_;
  std::set<std::string> rewrite_ids_;
};

/// The value of a tree entry; fills the maps of second lookups.
class Groups {
 public:
  Groups(const Records& records, Image& image) : records_(records), image_(image) {}

  std::string Value(const model::MatchEntry& entry) {
    std::vector<const model::MatchCandidate*> candidates;
    bool regexes = false;
    for (const model::MatchCandidate& candidate : entry.candidates) {
      if (!WhyNotMappable(candidate.path_regex).empty()) continue;
      candidates.push_back(&candidate);
      regexes = regexes || !candidate.path_regex.empty();
      if (!candidate.port && candidate.path_regex.empty()) break;
    }
    if (candidates.empty()) return "-";
    if (!candidates.front()->port && candidates.front()->path_regex.empty()) {
      return records_.Of(*candidates.front());
    }
    std::string content;
    for (const auto* candidate : candidates) {
      content += std::to_string(candidate->port.value_or(0)) + " " + candidate->path_regex + "\n" +
                 records_.Of(*candidate) + "\n";
    }
    return regexes ? RegexGroup(HashHex(content), candidates)
                   : PortGroup(HashHex(content), candidates);
  }

  /// Regex groups in the order of their ids: the order between groups has no meaning, but must not
  /// depend on routes.
  void Finish() {
    for (auto& [id, lines] : regex_groups_) {
      for (auto& line : lines) image_.regexes.push_back(std::move(line));
    }
  }

 private:
  using Candidates = std::vector<const model::MatchCandidate*>;

  std::string PortGroup(const std::string& id, const Candidates& candidates) {
    for (const auto* candidate : candidates) {
      const std::string key =
          "@" + id + ":" + (candidate->port ? std::to_string(*candidate->port) + ":" : "");
      image_.conditions.emplace(key, records_.Of(*candidate));
    }
    return "@" + id;
  }

  std::string RegexGroup(const std::string& id, const Candidates& candidates) {
    auto& lines = regex_groups_[id];
    if (lines.empty()) {
      std::set<std::string> keys;
      for (const auto* candidate : candidates) {
        std::string key = GroupKey(id, candidate->port, candidate->path_regex);
        if (!IsMapWord(key) || !keys.insert(key).second) continue;
        lines.emplace_back(std::move(key), records_.Of(*candidate));
      }
    }
    return "~" + id;
  }

  const Records& records_;
  Image& image_;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> regex_groups_;
};

void RenderServers(const model::Desired& desired, const SlotMap& slots, Image& image) {
  for (const model::Backend& backend : desired.backends) {
    std::map<model::ServerName, model::Server> servers;
    for (const model::Server& server : backend.servers) {
      if (!CanonicalAddress(server.address) || server.port == 0) continue;
      model::Server wire = WireServer(server);
      servers.emplace(wire.name, wire);
    }
    if (servers.empty()) continue;
    auto& list = image.servers[slots.assigned.find(backend.name)->second];
    for (auto& [name, server] : servers) list.push_back(std::move(server));
  }
}

}  // namespace

model::Server WireServer(const model::Server& server) {
  model::Server wire;
  wire.address = CanonicalAddress(server.address).value_or(server.address);
  wire.port = server.port;
  std::string name = RecordField(server.name.str());
  // HAProxy allows letters, digits, '-', '_', '.' and ':' in names.
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '~' || c == '/' || c == '@'; }, '_');
  name.resize(std::min<std::size_t>(name.size(), 64));
  wire.name =
      model::ServerName(name + "-" + HashHex(JoinAddress(wire.address, wire.port)).substr(10));
  return wire;
}

Image Render(const model::Desired& desired, const SlotMap& slots, const Settings& settings) {
  Image image;
  image.base = RenderBase(settings);
  image.declared = slots.declared;
  const Records records(desired, slots, settings, image);
  RenderServers(desired, slots, image);

  bool wildcards = false;
  Groups groups(records, image);
  for (const model::MatchEntry& entry : desired.matches.entries) {
    if (!IsMapWord(entry.key, kMaxKey) || entry.key == kWildcardFlag) continue;
    wildcards = wildcards || entry.key.front() == '.';
    image.routes.emplace_hint(image.routes.end(), entry.key, groups.Value(entry));
  }
  groups.Finish();

  std::set<std::string> hosts;
  for (const model::HostRegexEntry& entry : desired.matches.host_regexes) {
    auto key = HostKey(entry.regex);
    if (!key || !hosts.insert(*key).second) continue;
    image.host_regexes.emplace_back(std::move(*key), records.Of(entry.candidate));
  }
  if (wildcards || !image.host_regexes.empty()) image.routes.emplace(kWildcardFlag, "1");
  return image;
}

}  // namespace swarmgate::haproxy
