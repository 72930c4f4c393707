// The difference between what HAProxy holds and what it should hold, as data: runtime commands, or
// a reload with a reason. Pure; carrying it out is the engine's work through ports::ProxyControl.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/haproxy/image.h"

namespace swarmgate::haproxy {

enum class MapId { kRoutes, kConditions, kRegexes, kHostRegexes, kRewrites, kPolicies };
inline constexpr std::array kMapIds = {MapId::kRoutes,      MapId::kConditions, MapId::kRegexes,
                                       MapId::kHostRegexes, MapId::kRewrites,   MapId::kPolicies};
/// "maps/routes.map", …
std::string_view MapFile(MapId id);
/// Looked up in a tree (map_beg, map_str): its order has no meaning. The others are lists.
bool IsTree(MapId id);

struct AddServer {  ///< add, enable health where checked, enable
  model::SlotName slot;
  model::Server server;
  bool sticky = false;
  friend bool operator==(const AddServer&, const AddServer&) = default;
};
struct DrainServer {  ///< no new requests; ends by RetireServer once it is idle
  model::SlotName slot;
  model::ServerName server;
  friend bool operator==(const DrainServer&, const DrainServer&) = default;
};
struct ReviveServer {  ///< a draining server is wanted again: state ready
  model::SlotName slot;
  model::Server server;
  friend bool operator==(const ReviveServer&, const ReviveServer&) = default;
};
struct RetireServer {  ///< maint, del. 2.6: never put a busy server into maint, it is then stuck
  model::SlotName slot;
  model::ServerName server;
  friend bool operator==(const RetireServer&, const RetireServer&) = default;
};
struct SetMapEntry {  ///< `add map` when the key is new, `set map` when it is known
  MapId map;
  std::string key;
  std::string value;
  bool is_new = true;
  friend bool operator==(const SetMapEntry&, const SetMapEntry&) = default;
};
struct DeleteMapEntry {
  MapId map;
  std::string key;
  friend bool operator==(const DeleteMapEntry&, const DeleteMapEntry&) = default;
};
struct ReplaceMap {  ///< prepare, add @version …, commit: atomic; for ordered lists and for many
                     ///< changes at once
  MapId map;
  std::vector<std::pair<std::string, std::string>> entries;
  friend bool operator==(const ReplaceMap&, const ReplaceMap&) = default;
};

struct AddCertificate {  ///< new, set, commit, and a line in the list: served at once
  std::string file;
  std::vector<std::string> names;
  model::Secret pem;
  model::Secret staple = {};
  friend bool operator==(const AddCertificate&, const AddCertificate&) = default;
};
struct DropCertificate {  ///< out of the list, and out of memory
  std::string file;
  friend bool operator==(const DropCertificate&, const DropCertificate&) = default;
};
struct SetDefaultCertificate {  ///< set, commit
  model::Secret pem;
  std::string print;
  friend bool operator==(const SetDefaultCertificate&, const SetDefaultCertificate&) = default;
};

using Step =
    std::variant<AddServer, DrainServer, ReviveServer, RetireServer, SetMapEntry, DeleteMapEntry,
                 ReplaceMap, AddCertificate, DropCertificate, SetDefaultCertificate>;
/// Steps that EncodeSteps leaves out, because they take several exchanges.
[[nodiscard]] bool IsCertificateStep(const Step& step);

inline constexpr const char* kCertificateList = "certs/crt-list.txt";
inline constexpr const char* kDefaultCertificate = "certs/default.pem";

/// What a HAProxy process holds, as read back from it or as it follows from the steps that were
/// confirmed.
struct Held {
  Image image;
  /// Servers that are still there but drain: not part of `image.servers`.
  std::map<model::SlotName, std::set<model::ServerName>> draining;
  friend bool operator==(const Held&, const Held&) = default;
};

struct Plan {
  std::vector<Step> steps;      ///< in this order: servers in, maps, servers out
  std::string reload_reason;    ///< not empty: the files, then a reload; the steps are not needed
  std::set<std::string> files;  ///< relative paths whose content changes, or that go
  [[nodiscard]] bool empty() const {
    return steps.empty() && reload_reason.empty() && files.empty();
  }
  friend bool operator==(const Plan&, const Plan&) = default;
};

/// MakePlan({x}, x) is empty. Executing MakePlan(a, b) on a proxy that holds a yields b.
[[nodiscard]] Plan MakePlan(const Held& held, const Image& desired);

/// HAProxy cannot be asked with which options its servers were made. The name of a server follows
/// from them (WireServer), so that one of this name has those that `assumed` gives it.
void TakeOptions(Image& read_back, const Image& assumed);

/// HAProxy does not show a certificate's PEM. The name of a certificate's file follows from it, so
/// that one of this name has the PEM that `assumed` gives it; for the default one its print
/// decides.
void TakePems(Image& read_back, const Image& assumed);

/// The effect of a confirmed step.
void ApplyStep(Held& held, const Step& step);
/// The effect of all steps of `plan`, which is MakePlan(held, desired) and needs no reload: as that
/// of each, but what is held shares what `desired` consists of.
void ApplyPlan(Held& held, const Plan& plan, const Image& desired);

// --- Wire codec of the Runtime API
// -------------------------------------------------------------------------------

/// One connection's worth: a single line of commands joined by ';' (2.6 to 3.4 agree only on this),
/// below 12 kB, or one command with a payload.
struct Batch {
  std::string text;          ///< with its final newline
  std::size_t commands = 0;  ///< each is answered with at least one empty line
  std::size_t added = 0;     ///< servers whose registration HAProxy must confirm
  std::size_t deleted = 0;   ///< servers whose deletion HAProxy must confirm
  std::vector<std::size_t>
      steps;  ///< indices of the steps that it carries (of the vector that was encoded)
};

/// Certificate steps are not encoded here (see EncodeCertificate), nor is ReplaceMap: it needs the
/// version that `prepare map` answers (see EncodeReplace).
[[nodiscard]] std::vector<Batch> EncodeSteps(const std::vector<Step>& steps,
                                             const Settings& settings);

/// `prepare map`, the payload batches for a version, `commit map`.
[[nodiscard]] std::string EncodePrepare(MapId map, const Settings& settings);
[[nodiscard]] Result<std::uint32_t> ParsePrepareReply(std::string_view reply);
[[nodiscard]] std::vector<std::string> EncodeReplace(const ReplaceMap& replace,
                                                     std::uint32_t version,
                                                     const Settings& settings);

/// One exchange of a certificate step: a text to send, and what must stand in the reply to it.
struct CertificateCommand {
  std::string text;       ///< with its final newline; may hold a key: never logged
  std::string expected;   ///< a part of the reply that says that it worked
  std::string also_good;  ///< another one (it is there already, or gone already); may be empty
};
/// REQUIRES: IsCertificateStep(step). After a failure EncodeAbort frees the list for others.
[[nodiscard]] std::vector<CertificateCommand> EncodeCertificate(const Step& step);
[[nodiscard]] std::string EncodeAbort(const Step& step);
/// Errors: kRejected with HAProxy's words, of which none is of a key.
[[nodiscard]] Status CheckCertificateReply(const CertificateCommand& command,
                                           std::string_view reply);

/// Questions, as commands without newline; several may be joined by ';'. AskEntry: REQUIRES a map
/// of prefixes.
[[nodiscard]] std::string AskEntry(MapId map, const std::string& key);
[[nodiscard]] std::string AskMap(MapId map);
[[nodiscard]] std::string AskServers(const model::SlotName& slot);
[[nodiscard]] std::string AskSessions(const model::SlotName& slot);

/// Looks through the reply to a batch for anything that is not a known success text. Errors:
/// kRejected with HAProxy's words; kCorrupt when it is cut or not text.
[[nodiscard]] Status CheckReply(const Batch& batch, std::string_view reply);

/// Entries of `show map <file>`: "0x… key value" lines. Errors: kCorrupt.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> ParseShowMap(
    std::string_view reply);

[[nodiscard]] std::string AskCertificateList();
/// File → names, without the default one; nothing when HAProxy has no such list. Errors: kCorrupt.
[[nodiscard]] Result<std::map<std::string, std::vector<std::string>>> ParseCertificateList(
    std::string_view reply);
[[nodiscard]] std::string AskDefaultCertificate();
/// As Certificate::proxy_print; empty when HAProxy has no such certificate.
[[nodiscard]] std::string ParseCertificatePrint(std::string_view reply);

struct ServerState {
  model::SlotName slot;
  model::ServerName server;
  std::string address;
  std::uint16_t port = 0;
  bool maint = false;
  bool drain = false;
};
/// `show servers state`. Errors: kCorrupt.
[[nodiscard]] Result<std::vector<ServerState>> ParseServersState(std::string_view reply);

/// Sessions now of each server of one backend, from `show stat <backend> 4 -1`. Errors: kCorrupt.
[[nodiscard]] Result<std::map<model::ServerName, std::uint64_t>> ParseSessions(
    std::string_view reply);

/// "Pid: 123" of `show info`. Errors: kCorrupt.
[[nodiscard]] Result<int> ParsePid(std::string_view reply);

}  // namespace swarmgate::haproxy
