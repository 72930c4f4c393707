#include "haproxy/base_config.h"

#include <string_view>

#include "haproxy/certificates.h"
#include "haproxy/extras.h"
#include "haproxy/policy.h"
#include "haproxy/quote.h"
#include "haproxy/slots.h"
#include "swarmgate/base/check.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::haproxy {
namespace {

constexpr const char* kPlainText = "content-type text/plain";
// One that NormalizeHost() leaves as it is.
constexpr const char* kUsualHost = "^[a-z0-9._-]*[a-z0-9_-]$";

std::string Milliseconds(std::chrono::milliseconds duration) {
  return std::to_string(duration.count()) + "ms";
}

/// Lines of one section: the head, then each line indented.
class Section {
 public:
  Section(std::string& text, const std::string& head) : text_(text) {
    if (!text_.empty()) text_ += '\n';
    text_ += head + "\n";
  }
  Section& operator<<(const std::string& line) {
    text_ += "  " + line + "\n";
    return *this;
  }
  Section& operator<<(const Lines& lines) {
    for (const std::string& line : lines) *this << line;
    return *this;
  }

 private:
  std::string& text_;
};

void Global(std::string& text, const Settings& settings) {
  Section global(text, "global");
  // Map names are relative, so that a staged copy of the directory is checked with identical bytes.
  global << "default-path parent"
         << "stats socket " + Quote(settings.run_dir + "/runtime.sock") +
                " mode 600 level admin expose-fd listeners"
         << "stats timeout 30s"
         << "stats maxconn 50"
         << "hard-stop-after " + Milliseconds(settings.hard_stop_after)
         // Many servers with a few idle connections each: without room for them they evict one
         // another.
         << "tune.pool-high-fd-ratio 80"
         << "tune.pool-low-fd-ratio 70";
  if (settings.max_connections > 0) {
    global << "maxconn " + std::to_string(settings.max_connections);
  }
  if (settings.threads > 0) global << "nbthread " + std::to_string(settings.threads);
  for (const std::string& line : TlsGlobalLines(settings)) global << line;
  global << settings.extras.extra_global;
}

void FrontendDefaults(std::string& text, const Settings& settings) {
  Section defaults(text, "defaults sg_front");
  defaults << "mode http"
           << "timeout client " + Milliseconds(settings.timeout_client)
           << "timeout http-request " + Milliseconds(settings.timeout_http_request)
           << "timeout http-keep-alive " + Milliseconds(settings.timeout_http_keep_alive)
           << "option dontlognull"
           // Without it a reload costs each idle keep-alive connection its next request.
           << "option idle-close-on-response" << LogLines(settings);
}

void TcpFrontendDefaults(std::string& text, const Settings& settings) {
  Section defaults(text, "defaults sg_tcp_front");
  defaults << "mode tcp"
           << "timeout client " + Milliseconds(settings.timeout_client) << "option dontlognull"
           << TcpLogLines(settings);
}

constexpr const char* kFound = "http-request allow if { var(txn.r) -m beg sg_ }";
constexpr const char* kNotYet = "!{ var(txn.r) -m found }";

std::string LookedUp() { return ",map_beg(" + std::string(MapFile(MapId::kRoutes)) + ")"; }
std::string SetRoute(const std::string& from) { return "http-request set-var(txn.r) " + from; }
std::string AnyHost() { return SetRoute("str(),concat(,txn.path,/?)" + LookedUp()); }
/// Words of a condition: routes.map does not have this flag.
std::string Without(const char* flag) {
  return "!{ str(" + std::string(flag) + ")" + LookedUp() + " -m found }";
}
std::string Suffix(int level) { return "txn.w" + std::to_string(level); }
/// The domain above that of the level before.
std::string SetSuffix(int level) {
  return "http-request set-var(" + Suffix(level) + ") var(" +
         (level == 1 ? "txn.host" : Suffix(level - 1)) + "),field(2,.,0)";
}
std::string Wildcard(int level) {
  return SetRoute("str(.),concat(," + Suffix(level) + "),concat(,txn.path,/?)" + LookedUp());
}

/// Leads to a backend, or leaves in txn.r what decides further.
void Resolve(Section& frontend) {
  const std::string conditions = ",map_beg(" + std::string(MapFile(MapId::kConditions)) + ")";
  const std::string regexes = ",map_reg(" + std::string(MapFile(MapId::kRegexes)) + ")";
  const std::string set_route = SetRoute("var(txn.r)");
  frontend << set_route + ",concat(:,txn.port,:)" + conditions + " if { var(txn.r) -m beg @ }"
           << set_route + ",concat(:,txn.port,:\\n),concat(,txn.path)" + regexes +
                  " if { var(txn.r) -m beg ~ }"
           << "http-request set-var(txn.hdrs) req.hdrs if { var(txn.r) -m beg ^ }"
           << set_route + ",concat(:,txn.port,:\\n),concat(,txn.hdrs),concat(,txn.path)" + regexes +
                  " if { var(txn.r) -m beg ^ }"
           << set_route + ",concat(:,txn.dice,:)" + conditions + " if { var(txn.r) -m beg % }"
           << kFound;
}

/// Most requests name the host as the keys do. Nothing has to be put together for these: finding
/// the route costs them half.
void FindUsual(Section& frontend) {
  const std::string usual = " { req.fhdr(host) -m reg " + std::string(kUsualHost) + " }";
  frontend << SetRoute("base,concat(/?)" + LookedUp() + " if" + usual)
           << SetRoute("path,concat(/?)" + LookedUp() + " if ") + kNotYet + " " +
                  Without(kWildcardFlag) + usual
           << kFound;
}

/// The most specific entry of all, where nothing but host and path decides.
void FindSimple(Section& frontend) {
  const std::string if_not_yet = std::string(" if ") + kNotYet;
  frontend << SetRoute("var(txn.host),concat(,txn.path,/?)" + LookedUp())
           << AnyHost() + if_not_yet + " " + Without(kWildcardFlag) << kFound;
  for (int level = 1; level <= kWildcardLevels; ++level) {
    frontend << SetSuffix(level) + if_not_yet
             << Wildcard(level) + if_not_yet + " { var(" + Suffix(level) + ") -m found }";
    // Most wildcards stand for one label.
    if (level == 1) frontend << kFound;
  }
  frontend << AnyHost() + if_not_yet + " " + Without(kRegexFlag) << kFound;
}

/// Entry by entry, because what the most specific one asks for besides may not be given.
void FindByAll(Section& frontend) {
  frontend << "http-request set-var(txn.port) dst_port"
           // Four digits, so that a beginning of them stands for a part of all numbers.
           << "http-request set-var(txn.dice) rand(1000),add(1000)"
           << SetRoute("var(txn.host),concat(,txn.path,/?)" + LookedUp());
  Resolve(frontend);
  for (int level = 1; level <= kWildcardLevels; ++level) {
    frontend << SetSuffix(level) << Wildcard(level) + " if { var(" + Suffix(level) + ") -m found }";
    Resolve(frontend);
  }
  frontend << "http-request set-var(txn.hdrs0) req.hdrs if { str(" + std::string(kHeaderFlag) +
                  ")" + LookedUp() + " -m found }"
           << SetRoute(
                  "str(),concat(,txn.hdrs0),concat(,txn.host,|),concat(,txn.port,|)"
                  ",concat(,txn.path),map_reg(" +
                  std::string(MapFile(MapId::kHostRegexes)) + ")")
           << SetRoute("var(txn.r),concat(:,txn.dice,:),map_beg(" +
                       std::string(MapFile(MapId::kConditions)) + ") if { var(txn.r) -m beg % }")
           << kFound << AnyHost();
  Resolve(frontend);
}

void Frontend(std::string& text, const Settings& settings,
              const std::vector<model::RawRoutes>& raw) {
  Section frontend(text, "frontend services from sg_front");
  for (const Bind& bind : settings.binds) {
    const bool any = bind.address == "*";
    const auto address = any ? std::string("*") : CanonicalAddress(bind.address);
    SWARMGATE_CHECK(address.has_value());
    frontend << "bind " + JoinAddress(*address, bind.port) +
                    (bind.tls ? TlsBindWords(settings.tls) : std::string()) +
                    (bind.accept_proxy ? " accept-proxy" : "");
  }
  const std::string stats = StatsCondition(settings.extras);
  frontend << FrontendLines(settings.extras);
  if (!stats.empty()) frontend << "http-request allow if " + stats;
  frontend << ForwardedRules(settings.extras);
  if (settings.extras.repeats_unanswered) {
    frontend << "http-request disable-l7-retry unless { method GET HEAD OPTIONS }";
  }
  const Lines asked = {NormalizeHost(), "http-request set-var(txn.path) path"};
  // A line of the log and the lines of services may speak of them as well.
  const bool asked_first = settings.extras.access_log.what != AccessLog::What::kOff || !raw.empty();
  if (asked_first) frontend << asked;
  for (const model::RawRoutes& service : raw) frontend << service.raw.frontend;
  // It reads the request as it is by now, the others as it came.
  if (raw.empty()) FindUsual(frontend);
  if (!asked_first) frontend << asked;
  FindSimple(frontend);
  FindByAll(frontend);
  frontend << "http-request return status " + std::to_string(settings.unknown_route_status) + " " +
                  kPlainText + " string \"no route\\n\" hdr Cache-Control no-store";
  if (!stats.empty()) frontend << "use_backend stats if " + stats;
  frontend << "use_backend %[var(txn.r),field(1,|)]";
}

void RecordRules(Section& defaults, const Settings& settings) {
  const std::string map_regm = ",map_regm(" + std::string(MapFile(MapId::kRewrites)) + ")";
  defaults << "http-request set-timeout server var(txn.r),field(4,|)"
           << "http-request set-timeout tunnel var(txn.r),field(5,|)"
           << "http-request set-var(txn.rn) var(txn.r),field(6,|)"
           << "http-request set-var(txn.f) var(txn.r),field(8,|)"
           // Most have neither flags nor rewrites, and their section has no rules of a profile:
           // nothing of what follows concerns them.
           << "http-request allow if !{ var(txn.f) -m found } " + NoFurtherRules();
  for (const std::string& rule : PolicyRules(settings.extras)) defaults << rule;
  const std::string rewrites = "{ var(txn.rn) -m int ge ";
  defaults << "http-request set-var(txn.rw) var(txn.r),field(7,|) if " + rewrites + "1 }"
           << "http-request set-var(txn.np) path if " + rewrites + "1 }";
  for (std::size_t i = 1; i <= kMaxRewrites; ++i) {
    const std::string number = std::to_string(i);
    // A pair that does not match leaves the variable as it was.
    defaults << "http-request set-var(txn.np) var(txn.np),concat(\\n,txn.rw,." + number + ")" +
                    map_regm + " if " + rewrites + number + " }";
  }
  defaults << RewritePath("!" + RewritesItself());
}

void SlotDefaults(std::string& text, const Settings& settings, model::BackendKind kind) {
  Section defaults(text, "defaults " + DefaultsName(kind));
  const bool tcp = kind == model::BackendKind::kTcp;
  defaults
      << (tcp ? "mode tcp" : "mode http") << "balance roundrobin"
      << "timeout connect " + Milliseconds(settings.timeout_connect)
      << "timeout server " + Milliseconds(settings.timeout_server)
      << "timeout queue " + Milliseconds(settings.timeout_queue)
      << "timeout tunnel " + Milliseconds(settings.timeout_tunnel)
      // Docker says who is there; what it has not said yet is covered by trying another server.
      << "retries 3"
      << "option redispatch 1";
  if (tcp) return;
  // Not the frontend's, which no backend could take back: see profile.cc.
  defaults << "option forwardfor"
           << std::string("retry-on conn-failure") +
                  (settings.extras.repeats_unanswered ? " empty-response" : "")
           << std::string("http-error status 503 ") + kPlainText +
                  " string \"no server\\n\" hdr Retry-After 1 hdr Cache-Control no-store"
           << BackendLines(settings.extras);
  if (kind == model::BackendKind::kPlain) return;
  if (kind == model::BackendKind::kSticky) {
    defaults << "dynamic-cookie-key " + Quote(settings.cookie_key)
             // A cookie that was given over TLS is not to be sent in the clear.
             << "http-after-response replace-header Set-Cookie '^(sg_sticky[^;]*;.*)$' "
                "'\\1; Secure' if " +
                    SecureCondition(settings.extras);
  }
  RecordRules(defaults, settings);
}

/// Names of such servers are found out at run time only: one that does not resolve costs nobody
/// anything.
void RawBackends(std::string& text, const std::vector<model::RawRoutes>& raw) {
  if (raw.empty()) return;
  Section(text, "resolvers sg_names") << "parse-resolv-conf"
                                      << "accepted_payload_size 8192"
                                      << "hold valid 10s";
  for (const model::RawRoutes& service : raw) {
    for (const model::RawBackend& backend : service.raw.backends) {
      Section(text, "backend " + backend.name + " from " + DefaultsName(model::BackendKind::kPlain))
          << "default-server init-addr none resolvers sg_names" << backend.lines;
    }
  }
}

}  // namespace

std::string RenderBase(const Settings& settings, const std::vector<model::RawRoutes>& raw) {
  std::string text;
  Global(text, settings);
  FrontendDefaults(text, settings);
  TcpFrontendDefaults(text, settings);
  Frontend(text, settings, raw);
  text += StatsSections(settings);
  for (const std::string& section : RateTables()) text += section;
  for (const model::BackendKind kind : kKinds) SlotDefaults(text, settings, kind);
  RawBackends(text, raw);
  return text;
}

}  // namespace swarmgate::haproxy
