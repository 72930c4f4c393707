#include "haproxy/records.h"

#include <algorithm>
#include <optional>

#include "haproxy/policy.h"
#include "haproxy/quote.h"
#include "haproxy/regex.h"
#include "haproxy/server_words.h"
#include "swarmgate/base/check.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::haproxy {
namespace {

/// Its rules look at no record.
bool IsPlain(const model::Backend& backend) {
  return backend.kind == model::BackendKind::kPlain || backend.kind == model::BackendKind::kTcp;
}

/// Sets the group; returns "<n>|<id>", or nothing.
std::string Rewrites(const model::Policy& policy, Group& group) {
  std::vector<const model::PathRewrite*> usable;
  std::string content;
  for (const model::PathRewrite& rewrite : policy.path_rewrites) {
    if (usable.size() == kMaxRewrites) break;
    if (!WhyNotRewritable(rewrite).empty()) continue;
    usable.push_back(&rewrite);
    content += rewrite.search + "\n" + rewrite.replace + "\n";
  }
  if (usable.empty()) return "";
  group.id = HashHex(content);
  for (std::size_t i = 0; i < usable.size(); ++i) {
    auto line = RewriteLine(group.id, i + 1, *usable[i]);
    if (line) group.lines.push_back(std::move(*line));
  }
  return std::to_string(usable.size()) + "|" + group.id;
}

/// "-" and six hex digits of FNV-1a; without a string in between, because it is computed for every
/// server at a start.
void AppendAddressHash(std::string& name, const model::Server& server) {
  std::uint32_t hash = 0x811c9dc5U;
  const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x01000193U; };
  for (const char c : server.address.str()) add(static_cast<unsigned char>(c));
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

Treatment TreatmentOf(const model::Backend& backend, const Settings& settings) {
  Treatment treatment;
  if (IsPlain(backend)) return treatment;
  const std::string rewrites = Rewrites(backend.policy, treatment.rewrites);
  RecordEnd end = RecordTail(backend.policy, backend.profile, rewrites, settings);
  treatment.tail = std::move(end.tail);
  treatment.policy = {std::move(end.policy), std::move(end.entries)};
  return treatment;
}

std::string Records::Of(const model::BackendName& name, const model::ServiceName& service,
                        const model::RouteId& route) {
  const model::Backend* backend = model::FindBackend(backends_, name);
  const auto slot = slots_.assigned.find(name);
  SWARMGATE_CHECK(backend != nullptr && slot != slots_.assigned.end());
  const std::string_view tail = IsPlain(*backend) ? "" : std::string_view(TailOf(*backend));
  std::string record;
  record.reserve(slot->second.str().size() + service.str().size() + route.str().size() +
                 tail.size() + 2);
  record += slot->second.str();
  record += '|';
  AppendField(record, service.str());
  record += '|';
  AppendField(record, route.str());
  record += tail;
  return record;
}

void Records::TakeTail(const model::Backend& backend, std::string tail) {
  if (!IsPlain(backend)) tails_.try_emplace(backend.name.str(), std::move(tail));
}

const std::string& Records::TailOf(const model::Backend& backend) {
  const auto [known, fresh] = tails_.try_emplace(backend.name.str());
  if (fresh) known->second = TreatmentOf(backend, settings_).tail;
  return known->second;
}

std::vector<model::Server> WireServers(const model::Backend& backend) {
  std::vector<model::Server> servers;
  servers.reserve(backend.servers.size());
  for (const model::Server& server : backend.servers) {
    if (server.port != 0 && CanonicalAddress(server.address)) servers.push_back(WireServer(server));
  }
  std::sort(servers.begin(), servers.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  servers.erase(std::unique(servers.begin(), servers.end(),
                            [](const auto& a, const auto& b) { return a.name == b.name; }),
                servers.end());
  return servers;
}

model::Server WireServer(const model::Server& server) {
  constexpr std::size_t kMaxName = 64;
  model::Server wire;
  const std::optional<std::string> address = CanonicalAddress(server.address);
  wire.address = address && *address != server.address ? Text(*address) : server.address;
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
  wire.name = model::ServerName(name);
  return wire;
}

}  // namespace swarmgate::haproxy
