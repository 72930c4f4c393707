#include "haproxy/profile.h"

#include <algorithm>

#include "haproxy/digest.h"
#include "haproxy/policy.h"
#include "haproxy/quote.h"
#include "haproxy/slots.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::haproxy {
namespace {

/// The lines of a section, one after the other.
class Lines {
 public:
  explicit Lines(std::string& text) : text_(text) {}
  void operator()(const std::string& line) { text_ += "  " + line + "\n"; }

 private:
  std::string& text_;
};

std::string Joined(const std::vector<std::string>& items, const std::string& between) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : between) + item;
  return text;
}

std::string HeaderLine(const model::HeaderRule& rule) {
  using Action = model::HeaderRule::Action;
  std::string line = rule.response ? "http-response " : "http-request ";
  line += rule.action == Action::kAdd   ? "add-header "
          : rule.action == Action::kSet ? "set-header "
                                        : "del-header ";
  line += Quote(rule.name);
  if (rule.raw) return line + " " + rule.format;
  if (rule.action != Action::kDelete) line += " " + Quote(rule.format);
  // A condition of the closed list is words of the language itself.
  if (!rule.condition.empty()) line += " " + rule.condition;
  return line;
}

/// HAProxy adds X-Forwarded-For behind all rules. Where a rule sets it, it is added in front of the
/// rules instead, so that it stays where a condition does not hold, and never stands beside theirs.
void Headers(const std::vector<model::HeaderRule>& rules, Lines& add) {
  const bool own = std::any_of(rules.begin(), rules.end(), [](const model::HeaderRule& rule) {
    return !rule.response && rule.action != model::HeaderRule::Action::kDelete &&
           ToLower(rule.name) == "x-forwarded-for";
  });
  if (own) {
    add("option forwardfor if-none");
    add("http-request add-header X-Forwarded-For %[src]");
  }
  for (const model::HeaderRule& rule : rules) add(HeaderLine(rule));
}

/// A line holds at most 64 words.
void AddNetworks(const std::string& name, const std::vector<std::string>& networks, Lines& add) {
  constexpr std::size_t kPerLine = 32;
  for (std::size_t first = 0; first < networks.size(); first += kPerLine) {
    std::string line = "acl " + name + " src";
    for (std::size_t i = first; i < std::min(networks.size(), first + kPerLine); ++i) {
      line += " " + Quote(networks[i]);
    }
    add(line);
  }
}

std::string Refuse(bool http) {
  return http ? "http-request deny deny_status 403" : "tcp-request content reject";
}

void AddAddressLists(const model::Profile& profile, bool http, Lines& add) {
  const std::string refuse = Refuse(http);
  AddNetworks("sg_denied", profile.deny_from, add);
  AddNetworks("sg_allowed", profile.allow_from, add);
  if (!profile.deny_from.empty()) add(refuse + " if sg_denied");
  if (!profile.allow_from.empty()) add(refuse + " unless sg_allowed");
}

/// Lines that ask for one of the users. The list is named by all that the profile says, so that
/// each class has its own: HAProxy adds the users of a list whose name is there already to the list
/// that came last.
std::string AskForUsers(const model::Profile& profile, model::BackendKind kind,
                        const std::string& other_lines, std::string& head) {
  if (profile.encrypted_users.empty()) return "";
  std::string users;
  for (const model::Credential& user : profile.encrypted_users) {
    users += "  user " + Quote(user.user) + " password " + Quote(user.password) + "\n";
  }
  const std::string name = std::string("sg_users_") + KindName(kind) + "_" +
                           ToLower(Sha256Hex(users + other_lines)).substr(0, 16);
  head += "userlist " + name + "\n" + users;
  return "  " + Unauthorized() + " unless { http_auth(" + name + ") }\n" +
         "  http-request del-header Authorization\n";
}

void Connections(const model::Profile& profile, Lines& add) {
  using Mode = model::ConnectionMode;
  if (profile.connection_mode) {
    const Mode mode = *profile.connection_mode;
    add(mode == Mode::kKeepAlive     ? "option http-keep-alive"
        : mode == Mode::kServerClose ? "option http-server-close"
                                     : "option httpclose");
  }
  if (profile.retries) add("retries " + std::to_string(*profile.retries));
}

void Choice(const model::Balance& balance, Lines& add) {
  using Algorithm = model::Balance::Algorithm;
  std::string word;
  // Servers that come and go are only allowed where the hash is consistent.
  bool hashed = false;
  switch (balance.algorithm) {
    case Algorithm::kRoundRobin:
      return;
    case Algorithm::kLeastConn:
      word = "leastconn";
      break;
    case Algorithm::kFirst:
      word = "first";
      break;
    case Algorithm::kRandom:
      word = "random";
      break;
    case Algorithm::kSource:
      word = "source";
      hashed = true;
      break;
    case Algorithm::kUri:
      word = "uri";
      hashed = true;
      break;
    case Algorithm::kHeader:
      word = "hdr(" + balance.header + ")";
      hashed = true;
      break;
  }
  add("balance " + Quote(word));
  if (hashed) add("hash-type consistent");
}

void Compression(const model::Profile& profile, Lines& add) {
  if (profile.compression_algo.empty()) return;
  std::string line = "compression algo";
  for (const std::string_view word : Split(profile.compression_algo, ' '))
    line += " " + Quote(word);
  add(line);
  if (profile.compression_types.empty()) return;
  line = "compression type";
  for (const std::string& type : profile.compression_types) line += " " + Quote(type);
  add(line);
}

/// The answers of the proxy itself get the headers as well, so that a page can read their status.
void CrossOrigin(const model::Cors& cors, Lines& add) {
  const bool any = cors.origins.front() == "*";
  std::string allowed = "{ var(txn.co) -m ";
  allowed += any ? "found }" : "str";
  if (!any) {
    for (const std::string& origin : cors.origins) allowed += " " + Quote(origin);
    allowed += " }";
  }
  const std::string preflight = " if " + Preflight();
  std::string answer = "http-request return status 204 hdr Access-Control-Allow-Methods " +
                       Quote(Joined(cors.methods, ", "));
  if (!cors.headers.empty()) {
    answer += " hdr Access-Control-Allow-Headers " + Quote(Joined(cors.headers, ", "));
  }
  if (cors.max_age.count() > 0) {
    answer += " hdr Access-Control-Max-Age " + std::to_string(cors.max_age.count());
  }
  add("http-request set-var(txn.co) req.hdr(origin)");
  add(answer + preflight + " " + allowed);
  // What is not listed gets an answer without the headers that would allow it something.
  add("http-request return status 204" + preflight);
  const std::string rule = "http-after-response ";
  add(rule + "del-header Access-Control-Allow-Origin");
  add(rule + "del-header Access-Control-Allow-Credentials");
  add(rule + "set-header Access-Control-Allow-Origin " + (any ? "'*'" : Quote("%[var(txn.co)]")) +
      " if " + allowed);
  if (cors.credentials)
    add(rule + "set-header Access-Control-Allow-Credentials true if " + allowed);
  if (!any) add(rule + "add-header Vary Origin");
}

void Page(const model::ErrorPage& page, Lines& add) {
  const std::string status = std::to_string(page.status);
  const bool html = page.text.front() == '<';
  const std::string content =
      " content-type " + Quote(std::string(html ? "text/html" : "text/plain") + "; charset=utf-8") +
      " string " + Quote(page.text) + (page.status == 503 ? " hdr Retry-After 1" : "") +
      " hdr Cache-Control no-store";
  add("http-error status " + status + content);
  add("http-response return status " + status + content + " if { status " + status + " }");
}

}  // namespace

ProfileText RenderProfile(const model::Profile& profile, model::BackendKind kind) {
  const bool http = kind != model::BackendKind::kTcp;
  std::string addresses;
  Lines networks(addresses);
  AddAddressLists(profile, http, networks);
  ProfileText text;
  // A preflight carries no credentials. Users are asked behind the addresses, because a hash costs
  // much, and before all else.
  std::string before_users;
  Lines first(before_users);
  if (profile.cors) CrossOrigin(*profile.cors, first);
  if (!profile.condition.empty()) {
    first(Refuse(http) + " unless " + profile.condition);
    if (http && kind != model::BackendKind::kPlain) first(RewritePath());
  }
  Lines add(text.lines);
  Connections(profile, add);
  Choice(profile.balance, add);
  const auto add_timeout = [&add](const char* what, const auto& time) {
    if (time) add(std::string("timeout ") + what + " " + std::to_string(time->count()) + "ms");
  };
  add_timeout("server", profile.timeout_server);
  add_timeout("tunnel", profile.timeout_tunnel);
  if (profile.check_path) {
    add("option httpchk");
    add("http-check send meth GET uri " + Quote(*profile.check_path) + " ver HTTP/1.1 hdr Host " +
        Quote(profile.check_host.empty() ? "localhost" : profile.check_host));
  }
  Compression(profile, add);
  Headers(profile.headers, add);
  for (const model::ErrorPage& page : profile.error_pages) Page(page, add);
  for (const std::string& line : profile.raw) add(line);
  const std::string users =
      AskForUsers(profile, kind, addresses + before_users + text.lines, text.head);
  text.lines = addresses + before_users + users + text.lines;
  if (!profile.ca_file.empty()) {
    // Takes no request. It has the file loaded, without which no server with it can be added.
    text.head += "backend ca_" + HashHex(profile.ca_file + "\n" + text.lines) +
                 " from sg_plain\n  server ca 127.0.0.1:1 disabled ssl verify required ca-file " +
                 Quote(profile.ca_file) + "\n";
  }
  return text;
}

}  // namespace swarmgate::haproxy
