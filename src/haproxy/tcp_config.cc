#include "haproxy/tcp_config.h"

#include <map>
#include <string_view>

#include "haproxy/base_config.h"
#include "haproxy/certificates.h"
#include "haproxy/extras.h"
#include "haproxy/quote.h"
#include "swarmgate/base/check.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/plan.h"
#include "swarmgate/haproxy/tcp_ports.h"

namespace swarmgate::haproxy {
namespace {

constexpr std::string_view kHead = "\nfrontend tcp_";
constexpr const char* kUseBackend = "  use_backend %[var(txn.r),field(1,|)]\n";
constexpr std::string_view kFrom = " from sg_tcp_front\n";

std::string PortKey(std::uint16_t port) { return "=" + std::to_string(port) + ":"; }

/// Of the HTTP listeners: whoever keeps them on one address wants these there as well.
std::string BindAddress(const Settings& settings) {
  if (settings.binds.empty() || settings.binds.front().address == "*") return "*";
  const auto address = CanonicalAddress(settings.binds.front().address);
  SWARMGATE_CHECK(address.has_value());
  return *address;
}

void Sni(std::string& text, std::uint16_t port) {
  const std::string lookup = ",map_beg(" + std::string(MapFile(MapId::kConditions)) + ")";
  const std::string hello = "{ req.ssl_hello_type 1 }";
  const auto rule = [&text](const std::string& line) { text += "  tcp-request " + line + "\n"; };
  rule("inspect-delay 5s");
  rule("content set-var(txn.n) req.ssl_sni,lower if " + hello);
  rule("content set-var(txn.r) str(" + PortKey(port) + "),concat(,txn.n,:)" + lookup + " if " +
       hello);
  for (int level = 1; level <= kWildcardLevels; ++level) {
    const std::string suffix = "txn.w" + std::to_string(level);
    const std::string parent = level == 1 ? "txn.n" : "txn.w" + std::to_string(level - 1);
    rule("content set-var(" + suffix + ") var(" + parent +
         "),field(2,.,0) if !{ var(txn.r) -m found }");
    rule("content set-var(txn.r) str(" + PortKey(port) + ".),concat(," + suffix + ",:)" + lookup +
         " if !{ var(txn.r) -m found } { var(" + suffix + ") -m found }");
  }
  rule("content accept if { var(txn.r) -m found }");
  rule("content reject");
  text += kUseBackend;
}

/// Each frontend's text by its port, and what stands before the first.
std::map<std::uint16_t, std::string_view> Frontends(std::string_view base, std::string_view& rest) {
  std::map<std::uint16_t, std::string_view> found;
  std::size_t at = base.find(kHead);
  rest = base.substr(0, at);
  while (at != std::string_view::npos) {
    const std::size_t next = base.find(kHead, at + 1);
    const std::string_view section = base.substr(at, next == base.npos ? base.npos : next - at);
    const std::size_t end = section.find(kFrom);
    const auto port = ParseUint(section.substr(kHead.size(), end - kHead.size()), 65535);
    if (port) found.emplace(static_cast<std::uint16_t>(*port), section);
    at = next;
  }
  return found;
}

}  // namespace

std::string RenderTcp(const std::vector<model::TcpListener>& listeners, const Settings& settings) {
  std::string text;
  for (const model::TcpListener& listener : listeners) {
    text += std::string(kHead) + std::to_string(listener.port) + std::string(kFrom);
    const std::string address = BindAddress(settings);
    text += "  bind " + JoinAddress(address, listener.port) +
            (listener.tls ? TlsTcpBindWords(settings.tls) : std::string()) + "\n";
    if (listener.timeout_client) {
      text += "  timeout client " + std::to_string(listener.timeout_client->count()) + "ms\n";
    }
    for (const std::string& line : ProxyProtocolLines(settings.extras)) text += "  " + line + "\n";
    if (listener.client_keepalive) text += "  option clitcpka\n";
    if (listener.sni) {
      Sni(text, listener.port);
    } else {
      text += "  tcp-request content set-var(txn.r) str(" + PortKey(listener.port) + "),map_beg(" +
              std::string(MapFile(MapId::kConditions)) + ")\n";
      text += kUseBackend;
    }
  }
  return text;
}

std::string TcpKey(const model::TcpRoute& route) {
  const std::string key = PortKey(route.port) + route.name.text;
  switch (route.name.kind) {
    case model::HostMatch::Kind::kAny:
    case model::HostMatch::Kind::kRegex:
      return key;
    case model::HostMatch::Kind::kExact:
    case model::HostMatch::Kind::kWildcard:
      break;
  }
  return key + ":";
}

std::string TcpChange(const std::string& before, const std::string& after) {
  std::string_view old_rest;
  std::string_view new_rest;
  const auto old_ports = Frontends(before, old_rest);
  const auto new_ports = Frontends(after, new_rest);
  if (old_rest != new_rest) return "";
  for (const auto& [port, section] : new_ports) {
    const auto old = old_ports.find(port);
    if (old == old_ports.end()) return "tcp port " + std::to_string(port) + " comes";
    if (old->second != section) return "tcp port " + std::to_string(port) + " changes";
  }
  for (const auto& [port, section] : old_ports) {
    if (!new_ports.contains(port)) return "tcp port " + std::to_string(port) + " goes";
  }
  return "";
}

std::set<std::uint16_t> TcpPorts(const std::string& base) {
  std::string_view rest;
  std::set<std::uint16_t> ports;
  for (const auto& [port, section] : Frontends(base, rest)) ports.insert(port);
  return ports;
}

}  // namespace swarmgate::haproxy
