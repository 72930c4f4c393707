#include "routing/order.h"

#include <algorithm>
#include <cstdint>

#include "routing/path.h"

namespace swarmgate::routing {
namespace {

using model::HostMatch;
using model::PathMatch;
using model::Route;

bool IsWellKnown(const Route& route) {
  return route.path.kind != PathMatch::Kind::kRegex && route.path.text.starts_with("/.well-known");
}

int HostClass(const HostMatch& host) {
  switch (host.kind) {
    case HostMatch::Kind::kExact:
      return 0;
    case HostMatch::Kind::kWildcard:
      return 1;
    case HostMatch::Kind::kRegex:
      return 2;
    case HostMatch::Kind::kAny:
      break;
  }
  return 3;
}

int PathClass(const PathMatch& path) {
  if (path.catch_all()) return 3;
  switch (path.kind) {
    case PathMatch::Kind::kExact:
      return 0;
    case PathMatch::Kind::kPrefix:
    case PathMatch::Kind::kSegment:
      return 1;
    case PathMatch::Kind::kRegex:
      break;
  }
  return 2;
}

/// Of paths of class 1; a whole segment is as long as the raw prefix with its slash.
std::size_t PathLength(const PathMatch& path) {
  return path.text.size() + (path.kind == PathMatch::Kind::kSegment ? 1 : 0);
}

/// Smaller first.
template <typename T>
int Order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

int Decided(int order, std::string* why, const char* reason) {
  if (order != 0 && why != nullptr) *why = reason;
  return order;
}

int CompareRanks(const Route& a, const Route& b, std::string* why) {
  if (const int order = Order(b.priority, a.priority); order != 0) {
    const std::uint32_t least = std::min(a.priority, b.priority);
    return Decided(order, why,
                   least == 0 ? "a priority comes before none" : "its priority is greater");
  }
  if (a.ranked != b.ranked) return Decided(a.ranked ? -1 : 1, why, "an aclName comes before none");
  if (!a.ranked) return 0;
  const int order = Order(a.rank, b.rank);
  if (order != 0 && why != nullptr) {
    *why = "aclName " + (order < 0 ? a.rank : b.rank) + " sorts before " +
           (order < 0 ? b.rank : a.rank);
  }
  return order;
}

int CompareHosts(const HostMatch& a, const HostMatch& b, std::string* why) {
  if (const int order = Order(HostClass(a), HostClass(b)); order != 0) {
    return Decided(order, why, "its host is more specific");
  }
  if (a.kind != HostMatch::Kind::kWildcard) return 0;
  return Decided(Order(b.text.size(), a.text.size()), why, "its wildcard is longer");
}

int ComparePaths(const PathMatch& a, const PathMatch& b, std::string* why) {
  if (const int order = Order(PathClass(a), PathClass(b)); order != 0) {
    return Decided(order, why, "its path is more specific");
  }
  if (PathClass(a) != 1) return 0;
  if (const int order = Order(PathLength(b), PathLength(a)); order != 0) {
    return Decided(order, why, "its path is longer");
  }
  return Decided(Order(a.kind, b.kind), why, "its path is more specific");
}

int CompareConditions(const model::Conditions& a, const model::Conditions& b, std::string* why) {
  if (const int order = Order(b.headers.size(), a.headers.size()); order != 0) {
    return Decided(order, why, "it asks for more headers");
  }
  return Decided(Order(a.user_agents.empty(), b.user_agents.empty()), why,
                 "it asks for a user agent");
}

}  // namespace

bool IsSpecial(const Route& route) {
  return !route.fallback && (route.ranked || route.priority != 0 || IsWellKnown(route));
}

bool StandsUnderOtherHosts(const Route& route) {
  return IsSpecial(route) && route.host.kind != HostMatch::Kind::kExact;
}

int CompareRoutes(const Route& a, const Route& b, std::string* why) {
  if (a.fallback != b.fallback) {
    return Decided(a.fallback ? 1 : -1, why, "the default backend comes last");
  }
  if (IsWellKnown(a) != IsWellKnown(b)) {
    return Decided(IsWellKnown(a) ? -1 : 1, why, "/.well-known comes first");
  }
  if (const int order = CompareRanks(a, b, why); order != 0) return order;
  if (const int order = CompareHosts(a.host, b.host, why); order != 0) return order;
  if (const int order = ComparePaths(a.path, b.path, why); order != 0) return order;
  if (const int order = CompareConditions(a.conditions, b.conditions, why); order != 0) {
    return order;
  }
  if (a.port.has_value() != b.port.has_value()) {
    return Decided(a.port ? -1 : 1, why, "it asks for a port");
  }
  if (const int order = Order(a.created_unix_ns, b.created_unix_ns); order != 0) {
    return Decided(order, why, "its service is older");
  }
  return Decided(Order(a.service, b.service), why, "its service's name sorts first");
}

bool ComesBefore(const Route& a, const Route& b) {
  const int order = CompareRoutes(a, b);
  if (order != 0) return order < 0;
  // "<service>/<index>/<ordinal>", of the same service.
  const std::string_view left = a.id.str();
  const std::string_view right = b.id.str();
  const std::size_t behind = a.service.str().size() + 1;
  const auto number = [](std::string_view id, std::size_t& at) {
    std::uint64_t value = 0;
    for (; at < id.size() && id[at] != '/'; ++at) {
      value = value * 10 + static_cast<std::uint64_t>(id[at] - '0');
    }
    ++at;
    return value;
  };
  std::size_t i = behind;
  std::size_t k = behind;
  const auto left_index = number(left, i);
  const auto right_index = number(right, k);
  if (left_index != right_index) return left_index < right_index;
  return number(left, i) < number(right, k);
}

}  // namespace swarmgate::routing
