#include "routing/condition.h"

#include "routing/host.h"
#include "routing/path.h"
#include "routing/regex.h"

namespace swarmgate::routing {
namespace {

using model::HostMatch;
using model::PathMatch;
using model::Route;

/// Adds a path as text that stands where the path begins.
bool AppendPath(const PathMatch& path, std::string& text, bool& needs_group) {
  if (path.catch_all()) return true;
  switch (path.kind) {
    case PathMatch::Kind::kExact:
      text += EscapeRegex(path.text) + "\\z";
      return true;
    case PathMatch::Kind::kSegment:
      text += EscapeRegex(path.text) + "(?:/|\\z)";
      return true;
    case PathMatch::Kind::kPrefix:
      text += EscapeRegex(path.text);
      return true;
    case PathMatch::Kind::kRegex:
      break;
  }
  const std::optional<PathPart> part = PathRegexPart(path.text);
  if (!part) return false;
  text += part->text;
  needs_group = needs_group || part->needs_group;
  return true;
}

bool AppendExclude(const PathMatch& exclude, std::string& text, bool& needs_group) {
  text += "(?!";
  if (!AppendPath(exclude, text, needs_group)) return false;
  text += ")";
  return true;
}

/// Also alone: what only compiles because something else stands around it is refused.
bool Compiles(const PathMatch& path) {
  return path.kind != PathMatch::Kind::kRegex || Regex::Compile(path.text).has_value();
}

bool AllCompile(const Route& route) {
  if (!Compiles(route.path)) return false;
  for (const PathMatch& exclude : route.excludes) {
    if (!Compiles(exclude)) return false;
  }
  return route.host.kind != HostMatch::Kind::kRegex || Regex::Compile(route.host.text).has_value();
}

}  // namespace

std::optional<std::string> TreeCondition(const Route& route) {
  if (!AllCompile(route)) return std::nullopt;
  std::string text;
  bool needs_group = false;
  for (const PathMatch& exclude : route.excludes) {
    if (exclude.kind == PathMatch::Kind::kRegex && !AppendExclude(exclude, text, needs_group))
      return std::nullopt;
  }
  if (route.path.kind == PathMatch::Kind::kRegex && !AppendPath(route.path, text, needs_group)) {
    return std::nullopt;
  }
  if (text.empty()) return text;
  if (needs_group) text.insert(0, std::string("(?=(?<") + kPathGroup + ">.*)\\z)");
  if (!Regex::Compile(text)) return std::nullopt;
  return text;
}

std::optional<std::string> HostListRegex(const Route& route) {
  const std::string port = route.port ? std::to_string(*route.port) : "[0-9]+";
  const std::string middle = "\\|" + port + "\\|";
  std::string path;
  bool needs_group = route.host.kind == HostMatch::Kind::kRegex;
  for (const PathMatch& exclude : route.excludes) {
    if (!AppendExclude(exclude, path, needs_group)) return std::nullopt;
  }
  if (!AppendPath(route.path, path, needs_group)) return std::nullopt;

  // A host has no '/', and a path begins with one (or is empty): so it is told where the port ends.
  std::string text = "^";
  if (needs_group) {
    text += std::string("(?=[^/]*\\|[0-9]+\\|(?<") + kPathGroup + ">(?:/.*)?)\\z)";
  }
  if (route.host.kind == HostMatch::Kind::kRegex) {
    const std::optional<std::string> host = HostRegexPart(route.host.text);
    if (!host) return std::nullopt;
    text += *host;
  }
  if (route.host.kind == HostMatch::Kind::kWildcard) {
    text += "[^./]*(?:\\.[^./]*){0," + std::to_string(kWildcardLevels - 1) + "}" +
            EscapeRegex(route.host.text);
  } else {
    text += "[^/]*";
  }
  text += middle + "(?=/|\\z)" + path;
  if (!Regex::Compile(text)) return std::nullopt;
  return text;
}

}  // namespace swarmgate::routing
