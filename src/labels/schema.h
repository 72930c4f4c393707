// The one table of all parameters. Parsing, errors, help and documentation derive from it: a
// further parameter is one entry here, one setter, and its tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labels/report.h"
#include "swarmgate/labels/parse.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::labels {

enum class Level {
  kService,  ///< once per service
  kDest,     ///< once per destination: "name" or "name.1" … "name.10"
};

enum class Effect {
  kHonoured,
  kAccepted,   ///< checked and kept, without effect yet
  kReplaced,   ///< of Docker Flow Proxy; its help says what does the same here
  kObsolete,   ///< Docker Flow Proxy had dropped it itself
  kElsewhere,  ///< meant for another program; passed over in silence
};

/// How a service's domains are compared with the host of a request.
enum class DomainAlgo { kExact, kBegin, kEnd, kDomain, kSub, kRegex };

/// How a destination's paths are compared.
struct PathType {
  enum class Kind { kExact, kPrefix, kSegment, kRegex, kEnd, kSub, kDomain, kLength };
  Kind kind = Kind::kPrefix;
  bool ignore_case = false;
  std::string written = "path_beg";
};

/// What a service says about access as a whole; users.h makes something of it.
struct AccessDraft {
  std::string users;
  std::string secret;  ///< suffix
  bool encrypted = false;
  bool use_global = false;
  bool redirect_when_http = false;
  bool redirect_unless_https = false;
  std::vector<model::Credential> found;  ///< who is asked for; all with a hash, or none
};

/// A service while it is read.
struct ServiceDraft {
  model::ServiceSpec spec;
  AccessDraft access;
  DomainAlgo domain_algo = DomainAlgo::kExact;
  std::size_t regexes = 0;
  /// What service-level parameters say of every destination: each begins as a copy of it.
  model::DestSpec common;
  std::string path_search;   ///< of reqPathSearch, until reqPathReplace completes it
  bool beside_http = false;  ///< one of its destinations has reqMode=http
  std::string acl_condition;
  std::string template_fe;  ///< paths of files
  std::string template_be;
};

/// How names of reqMode=sni are compared with the one that a client asks for.
enum class SniMatch { kEqual, kBegin, kEnd };

/// A destination while it is read.
struct DestDraft {
  model::DestSpec spec;
  PathType path_type;
  SniMatch sni_match = SniMatch::kEqual;
  bool check_tcp = false;
  bool domain_given = false;
  bool ignore_authorization = false;
};

/// One parameter with one value, handed to its setter.
struct Setting {
  std::string_view value;  ///< trimmed, not empty, without control bytes, at most kMaxValueBytes
  const ParseOptions& options;
  ServiceDraft& service;
  DestDraft* dest = nullptr;  ///< set at Level::kDest
  Report& report;
};

/// What it costs that a service comes with a value of a parameter, or changes it.
enum class Cost {
  kNothing,  ///< commands at run time
  kSection,  ///< a reload, unless another service has, or had lately, the same set of these
  kPort,     ///< a reload for the first service on its srcPort
};

struct Parameter {
  std::string_view name;
  std::string_view alias = {};
  Level level = Level::kDest;
  Effect effect = Effect::kHonoured;
  std::string_view type = "text";
  std::string_view fallback = {};  ///< the default, as documented
  std::string_view help = {};      ///< one line
  std::string_view example = {};   ///< a value
  std::string_view hint = {};      ///< what to write instead of a bad value
  /// Severity of the notice for kAccepted. Nothing: no notice.
  std::optional<model::Severity> notice = {};
  bool secret = false;  ///< its value is never shown
  /// It restricts who may send what: where it cannot take effect (an empty value, an index that it
  /// may not have), that is an error, so that the service is not served open.
  bool restricts = false;
  Cost cost = Cost::kNothing;
  bool long_text = false;  ///< up to kMaxTextBytes, and line breaks are allowed
  bool creates = false;  ///< "name.3" alone makes destination 3; never taken from the unindexed one
  void (*set)(Setting&) = nullptr;  ///< kHonoured and kAccepted
};

inline constexpr int kMaxIndex = 10;
inline constexpr std::size_t kMaxParameters = 256;
inline constexpr std::size_t kMaxValueBytes = 4096;
inline constexpr std::size_t kMaxTextBytes = 64U << 10U;
inline constexpr std::size_t kMaxListItems = 64;
inline constexpr std::size_t kMaxRegexes = 64;
inline constexpr std::size_t kMaxRoutes = 4096;
inline constexpr std::size_t kMaxRewrites = 8;
inline constexpr std::size_t kMaxRewriteGroups = 6;

/// The table. Setters run in its order: what others depend on stands first.
[[nodiscard]] std::span<const Parameter> Parameters();

struct Found {
  const Parameter* parameter = nullptr;
  bool exact = false;  ///< false: the letter case differs
};
/// By name or alias, without index.
[[nodiscard]] Found FindParameter(std::string_view name);

}  // namespace swarmgate::labels
