#include "haproxy/policy.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "haproxy/digest.h"
#include "haproxy/extras.h"
#include "haproxy/quote.h"
#include "haproxy/slots.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::haproxy {
namespace {

/// The letters of a record's flags. A rule costs a route that does not have its letter next to
/// nothing; a route without any flag does not even have the variable.
constexpr const char* kAllowed = "a";
constexpr const char* kAuthorize = "b";
constexpr const char* kPreflights = "c";
constexpr const char* kDenyHttp = "d";
constexpr const char* kElsewhere = "e";
constexpr const char* kHttpsOnly = "h";
constexpr const char* kItself = "i";
constexpr const char* kMaintenance = "m";
constexpr const char* kDenied = "n";
constexpr const char* kHsts = "s";
constexpr const char* kUnlessHttpsProto = "u";
constexpr const char* kVerify = "v";
constexpr const char* kWhenHttpProto = "w";
constexpr const char* kUnusable = "x";

struct RedirectCode {
  int code;
  const char* letter;
};
constexpr auto kRedirectCodes =
    std::to_array<RedirectCode>({{301, "1"}, {302, "2"}, {303, "3"}, {307, "7"}, {308, "8"}});
constexpr int kDefaultRedirect = 302;

struct Period {
  int seconds;
  const char* letter;
  const char* name;
};
constexpr auto kPeriods =
    std::to_array<Period>({{1, "o", "1s"}, {10, "p", "10s"}, {60, "q", "1m"}, {3600, "r", "1h"}});

constexpr std::size_t kMaxEntry = 4096;

using Entries = std::vector<std::pair<std::string, std::string>>;

std::string RateTable(const Period& period) { return std::string("sg_rate_") + period.name; }

/// Every byte that could mean something as %XX; url_dec gives it back.
std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kPlain = "-._~,:/!";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kPlain.find(c) != std::string_view::npos;
    if (plain) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4U];
      encoded += kDigits[byte & 15U];
    }
  }
  return encoded;
}

/// What a 405 names in its Allow header.
std::string AllowedMethods(const model::Policy& policy) {
  static const auto* const usual =
      new std::vector<std::string>{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};
  std::string list;
  for (const std::string& method :
       policy.allowed_methods.empty() ? *usual : policy.allowed_methods) {
    const auto& denied = policy.denied_methods;
    if (std::find(denied.begin(), denied.end(), method) != denied.end()) continue;
    list += (list.empty() ? "" : ",") + method;
  }
  return list;
}

/// Letters of the flags.
std::string Flags(const model::Policy& policy) {
  std::string flags;
  const auto add = [&flags](bool wanted, const char* letter) {
    if (wanted) flags += letter;
  };
  add(policy.https_only, kHttpsOnly);
  add(policy.redirect_when_http, kWhenHttpProto);
  add(policy.redirect_unless_https, kUnlessHttpsProto);
  if (!flags.empty()) {
    const int wanted = policy.redirect_code == 0 ? kDefaultRedirect : policy.redirect_code;
    const auto* const code =
        std::find_if(kRedirectCodes.begin(), kRedirectCodes.end(),
                     [wanted](const RedirectCode& known) { return known.code == wanted; });
    if (code == kRedirectCodes.end()) return kUnusable;
    flags += code->letter;
  }
  add(!policy.redirect_host.empty(), kElsewhere);
  add(policy.maintenance, kMaintenance);
  add(policy.deny_http, kDenyHttp);
  add(policy.verify_client, kVerify);
  add(!policy.allowed_methods.empty(), kAllowed);
  add(!policy.denied_methods.empty(), kDenied);
  add(!policy.users.empty(), kAuthorize);
  add(!policy.hsts.empty(), kHsts);
  if (policy.rate_limit) {
    const auto* const period =
        std::find_if(kPeriods.begin(), kPeriods.end(), [&policy](const Period& known) {
          return policy.rate_limit->period.count() == known.seconds;
        });
    if (period == kPeriods.end()) return kUnusable;
    flags += period->letter;
  }
  return flags;
}

/// What stands in the map of policies, but for users.
Entries PolicyEntries(const model::Policy& policy) {
  Entries entries;
  for (const std::string& method : policy.allowed_methods) entries.emplace_back("a:" + method, "1");
  for (const std::string& method : policy.denied_methods) entries.emplace_back("n:" + method, "1");
  if (!entries.empty()) {
    std::string allow = AllowedMethods(policy);
    if (!allow.empty()) entries.emplace_back("A", std::move(allow));
  }
  if (policy.rate_limit) entries.emplace_back("r", std::to_string(policy.rate_limit->requests));
  if (!policy.redirect_host.empty()) entries.emplace_back("e", policy.redirect_host);
  if (!policy.hsts.empty()) entries.emplace_back("s", policy.hsts);
  if (policy.maintenance) {
    entries.emplace_back("t",
                         PercentEncoded(policy.maintenance_text.empty() ? "down for maintenance"
                                                                        : policy.maintenance_text));
    entries.emplace_back("R", std::to_string(policy.retry_after.count()));
  }
  return entries;
}

/// The id follows from the content, so that a changed policy is another one. It is the salt of the
/// passwords, and seen by whoever may look at routes: without the secret it says nothing of them.
std::string PolicyId(const model::Policy& policy, const Entries& entries,
                     const Settings& settings) {
  std::string content = settings.cookie_key;
  const auto add = [&content](std::string_view text) {
    content += '\n' + std::to_string(text.size()) + ':';
    content += text;
  };
  for (const auto& [what, value] : entries) {
    add(what);
    add(value);
  }
  for (const model::Credential& user : policy.users) {
    add(user.user);
    add(user.password);
  }
  return ToLower(Sha256Hex(content).substr(0, 16));
}

/// May these stand in the map?
bool CanStand(const Entries& entries, const model::Policy& policy) {
  for (const auto& [what, value] : entries) {
    if (!IsMapWord(what, kMaxEntry) || !IsMapWord(value, kMaxEntry)) return false;
  }
  return std::none_of(policy.users.begin(), policy.users.end(), [](const auto& user) {
    return user.encrypted || user.user.empty() || user.password.empty() ||
           user.user.find(':') != std::string::npos;
  });
}

// --- the rules ----------------------------------------------------------------------------------

/// X-Forwarded-Proto as it came, before the frontend put ours in its place: the client's, or that
/// of a load balancer in front of us.
std::string SentProto(const char* is) {
  return std::string("{ var(txn.xfp) -m str -i ") + is + " }";
}

/// Has the record one of these flags?
std::string Has(const std::string& letters) { return "{ var(txn.f) -m sub " + letters + " }"; }

std::string Looked() { return ",map_str(" + std::string(MapFile(MapId::kPolicies)) + ")"; }
/// Is "<policy id>:<what>:<variable>" in the map of policies?
std::string Listed(const std::string& what, const std::string& variable) {
  return "{ var(txn.p),concat(:" + what + ":," + variable + ")" + Looked() + " -m found }";
}
/// The value of "<policy id>:<what>".
std::string Entry(const std::string& what) { return "var(txn.p),concat(:" + what + ")" + Looked(); }

std::string Answer(int status, const std::string& text) {
  return "http-request return status " + std::to_string(status) +
         " content-type text/plain string \"" + text + "\\n\" hdr Cache-Control no-store";
}

using Rules = std::vector<std::string>;

void AddRedirects(Rules& rules, const std::string& secure) {
  rules.push_back("http-request set-var(txn.s) var(txn.f) if " + Has(kHttpsOnly) + " !" + secure +
                  " || " + Has(kWhenHttpProto) + " " + SentProto("http") + " || " +
                  Has(kUnlessHttpsProto) + " !" + SentProto("https"));
  for (const RedirectCode& code : kRedirectCodes) {
    rules.push_back("http-request redirect scheme https code " + std::to_string(code.code) +
                    " if { var(txn.s) -m sub " + code.letter + " }");
  }
}

void AddMethods(Rules& rules) {
  const std::string allow = " hdr Allow \"%[" + Entry("A") + "]\"";
  // As a text (HAProxy keeps the methods that it does not know otherwise), and so that "delete" is
  // no way around a denied DELETE.
  rules.push_back("http-request set-var(txn.m) method,upper if " +
                  Has(std::string(kAllowed) + " " + kDenied));
  rules.push_back(Answer(405, "method not allowed") + allow + " if " + Has(kAllowed) + " !" +
                  Listed("a", "txn.m") + " || " + Has(kDenied) + " " + Listed("n", "txn.m"));
}

std::string RateLetters() {
  std::string letters;
  for (const Period& period : kPeriods) letters += std::string(period.letter) + " ";
  letters.pop_back();
  return letters;
}

void AddRateLimits(Rules& rules) {
  const std::string letters = RateLetters();
  rules.push_back("http-request set-var(txn.src) src if " + Has(letters));
  rules.push_back("http-request set-var(txn.rl) " + Entry("r") + " if " + Has(letters));
  for (const Period& period : kPeriods) {
    const std::string table = RateTable(period);
    const std::string has = Has(period.letter);
    rules.push_back("http-request track-sc0 var(txn.r),field(2,|),concat(|,txn.src),sha1 table " +
                    table + " if " + has);
    rules.push_back(Answer(429, "too many requests") + " hdr Retry-After " +
                    std::to_string(period.seconds) + " if " + has + " { sc0_http_req_rate(" +
                    table + "),sub(txn.rl) gt 0 }");
  }
}

void AddAuthorization(Rules& rules) {
  const std::string has = Has(kAuthorize);
  rules.push_back("http-request set-var(txn.au) http_auth_user if " + has);
  rules.push_back("http-request set-var(txn.aw) http_auth_pass if " + has);
  rules.push_back(
      "http-request set-var(txn.ah) var(txn.p),concat(:,txn.au,:),concat(,txn.aw),sha2(256),hex "
      "if " +
      has);
  rules.push_back(Unauthorized() + " if " + has + " !" + Listed("u", "txn.ah"));
  rules.push_back("http-request del-header Authorization if " + has);
}

/// To another host, everything else as it is.
void AddElsewhere(Rules& rules, const std::string& secure) {
  const std::string has = Has(kElsewhere);
  // Who asks for the target itself (where a wildcard leads there) would go round in circles.
  const std::string other = " !{ var(txn.rd),strcmp(txn.host) eq 0 }";
  rules.push_back(NormalizeHost() + " if " + has);
  const std::string to = "http-request redirect code 301 location %[var(txn.rs)]://%[var(txn.rd)]";
  rules.push_back("http-request set-var(txn.rd) " + Entry("e") + " if " + has);
  // What a proxy in front says about the scheme concerns only whoever is redirected.
  rules.push_back("http-request set-var(txn.rs) str(http) if " + has);
  rules.push_back("http-request set-var(txn.rs) str(https) if " + has + " " + secure + " || " +
                  has + " " + SentProto("https"));
  rules.push_back("http-request set-var(txn.rp) req.hdr(host),port_only if " + has);
  rules.push_back(to + "%[pathq] if " + has + " { var(txn.rp) -m int 0 }" + other);
  rules.push_back(to + ":%[var(txn.rp)]%[pathq] if " + has + other);
}

}  // namespace

RecordEnd RecordTail(const model::Policy& policy, const model::Profile& profile,
                     const std::string& rewrites, const Settings& settings) {
  RecordEnd end;
  end.tail = "|" + std::to_string(policy.timeout_server.value_or(settings.timeout_server).count()) +
             "|" + std::to_string(policy.timeout_tunnel.value_or(settings.timeout_tunnel).count());
  if (!rewrites.empty()) end.tail += "|" + rewrites;
  std::string flags = Flags(policy);
  if (profile.cors && !flags.empty() && flags != kUnusable) flags += kPreflights;
  if (!profile.condition.empty() && !rewrites.empty() && flags != kUnusable) flags += kItself;
  if (flags.empty()) return end;
  if (rewrites.empty()) end.tail += "||";
  const Entries entries = PolicyEntries(policy);
  if (flags != kUnusable && !CanStand(entries, policy)) flags = kUnusable;
  end.tail += "|" + flags;
  if (flags == kUnusable || (entries.empty() && policy.users.empty())) return end;
  end.policy = PolicyId(policy, entries, settings);
  end.tail += "|" + end.policy;
  for (const auto& [what, value] : entries)
    end.entries.emplace_back(end.policy + ":" + what, value);
  for (const model::Credential& user : policy.users) {
    const std::string digest = Sha256Hex(end.policy + ":" + user.user + ":" + user.password);
    end.entries.emplace_back(end.policy + std::string(kUserEntry) + digest, "1");
  }
  return end;
}

std::string RewritePath(const std::string& further) {
  return "http-request set-path %[var(txn.np)] if { var(txn.rn) -m int ge 1 }" +
         (further.empty() ? "" : " " + further);
}

std::string RewritesItself() { return Has(kItself); }

std::string Preflight() {
  return "{ method OPTIONS } { req.hdr(access-control-request-method) -m found }";
}

std::string NoFurtherRules() {
  return std::string("!{ var(txn.rn) -m int ge 1 } { var(txn.r) -m beg sg_") +
         KindName(model::BackendKind::kRich) + "_ sg_" + KindName(model::BackendKind::kSticky) +
         "_ }";
}

std::string NormalizeHost() {
  return "http-request set-var(txn.host) req.hdr(host),lower,host_only,field(1,/),rtrim(.)";
}

std::string Unauthorized() {
  return Answer(401, "unauthorized") +
         " hdr WWW-Authenticate 'Basic realm=\"%[var(txn.r),field(2,|)]Realm\"'";
}

std::vector<std::string> PolicyRules(const Extras& extras) {
  const std::string secure = SecureCondition(extras);
  Rules rules = {
      "http-request set-var(txn.p) var(txn.r),field(9,|) if { var(txn.f) -m found }",
      "http-request deny deny_status 403 if " + Has(kUnusable),
      "http-request return status 503 content-type 'text/plain; charset=utf-8' lf-string \"%[" +
          Entry("t") + ",url_dec]\\n\" hdr Retry-After \"%[" + Entry("R") +
          "]\" hdr Cache-Control no-store if " + Has(kMaintenance),
  };
  AddElsewhere(rules, secure);
  AddRedirects(rules, secure);
  rules.push_back("http-request deny deny_status 403 if " + Has(kDenyHttp) + " !" + secure);
  rules.push_back("http-request deny deny_status 403 if " + Has(kVerify) + " !{ ssl_c_used } || " +
                  Has(kVerify) + " !{ ssl_c_verify 0 }");
  // Redirects and refusals alone are the most common, and half of the rules are behind us.
  std::string others;
  for (const char* letter : {kPreflights, kAllowed, kDenied, kAuthorize, kItself}) {
    others += std::string(letter) + " ";
  }
  rules.push_back("http-request allow if !" + Has(others + RateLetters()) + " " + NoFurtherRules());
  // The profile answers these, in every case: they never reach a task.
  rules.push_back("http-request unset-var(txn.f) if " + Has(kPreflights) + " " + Preflight());
  AddMethods(rules);
  AddRateLimits(rules);
  AddAuthorization(rules);
  // On answers of our own as well.
  rules.push_back("http-after-response set-header Strict-Transport-Security \"%[" + Entry("s") +
                  "]\" if " + Has(kHsts) + " " + secure);
  return rules;
}

std::vector<std::string> RateTables() {
  std::vector<std::string> sections;
  sections.reserve(kPeriods.size());
  for (const Period& period : kPeriods) {
    sections.push_back("\nbackend " + RateTable(period) +
                       " from sg_front\n  stick-table type binary len 20 size " + "100k expire " +
                       std::to_string(2 * period.seconds) + "s store http_req_rate(" +
                       std::to_string(period.seconds) + "s)\n");
  }
  return sections;
}

}  // namespace swarmgate::haproxy
