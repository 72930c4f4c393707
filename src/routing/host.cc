#include "routing/host.h"

#include <algorithm>

#include "swarmgate/base/strings.h"

namespace swarmgate::routing {

using model::HostMatch;

std::string NormaliseHost(std::string_view host) {
  // An IPv6 address stands in brackets.
  const std::size_t bracket = host.starts_with('[') ? host.find(']') : std::string_view::npos;
  host = host.substr(0, bracket != std::string_view::npos ? bracket + 1 : host.find(':'));
  host = host.substr(0, host.find('/'));
  while (!host.empty() && host.back() == '.') host.remove_suffix(1);
  return ToLower(host);
}

bool IsCleanHost(std::string_view text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f || c == '/' || c == '|' || c == '?' || c == ':';
  });
}

std::vector<std::string_view> HostSuffixes(std::string_view host) {
  std::vector<std::string_view> suffixes;
  std::size_t dot = host.find('.');
  for (int level = 0; level < kWildcardLevels && dot != std::string_view::npos; ++level) {
    suffixes.push_back(host.substr(dot));
    dot = host.find('.', dot + 1);
  }
  return suffixes;
}

bool HostMatches(const HostMatch& match, std::string_view host) {
  switch (match.kind) {
    case HostMatch::Kind::kAny:
      return true;
    case HostMatch::Kind::kExact:
      return host == match.text;
    case HostMatch::Kind::kWildcard: {
      if (!host.ends_with(match.text)) return false;
      const std::vector<std::string_view> suffixes = HostSuffixes(host);
      return std::find(suffixes.begin(), suffixes.end(), match.text) != suffixes.end();
    }
    case HostMatch::Kind::kRegex:
      break;
  }
  return false;
}

std::string DescribeHost(const HostMatch& match) {
  switch (match.kind) {
    case HostMatch::Kind::kAny:
      return "any host";
    case HostMatch::Kind::kExact:
      return "host " + match.text;
    case HostMatch::Kind::kWildcard:
      return "wildcard *" + match.text;
    case HostMatch::Kind::kRegex:
      break;
  }
  return "host regex " + (match.original.empty() ? match.text : match.original);
}

}  // namespace swarmgate::routing
