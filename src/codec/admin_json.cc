#include "swarmgate/codec/admin_json.h"

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
  const std::string& text = path.original.empty() ? path.text : path.original;
  const auto space = path.original.str().find(' ');
  if (space != std::string::npos && space > 0) {
    return {text.substr(0, space), text.substr(space + 1)};
  }
  return {KindName(path.kind), text};
}

void WriteTexts(JsonWriter& json, std::string_view key, const std::vector<model::PathMatch>& list) {
  json.Key(key).BeginArray();
  for (const model::PathMatch& path : list) json.String(PartsOf(path).text);
  json.EndArray();
}

void WriteStrings(JsonWriter& json, std::string_view key, const std::vector<std::string>& list) {
  json.Key(key).BeginArray();
  for (const std::string& text : list) json.String(text);
  json.EndArray();
}

}  // namespace

std::string PathText(const model::PathMatch& path) {
  const PathParts parts = PartsOf(path);
  return parts.type + " " + parts.text;
}

std::string HostText(const model::HostMatch& host) {
  // A name is told as it is looked up: what stood around it in the label is ignored.
  if (host.kind == model::HostMatch::Kind::kRegex && !host.original.empty()) return host.original;
  return host.kind == model::HostMatch::Kind::kWildcard ? "*" + host.text : host.text.str();
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
  json.Field("rank", route.ranked ? route.rank : Text());
  json.Field("fallback", route.fallback);
  json.EndObject();
}

}  // namespace swarmgate::codec
