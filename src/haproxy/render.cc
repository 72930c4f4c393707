// Desired → Image.
#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "haproxy/base_config.h"
#include "haproxy/certificates.h"
#include "haproxy/policy.h"
#include "haproxy/quote.h"
#include "haproxy/regex.h"
#include "haproxy/server_words.h"
#include "haproxy/slots.h"
#include "haproxy/tcp_config.h"
#include "swarmgate/base/check.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/image.h"

namespace swarmgate::haproxy {
namespace {

constexpr std::size_t kMaxKey = 4096;

/// "<slot>|<service>|<route>", and for rich and sticky ones what RecordTail says.
class Records {
 public:
  Records(const model::Desired& desired, const SlotMap& slots, const Settings& settings,
          Image& image) {
    entries_.reserve(desired.backends.size());
    // Both are sorted by name.
    auto slot = slots.assigned.begin();
    for (const model::Backend& backend : desired.backends) {
      while (slot != slots.assigned.end() && slot->first < backend.name) ++slot;
      if (slot == slots.assigned.end() || slot->first != backend.name) {
        slot = slots.assigned.find(backend.name);
      }
      SWARMGATE_CHECK(slot != slots.assigned.end() && slot->first == backend.name);
      Entry entry{&slot->second, ""};
      const bool plain =
          backend.kind == model::BackendKind::kPlain || backend.kind == model::BackendKind::kTcp;
      if (!plain) {
        entry.tail = RecordTail(backend.policy, backend.profile, Rewrites(backend.policy, image),
                                settings, image);
      }
      entries_.emplace_back(backend.name.str(), std::move(entry));
      RenderServers(backend, slot->second, image);
    }
    if (!std::is_sorted(entries_.begin(), entries_.end(), ByName)) {
      std::sort(entries_.begin(), entries_.end(), ByName);
    }
    std::stable_sort(image.rewrites.begin(), image.rewrites.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
  }

  /// Of a candidate, or of one that shares its requests.
  template <typename Place>
  [[nodiscard]] std::string Of(const Place& place) const {
    const Entry& entry = Find(place.backend.str());
    std::string record;
    record.reserve(entry.slot->str().size() + place.service.str().size() +
                   place.route.str().size() + entry.tail.size() + 2);
    record += entry.slot->str();
    record += '|';
    AppendField(record, place.service.str());
    record += '|';
    AppendField(record, place.route.str());
    record += entry.tail;
    return record;
  }

 private:
  struct Entry {
    const model::SlotName* slot;
    std::string tail;
  };

  using Named = std::pair<std::string_view, Entry>;

  static bool ByName(const Named& a, const Named& b) { return a.first < b.first; }

  [[nodiscard]] const Entry& Find(std::string_view name) const {
    const auto found =
        std::lower_bound(entries_.begin(), entries_.end(), name,
                         [](const Named& a, std::string_view b) { return a.first < b; });
    SWARMGATE_CHECK(found != entries_.end() && found->first == name);
    return found->second;
  }

  /// "<n>|<id>", or nothing. The id follows from the content: equal lists are one, and a changed
  /// list is another one that is complete before a record names it.
  std::string Rewrites(const model::Policy& policy, Image& image) {
    std::vector<model::PathRewrite> usable;
    std::string content;
    for (const model::PathRewrite& rewrite : policy.path_rewrites) {
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
    return std::to_string(usable.size()) + "|" + id;
  }

  static void RenderServers(const model::Backend& backend, const model::SlotName& slot,
                            Image& image) {
    std::vector<model::Server> servers;
    servers.reserve(backend.servers.size());
    for (const model::Server& server : backend.servers) {
      if (server.port != 0 && CanonicalAddress(server.address)) {
        servers.push_back(WireServer(server));
      }
    }
    if (servers.empty()) return;
    std::sort(servers.begin(), servers.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    servers.erase(std::unique(servers.begin(), servers.end(),
                              [](const auto& a, const auto& b) { return a.name == b.name; }),
                  servers.end());
    image.servers.emplace(slot, std::move(servers));
  }

  std::vector<Named> entries_;  ///< sorted
  std::set<std::string> rewrite_ids_;
};

/// Keys that lead the numbers from `begin` up to `end` (of a thousand, three digits each) to one
/// value: as few beginnings of numbers as it takes.
std::vector<std::string> NumberKeys(std::uint32_t begin, std::uint32_t end) {
  std::vector<std::string> keys;
  while (begin < end) {
    std::uint32_t step = 1;
    std::size_t digits = 3;
    while (step < 1000 && begin % (step * 10) == 0 && begin + step * 10 <= end) {
      step *= 10;
      --digits;
    }
    const std::string number = std::to_string(1000 + begin).substr(1);
    keys.push_back(number.substr(0, digits));
    begin += step;
  }
  return keys;
}

/// The value of a tree entry; fills the maps of second lookups.
class Groups {
 public:
  Groups(const Records& records, Image& image) : records_(records), image_(image) {}

  std::string Value(const model::MatchEntry& entry) {
    if (!entry.candidates.empty() && entry.candidates.front().unconditional()) {
      return Target(entry.candidates.front());
    }
    Candidates candidates;
    for (const model::MatchCandidate& candidate : entry.candidates) {
      if (!WhyNotMappable(candidate.path_regex).empty() ||
          !WhyNotMappable(candidate.header_regex).empty()) {
        continue;
      }
      candidates.push_back(&candidate);
      if (candidate.unconditional()) break;
    }
    if (candidates.empty()) return "-";
    // Those with conditions may all have been left out.
    if (candidates.front()->unconditional()) return Target(*candidates.front());
    std::string content;
    bool regexes = false;
    bool headers = false;
    for (const auto* candidate : candidates) {
      regexes = regexes || !candidate->path_regex.empty();
      headers = headers || !candidate->header_regex.empty();
      content += std::to_string(candidate->port.value_or(0)) + " " + candidate->path_regex + "\n";
      if (!candidate->header_regex.empty()) content += candidate->header_regex + "\n";
      content += Target(*candidate) + "\n";
    }
    const std::string id = HashHex(content);
    if (headers) return RegexGroup("^" + id, candidates);
    return regexes ? RegexGroup("~" + id, candidates) : PortGroup(id, candidates);
  }

  /// Where a candidate's requests go: a record, or "%<id>" where several share them.
  std::string Target(const model::MatchCandidate& candidate) {
    if (candidate.shares.empty()) return records_.Of(candidate);
    const auto& shares = candidate.shares;
    const auto most = std::max_element(
        shares.begin(), shares.end(),
        [](const auto& a, const auto& b) { return a.thousandths < b.thousandths; });
    if (most->thousandths == 1000) return records_.Of(*most);
    MapEntries keys{{"", records_.Of(*most)}};
    std::uint32_t begin = 0;
    for (auto share = shares.begin(); share != shares.end(); ++share) {
      const std::uint32_t end = begin + share->thousandths;
      if (share != most) {
        const std::string record = records_.Of(*share);
        for (const std::string& key : NumberKeys(begin, end)) keys.emplace("1" + key, record);
      }
      begin = end;
    }
    std::string content;
    for (const auto& [key, record] : keys) content.append(key).append(" ").append(record) += '\n';
    const std::string id = "%" + HashHex(content);
    for (const auto& [key, record] : keys) image_.conditions.emplace(id + ":" + key, record);
    return id;
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
      image_.conditions.emplace(key, Target(*candidate));
    }
    return "@" + id;
  }

  std::string RegexGroup(const std::string& group, const Candidates& candidates) {
    auto& lines = regex_groups_[group];
    if (lines.empty()) {
      std::set<std::string> keys;
      for (const auto* candidate : candidates) {
        std::string key = GroupKey(group, *candidate);
        if (!IsMapWord(key) || !keys.insert(key).second) continue;
        lines.emplace_back(std::move(key), Target(*candidate));
      }
    }
    return group;
  }

  const Records& records_;
  Image& image_;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> regex_groups_;
};

}  // namespace

namespace {

/// "-" and six hex digits of FNV-1a; computed for every server at every change, so without a string
/// in between.
void AppendAddressHash(std::string& name, const model::Server& server) {
  std::uint32_t hash = 0x811c9dc5U;
  const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x01000193U; };
  for (const char c : server.address) add(static_cast<unsigned char>(c));
  add(static_cast<unsigned char>(server.port >> 8U));
  add(static_cast<unsigned char>(server.port & 0xffU));
  if (server.options != model::ServerOptions()) {
    for (const char c : ServerWords(server.options)) add(static_cast<unsigned char>(c));
  }
  name += '-';
  for (int shift = 28; shift > 4; shift -= 4) {
    name += "0123456789abcdef"[(hash >> static_cast<unsigned>(shift)) & 15U];
  }
}

}  // namespace

model::Server WireServer(const model::Server& server) {
  constexpr std::size_t kMaxName = 64;
  model::Server wire;
  wire.address = CanonicalAddress(server.address).value_or(server.address);
  wire.port = server.port;
  wire.options = server.options;
  std::string name;
  name.reserve(server.name.str().size() + 8);
  AppendField(name, server.name.str());
  // HAProxy allows letters, digits, '-', '_', '.' and ':' in names.
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '~' || c == '/' || c == '@'; }, '_');
  name.resize(std::min(name.size(), kMaxName));
  AppendAddressHash(name, wire);
  wire.name = model::ServerName(std::move(name));
  return wire;
}

Image Render(const model::Desired& desired, const SlotMap& slots, const Settings& settings) {
  Image image;
  image.base = RenderBase(settings, desired.raw) + RenderTcp(desired.tcp_listeners, settings);
  image.declared = slots.declared;
  const Records records(desired, slots, settings, image);

  bool wildcards = false;
  Groups groups(records, image);
  for (const model::MatchEntry& entry : desired.matches.entries) {
    if (!IsMapWord(entry.key, kMaxKey) || entry.key.front() == '!') continue;
    wildcards = wildcards || entry.key.front() == '.';
    image.routes.emplace(entry.key, groups.Value(entry));
  }
  RenderCertificates(desired.tls, settings, image);

  std::set<std::string> hosts;
  bool headers = false;
  for (const model::HostRegexEntry& entry : desired.matches.host_regexes) {
    auto key = HostKey(entry.regex);
    if (!key || !hosts.insert(*key).second) continue;
    headers = headers || !entry.candidate.header_regex.empty();
    image.host_regexes.emplace_back(std::move(*key), groups.Target(entry.candidate));
  }
  groups.Finish();
  for (const model::TcpRoute& route : desired.tcp_routes) {
    std::string key = TcpKey(route);
    if (!IsMapWord(key)) continue;
    const model::Share place{route.id, route.service, route.backend, 0};
    image.conditions.emplace(std::move(key), records.Of(place));
  }
  if (headers) image.routes.emplace(kHeaderFlag, "1");
  if (wildcards || !image.host_regexes.empty()) image.routes.emplace(kWildcardFlag, "1");
  return image;
}

}  // namespace swarmgate::haproxy
