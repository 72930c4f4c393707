#include "routing/path.h"

#include <algorithm>
#include <utility>

namespace swarmgate::routing {

using model::PathMatch;

bool IsCleanPath(std::string_view text) {
  return !text.empty() && text.front() == '/' && std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f || c == '?' || c == '#';
  });
}

PathMatch NormalisePath(PathMatch path) {
  if (path.kind != PathMatch::Kind::kSegment) return path;
  std::string_view text = path.text;
  while (text.size() > 1 && text.back() == '/') text.remove_suffix(1);
  if (text.size() != path.text.size()) path.text = text;
  if (path.text == "/") path.kind = PathMatch::Kind::kPrefix;
  return path;
}

std::string PathKey(const PathMatch& path) {
  switch (path.kind) {
    case PathMatch::Kind::kExact:
      return path.text + "/?";
    case PathMatch::Kind::kSegment:
      return path.text + "/";
    case PathMatch::Kind::kPrefix:
      return path.text;
    case PathMatch::Kind::kRegex:
      break;
  }
  return "/";
}

std::string PathHole(const PathMatch& path) {
  const bool hole =
      path.kind == PathMatch::Kind::kPrefix && path.text.size() > 1 && path.text.back() == '/';
  return hole ? path.text + "?" : std::string();
}

bool PathCoversKey(const PathMatch& path, std::string_view key) {
  switch (path.kind) {
    case PathMatch::Kind::kExact:
      return key.size() == path.text.size() + 2 && key.starts_with(path.text) &&
             key.ends_with("/?");
    case PathMatch::Kind::kSegment:
      return key.size() > path.text.size() && key.starts_with(path.text) &&
             key[path.text.size()] == '/';
    case PathMatch::Kind::kPrefix:
      if (!key.starts_with(path.text)) return false;
      return path.catch_all() || path.text.back() != '/' || key.size() != path.text.size() + 1 ||
             key.back() != '?';
    case PathMatch::Kind::kRegex:
      break;
  }
  return true;
}

bool PathMatches(const PathMatch& path, std::string_view request_path) {
  if (path.catch_all()) return true;
  if (path.kind == PathMatch::Kind::kExact) return request_path == path.text;
  if (!request_path.starts_with(path.text)) return false;
  return path.kind == PathMatch::Kind::kPrefix || request_path.size() == path.text.size() ||
         request_path[path.text.size()] == '/';
}

std::string DescribePath(const PathMatch& path) {
  if (path.catch_all()) return "every path";
  switch (path.kind) {
    case PathMatch::Kind::kExact:
      return "exact path " + path.text;
    case PathMatch::Kind::kSegment:
      return "path segment " + path.text;
    case PathMatch::Kind::kPrefix:
      return "path prefix " + path.text;
    case PathMatch::Kind::kRegex:
      break;
  }
  return "path regex " + (path.original.empty() ? path.text : path.original);
}

}  // namespace swarmgate::routing
