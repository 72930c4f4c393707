// Image → files, each complete and final.
#include <algorithm>
#include <iterator>
#include <optional>
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

std::string MapText(const Image& image, MapId id) {
  std::string text = kHead;
  const auto add = [&text](const std::string& key, const std::string& value) {
    text += key;
    text += ' ';
    text += value;
    text += '\n';
  };
  if (IsTree(id)) {
    const MapEntries& tree = id == MapId::kRoutes       ? image.routes
                             : id == MapId::kConditions ? image.conditions
                                                        : image.policies;
    for (const auto& [key, value] : tree) add(key, value);
    return text;
  }
  const auto& list = id == MapId::kRegexes       ? image.regexes
                     : id == MapId::kHostRegexes ? image.host_regexes
                                                 : image.rewrites;
  for (const auto& [key, value] : list) add(key, value);
  return text;
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

/// Calls `wanted(path)` for each file, and renders those for which it is true.
template <typename Wanted>
Files Collect(const Image& image, Wanted wanted) {
  Files files;
  if (wanted(kBaseFile)) files.emplace(kBaseFile, kHead + image.base);
  for (const MapId id : kMapIds) {
    const std::string path(MapFile(id));
    if (wanted(path)) files.emplace(path, MapText(image, id));
  }
  if (!image.default_pem.empty()) {
    if (wanted(kCertificateList)) files.emplace(kCertificateList, CertificateListText(image));
    if (wanted(kDefaultCertificate)) {
      files.emplace(kDefaultCertificate, std::string(image.default_pem.reveal()));
    }
    for (const auto& [file, certificate] : image.certificates) {
      if (wanted(file)) files.emplace(file, std::string(certificate.pem.reveal()));
      const std::string staple = file + kStapleEnding;
      if (!certificate.staple.empty() && wanted(staple)) {
        files.emplace(staple, std::string(certificate.staple.reveal()));
      }
    }
  }
  for (const auto& [backend_class, slots] : image.declared) {
    for (std::uint32_t first = 1; first <= slots.count; first += kSlotsPerFile) {
      const std::string path = ShardFile({backend_class, first});
      const std::uint32_t last = std::min(slots.count, first + kSlotsPerFile - 1);
      if (wanted(path)) files.emplace(path, ShardText(image, backend_class, slots, first, last));
    }
  }
  return files;
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

Files RenderFiles(const Image& image) {
  return Collect(image, [](const std::string&) { return true; });
}

Files RenderFiles(const Image& image, const std::set<std::string>& paths) {
  return Collect(image, [&paths](const std::string& path) { return paths.count(path) != 0; });
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
