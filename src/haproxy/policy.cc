#include "haproxy/policy.h"

#include "haproxy/quote.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::haproxy {
namespace {

/// Is "<policy id>:<what>:<variable>" in the map of policies?
std::string Listed(const std::string& what, const std::string& variable) {
  return "{ var(txn.p),concat(:" + what + ":," + variable + "),map_str(" +
         std::string(MapFile(MapId::kPolicies)) + ") -m found }";
}

/// Who asks for the target itself (where a wildcard leads there) would go round in circles.
std::string RedirectRule(const std::string& port, const std::string& condition) {
  return "http-request redirect code 301 location %[var(txn.rs)]://%[var(txn.rd)]" + port +
         "%[pathq] if " + condition + " !{ var(txn.rd),strcmp(txn.host) eq 0 }";
}

}  // namespace

std::string RecordTail(const model::Policy& policy, const std::string& rewrites,
                       const Settings& settings, Image& image) {
  std::string tail =
      "|" + std::to_string(policy.timeout_server.value_or(settings.timeout_server).count()) + "|" +
      std::to_string(policy.timeout_tunnel.value_or(settings.timeout_tunnel).count());
  std::string flags;
  std::vector<std::pair<std::string, std::string>> entries;
  if (policy.deny_http) flags += 'd';
  if (!policy.redirect_host.empty()) {
    flags += 'r';
    entries.emplace_back("r", policy.redirect_host);
  }
  if (!policy.allowed_methods.empty()) flags += 'a';
  if (!policy.denied_methods.empty()) flags += 'n';
  for (const std::string& method : policy.allowed_methods) entries.emplace_back("a:" + method, "1");
  for (const std::string& method : policy.denied_methods) entries.emplace_back("n:" + method, "1");
  if (!rewrites.empty()) tail += "|" + rewrites;
  if (flags.empty()) return tail;
  if (rewrites.empty()) tail += "||";
  tail += "|" + flags;
  if (entries.empty()) return tail;
  std::string content;
  for (const auto& [what, value] : entries) content += what + "\n" + value + "\n";
  const std::string id = HashHex(content);
  for (const auto& [what, value] : entries) image.policies.emplace(id + ":" + what, value);
  return tail + "|" + id;
}

std::vector<std::string> PolicyRules() {
  const auto flag = [](const char* letter) {
    return "{ var(txn.f) -m sub " + std::string(letter) + " }";
  };
  return {
      "http-request set-var(txn.f) var(txn.r),field(8,|)",
      "http-request set-var(txn.p) var(txn.r),field(9,|)",
      "http-request set-var(txn.m) method",
      "http-request deny deny_status 405 if " + flag("a") + " !" + Listed("a", "txn.m"),
      "http-request deny deny_status 405 if " + flag("n") + " " + Listed("n", "txn.m"),
      "http-request deny deny_status 403 if " + flag("d") + " !{ ssl_fc }",
      "http-request set-var(txn.rd) var(txn.p),concat(:r),map_str(" +
          std::string(MapFile(MapId::kPolicies)) + ") if " + flag("r"),
      // What a proxy in front says about the scheme concerns only whoever is redirected.
      "http-request set-var(txn.rs) str(http) if " + flag("r"),
      "http-request set-var(txn.rs) str(https) if " + flag("r") +
          " { ssl_fc } || " + flag("r") + " { req.hdr(x-forwarded-proto) -i https }",
      "http-request set-var(txn.rp) req.hdr(host),port_only if " + flag("r"),
      RedirectRule("", flag("r") + " { var(txn.rp) -m int 0 }"),
      RedirectRule(":%[var(txn.rp)]", flag("r")),
  };
}

}  // namespace swarmgate::haproxy
