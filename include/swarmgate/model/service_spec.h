// What the owner of a service asked for, typed: the result of parsing labels, an API query or the
// environment. Every text in here has been checked; whatever of it reaches HAProxy's configuration
// still goes through one Quote().
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "swarmgate/base/cow.h"
#include "swarmgate/base/few.h"
#include "swarmgate/base/text.h"
#include "swarmgate/model/certificate.h"
#include "swarmgate/model/ids.h"
#include "swarmgate/model/treatment.h"

namespace swarmgate::model {

/// Who said it. Manual overrides labels of the same name until it is removed.
enum class Origin { kDocker, kManual, kStatic };
/// "docker", "manual", "static".
const char* OriginName(Origin origin);

struct PathMatch {
  enum class Kind {
    kExact,    ///< pathType=path
    kPrefix,   ///< pathType=path_beg: /demo matches /demo, /demo/x and /demolition
    kSegment,  ///< pathType=path_dir: /demo matches /demo and /demo/x
    kRegex,    ///< pathType=path_reg, and path_end, path_sub … rewritten as a regex
  };
  Kind kind = Kind::kPrefix;
  /// Starts with '/' (not for kRegex); no '?', '#', white space or control byte. A kRegex is a PCRE
  /// that matches the whole path: "^…$" with no other anchor, back-reference, named group or
  /// lookbehind inside and alternatives bracketed, so that what stands between may be put behind
  /// another prefix: "^<prefix>" + middle + "$".
  Text text;
  Text original;  ///< what the user wrote, with its pathType: "path_end .js"
  /// Matches everything: "/" by prefix or segment.
  [[nodiscard]] bool catch_all() const {
    return text == "/" && (kind == Kind::kPrefix || kind == Kind::kSegment);
  }
  friend auto operator<=>(const PathMatch&, const PathMatch&) = default;
};

struct HostMatch {
  enum class Kind {
    kExact,     ///< "a.com"
    kWildcard,  ///< "*.a.com" (text ".a.com"): any depth below, not a.com itself
    kRegex,  ///< serviceDomainAlgo=hdr_reg(host), hdr_dom(host), …: matched against the lower-case
             ///< host
    kAny,  ///< no serviceDomain
  };
  Kind kind = Kind::kAny;
  /// Lower case, no port, no trailing dot; empty for kAny. A kRegex is formed as PathMatch's, and
  /// its middle matches neither '/' nor '|', whatever stands behind it.
  Text text;
  Text original;
  friend auto operator<=>(const HostMatch&, const HostMatch&) = default;
};

/// A header that a request must have, with this among its values (divided by commas).
struct HeaderCondition {
  std::string name;   ///< a token, lower case
  std::string value;  ///< printable ASCII, trimmed, not empty
  friend auto operator<=>(const HeaderCondition&, const HeaderCondition&) = default;
};

/// How large a part of the requests a destination gets of those that others claim just so.
struct Weight {
  bool percent = false;
  /// 0 … 256 relative to the others, or tenths of a percent of all.
  std::uint32_t value = 0;
  friend auto operator<=>(const Weight&, const Weight&) = default;
};

enum class ReqMode {
  kHttp,
  kTcp,  ///< whatever comes in by its port
  kSni,  ///< TLS that is not ended here, told apart by the name that the client asks for
};

/// What only concerns destinations that do not speak HTTP.
struct TcpSpec {
  std::string group;  ///< destinations of one group and port are one backend
  std::optional<Balance::Algorithm> group_balance;
  std::optional<std::chrono::milliseconds> timeout_client;
  bool client_keepalive = false;
  bool tls = false;  ///< clients speak TLS, the destination does not (kTcp only)
  /// Names of kSni, compared with the lower-case name that the client sends. A kRegex stands here
  /// only for a prefix: its text is that prefix.
  std::vector<HostMatch> names;
  friend bool operator==(const TcpSpec&, const TcpSpec&) = default;
};

/// One destination (an index of the labels): where requests are taken from, and the port that they
/// go to.
struct DestSpec {
  int index = 0;                 ///< 0 for unindexed labels, else 1 … 10
  std::vector<PathMatch> paths;  ///< never empty once parsed ("/" where only a domain was given)
  Few<PathMatch> path_excludes;
  std::vector<HostMatch> hosts;                 ///< empty: any host
  std::optional<std::uint16_t> port;            ///< absent: the one port that the service exposes
  std::optional<std::uint16_t> src_port;        ///< only requests that came in by this port
  std::optional<std::uint16_t> https_port;      ///< where requests by src_https_port go
  std::optional<std::uint16_t> src_https_port;  ///< absent: 443
  Few<HeaderCondition> headers;                 ///< all must hold; sorted, each once
  Few<std::string> user_agents;  ///< one must be part of User-Agent; lower case, sorted
  Few<HostMatch> redirect_from;  ///< redirected to the first host; exact and wildcard
  std::optional<Weight> weight;
  std::uint32_t priority = 0;  ///< ranks the routes, the greatest first; 0: none was given
  ReqMode mode = ReqMode::kHttp;
  Cow<TcpSpec> tcp;
  Text outbound_hostname;  ///< checked host name or address; empty: the service's own tasks
  Cow<Policy> policy;
  Cow<Profile> profile;
  Cow<ServerOptions> server;
  /// How long an ending task's last requests are watched; absent: the operator's setting.
  std::optional<std::chrono::milliseconds> drain_timeout;
  friend bool operator==(const DestSpec&, const DestSpec&) = default;
};

/// A backend in HAProxy's own language.
struct RawBackend {
  std::string name;                ///< "<service>:<as its owner calls it>"
  std::vector<std::string> lines;  ///< of its section
  friend bool operator==(const RawBackend&, const RawBackend&) = default;
};

/// What a service says in HAProxy's own language in the place of its routes and servers
/// (templateFePath with templateBePath); only where raw configuration is allowed. Names in it begin
/// with the service's, so that they are nobody else's; a line has no line break.
struct RawService {
  std::vector<std::string> frontend;  ///< lines of the frontend that all requests come to
  std::vector<RawBackend> backends;
  [[nodiscard]] bool empty() const { return backends.empty(); }
  friend bool operator==(const RawService&, const RawService&) = default;
};

enum class Discovery { kTasks, kDns };
enum class Session { kNone, kSticky };

struct ServiceSpec {
  ServiceName name;
  Text acl_name;                ///< the name of the service where none was given
  bool acl_name_given = false;  ///< then it ranks the routes
  bool default_backend = false;
  Discovery discovery = Discovery::kTasks;
  Session session = Session::kNone;
  std::optional<std::uint32_t> replicas;
  bool distribute = false;
  Text network;                 ///< network to reach the tasks by; empty: any in common
  Text proxy_instance;          ///< only for the instance of this name; empty: all
  Secret certificate;           ///< serviceCert: PEM, not looked into yet
  Cow<RawService> raw;          ///< not empty: in the place of everything below
  std::vector<DestSpec> dests;  ///< sorted by index, never empty
  friend bool operator==(const ServiceSpec&, const ServiceSpec&) = default;
};

/// A stored statement about one service that did not come from Docker, or that withdraws what
/// Docker says.
struct Record {
  enum class Kind {
    kReconfigure,  ///< these parameters define (or override) the service
    kWithdrawn,    ///< the labelled service is withdrawn until its labels change
    kCertificate,  ///< no service: `service` is CertificateRecordName, parameters hold "pem"
  };
  Kind kind = Kind::kReconfigure;
  ServiceName service;
  Origin origin = Origin::kManual;
  std::map<std::string, std::string> parameters;  ///< as received, names without prefix
  std::string labels_hash;     ///< kWithdrawn: hash of the labels that are withdrawn
  std::uint64_t revision = 0;  ///< of the store, at the last write
  std::int64_t updated_unix_ms = 0;
  std::int64_t created_unix_ms = 0;  ///< of its first version: the older service wins a conflict
  friend bool operator==(const Record&, const Record&) = default;
};

/// The key of a certificate's record; no service has such a name.
[[nodiscard]] ServiceName CertificateRecordName(const std::string& certificate);
inline constexpr const char* kPemParameter = "pem";

}  // namespace swarmgate::model
