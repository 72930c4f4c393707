#include "haproxy/profile.h"

#include "haproxy/quote.h"

namespace swarmgate::haproxy {
namespace {

std::string HeaderLine(const model::HeaderRule& rule) {
  using Action = model::HeaderRule::Action;
  std::string line = rule.response ? "http-response " : "http-request ";
  line += rule.action == Action::kAdd   ? "add-header "
          : rule.action == Action::kSet ? "set-header "
                                        : "del-header ";
  line += Quote(rule.name);
  if (rule.action != Action::kDelete) line += " " + Quote(rule.format);
  // A condition of the closed list is words of the language itself.
  if (!rule.condition.empty()) line += " " + rule.condition;
  return line;
}

}  // namespace

ProfileText RenderProfile(const model::Profile& profile) {
  ProfileText text;
  const auto add = [&text](const std::string& line) { text.lines += "  " + line + "\n"; };
  using Algorithm = model::Balance::Algorithm;
  switch (profile.balance.algorithm) {
    case Algorithm::kLeastConn:
      add("balance leastconn");
      break;
    case Algorithm::kSource:
      add("balance source");
      add("hash-type consistent");
      break;
    case Algorithm::kFirst:
      add("balance first");
      break;
    case Algorithm::kRandom:
      add("balance random");
      break;
    default:
      break;
  }
  const auto add_timeout = [&add](const char* what, const auto& time) {
    if (time) add(std::string("timeout ") + what + " " + std::to_string(time->count()) + "ms");
  };
  add_timeout("server", profile.timeout_server);
  add_timeout("tunnel", profile.timeout_tunnel);
  for (const model::HeaderRule& rule : profile.headers) add(HeaderLine(rule));
  return text;
}

}  // namespace swarmgate::haproxy
