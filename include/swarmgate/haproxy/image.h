// What HAProxy is to hold, as plain data, and its texts. Pure: Desired + slots + settings → Image →
// files.
//
// All that changes with services lives in maps and in the server lines of pre-declared slots;
// everything else is the base configuration, which changes only with the operator's settings. Files
// are written in shards so that a change rewrites little.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swarmgate/base/chunked.h"
#include "swarmgate/base/error.h"
#include "swarmgate/model/certificate.h"
#include "swarmgate/model/ids.h"
#include "swarmgate/model/routes.h"

namespace swarmgate::haproxy {

/// "2.6.12" and what follows from it.
struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;
  friend auto operator<=>(const Version&, const Version&) = default;
};
/// Reads the first line of `haproxy -v`. Errors: kCorrupt; kRejected below 2.6.3 (map_beg may
/// return a wrong sibling while a version is being added, fixed in 2.6.3).
[[nodiscard]] Result<Version> ParseVersion(const std::string& text);

struct Bind {
  std::string address = "*";  ///< "*", or a checked address
  std::uint16_t port = 80;
  bool tls = false;           ///< "443:ssl"
  bool accept_proxy = false;  ///< every connection begins with a PROXY protocol header
  friend auto operator<=>(const Bind&, const Bind&) = default;
};

/// How ports with TLS are bound.
struct TlsSettings {
  bool h2 = true;
  std::string ciphers;                  ///< of TLS 1.2 and below; empty: modern ones
  std::vector<std::string> words;       ///< of SSL_BIND_OPTIONS, from a closed list
  std::string min_version = "TLSv1.2";  ///< HAProxy's word
  std::string max_version;              ///< empty: the greatest there is
  std::string ca_file;                  ///< client certificates are checked against it
  std::string crt_list;                 ///< the operator's own list, which is not ours to change
  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

/// What HAProxy tells about requests, to the datagram socket AccessLogSocket().
struct AccessLog {
  enum class What { kOff, kErrors, kAll };
  enum class Format {
    kJson,   ///< one JSON object per request
    kHttp,   ///< HAProxy's httplog, with the service in the place of the backend
    kCustom  ///< `custom`, the operator's own log-format
  };
  What what = What::kOff;
  Format format = Format::kJson;
  std::string custom;
  std::string tcp_custom;  ///< likewise of connections that are not HTTP; empty: as `format` says
  friend bool operator==(const AccessLog&, const AccessLog&) = default;
};
/// HAProxy's name for the socket that it logs to; who reads there is none of its concern: a reader
/// that is slow or away costs lines, never requests.
[[nodiscard]] std::string AccessLogSocket(const std::string& run_dir);

/// HAProxy's statistics page.
struct StatsPage {
  std::string uri;  ///< empty: there is none
  std::string user;
  std::string password;               ///< both empty: nobody is asked
  std::optional<std::uint16_t> port;  ///< a frontend of its own; absent: on every port for requests
  friend bool operator==(const StatsPage&, const StatsPage&) = default;
};

/// A request header whose value goes into the access log.
struct Capture {
  std::string header;
  int length = 0;
  friend bool operator==(const Capture&, const Capture&) = default;
};

/// The operator's settings that shape what every request meets; a part of Settings.
struct Extras {
  AccessLog access_log;
  StatsPage stats;
  std::vector<Capture> captures;
  /// Whose X-Forwarded-* headers are believed: canonical networks. From everybody else they are
  /// taken off.
  std::vector<std::string> trusted_proxies;
  /// Whose connections begin with a PROXY protocol header, on every port.
  std::vector<std::string> proxy_protocol_from;
  model::ConnectionMode connection_mode = model::ConnectionMode::kKeepAlive;
  /// Does a client's first request take a connection to a server that is open already?
  bool first_request_reuses = false;
  /// A safe request that a server closed the connection on without an answer is asked again.
  bool repeats_unanswered = true;
  std::string compression_algo;  ///< words of `compression algo`; empty: none
  std::string compression_type;
  /// Lines as the operator wrote them, for the sections global and frontend services. Without
  /// control bytes; none of them opens a section.
  std::vector<std::string> extra_global;
  std::vector<std::string> extra_frontend;
  friend bool operator==(const Extras&, const Extras&) = default;
};

/// The operator's settings that shape the base configuration. Values are checked where options are
/// parsed.
struct Settings {
  Version version;
  std::vector<Bind> binds;
  TlsSettings tls;
  std::string run_dir;                ///< sockets: <run_dir>/runtime.sock, <run_dir>/master.sock
  std::string files_dir;              ///< <files_dir>/conf/*.cfg and <files_dir>/maps/*.map
  std::uint32_t max_connections = 0;  ///< 0: HAProxy derives it from the limit of open files
  int threads = 0;                    ///< 0: one per core
  std::chrono::milliseconds timeout_connect{5000};
  std::chrono::milliseconds timeout_client{20000};
  std::chrono::milliseconds timeout_server{20000};
  std::chrono::milliseconds timeout_queue{30000};
  std::chrono::milliseconds timeout_tunnel{3600000};
  std::chrono::milliseconds timeout_http_request{5000};
  std::chrono::milliseconds timeout_http_keep_alive{15000};
  std::chrono::milliseconds hard_stop_after{600000};
  int unknown_route_status = 503;  ///< 503 or 404
  std::string cookie_key;          ///< secret for sticky cookies; [0-9a-f]{32}
  Extras extras;
  friend bool operator==(const Settings&, const Settings&) = default;
};

/// What is declared for a class: slots 1 … count, and what a profile adds to the section of each.
struct ClassSlots {
  std::uint32_t count = 0;
  std::string head;   ///< sections that stand before the first slot (a userlist); complete lines
  std::string lines;  ///< of every slot's section; complete lines
  friend bool operator==(const ClassSlots&, const ClassSlots&) = default;
};
using Declared = std::map<model::BackendClass, ClassSlots>;
/// Is this the name of a class, as stored ones are?
[[nodiscard]] bool IsClass(std::string_view name);

/// Which slot carries which backend, and what is declared.
struct SlotMap {
  SharedMap<model::BackendName, model::SlotName> assigned;
  Declared declared;
  friend bool operator==(const SlotMap&, const SlotMap&) = default;
};

/// Keeps every assignment that still fits (same name, same class), frees the others, and gives the
/// rest the lowest free slot. Slots in `busy` (a former tenant is draining) are not given out.
/// Grows `declared` when free slots run out, by doubling from `minimum` (few for a profile's class)
/// so that growth is rare: a grown class shows as a difference of `declared` and needs a reload.
/// Never shrinks; a profile's class that nobody uses any more goes with the next growth of any.
[[nodiscard]] SlotMap AssignSlots(const SlotMap& current, const Chunked<model::Backend>& backends,
                                  const std::vector<model::SlotName>& busy, std::uint32_t minimum);

/// Does a configuration with these declarations have this slot?
[[nodiscard]] bool IsDeclared(const model::SlotName& slot, const Declared& declared);

using MapEntries = SharedMap<std::string, std::string>;
/// Of a map whose order has a meaning.
using MapLines = Chunked<std::pair<std::string, std::string>>;

/// Are there ports whose certificates we manage?
[[nodiscard]] bool ManagesCertificates(const Settings& settings);

/// A certificate of the list. The name of its file follows from everything in here, so that a
/// renewed one is another file: it comes in before the old one goes.
struct ImageCertificate {
  std::vector<std::string> names;  ///< host names that it answers for; sorted, never empty
  model::Secret pem;               ///< empty where it was read back: HAProxy does not tell
  model::Secret staple = {};       ///< OCSP response (DER), a file "….pem.ocsp" beside it
  friend bool operator==(const ImageCertificate&, const ImageCertificate&) = default;
};

/// The complete content. Two equal images mean: nothing to do.
struct Image {
  std::string base;  ///< global, defaults, frontends
  Declared declared;
  /// slot → its servers as WireServer gives them, sorted by name; slots without servers are absent.
  SharedMap<model::SlotName, std::vector<model::Server>> servers;
  MapEntries routes;      ///< map_beg: MatchEntry.key → record | "@<id>" | "~<id>" | "-"
  MapEntries conditions;  ///< map_beg: "@<id>:<port>:" or "@<id>:" → record
  /// map_reg, in order: anchored regex → record. Groups "~<id>" and host regexes.
  MapLines regexes;
  MapLines host_regexes;
  /// map_regm, in order: "<rewrite id>:<search>" → replacement.
  MapLines rewrites;
  MapEntries policies;  ///< map_str: "<policy id>:<what>" → value
  /// "certs/<name>-<hash>.pem" → what the list says of it. No name stands in two of them with the
  /// same kind of key, so that their order has no meaning.
  std::map<std::string, ImageCertificate> certificates;
  /// Content of certs/default.pem, the first of the list: it answers where no name fits. Its file
  /// never changes its name, because HAProxy cannot be told at run time which one is the default.
  /// Empty: no certificates are managed.
  model::Secret default_pem;
  std::string default_print;  ///< how HAProxy shows it (Certificate::proxy_print)
  friend bool operator==(const Image&, const Image&) = default;
};

/// A server as HAProxy knows it: its name is "<name>-<6 hex of address, port and options>", so that
/// a task that comes back under another address (a restarted container) is another server while the
/// old one drains; no task id. Every server of an Image, Step or Held is of this form.
[[nodiscard]] model::Server WireServer(const model::Server& server);

/// Empty when HAProxy can carry out this rewrite; else what is wrong with it, for its owner (Render
/// leaves such a pair out): more than kMaxRewriteGroups groups, recursion, conditions or verbs in
/// the search, \Z, white space …
[[nodiscard]] std::string WhyNotRewritable(const model::PathRewrite& rewrite);
inline constexpr int kMaxRewriteGroups = 6;
inline constexpr std::size_t kMaxRewrites =
    8;  ///< pairs of one destination; Render leaves out the rest

/// Empty when the regex can stand in a map together with others; else what is wrong with it, for
/// its owner (Render leaves such a candidate out). REQUIRES: it compiles by itself.
[[nodiscard]] std::string WhyNotMappable(const std::string& regex);

/// REQUIRES: every backend of `desired` is in `slots.assigned`.
[[nodiscard]] Image Render(const model::Desired& desired, const SlotMap& slots,
                           const Settings& settings);

/// Relative path ("conf/10-plain-0001.cfg", "maps/routes.map") → content, complete and final:
/// HAProxy started on these files serves the image.
using Files = std::map<std::string, std::string>;
[[nodiscard]] Files RenderFiles(const Image& image);
/// Only the named ones (Plan::files).
[[nodiscard]] Files RenderFiles(const Image& image, const std::set<std::string>& paths);

/// The configuration as one text, for `GET …/config`; secrets (cookie key) redacted.
[[nodiscard]] std::string ConfigText(const Files& files);

}  // namespace swarmgate::haproxy
