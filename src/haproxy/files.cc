// Image → files, each complete and final.
#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "haproxy/certificates.h"
#include "haproxy/policy.h"
#include "haproxy/quote.h"
#include "haproxy/server_words.h"
#include "haproxy/slots.h"
#include "swarmgate/base/check.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::haproxy {
namespace {

constexpr const char* kHead = "# Written by Swarmgate. Changes are overwritten.\n";
/// What follows these words is shown to nobody.
constexpr const char* kSecretWords[] = {"dynamic-cookie-key ", "stats auth "};

template <typename Entries>
std::string EntriesText(const Entries& entries) {
  std::string text = kHead;
  std::size_t size = text.size();
  for (const auto& [key, value] : entries) size += key.size() + value.size() + 2;
  text.reserve(size);
  for (const auto& [key, value] : entries) {
    text += key;
    text += ' ';
    text += value;
    text += '\n';
  }
  return text;
}

std::string MapText(const Image& image, MapId id) {
  switch (id) {
    case MapId::kRoutes:
      return EntriesText(image.routes);
    case MapId::kConditions:
      return EntriesText(image.conditions);
    case MapId::kRegexes:
      return EntriesText(image.regexes);
    case MapId::kHostRegexes:
      return EntriesText(image.host_regexes);
    case MapId::kRewrites:
      return EntriesText(image.rewrites);
    case MapId::kPolicies:
      return EntriesText(image.policies);
  }
  return "";
}

std::string ShardText(const Image& image, const model::BackendClass& backend_class,
                      const ClassSlots& slots, std::uint32_t first, std::uint32_t last) {
  const model::BackendKind kind = KindOf(backend_class);
  std::string text = kHead;
  if (first == 1) text += slots.head;
  for (std::uint32_t number = first; number <= last; ++number) {
    const model::SlotName name = MakeSlotName({backend_class, number});
    text += "backend " + name.str() + " from " + DefaultsName(kind) + "\n" + slots.lines;
    if (kind == model::BackendKind::kSticky) {
      text += "  cookie " + name.str() + " insert indirect nocache httponly dynamic\n";
    }
    const auto servers = image.servers.find(name);
    if (servers == image.servers.end()) continue;
    for (const model::Server& server : servers->second) {
      const auto address = CanonicalAddress(server.address);
      SWARMGATE_CHECK(address.has_value() && server.port != 0);
      text += "  server " + Quote(server.name.str()) + " " + JoinAddress(*address, server.port) +
              ServerWords(server.options) + "\n";
    }
  }
  return text;
}

/// The default certificate first; a name that nobody asks for keeps it from answering for its own,
/// which stand in the other lines.
std::string CertificateListText(const Image& image) {
  std::string text = std::string(kDefaultCertificate) + " default.invalid\n";
  for (const auto& [file, certificate] : image.certificates) {
    text += file;
    for (const std::string& name : certificate.names) text += " " + name;
    text += '\n';
  }
  return text;
}

/// Nothing: the image has no such certificate.
std::optional<std::string> CertificateText(const Image& image, const std::string& path) {
  if (image.default_pem.empty()) return std::nullopt;
  if (path == kCertificateList) return CertificateListText(image);
  if (path == kDefaultCertificate) return std::string(image.default_pem.reveal());
  const bool staple = path.ends_with(kStapleEnding);
  const auto found = image.certificates.find(
      staple ? path.substr(0, path.size() - std::string_view(kStapleEnding).size()) : path);
  if (found == image.certificates.end()) return std::nullopt;
  if (!staple) return std::string(found->second.pem.reveal());
  if (found->second.staple.empty()) return std::nullopt;
  return std::string(found->second.staple.reveal());
}

/// Nothing: the image has no such file.
std::optional<std::string> FileText(const Image& image, const std::string& path) {
  if (path == kBaseFile) return kHead + image.base;
  for (const MapId id : kMapIds) {
    if (path == MapFile(id)) return MapText(image, id);
  }
  if (const auto first = ParseShardFile(path)) {
    const auto declared = image.declared.find(first->backend_class);
    if (declared == image.declared.end()) return std::nullopt;
    const ClassSlots& slots = declared->second;
    if (first->number > slots.count) return std::nullopt;
    const std::uint32_t last = std::min(slots.count, first->number + kSlotsPerFile - 1);
    return ShardText(image, first->backend_class, slots, first->number, last);
  }
  return CertificateText(image, path);
}

std::set<std::string> Paths(const Image& image) {
  std::set<std::string> paths = {kBaseFile};
  for (const MapId id : kMapIds) paths.emplace(MapFile(id));
  if (!image.default_pem.empty()) {
    paths.insert({kCertificateList, kDefaultCertificate});
    for (const auto& [file, certificate] : image.certificates) {
      paths.insert(file);
      if (!certificate.staple.empty()) paths.insert(file + kStapleEnding);
    }
  }
  for (const auto& [backend_class, slots] : image.declared) {
    for (std::uint32_t first = 1; first <= slots.count; first += kSlotsPerFile) {
      paths.insert(ShardFile({backend_class, first}));
    }
  }
  return paths;
}

/// The next word of a line, which loses it and the blanks before it.
std::string_view TakeWord(std::string_view& rest) {
  constexpr std::string_view kBlanks = " \t";
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
  const std::string_view word = rest.substr(0, std::min(rest.find_first_of(kBlanks), rest.size()));
  rest.remove_prefix(word.size());
  return word;
}

/// Where the value begins that a line gives a header, which may well be a key of somebody's; npos:
/// it gives none. The headers that the proxy itself sets are told with their values.
std::size_t HeaderValue(std::string_view line) {
  constexpr std::string_view kOwn[] = {"X-Forwarded-", "Access-Control-", "Vary",
                                       "Strict-Transport-Security"};
  std::string_view rest = line;
  const std::string_view rule = TakeWord(rest);
  const std::string_view action = TakeWord(rest);
  const std::string_view name = TakeWord(rest);
  const bool sets =
      (rule == "http-request" || rule == "http-response" || rule == "http-after-response") &&
      (action == "set-header" || action == "add-header") && !rest.empty();
  const bool own = std::any_of(std::begin(kOwn), std::end(kOwn),
                               [name](std::string_view known) { return name.starts_with(known); });
  return sets && !own ? line.size() - rest.size() + 1 : std::string_view::npos;
}

/// The line with stars in the place of its secret: a password, its digest or hash, the key of
/// cookies, the value of a header; nothing when it has none.
std::optional<std::string> WithoutSecret(std::string_view line, bool map) {
  constexpr std::string_view kUser = "  user ";
  constexpr std::string_view kPassword = " password ";
  std::size_t end = std::string_view::npos;
  if (map) {
    end = line.find(kUserEntry);
    if (end != std::string_view::npos) end += kUserEntry.size();
  } else if (line.starts_with(kUser)) {
    end = line.rfind(kPassword);
    if (end != std::string_view::npos) end += kPassword.size();
  } else if (end = HeaderValue(line); end == std::string_view::npos) {
    for (const std::string_view word : kSecretWords) {
      const std::size_t at = line.find(word);
      if (at != std::string_view::npos) end = at + word.size();
    }
  }
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(line.substr(0, end)) + "********";
}

}  // namespace

std::string_view MapFile(MapId id) {
  switch (id) {
    case MapId::kRoutes:
      return "maps/routes.map";
    case MapId::kConditions:
      return "maps/conditions.map";
    case MapId::kRegexes:
      return "maps/regexes.map";
    case MapId::kHostRegexes:
      return "maps/host_regexes.map";
    case MapId::kRewrites:
      return "maps/rewrites.map";
    case MapId::kPolicies:
      return "maps/policies.map";
  }
  return "";
}

Files RenderFiles(const Image& image) { return RenderFiles(image, Paths(image)); }

Files RenderFiles(const Image& image, const std::set<std::string>& paths) {
  Files files;
  for (const std::string& path : paths) {
    if (auto text = FileText(image, path)) files.emplace(path, std::move(*text));
  }
  return files;
}

std::string ConfigText(const Files& files) {
  std::string text;
  for (const auto& [path, content] : files) {
    // Certificates hold keys.
    if (path.rfind("certs/", 0) == 0 && path != kCertificateList) continue;
    const bool map = path.rfind("maps/", 0) == 0 || path == kCertificateList;
    text += "# ---- " + path + "\n";
    for (std::string_view line : Split(content, '\n')) {
      if (line.empty() || line == std::string_view(kHead).substr(0, line.size())) continue;
      if (map) text += "# ";
      if (const auto shown = WithoutSecret(line, map)) {
        text += *shown + "\n";
        continue;
      }
      text += std::string(line) + "\n";
    }
  }
  return text;
}

}  // namespace swarmgate::haproxy
