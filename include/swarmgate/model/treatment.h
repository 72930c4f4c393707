// How the requests of a backend are treated, typed. A Policy is what HAProxy's fixed rules look up
// in maps: it changes at run time. A Profile is what HAProxy fixes in a backend's section: backends
// of equal profiles share a pool of slots, and the first one of a new profile costs a reload.
// ServerOptions are words of a server line: another server is another name, no reload.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace swarmgate::model {

/// A regex and its replacement with \1-style back-references (HAProxy regsub).
struct PathRewrite {
  std::string search;
  std::string replace;
  friend auto operator<=>(const PathRewrite&, const PathRewrite&) = default;
};

/// One name and secret of basic authentication.
struct Credential {
  std::string user;
  std::string password;
  bool encrypted = false;  ///< the password is a crypt(3) hash
  friend auto operator<=>(const Credential&, const Credential&) = default;
};

struct RateLimit {
  std::uint32_t requests = 0;
  std::chrono::seconds period{10};  ///< one of the periods that the base configuration has
  friend auto operator<=>(const RateLimit&, const RateLimit&) = default;
};

/// Everything that the record of a route can say. Defaults: nothing is done.
struct Policy {
  std::optional<std::chrono::milliseconds> timeout_server;
  std::optional<std::chrono::milliseconds> timeout_tunnel;
  std::vector<PathRewrite> path_rewrites;

  std::vector<std::string> allowed_methods;  ///< upper case, sorted; empty: all
  std::vector<std::string> denied_methods;   ///< upper case, sorted
  std::vector<Credential> users;    ///< sorted by user; empty: nobody is asked. None is encrypted.
  bool https_only = false;          ///< redirect requests without TLS
  bool redirect_when_http = false;  ///< redirect when X-Forwarded-Proto says http
  bool redirect_unless_https = false;   ///< redirect unless X-Forwarded-Proto says https
  int redirect_code = 0;                ///< of these redirects: 301 302 303 307 308; 0: 302
  bool deny_http = false;               ///< 403 without TLS
  bool verify_client = false;           ///< 403 without a client certificate that was verified
  std::optional<RateLimit> rate_limit;  ///< for each client address; beyond it 429
  std::string hsts;                     ///< value of Strict-Transport-Security; TLS answers only
  bool maintenance = false;             ///< 503 with Retry-After, whatever the servers are
  std::string maintenance_text;         ///< of that answer; empty: a standing one
  /// Every request is redirected to this host (301), scheme, port, path and query as they are.
  std::string redirect_host;
  std::chrono::seconds retry_after{30};
  friend bool operator==(const Policy&, const Policy&) = default;
};

struct HeaderRule {
  enum class Action { kAdd, kSet, kDelete };
  Action action = Action::kSet;
  bool response = false;
  std::string name;  ///< a token of RFC 9110
  /// HAProxy's log-format text of a closed grammar: literal text (with "%%" for '%') and
  /// expressions of the list in labels. Empty for kDelete.
  std::string format;
  std::string condition;  ///< "", or one of a closed list of conditions: "if { ssl_fc }"
  /// `format` is everything behind the name as its owner wrote it; only where raw configuration is
  /// allowed.
  bool raw = false;
  friend auto operator<=>(const HeaderRule&, const HeaderRule&) = default;
};

enum class ConnectionMode { kKeepAlive, kServerClose, kClose };

struct Balance {
  enum class Algorithm { kRoundRobin, kLeastConn, kSource, kUri, kHeader, kFirst, kRandom };
  Algorithm algorithm = Algorithm::kRoundRobin;
  std::string header;  ///< for kHeader
  friend auto operator<=>(const Balance&, const Balance&) = default;
};

struct Cors {
  std::vector<std::string> origins;  ///< "*", or origins; empty: no CORS
  std::vector<std::string> methods;
  std::vector<std::string> headers;
  bool credentials = false;
  std::chrono::seconds max_age{0};
  friend auto operator<=>(const Cors&, const Cors&) = default;
};

/// A page in the place of an answer with this status.
struct ErrorPage {
  int status = 503;
  std::string text;
  friend auto operator<=>(const ErrorPage&, const ErrorPage&) = default;
};

/// Everything that a backend's section must say by itself. Defaults: nothing.
struct Profile {
  /// Who does not fulfil it is refused, judged by the request as it came: before its path is
  /// rewritten and before `headers`. Conditions of HAProxy's language, without "if"; only where raw
  /// configuration is allowed. Empty: everybody.
  std::string condition;
  std::vector<HeaderRule> headers;          ///< in the order in which they are carried out
  std::vector<Credential> encrypted_users;  ///< with crypt(3) hashes: a userlist
  std::string compression_algo;             ///< "gzip", "deflate", "raw-deflate", ""
  std::vector<std::string> compression_types;
  std::optional<ConnectionMode> connection_mode;
  Balance balance;
  std::vector<std::string> allow_from;  ///< networks, canonical; empty: all
  std::vector<std::string> deny_from;
  std::optional<std::string> check_path;  ///< health is asked by HTTP
  std::string check_host;                 ///< the Host that a check names; empty: localhost
  std::optional<int> retries;
  /// Of backends that do not speak HTTP; the others say it in their policy.
  std::optional<std::chrono::milliseconds> timeout_server;
  std::optional<std::chrono::milliseconds> timeout_tunnel;
  std::optional<Cors> cors;
  std::vector<ErrorPage> error_pages;
  /// Certificates of the authorities that servers are verified against: a file, or "@system-ca".
  /// Servers that are added at run time can only use what is loaded by then.
  std::string ca_file;
  /// Lines as the owner wrote them (backendExtra, templates), only where raw configuration is
  /// allowed; each without line break.
  std::vector<std::string> raw;
  [[nodiscard]] bool empty() const { return *this == Profile(); }
  friend bool operator==(const Profile&, const Profile&) = default;
};

/// How the servers of a backend are spoken to.
struct ServerOptions {
  enum class Tls { kNone, kUnverified, kVerified };
  Tls tls = Tls::kNone;
  std::string ca_file;      ///< for kVerified: as Profile::ca_file
  std::string tls_name;     ///< SNI, and the name that must be in the certificate; empty: none
  bool http2 = false;       ///< HTTP/2 (in the clear without tls)
  bool send_proxy = false;  ///< PROXY protocol, version 2
  std::uint32_t max_connections = 0;  ///< of each server; 0: no limit
  /// HAProxy asks each server this often; absent: Docker alone says who is there.
  std::optional<std::chrono::milliseconds> check_interval;
  friend auto operator<=>(const ServerOptions&, const ServerOptions&) = default;
};

}  // namespace swarmgate::model
