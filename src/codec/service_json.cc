// A service as Docker Flow Proxy's JSON has it: every field of its structures, in their order, with
// their types; lists of the service are null where there are none, those of a destination empty.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>

#include "swarmgate/base/strings.h"
#include "swarmgate/codec/admin_json.h"

namespace swarmgate::codec {
namespace {

constexpr const char* kHidden = "***";

/// Parameters as they were written, for what the typed form does not keep.
class Given {
 public:
  explicit Given(const std::map<std::string, std::string>& parameters) : parameters_(parameters) {}

  [[nodiscard]] std::string Text(const std::string& name, int index = 0) const {
    if (index > 0) {
      const auto own = parameters_.find(name + "." + std::to_string(index));
      if (own != parameters_.end()) return std::string(Trim(own->second));
    }
    const auto found = parameters_.find(name);
    return found == parameters_.end() ? std::string() : std::string(Trim(found->second));
  }
  [[nodiscard]] bool Flag(const std::string& name, int index = 0) const {
    const std::string text = Text(name, index);
    return text == "1" || text == "t" || ToLower(text) == "true" || text == "T";
  }
  [[nodiscard]] unsigned long Number(const std::string& name, int index = 0) const {
    return ParseUint(Text(name, index), 1'000'000'000).value_or(0);
  }
  [[nodiscard]] std::vector<std::string> List(const std::string& name, int index = 0) const {
    const std::string list = Text(name, index);
    std::vector<std::string> items;
    for (const std::string_view item : Split(list, ',')) {
      if (!Trim(item).empty()) items.emplace_back(Trim(item));
    }
    return items;
  }

 private:
  const std::map<std::string, std::string>& parameters_;
};

void WriteList(JsonWriter& json, std::string_view key, const std::vector<std::string>& items) {
  json.Key(key).BeginArray();
  for (const std::string& item : items) json.String(item);
  json.EndArray();
}

void WriteListOrNull(JsonWriter& json, std::string_view key,
                     const std::vector<std::string>& items) {
  if (!items.empty()) return WriteList(json, key, items);
  json.Key(key).Null();
}

std::vector<std::string> PathTexts(const std::vector<model::PathMatch>& paths) {
  std::vector<std::string> texts;
  for (const model::PathMatch& path : paths) {
    const std::string text = PathText(path);
    texts.push_back(text.substr(text.find(' ') + 1));
  }
  return texts;
}

std::vector<std::string> HostTexts(const std::vector<model::HostMatch>& hosts) {
  std::vector<std::string> texts;
  texts.reserve(hosts.size());
  for (const model::HostMatch& host : hosts) {
    // What was asked for is told as it was written.
    texts.push_back(host.original.empty() ? HostText(host) : host.original.str());
  }
  return texts;
}

std::string Seconds(const std::optional<std::chrono::milliseconds>& time) {
  return time ? std::to_string(time->count() / 1000) : std::string();
}

int PortNumber(const std::optional<std::uint16_t>& port) {
  return static_cast<int>(port.value_or(0));
}

/// Header rules of one kind, written as their owner would; but for the values, which may be an
/// Authorization.
std::vector<std::string> Headers(const model::DestSpec& dest, model::HeaderRule::Action action,
                                 bool response) {
  std::vector<std::string> texts;
  for (const model::HeaderRule& rule : dest.profile->headers) {
    if (rule.action != action || rule.response != response) continue;
    std::string text = rule.name;
    if (!rule.format.empty()) text += std::string(" ") + kHidden;
    if (!rule.condition.empty()) text += " " + rule.condition;
    texts.push_back(std::move(text));
  }
  return texts;
}

std::string ConnectionModeText(const model::DestSpec& dest) {
  using Mode = model::ConnectionMode;
  if (!dest.profile->connection_mode) return "";
  return *dest.profile->connection_mode == Mode::kKeepAlive     ? "http-keep-alive"
         : *dest.profile->connection_mode == Mode::kServerClose ? "http-server-close"
                                                                : "httpclose";
}

std::string Joined(const std::vector<std::string>& items, char between) {
  std::string text;
  for (const std::string& item : items) {
    if (!text.empty()) text += between;
    text += item;
  }
  return text;
}

void WriteUsers(JsonWriter& json, const model::DestSpec& dest) {
  json.Key("Users");
  std::vector<model::Credential> users = dest.policy->users;
  users.insert(users.end(), dest.profile->encrypted_users.begin(),
               dest.profile->encrypted_users.end());
  if (users.empty()) {
    json.Null();
    return;
  }
  json.BeginArray();
  for (const model::Credential& user : users) {
    json.BeginObject().Field("Username", user.user).Field("Password", kHidden);
    json.Field("PassEncrypted", user.encrypted).EndObject();
  }
  json.EndArray();
}

void WriteServiceHeader(JsonWriter& json, const std::vector<model::HeaderCondition>& headers) {
  json.Key("ServiceHeader").BeginObject();
  for (const model::HeaderCondition& header : headers) json.Field(header.name, header.value);
  json.EndObject();
}

void WriteUserAgent(JsonWriter& json, const std::vector<std::string>& values) {
  json.Key("UserAgent").BeginObject();
  WriteList(json, "Value", values);
  json.Field("AclName", Joined(values, '_')).EndObject();
}

std::vector<std::string> Rewrites(const model::DestSpec& dest) {
  std::vector<std::string> pairs;
  for (const model::PathRewrite& rewrite : dest.policy->path_rewrites) {
    pairs.push_back(rewrite.search + "," + rewrite.replace);
  }
  return pairs;
}

const char* ModeText(model::ReqMode mode) {
  return mode == model::ReqMode::kHttp ? "http" : mode == model::ReqMode::kTcp ? "tcp" : "sni";
}

void WriteDestRouting(JsonWriter& json, const model::DestSpec& dest) {
  const std::string mode = ModeText(dest.mode);
  const std::string path = dest.paths.empty() ? "path_beg " : PathText(dest.paths.front());
  json.Field("OutboundHostname", dest.outbound_hostname);
  json.Field("PathType", path.substr(0, path.find(' ')));
  json.Field("Port", dest.port ? std::to_string(*dest.port) : std::string());
  WriteList(json, "RedirectFromDomain", HostTexts(dest.redirect_from));
  json.Field("ReqMode", mode);
  json.Field("ReqModeFormatted", mode == "sni" ? "tcp" : mode);
  json.Field("ReqPathSearchReplace", Joined(Rewrites(dest), ':'));
  WriteList(json, "ServiceDomain", HostTexts(dest.hosts));
  json.Field("ServiceGroup", dest.tcp->group);
  WriteServiceHeader(json, dest.headers);
  WriteList(json, "ServicePath", PathTexts(dest.paths));
  WriteList(json, "ServicePathExclude", PathTexts(dest.path_excludes));
  json.Field("SrcPort", PortNumber(dest.src_port));
  json.Field("SrcHttpsPort", PortNumber(dest.src_https_port));
  // Its rules of the configuration, which here are none of the service's.
  for (const char* name :
       {"SrcPortAcl", "SrcPortAclName", "SrcHttpsPortAcl", "SrcHttpsPortAclName"}) {
    json.Field(name, "");
  }
}

void WriteDest(JsonWriter& json, const model::DestSpec& dest, const Given& given) {
  const int index = dest.index;
  const model::Policy& policy = dest.policy;
  const std::vector<std::string> rewrites = Rewrites(dest);
  json.BeginObject();
  WriteList(json, "AllowedMethods", policy.allowed_methods);
  json.Field("BalanceGroup", given.Text("balanceGroup", index));
  json.Field("CheckTCP", given.Flag("checkTcp", index));
  json.Field("Clitcpka", given.Flag("clitcpka", index));
  WriteList(json, "DeniedMethods", policy.denied_methods);
  json.Field("DenyHttp", policy.deny_http);
  json.Field("HttpsOnly", policy.https_only);
  json.Field("HttpsPort", PortNumber(dest.https_port));
  json.Field("HttpsRedirectCode",
             policy.redirect_code == 0 ? std::string() : std::to_string(policy.redirect_code));
  json.Field("IgnoreAuthorization", given.Flag("ignoreAuthorization", index));
  WriteDestRouting(json, dest);
  json.Field("SslVerifyNone", dest.server->tls == model::ServerOptions::Tls::kUnverified);
  json.Field("TimeoutServer", Seconds(policy.timeout_server));
  json.Field("TimeoutClient", given.Text("timeoutClient", index));
  json.Field("TimeoutTunnel", Seconds(policy.timeout_tunnel));
  json.Field("VerifyClientSsl", policy.verify_client);
  WriteUserAgent(json, given.List("userAgent", index));
  json.Field("UserDef", given.Text("userDef", index));
  json.Field("Index", index);
  WriteList(json, "ReqPathSearchReplaceFormatted", rewrites);
  json.Field("IncludeSrcPortACL", dest.src_port.has_value());
  json.Field("IncludeSrcHttpsPortACL", dest.https_port.has_value());
  json.EndObject();
}

void WriteHeaders(JsonWriter& json, const char* key, const model::DestSpec& dest,
                  model::HeaderRule::Action action, bool response) {
  WriteListOrNull(json, key, Headers(dest, action, response));
}

/// Some of the service's fields are kept with each destination here; the first one tells them.
void WriteService(JsonWriter& json, const model::ServiceSpec& spec, const Given& given,
                  const model::DestSpec& first) {
  using Action = model::HeaderRule::Action;
  json.Field("AclName", spec.acl_name_given ? spec.acl_name : Text());
  WriteHeaders(json, "AddReqHeader", first, Action::kAdd, false);
  WriteHeaders(json, "AddResHeader", first, Action::kAdd, true);
  json.Field("BackendExtra", given.Text("backendExtra"));
  json.Field("CheckResolvers", given.Flag("checkResolvers"));
  json.Field("CompressionAlgo", first.profile->compression_algo);
  json.Field("CompressionType", Joined(first.profile->compression_types, ' '));
  json.Field("ConnectionMode", ConnectionModeText(first));
  json.Field("Debug", given.Flag("debug"));
  json.Field("DebugFormat", given.Text("debugFormat"));
  WriteHeaders(json, "DelReqHeader", first, Action::kDelete, false);
  WriteHeaders(json, "DelResHeader", first, Action::kDelete, true);
  json.Field("DiscoveryType", spec.discovery == model::Discovery::kDns ? "DNS" : "");
  json.Field("Distribute", spec.distribute);
  json.Field("IsDefaultBackend", spec.default_backend);
  json.Field("ProxyInstanceName", spec.proxy_instance);
  json.Field("RedirectWhenHttpProto", first.policy->redirect_when_http);
  json.Field("RedirectUnlessHttpsProto", first.policy->redirect_unless_https);
  json.Field("Replicas", static_cast<unsigned>(spec.replicas.value_or(0)));
  json.Field("ReqPathReplace", given.Text("reqPathReplace"));
  json.Field("ReqPathSearch", given.Text("reqPathSearch"));
  json.Field("ServiceCert", spec.certificate.empty() ? "" : kHidden);
  json.Field("ServiceDomainAlgo", given.Text("serviceDomainAlgo"));
  json.Field("SessionType", spec.session == model::Session::kSticky ? "sticky-server" : "");
  WriteHeaders(json, "SetReqHeader", first, Action::kSet, false);
  WriteHeaders(json, "SetResHeader", first, Action::kSet, true);
  json.Field("TemplateBePath", given.Text("templateBePath"));
  json.Field("TemplateFePath", given.Text("templateFePath"));
  json.Field("UseGlobalUsers", given.Flag("useGlobalUsers"));
  WriteUsers(json, first);
  json.Field("ServicePort", "");
  json.Field("AclCondition", given.Text("aclCondition"));
  json.Field("IsGlobal", !spec.replicas.has_value());
  json.Field("LookupRetry", given.Number("lookupRetry"));
  json.Field("LookupRetryInterval", given.Number("lookupRetryInterval"));
}

}  // namespace

void WriteSpecFields(JsonWriter& json, const model::ServiceSpec& spec,
                     const std::map<std::string, std::string>& parameters) {
  static const model::DestSpec kNone;
  const Given given(parameters);
  WriteService(json, spec, given, spec.dests.empty() ? kNone : spec.dests.front());
  json.Key("ServiceDest").BeginArray();
  for (const model::DestSpec& dest : spec.dests) WriteDest(json, dest, given);
  json.EndArray();
  json.Key("Tasks").Null();
  json.Field("Network", spec.network);
}

}  // namespace swarmgate::codec
