#include "swarmgate/codec/admin_json.h"

#include <chrono>
#include <optional>
#include <string_view>

namespace swarmgate::codec {
namespace {

const char* KindName(model::PathMatch::Kind kind) {
  switch (kind) {
    case model::PathMatch::Kind::kExact:
      return "path";
    case model::PathMatch::Kind::kPrefix:
      return "path_beg";
    case model::PathMatch::Kind::kSegment:
      return "path_dir";
    case model::PathMatch::Kind::kRegex:
      return "path_reg";
  }
  return "path_beg";
}

/// "path_end .js" → {"path_end", ".js"}.
struct PathParts {
  std::string type;
  std::string text;
};

PathParts PartsOf(const model::PathMatch& path) {
  const auto space = path.original.find(' ');
  if (space != std::string::npos && space > 0) {
    return {path.original.substr(0, space), path.original.substr(space + 1)};
  }
  return {KindName(path.kind), path.original.empty() ? path.text : path.original};
}

void WriteTexts(JsonWriter& json, std::string_view key, const std::vector<model::PathMatch>& list) {
  json.Key(key).BeginArray();
  for (const model::PathMatch& path : list) json.String(PartsOf(path).text);
  json.EndArray();
}

std::string Seconds(const std::optional<std::chrono::milliseconds>& time) {
  return time ? std::to_string(time->count() / 1000) : std::string();
}

void WriteStrings(JsonWriter& json, std::string_view key, const std::vector<std::string>& list) {
  json.Key(key).BeginArray();
  for (const std::string& text : list) json.String(text);
  json.EndArray();
}

const char* ReqModeName(model::ReqMode mode) {
  switch (mode) {
    case model::ReqMode::kHttp:
      return "http";
    case model::ReqMode::kTcp:
      return "tcp";
    case model::ReqMode::kSni:
      return "sni";
  }
  return "http";
}

std::string WeightText(const std::optional<model::Weight>& weight) {
  if (!weight) return "";
  if (!weight->percent) return std::to_string(weight->value);
  const std::uint32_t tenth = weight->value % 10;
  return std::to_string(weight->value / 10) + (tenth == 0 ? "" : "." + std::to_string(tenth)) + "%";
}

void WriteDest(JsonWriter& json, const model::DestSpec& dest) {
  json.BeginObject();
  json.Field("Index", dest.index);
  json.Field("Port", dest.port ? std::to_string(*dest.port) : std::string());
  json.Field("ReqMode", ReqModeName(dest.mode));
  json.Field("ServiceGroup", dest.tcp.group);
  json.Key("SniNames").BeginArray();
  for (const model::HostMatch& name : dest.tcp.names) json.String(name.original);
  json.EndArray();
  json.Field("PathType",
             dest.paths.empty() ? std::string("path_beg") : PartsOf(dest.paths.front()).type);
  WriteTexts(json, "ServicePath", dest.paths);
  WriteTexts(json, "ServicePathExclude", dest.path_excludes);
  json.Key("ServiceDomain").BeginArray();
  for (const model::HostMatch& host : dest.hosts) json.String(HostText(host));
  json.EndArray();
  json.Field("SrcPort", static_cast<int>(dest.src_port.value_or(0)));
  json.Field("HttpsPort", static_cast<int>(dest.https_port.value_or(0)));
  json.Field("SrcHttpsPort", static_cast<int>(dest.src_https_port.value_or(0)));
  json.Key("ServiceHeader").BeginObject();
  for (const model::HeaderCondition& header : dest.headers) json.Field(header.name, header.value);
  json.EndObject();
  WriteStrings(json, "UserAgent", dest.user_agents);
  json.Key("RedirectFromDomain").BeginArray();
  for (const model::HostMatch& host : dest.redirect_from) json.String(HostText(host));
  json.EndArray();
  json.Field("Priority", dest.priority);
  json.Field("Weight", WeightText(dest.weight));
  json.Field("OutboundHostname", dest.outbound_hostname);
  json.Field("TimeoutServer", Seconds(dest.policy.timeout_server));
  json.Field("TimeoutTunnel", Seconds(dest.policy.timeout_tunnel));
  std::string rewrites;
  for (const model::PathRewrite& rewrite : dest.policy.path_rewrites) {
    rewrites += (rewrites.empty() ? "" : ":") + rewrite.search + "," + rewrite.replace;
  }
  json.Field("ReqPathSearchReplace", rewrites);
  json.EndObject();
}

}  // namespace

std::string PathText(const model::PathMatch& path) {
  const PathParts parts = PartsOf(path);
  return parts.type + " " + parts.text;
}

std::string HostText(const model::HostMatch& host) {
  if (!host.original.empty()) return host.original;
  return host.kind == model::HostMatch::Kind::kWildcard ? "*" + host.text : host.text;
}

void WriteSpecFields(JsonWriter& json, const model::ServiceSpec& spec) {
  json.Field("AclName", spec.acl_name_given ? spec.acl_name : std::string());
  json.Field("DiscoveryType", spec.discovery == model::Discovery::kDns ? "DNS" : "");
  json.Field("Distribute", spec.distribute);
  json.Field("IsDefaultBackend", spec.default_backend);
  json.Field("Network", spec.network);
  json.Field("ProxyInstanceName", spec.proxy_instance);
  json.Field("Replicas", static_cast<unsigned>(spec.replicas.value_or(0)));
  json.Field("SessionType", spec.session == model::Session::kSticky ? "sticky-server" : "");
  json.Key("ServiceDest").BeginArray();
  for (const model::DestSpec& dest : spec.dests) WriteDest(json, dest);
  json.EndArray();
}

void WriteDiagnostics(JsonWriter& json, const std::vector<model::Diagnostic>& diagnostics) {
  json.BeginArray();
  for (const model::Diagnostic& diagnostic : diagnostics) {
    json.BeginObject();
    json.Field("severity", model::SeverityName(diagnostic.severity));
    json.Field("code", diagnostic.code);
    json.Field("service", diagnostic.service.str());
    json.Field("label", diagnostic.label);
    json.Field("value", diagnostic.value);
    json.Field("message", diagnostic.message);
    json.Field("hint", diagnostic.hint);
    json.Field("text", diagnostic.ToString());
    json.EndObject();
  }
  json.EndArray();
}

void WriteRoute(JsonWriter& json, const model::Route& route) {
  json.BeginObject();
  json.Field("id", route.id.str());
  json.Field("service", route.service.str());
  json.Field("backend", route.backend.str());
  json.Field("host", HostText(route.host));
  json.Field("path", PathText(route.path));
  WriteTexts(json, "excludes", route.excludes);
  json.Key("port");
  if (route.port) {
    json.Uint(*route.port);
  } else {
    json.Null();
  }
  json.Key("headers").BeginArray();
  for (const model::HeaderCondition& header : route.conditions.headers) {
    json.String(header.name + ": " + header.value);
  }
  json.EndArray();
  WriteStrings(json, "userAgents", route.conditions.user_agents);
  json.Key("shares").BeginArray();
  for (const model::Share& share : route.shares) {
    json.BeginObject();
    json.Field("route", share.route.str());
    json.Field("service", share.service.str());
    json.Field("backend", share.backend.str());
    json.Field("thousandths", share.thousandths);
    json.EndObject();
  }
  json.EndArray();
  json.Field("priority", route.priority);
  json.Field("rank", route.ranked ? route.rank : std::string());
  json.Field("fallback", route.fallback);
  json.EndObject();
}

}  // namespace swarmgate::codec
