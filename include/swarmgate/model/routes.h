// Desired state between the core's stages: routes in order of precedence, the lookup table that
// HAProxy's maps are made of, and the backends that they lead to.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "swarmgate/base/chunked.h"
#include "swarmgate/base/cow.h"
#include "swarmgate/base/few.h"
#include "swarmgate/base/text.h"
#include "swarmgate/model/certificate.h"
#include "swarmgate/model/diagnostic.h"
#include "swarmgate/model/ids.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::model {

/// What of a request's headers a route asks for.
struct Conditions {
  Few<HeaderCondition> headers;  ///< all must hold; sorted, each once
  Few<std::string> user_agents;  ///< one must be part of User-Agent; lower case, sorted
  [[nodiscard]] bool empty() const { return headers.empty() && user_agents.empty(); }
  friend bool operator==(const Conditions&, const Conditions&) = default;
};

/// One of several destinations that share the requests of a route.
struct Share {
  RouteId route;
  ServiceName service;
  BackendName backend;
  std::uint32_t thousandths = 0;  ///< of the requests; all together 1000
  friend bool operator==(const Share&, const Share&) = default;
};

/// One way to a backend: one host × one path of a destination.
struct Route {
  RouteId id;
  ServiceName service;
  BackendName backend;
  HostMatch host;
  PathMatch path;
  Few<PathMatch> excludes;
  std::optional<std::uint16_t> port;  ///< condition on the local port
  Conditions conditions;
  /// Empty: all requests go to `backend`. Else two or more, this one's own among them.
  Few<Share> shares;
  std::uint32_t priority = 0;        ///< a greater one comes first, none last
  bool ranked = false;               ///< an explicit aclName orders it before all unranked ones
  Text rank;                         ///< the aclName
  bool fallback = false;             ///< isDefaultBackend: after everything else
  std::int64_t created_unix_ns = 0;  ///< of the service: the older one wins
  friend bool operator==(const Route&, const Route&) = default;
};

/// One candidate of a lookup key: the first whose condition holds gets the request.
struct MatchCandidate {
  RouteId route;
  BackendName backend;
  ServiceName service;
  std::optional<std::uint16_t> port;  ///< local port that is asked for
  /// Empty: the whole region of the key. Else a regex on the path that begins with '^': a route's
  /// own ("^…$"), or with exclusions in front ("^(?!…$)…$", "^(?!…$)").
  Text path_regex;
  /// Empty, or a regex (assertions only) that holds at the beginning of the request's headers,
  /// written as lines "name: value" with lower-case names, each ended by CR LF, after a LF.
  Text header_regex;
  Few<Share> shares;  ///< as in Route
  [[nodiscard]] bool unconditional() const {
    return !port && path_regex.empty() && header_regex.empty();
  }
  friend bool operator==(const MatchCandidate&, const MatchCandidate&) = default;
};

/// An entry of the prefix tree. HAProxy looks up "<host><path>/?" (longest prefix wins) with the
/// host's exact name, then with each of its parents (".a.com"), then with no host. So a key ends as
/// its path matches: "a.com/demo" by prefix, "a.com/demo/" by segment, "a.com/demo/?" exactly ('?'
/// cannot stand in a path). Candidates stand in order of precedence and repeat what less specific
/// keys of the same host would offer, up to the first without a condition. When none holds, the
/// search goes on with the next less specific host; an entry without candidates is a pure
/// exclusion.
struct MatchEntry {
  Text key;
  std::vector<MatchCandidate> candidates;
  friend bool operator==(const MatchEntry&, const MatchEntry&) = default;
};

/// A route whose host is a regex; tried in this order after exact hosts and wildcards, before "no
/// host". `regex` is matched against "<host>|<port>|<path>"; where any entry looks at headers,
/// against these, an empty line, and that. All anchors are included.
struct HostRegexEntry {
  std::string regex;
  MatchCandidate candidate;
  friend bool operator==(const HostRegexEntry&, const HostRegexEntry&) = default;
};

struct MatchTable {
  Chunked<MatchEntry> entries;               ///< sorted by key, keys unique
  std::vector<HostRegexEntry> host_regexes;  ///< in order of precedence
  friend bool operator==(const MatchTable&, const MatchTable&) = default;
};

/// Which of HAProxy's fixed rules run for a backend.
enum class BackendKind {
  kPlain,   ///< none: nothing but forwarding
  kRich,    ///< those that look up the policy
  kSticky,  ///< as kRich, with a session cookie
  kTcp,     ///< none, and nothing of HTTP
};

/// A port of the proxy that does not speak HTTP.
struct TcpListener {
  std::uint16_t port = 0;
  bool sni = false;  ///< routes are told apart by the name that the client asks for
  bool tls = false;  ///< TLS is ended here, with the certificates of the ports for requests
  std::optional<std::chrono::milliseconds> timeout_client;
  bool client_keepalive = false;
  friend bool operator==(const TcpListener&, const TcpListener&) = default;
};

/// What a listener does with a connection.
struct TcpRoute {
  std::uint16_t port = 0;
  HostMatch name;  ///< kAny but for listeners with `sni`; a kRegex is a prefix
  RouteId id;
  ServiceName service;
  BackendName backend;
  friend bool operator==(const TcpRoute&, const TcpRoute&) = default;
};

struct Server {
  ServerName name;
  Text address;  ///< IPv4 or IPv6 literal, already resolved
  std::uint16_t port = 0;
  Text task_id;  ///< for people; empty for names resolved by DNS
  Cow<ServerOptions> options;
  friend auto operator<=>(const Server&, const Server&) = default;
};

struct Backend {
  BackendName name;
  ServiceName service;
  BackendKind kind = BackendKind::kPlain;
  std::vector<Server> servers;  ///< sorted by name; empty: 503 with Retry-After
  Cow<Policy> policy;
  Cow<Profile> profile;
  std::optional<std::chrono::milliseconds> drain_timeout;  ///< absent: the operator's setting
  friend bool operator==(const Backend&, const Backend&) = default;
};

/// The backend of this name; nullptr: there is none. REQUIRES: sorted by name.
[[nodiscard]] const Backend* FindBackend(const Chunked<Backend>& backends, const BackendName& name);

/// A service that says itself, in HAProxy's language, what is done with its requests.
struct RawRoutes {
  ServiceName service;
  RawService raw;
  friend bool operator==(const RawRoutes&, const RawRoutes&) = default;
};

/// Everything that the proxy should serve. A value: same input, same bytes.
struct Desired {
  Chunked<Cow<Route>> routes;  ///< in order of precedence
  MatchTable matches;
  Chunked<Backend> backends;   ///< sorted by name, names unique
  std::vector<RawRoutes> raw;  ///< in order of precedence; before all routes
  TlsDesired tls;
  std::vector<TcpListener> tcp_listeners;  ///< sorted by port
  std::vector<TcpRoute> tcp_routes;        ///< sorted by port and name, one for each
  friend bool operator==(const Desired&, const Desired&) = default;
};

}  // namespace swarmgate::model
