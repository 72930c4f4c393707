#include "proxy/expectation.h"

#include <algorithm>
#include <unordered_map>

#include "swarmgate/base/strings.h"

namespace swarmgate::proxy {

using haproxy::MapId;

namespace {

constexpr std::size_t kMaxLine = 12'000;
/// Above this it is cheaper to read the whole map.
constexpr std::size_t kMaxKeys = 200;

std::string Entry(const std::string& key, const std::string& value) {
  return "key=\"" + key + "\", value=\"" + value + "\"";
}

}  // namespace

struct Expectation::Visitor {
  Expectation& self;

  void operator()(const haproxy::AddServer& step) const {
    self.servers_[step.slot][step.server.name] = Server::kServing;
  }
  void operator()(const haproxy::ReviveServer& step) const {
    self.servers_[step.slot][step.server.name] = Server::kServing;
  }
  void operator()(const haproxy::DrainServer& step) const {
    self.servers_[step.slot][step.server] = Server::kDraining;
  }
  void operator()(const haproxy::RetireServer& step) const {
    self.servers_[step.slot][step.server] = Server::kGone;
  }
  void operator()(const haproxy::SetMapEntry& step) const { Touch(step.map, step.key, step.value); }
  void operator()(const haproxy::DeleteMapEntry& step) const {
    Touch(step.map, step.key, std::nullopt);
  }
  void operator()(const haproxy::ReplaceMap& step) const {
    Map& map = self.maps_[step.map];
    map.touched.clear();
    map.all = step.entries;
    map.whole = true;
  }
  void operator()(const haproxy::AddCertificate& step) const {
    self.certificates_[step.file] = true;
  }
  void operator()(const haproxy::DropCertificate& step) const {
    self.certificates_[step.file] = false;
  }
  void operator()(const haproxy::SetDefaultCertificate& step) const {
    self.default_print_ = step.print;
  }
  void Touch(MapId id, const std::string& key, const std::optional<std::string>& value) const {
    Map& map = self.maps_[id];
    // `get map` would ask which regex matches, not which is there.
    map.whole = map.whole || !IsTree(id) || key.find('"') != std::string::npos;
    if (!map.all) {
      map.touched[key] = value;
      map.whole = map.whole || map.touched.size() > kMaxKeys;
      return;
    }
    const auto found = std::find_if(map.all->begin(), map.all->end(),
                                    [&key](const auto& entry) { return entry.first == key; });
    if (!value) {
      if (found != map.all->end()) map.all->erase(found);
    } else if (found != map.all->end()) {
      found->second = *value;
    } else {
      map.all->emplace_back(key, *value);
    }
  }
};

Expectation::Expectation(const std::vector<haproxy::Step>& steps) {
  for (const haproxy::Step& step : steps) std::visit(Visitor{*this}, step);
  Ask();
}

void Expectation::Ask() {
  std::string line = "show info";
  const auto add = [&](const std::string& command) {
    if (line.size() + command.size() > kMaxLine) {
      questions_.push_back(line + "\n");
      line = command;
    } else {
      line += ";" + command;
    }
  };
  for (const auto& [id, map] : maps_) {
    if (map.whole) {
      wholes_.push_back(id);
      continue;
    }
    for (const auto& [key, value] : map.touched) {
      add(haproxy::AskEntry(id, key));
      keys_.emplace_back(key, value);
    }
  }
  for (const auto& [slot, servers] : servers_) {
    add(haproxy::AskServers(slot));
  }
  questions_.push_back(line + "\n");
  lines_ = questions_.size();
  for (const MapId id : wholes_) questions_.push_back(haproxy::AskMap(id) + "\n");
  if (!certificates_.empty()) questions_.push_back(haproxy::AskCertificateList() + "\n");
  if (!default_print_.empty()) questions_.push_back(haproxy::AskDefaultCertificate() + "\n");
}

Status Expectation::CompareKeys(std::string_view answer, std::size_t& next) const {
  for (const std::string_view line : Split(answer, '\n')) {
    if (line.substr(0, 5) != "type=") continue;
    if (next == keys_.size()) return Fail(Code::kCorrupt, "more answers than questions");
    const auto& [key, value] = keys_[next++];
    const std::string there = value ? Entry(key, *value) : "key=\"" + key + "\", ";
    if ((line.find(there) != std::string_view::npos) != value.has_value()) {
      return Fail(Code::kRejected, "HAProxy does not hold what was set for " + Printable(key) +
                                       ": " + Printable(line));
    }
  }
  return Ok();
}

Status Expectation::CompareServers(const std::vector<haproxy::ServerState>& states) const {
  std::map<std::pair<model::SlotName, model::ServerName>, Server> held;
  for (const haproxy::ServerState& state : states) {
    held[{state.slot, state.server}] =
        state.maint || state.drain ? Server::kDraining : Server::kServing;
  }
  for (const auto& [slot, servers] : servers_) {
    for (const auto& [name, expected] : servers) {
      const auto found = held.find({slot, name});
      if ((found == held.end() ? Server::kGone : found->second) != expected) {
        return Fail(Code::kRejected, "HAProxy holds server " + slot.str() + "/" + name.str() +
                                         " in another state than it was brought to");
      }
    }
  }
  return Ok();
}

Status Expectation::CompareWhole(MapId id, const Map& map, std::string_view answer) {
  const auto held = haproxy::ParseShowMap(answer);
  if (!held) return Forward(held.error(), MapFile(id));
  const auto wrong = [id] {
    return Fail(Code::kRejected,
                "HAProxy holds other entries than were set in " + std::string(MapFile(id)));
  };
  if (map.all) {
    auto have = *held;
    auto want = *map.all;
    if (IsTree(id)) {  // their order has no meaning
      std::sort(have.begin(), have.end());
      std::sort(want.begin(), want.end());
    }
    if (have != want) return wrong();
    return Ok();
  }
  std::unordered_map<std::string_view, std::string_view> have;
  for (const auto& [key, value] : *held) have.emplace(key, value);
  for (const auto& [key, value] : map.touched) {
    const auto found = have.find(key);
    if ((found != have.end()) != value.has_value() || (value && found->second != *value)) {
      return wrong();
    }
  }
  return Ok();
}

Status Expectation::CompareCertificates(std::string_view list, std::string_view fallback) const {
  if (!certificates_.empty()) {
    const auto held = haproxy::ParseCertificateList(list);
    if (!held) return Forward(held.error());
    for (const auto& [file, listed] : certificates_) {
      if ((held->count(file) != 0) != listed) {
        return Fail(Code::kRejected, "HAProxy's list of certificates " +
                                         std::string(listed ? "lacks " : "still has ") + file);
      }
    }
  }
  if (!default_print_.empty() && haproxy::ParseCertificatePrint(fallback) != default_print_) {
    return Fail(Code::kRejected, "HAProxy holds another default certificate than was set");
  }
  return Ok();
}

Result<int> Expectation::Compare(const std::vector<std::string>& answers) const {
  if (answers.size() != questions_.size()) return Fail(Code::kInternal, "answers are missing");
  const Result<int> pid = haproxy::ParsePid(answers.front());
  if (!pid) return Forward(pid.error());

  std::size_t next = 0;
  std::string states;
  for (std::size_t i = 0; i < lines_; ++i) {
    const Status keys = CompareKeys(answers[i], next);
    if (!keys) return Forward(keys.error());
    // From the first list of servers on there is nothing else in the line.
    const std::size_t servers = answers[i].find("# be_id ");
    if (servers != std::string::npos) states += answers[i].substr(servers);
  }
  if (next != keys_.size()) return Fail(Code::kCorrupt, "fewer answers than questions");
  if (!servers_.empty()) {
    const auto parsed = haproxy::ParseServersState(states);
    if (!parsed) return Forward(parsed.error());
    const Status servers = CompareServers(*parsed);
    if (!servers) return Forward(servers.error());
  }
  for (std::size_t i = 0; i < wholes_.size(); ++i) {
    const Status whole = CompareWhole(wholes_[i], maps_.at(wholes_[i]), answers[lines_ + i]);
    if (!whole) return Forward(whole.error());
  }
  const std::size_t rest = lines_ + wholes_.size();
  const Status certificates = CompareCertificates(certificates_.empty() ? "" : answers[rest],
                                                  default_print_.empty() ? "" : answers.back());
  if (!certificates) return Forward(certificates.error());
  return *pid;
}

}  // namespace swarmgate::proxy
