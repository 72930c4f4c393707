#include "labels/matches.h"

#include <algorithm>
#include <array>
#include <utility>

#include "labels/regex.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels {
namespace {

using model::HostMatch;
using model::PathMatch;

constexpr std::size_t kLongestPath = 1024;
constexpr std::size_t kLongestLiteral = 512;

bool SetPathKind(std::string_view name, PathType& type) {
  using K = PathType::Kind;
  static constexpr std::array<std::pair<std::string_view, K>, 8> kKinds = {{
      {"str", K::kExact},
      {"beg", K::kPrefix},
      {"dir", K::kSegment},
      {"reg", K::kRegex},
      {"end", K::kEnd},
      {"sub", K::kSub},
      {"dom", K::kDomain},
      {"len", K::kLength},
  }};
  for (const auto& [key, kind] : kKinds) {
    if (key != name) continue;
    type.kind = kind;
    return true;
  }
  return false;
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : Split(text, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

std::string_view Strip(std::string_view text, std::string_view bytes) {
  const std::size_t first = text.find_first_not_of(bytes);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(bytes) - first + 1);
}

// Nothing when the bytes are fine for a part of a path.
RegexProblem CheckPathBytes(std::string_view item, std::size_t longest) {
  if (item.size() > longest)
    return {Quoted(item) + " is longer than " + std::to_string(longest) + " bytes", ""};
  if (item.find_first_of(" \t") != std::string_view::npos) {
    return {Quoted(item) + " contains white space", "Write %20 where a path contains a space"};
  }
  if (!IsPrintableAscii(item)) {
    return {Quoted(item) + " contains a byte that cannot stand in the path of a URL",
            "Write it percent-encoded, as %C3%A9 for é"};
  }
  if (item.find_first_of("?#") != std::string_view::npos) {
    return {Quoted(item) + " contains a ? or #, which end the path of a URL",
            "Write only the path; the query of a URL is not compared"};
  }
  return {};
}

// The middle of the regex that compares as HAProxy does, for a text that has been checked.
std::string PathBody(PathType::Kind kind, std::string_view text) {
  const std::string literal = EscapeRegex(text);
  switch (kind) {
    case PathType::Kind::kExact:
      return literal;
    case PathType::Kind::kSegment:
      return (text == "/" ? "" : literal) + "(?:/.*)?";
    case PathType::Kind::kEnd:
      return ".*" + literal;
    case PathType::Kind::kSub:
      return ".*" + literal + ".*";
    case PathType::Kind::kDomain:
      return "(?:.*[/.:])?" + literal + "(?:[/.:].*)?";
    default:
      return literal + ".*";
  }
}

// "12", "12:20", "12:", ":20" as a quantifier.
std::optional<std::string> LengthBody(std::string_view text) {
  constexpr std::uint64_t kMost = 16384;
  const auto parts = Split(text, ':');
  if (parts.size() > 2) return std::nullopt;
  const auto low = parts[0].empty() ? std::optional<std::uint64_t>(0) : ParseUint(parts[0], kMost);
  if (!low) return std::nullopt;
  std::string body = ".{" + std::to_string(*low);
  if (parts.size() == 1) return body + "}";
  if (parts[1].empty()) return parts[0].empty() ? std::nullopt : std::optional(body + ",}");
  const auto high = ParseUint(parts[1], kMost);
  if (!high || *high < *low) return std::nullopt;
  return body + "," + std::to_string(*high) + "}";
}

std::optional<PathMatch> RegexPath(std::string_view item, const PathType& type, Report& report) {
  PathMatch match{PathMatch::Kind::kRegex, {}, type.written + " " + std::string(item)};
  RegexOutcome outcome = PathRegex(item, type.ignore_case);
  if (!outcome.problem.empty()) {
    report.Error("bad-regex", Quoted(item) + ": " + outcome.problem.message, outcome.problem.hint);
    return std::nullopt;
  }
  match.text = outcome.regex;
  return match;
}

// path_end and its like, and anything with -i.
std::optional<PathMatch> RewrittenPath(std::string_view item, const PathType& type,
                                       Report& report) {
  PathMatch match{PathMatch::Kind::kRegex, {}, type.written + " " + std::string(item)};
  if (type.kind == PathType::Kind::kLength) {
    const auto body = LengthBody(item);
    if (!body) {
      report.Error("bad-path", Quoted(item) + " is not a length",
                   "Write a number such as 12, or a range such as 12:20, 12: or :20");
      return std::nullopt;
    }
    match.text = "^" + *body + "$";
    return match;
  }
  const bool domain = type.kind == PathType::Kind::kDomain;
  const std::string_view text = domain ? Strip(item, "/.:") : item;
  if (text.empty()) {
    report.Error("bad-path", Quoted(item) + " names nothing to compare with");
    return std::nullopt;
  }
  const std::string body = PathBody(type.kind, text);
  match.text = "^" + (type.ignore_case ? "(?i:" + body + ")" : body) + "$";
  return match;
}

// Domains that are compared as texts: pieces of host names are allowed.
std::optional<HostMatch> HostPart(std::string_view item, std::string_view text, DomainAlgo algo,
                                  Report& report) {
  const std::string_view piece = algo == DomainAlgo::kDomain ? Strip(text, ".") : text;
  const bool plain = std::all_of(piece.begin(), piece.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
  if (piece.empty() || !plain || piece.size() > 253) {
    report.Error("bad-host", Quoted(item) + " is not a part of a host name",
                 "Write letters, digits, - and . only, as in a.example.com");
    return std::nullopt;
  }
  HostMatch match{HostMatch::Kind::kRegex, {}, std::string(item)};
  const std::string literal = EscapeRegex(piece);
  const std::string any(kAnyHostText);
  switch (algo) {
    case DomainAlgo::kBegin:
      match.text = "^" + literal + any + "$";
      return match;
    case DomainAlgo::kEnd:
      if (piece.front() == '.' && IsHostName(piece.substr(1))) {
        return HostMatch{HostMatch::Kind::kWildcard, std::string(piece), std::string(item)};
      }
      match.text = "^" + any + literal + "$";
      return match;
    case DomainAlgo::kSub:
      match.text = "^" + any + literal + any + "$";
      return match;
    default:
      match.text = "^(?:" + any + "\\.)?" + literal + "(?:\\." + any + ")?$";
      return match;
  }
}

// A name with a star: "*.a.com", "*acme.com", "*".
std::optional<HostMatch> StarHost(std::string_view item, std::string_view text, Report& report) {
  if (text == "*") return HostMatch{HostMatch::Kind::kAny, {}, std::string(item)};
  const std::string_view rest = text.substr(1);
  if (rest.find('*') != std::string_view::npos || text.front() != '*') {
    report.Error("bad-host", Quoted(item) + " has a * that is not its first character",
                 "Write *.example.com for all hosts below example.com");
    return std::nullopt;
  }
  const bool below = rest.front() == '.';
  if (!IsHostName(below ? rest.substr(1) : rest)) {
    report.Error("bad-host", Quoted(item) + " is not a host name behind its *",
                 "Write *.example.com for all hosts below example.com");
    return std::nullopt;
  }
  if (below) return HostMatch{HostMatch::Kind::kWildcard, std::string(rest), std::string(item)};
  return HostMatch{HostMatch::Kind::kRegex,
                   "^" + std::string(kAnyHostText) + EscapeRegex(rest) + "$", std::string(item)};
}

// Takes off what stands around a host name in a URL; a part of a name may end with a dot. False:
// refused.
bool Unwrap(std::string_view item, bool whole, std::string_view& text, Report& report) {
  if (text.find('/') != std::string_view::npos) {
    report.Error("bad-host", Quoted(item) + " is not only a host name",
                 "Write example.com, without http:// and without a path (that is servicePath)");
    return false;
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    if (!ParsePort(text.substr(colon + 1))) {
      report.Error("bad-host", Quoted(item) + " contains a : that does not begin a port",
                   "Write a name such as example.com; IPv6 addresses cannot be compared");
      return false;
    }
    text = text.substr(0, colon);
    report.Warning("host-port", Quoted(item) + " names a port, which is left off",
                   "Use srcPort for requests that come in by a certain port");
  }
  if (whole && text.size() > 1 && text.back() == '.') {
    text.remove_suffix(1);
    report.Warning("host-dot", Quoted(item) + " ends with a dot, which is left off",
                   "Write the name without it");
  }
  return true;
}

}  // namespace

std::optional<PathType> ParsePathType(std::string_view text) {
  const auto words = Words(text);
  if (words.empty() || !words[0].starts_with("path")) return std::nullopt;
  PathType type;
  type.written = std::string(text);
  const std::string_view suffix = words[0].substr(4);
  if (suffix == "_str" || (!suffix.empty() && suffix.front() != '_')) return std::nullopt;
  std::string_view kind = suffix.empty() ? "str" : suffix.substr(1);
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "-i") {
      type.ignore_case = true;
    } else if (words[i] == "-m" && i + 1 < words.size() && suffix.empty()) {
      kind = words[++i];
    } else {
      return std::nullopt;
    }
  }
  if (!SetPathKind(kind, type)) return std::nullopt;
  return type;
}

std::optional<DomainAlgo> ParseDomainAlgo(std::string_view text) {
  const std::string lower = ToLower(text);
  const auto words = Words(lower);
  if (words.empty() || words.size() > 2 || (words.size() == 2 && words[1] != "-i")) {
    return std::nullopt;
  }
  std::string_view name = words[0];
  if (name.starts_with("req.")) name.remove_prefix(4);
  if (name == "hdr(host)") return DomainAlgo::kExact;
  if (name == "hdr_beg(host)") return DomainAlgo::kBegin;
  if (name == "hdr_end(host)") return DomainAlgo::kEnd;
  if (name == "hdr_dom(host)") return DomainAlgo::kDomain;
  if (name == "hdr_sub(host)") return DomainAlgo::kSub;
  if (name == "hdr_reg(host)") return DomainAlgo::kRegex;
  return std::nullopt;
}

std::optional<PathMatch> ParsePath(std::string_view item, const PathType& type, Report& report) {
  if (type.kind == PathType::Kind::kRegex) return RegexPath(item, type, report);
  const bool native = type.kind == PathType::Kind::kExact || type.kind == PathType::Kind::kPrefix ||
                      type.kind == PathType::Kind::kSegment;
  const RegexProblem problem =
      CheckPathBytes(item, native && !type.ignore_case ? kLongestPath : kLongestLiteral);
  if (!problem.empty()) {
    report.Error("bad-path", problem.message, problem.hint);
    return std::nullopt;
  }
  if (!native) return RewrittenPath(item, type, report);
  if (item.front() != '/') {
    report.Error("bad-path", Quoted(item) + " does not begin with /",
                 "Did you mean " + Quoted("/" + std::string(item)) + "?");
    return std::nullopt;
  }
  if (item.find('*') != std::string_view::npos) {
    report.Warning("literal-star", Quoted(item) + " contains a *, which is compared literally",
                   "path_beg and path_dir match all that is below; use path_reg for patterns");
  }
  std::string text(item);
  if (type.kind == PathType::Kind::kSegment) {
    // A segment ends at a slash in any case: /demo/ and /demo mean the same.
    while (text.size() > 1 && text.back() == '/') text.pop_back();
  }
  if (type.ignore_case) return RewrittenPath(text, type, report);
  PathMatch match{PathMatch::Kind::kPrefix, text, type.written + " " + std::string(item)};
  if (type.kind == PathType::Kind::kExact) match.kind = PathMatch::Kind::kExact;
  if (type.kind == PathType::Kind::kSegment) match.kind = PathMatch::Kind::kSegment;
  return match;
}

std::optional<HostMatch> ParseHost(std::string_view item, DomainAlgo algo, Report& report) {
  const bool ascii = std::all_of(item.begin(), item.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii) {
    report.Error("bad-host", Quoted(item) + " contains letters outside of ASCII",
                 "Write the name in punycode, as xn--bcher-kva.example for bücher.example");
    return std::nullopt;
  }
  if (algo == DomainAlgo::kRegex) {
    RegexOutcome outcome = HostRegex(item);
    if (outcome.problem.empty()) {
      return HostMatch{HostMatch::Kind::kRegex, outcome.regex, std::string(item)};
    }
    report.Error("bad-regex", Quoted(item) + ": " + outcome.problem.message, outcome.problem.hint);
    return std::nullopt;
  }
  const std::string lower = ToLower(item);
  std::string_view text = lower;
  const bool whole = algo == DomainAlgo::kExact || text.find('*') != std::string_view::npos;
  if (!Unwrap(item, whole, text, report)) return std::nullopt;
  if (text.find('*') != std::string_view::npos) return StarHost(item, text, report);
  if (algo != DomainAlgo::kExact) return HostPart(item, text, algo, report);
  if (!IsHostName(text)) {
    report.Error("bad-host", Quoted(item) + " is not a host name",
                 "Write letters, digits and - between dots, as in a.example.com");
    return std::nullopt;
  }
  return HostMatch{HostMatch::Kind::kExact, std::string(text), std::string(item)};
}

}  // namespace swarmgate::labels
