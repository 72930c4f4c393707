#include "routing/condition.h"

#include <algorithm>

#include "routing/host.h"
#include "routing/path.h"
#include "routing/regex.h"

namespace swarmgate::routing {
namespace {

using model::HostMatch;
using model::PathMatch;
using model::Route;

/// Adds a path as text that stands where the path begins. False: its regex cannot be used.
bool AppendPath(const PathMatch& path, std::string& text) {
  if (path.catch_all()) return true;
  switch (path.kind) {
    case PathMatch::Kind::kExact:
      text += EscapeRegex(path.text) + "$";
      return true;
    case PathMatch::Kind::kSegment:
      text += EscapeRegex(path.text) + "(?:/|$)";
      return true;
    case PathMatch::Kind::kPrefix:
      text += EscapeRegex(path.text);
      return true;
    case PathMatch::Kind::kRegex:
      break;
  }
  const std::optional<std::string> middle = RegexMiddle(path.text);
  if (!middle) return false;
  text += *middle + "$";
  return true;
}

/// Each by itself: what only compiles because of what stands around it is refused.
bool Compiles(const std::string& regex) {
  const std::optional<std::string> middle = RegexMiddle(regex);
  return middle && Regex::Compile(regex) && Regex::Compile(*middle);
}

bool AppendExclude(const PathMatch& exclude, std::string& text) {
  text += "(?!";
  if (!AppendPath(exclude, text)) return false;
  text += ")";
  return true;
}

}  // namespace

bool RegexesCompile(const Route& route) {
  const auto good = [](const PathMatch& path) {
    return path.kind != PathMatch::Kind::kRegex || Compiles(path.text);
  };
  return good(route.path) && std::all_of(route.excludes.begin(), route.excludes.end(), good) &&
         (route.host.kind != HostMatch::Kind::kRegex || Compiles(route.host.text));
}

bool HasPathRegex(const Route& route) {
  const auto is_regex = [](const PathMatch& path) { return path.kind == PathMatch::Kind::kRegex; };
  return is_regex(route.path) ||
         std::any_of(route.excludes.begin(), route.excludes.end(), is_regex);
}

std::optional<std::string> TreeCondition(const Route& route) {
  std::string text;
  for (const PathMatch& exclude : route.excludes) {
    if (exclude.kind == PathMatch::Kind::kRegex && !AppendExclude(exclude, text)) {
      return std::nullopt;
    }
  }
  if (route.path.kind == PathMatch::Kind::kRegex && !AppendPath(route.path, text)) {
    return std::nullopt;
  }
  if (text.empty()) return text;
  text.insert(0, "^");
  if (!Regex::Compile(text)) return std::nullopt;
  return text;
}

std::string HeaderRegex(const model::Conditions& conditions) {
  std::string text;
  const auto find = [&text](const std::string& name, const std::string& rest) {
    text += "(?=(?s:.*?)(?:^|\\n)" + EscapeRegex(name) + ":" + rest + ")";
  };
  // Each part can begin in one place of a line only, and no value holds a line's end: the time is
  // linear in the size of the headers.
  for (const model::HeaderCondition& header : conditions.headers) {
    find(header.name,
         "(?:[^\\r\\n]*,)?[\\x20\\t]*" + EscapeRegex(header.value) + "[\\x20\\t]*[,\\r]");
  }
  if (conditions.user_agents.empty()) return text;
  std::string agents;
  for (const std::string& agent : conditions.user_agents) {
    agents += (agents.empty() ? "" : "|") + EscapeRegex(agent);
  }
  find("user-agent", "[^\\r\\n]*(?i:" + agents + ")");
  return text;
}

std::optional<std::string> HostListRegex(const Route& route, bool with_headers) {
  std::string text = "^";
  if (!route.conditions.empty()) {
    text += HeaderRegex(route.conditions) + "(?s:.*?)\\r\\n\\r\\n";
  } else if (with_headers) {
    // Possessive: what stands before the empty line is never taken for a host.
    text += "(?:(?s:.*?)\\r\\n\\r\\n)?+";
  }
  switch (route.host.kind) {
    case HostMatch::Kind::kRegex: {
      const std::optional<std::string> middle = RegexMiddle(route.host.text);
      if (!middle) return std::nullopt;
      text += *middle;
      break;
    }
    case HostMatch::Kind::kWildcard:
      text += "[^./]*(?:\\.[^./]*){0," + std::to_string(kWildcardLevels - 1) + "}" +
              EscapeRegex(route.host.text);
      break;
    default:
      text += "[^/]*";
      break;
  }
  text += "\\|" + (route.port ? std::to_string(*route.port) : std::string("[0-9]+")) + "\\|";
  // The path begins with the first '/', or is empty: what a host says about ports does not count.
  if (HasPathRegex(route)) {
    text += "(?=/)";
  } else if (route.host.kind != HostMatch::Kind::kRegex) {
    text += "(?=/|$)";
  }
  for (const PathMatch& exclude : route.excludes) {
    if (!AppendExclude(exclude, text)) return std::nullopt;
  }
  if (!AppendPath(route.path, text)) return std::nullopt;
  if (!Regex::Compile(text)) return std::nullopt;
  return text;
}

}  // namespace swarmgate::routing
