#include <algorithm>

#include "swarmgate/base/strings.h"
#include "swarmgate/consul/store.h"

namespace swarmgate::consul {
namespace {

constexpr const char* kForm =
    "write host:8500, http://host:8500 or https://host, with commas between";

bool IsHost(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

bool IsIpv6(std::string_view host) {
  return host.size() >= 2 && std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') ||
                  c == ':' || c == '.';
         });
}

Result<std::string> ParseServer(std::string_view text) {
  std::string scheme = "http://";
  for (const std::string_view known : {"http://", "https://"}) {
    if (!ToLower(text.substr(0, known.size())).starts_with(known)) continue;
    scheme = known;
    text.remove_prefix(known.size());
    break;
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  std::string_view host = text;
  std::string_view port = scheme == "https://" ? "443" : "8500";
  const bool bracket = text.starts_with('[');
  const std::size_t end = bracket ? text.find(']') : text.find(':');
  if (bracket && end == std::string_view::npos) return Fail(Code::kInvalidArgument, kForm);
  const std::size_t behind = bracket ? end + 1 : end;
  if (behind < text.size()) {
    if (text[behind] != ':') return Fail(Code::kInvalidArgument, kForm);
    port = text.substr(behind + 1);
  }
  host = text.substr(0, behind);
  const bool good = bracket ? IsIpv6(host.substr(1, host.size() - 2)) : IsHost(host);
  const auto number = ParseUint(port, 65535);
  if (!good || !number || *number == 0) return Fail(Code::kInvalidArgument, kForm);
  return scheme + std::string(host) + ":" + std::to_string(*number);
}

}  // namespace

Result<std::vector<std::string>> ParseServers(std::string_view text) {
  std::vector<std::string> servers;
  for (const std::string_view part : Split(text, ',')) {
    auto server = ParseServer(Trim(part));
    if (!server) return Forward(server.error());
    if (std::find(servers.begin(), servers.end(), *server) == servers.end()) {
      servers.push_back(std::move(*server));
    }
  }
  return servers;
}

}  // namespace swarmgate::consul
