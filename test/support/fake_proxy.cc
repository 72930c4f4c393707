#include "support/fake_proxy.h"

#include <algorithm>
#include <sstream>

#include "haproxy/slots.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/certs/certificate.h"

namespace swarmgate::testing {

using haproxy::Files;
using haproxy::Held;
using haproxy::Image;
using haproxy::MapId;
using haproxy::Step;
using Lock = std::lock_guard<std::mutex>;

namespace {

constexpr const char* kBase = "conf/00-base.cfg";
constexpr const char* kStagedDirectory = "/fake/staged";

std::vector<std::pair<std::string, std::string>> LoadMap(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> entries;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = line.find(' ');
    if (line.empty() || line[0] == '#' || space == std::string::npos) continue;
    entries.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return entries;
}

void LoadShard(const std::string& text, Held& held) {
  std::istringstream lines(text);
  model::SlotName name;
  std::optional<haproxy::Slot> slot;
  haproxy::ClassSlots first;  // what the profile says, in its first slot and before it
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "backend") {
      std::string text_of_name;
      words >> text_of_name;
      name = model::SlotName(text_of_name);
      slot = haproxy::ParseSlotName(name);
      if (!slot) {
        first.head += line + "\n";
        continue;
      }
      auto& declared = held.image.declared[slot->backend_class];
      declared.count = std::max(declared.count, slot->number);
      if (slot->number == 1) declared.head = first.head;
    } else if (word == "server" && slot) {
      std::string server_name;
      std::string address;
      words >> server_name >> address;
      const std::size_t colon = address.rfind(':');
      model::Server server;
      server.name = model::ServerName(server_name);
      const bool bracketed = address.front() == '[';
      server.address = bracketed ? address.substr(1, colon - 2) : address.substr(0, colon);
      server.port = static_cast<std::uint16_t>(std::stoul(address.substr(colon + 1)));
      if (line.find(" ssl verify none") != std::string::npos) {
        server.options.Edit().tls = model::ServerOptions::Tls::kUnverified;
      }
      ApplyStep(held, haproxy::AddServer{name, server, false});
    } else if (!slot) {
      if (word != "#") first.head += line + "\n";
    } else if (word != "cookie" && slot->number == 1) {
      held.image.declared[slot->backend_class].lines += line + "\n";
    }
  }
}

// What the real one computes from the certificate; tests with other texts have a print of their
// own.
std::string PrintOf(const std::string& pem) {
  const auto parsed = certs::Parse({{}, "a", "a", model::Secret(pem), ""});
  return parsed ? parsed->proxy_print : HashHex(pem);
}

void LoadCertificates(const Files& files, Image& image) {
  const auto list = files.find(haproxy::kCertificateList);
  if (list == files.end()) return;
  std::istringstream lines(list->second);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string file;
    words >> file;
    const auto pem = files.find(file);
    if (pem == files.end()) continue;
    if (file == haproxy::kDefaultCertificate) {
      image.default_pem = model::Secret(pem->second);
      image.default_print = PrintOf(pem->second);
      continue;
    }
    haproxy::ImageCertificate& certificate = image.certificates[file];
    certificate.pem = model::Secret(pem->second);
    for (std::string name; words >> name;) certificate.names.push_back(name);
  }
}

template <typename Map>
bool Has(const Map& entries, const std::string& key) {
  return entries.count(key) != 0;
}
bool Has(const haproxy::MapLines& entries, const std::string& key) {
  return std::any_of(entries.begin(), entries.end(),
                     [&key](const auto& entry) { return entry.first == key; });
}

bool HasKey(const Image& image, MapId id, const std::string& key) {
  switch (id) {
    case MapId::kRoutes:
      return Has(image.routes, key);
    case MapId::kConditions:
      return Has(image.conditions, key);
    case MapId::kRegexes:
      return Has(image.regexes, key);
    case MapId::kHostRegexes:
      return Has(image.host_regexes, key);
    case MapId::kRewrites:
      return Has(image.rewrites, key);
    case MapId::kPolicies:
      return Has(image.policies, key);
  }
  return false;
}

bool Serves(const Held& held, const model::SlotName& slot, const model::ServerName& name) {
  const auto found = held.image.servers.find(slot);
  return found != held.image.servers.end() &&
         std::any_of(found->second.begin(), found->second.end(),
                     [&name](const model::Server& server) { return server.name == name; });
}

bool Drains(const Held& held, const model::SlotName& slot, const model::ServerName& name) {
  const auto found = held.draining.find(slot);
  return found != held.draining.end() && found->second.count(name) != 0;
}

Status TakeFailure(std::vector<Code>& failures) {
  if (failures.empty()) return Ok();
  const Code code = failures.front();
  failures.erase(failures.begin());
  return Fail(code, "fails as the test asked");
}

}  // namespace

Image LoadImage(const Files& files) {
  Held held;
  for (const auto& [path, text] : files) {
    if (path == kBase) {
      const std::size_t line = text.find('\n');
      held.image.base = line == std::string::npos ? "" : text.substr(line + 1);
    } else if (path.rfind("conf/", 0) == 0) {
      LoadShard(text, held);
    }
  }
  for (const MapId id : haproxy::kMapIds) {
    const auto found = files.find(std::string(MapFile(id)));
    if (found != files.end()) ApplyStep(held, haproxy::ReplaceMap{id, LoadMap(found->second)});
  }
  LoadCertificates(files, held.image);
  return held.image;
}

// --- the process ---------------------------------------------------------------------------------

bool FakeProxy::Start() {
  const Lock lock(mutex_);
  return LoadFromDisk();
}
bool FakeProxy::LoadFromDisk() {
  if (disk_.count(kBase) == 0 || !CheckText(disk_)) return false;
  held_ = Held{LoadImage(disk_), {}};
  running_ = true;
  ++pid_;
  return true;
}
void FakeProxy::Kill() {
  const Lock lock(mutex_);
  running_ = false;
  held_ = {};
}
bool FakeProxy::running() const {
  const Lock lock(mutex_);
  return running_;
}

// --- faults --------------------------------------------------------------------------------------

void FakeProxy::FailNext(Code code, int calls) {
  const Lock lock(mutex_);
  failures_.insert(failures_.end(), static_cast<std::size_t>(calls), code);
}
void FakeProxy::FailFilesNext(Code code, int calls) {
  const Lock lock(mutex_);
  file_failures_.insert(file_failures_.end(), static_cast<std::size_t>(calls), code);
}
void FakeProxy::StopFailing() {
  const Lock lock(mutex_);
  failures_.clear();
  file_failures_.clear();
}
void FakeProxy::RejectReloads(int reloads, std::string alert) {
  const Lock lock(mutex_);
  reject_reloads_ = reloads;
  alert_ = std::move(alert);
}
void FakeProxy::RefuseStep(std::size_t n) {
  const Lock lock(mutex_);
  refuse_at_ = n;
}
void FakeProxy::RefuseSteps(std::function<bool(const Step&)> refused) {
  const Lock lock(mutex_);
  refused_ = std::move(refused);
}
void FakeProxy::RefuseConfigWith(std::string text) {
  const Lock lock(mutex_);
  refused_text_ = std::move(text);
}
void FakeProxy::AcceptAllConfig() {
  const Lock lock(mutex_);
  refused_text_.clear();
}
void FakeProxy::FreezeAfter(std::size_t n) {
  const Lock lock(mutex_);
  freeze_in_ = n;
}
void FakeProxy::Thaw() {
  const Lock lock(mutex_);
  freeze_in_.reset();
}
bool FakeProxy::frozen() const {
  const Lock lock(mutex_);
  return freeze_in_ == std::size_t{0};
}
void FakeProxy::SetSessions(const model::SlotName& slot, const model::ServerName& server,
                            std::uint64_t sessions) {
  const Lock lock(mutex_);
  sessions_[{slot, server}] = sessions;
}

Status FakeProxy::Enter() {
  if (freeze_in_ == std::size_t{0}) return Fail(Code::kUnavailable, "frozen");
  const Status failure = TakeFailure(failures_);
  if (!failure) return failure;
  if (!running_) return Fail(Code::kUnavailable, "no HAProxy");
  return Ok();
}
Status FakeProxy::EnterFiles() {
  if (freeze_in_ == std::size_t{0}) return Fail(Code::kUnavailable, "frozen");
  return TakeFailure(file_failures_);
}
Status FakeProxy::Change() {
  if (!freeze_in_) return Ok();
  if (*freeze_in_ == 0) return Fail(Code::kUnavailable, "frozen");
  --*freeze_in_;
  return Ok();
}
Status FakeProxy::CheckText(const Files& files) const {
  for (const auto& [path, text] : files) {
    if (!refused_text_.empty() && text.find(refused_text_) != std::string::npos) {
      return Fail(Code::kRejected, "[ALERT] config : refused: " + path);
    }
  }
  return Ok();
}

// --- what tests look at --------------------------------------------------------------------------

Held FakeProxy::held() const {
  const Lock lock(mutex_);
  return held_;
}
Files FakeProxy::disk() const {
  const Lock lock(mutex_);
  return disk_;
}
void FakeProxy::SetDisk(Files files) {
  const Lock lock(mutex_);
  disk_ = std::move(files);
}
int FakeProxy::pid() const {
  const Lock lock(mutex_);
  return pid_;
}
std::uint64_t FakeProxy::reloads() const {
  const Lock lock(mutex_);
  return reloads_;
}
std::uint64_t FakeProxy::steps() const {
  const Lock lock(mutex_);
  return steps_;
}
std::uint64_t FakeProxy::writes() const {
  const Lock lock(mutex_);
  return writes_;
}

// --- ports::ProxyControl -------------------------------------------------------------------------

Result<int> FakeProxy::Pid(SteadyTime) {
  const Lock lock(mutex_);
  const Status entered = Enter();
  if (!entered) return Forward(entered.error());
  return pid_;
}

std::string FakeProxy::WhyRefused(const Step& step) const {
  if (refused_ && refused_(step)) return "refused as the test asked";
  if (const auto* add = std::get_if<haproxy::AddServer>(&step)) {
    if (!haproxy::IsDeclared(add->slot, held_.image.declared)) {
      return "No such backend.";
    }
    if (Serves(held_, add->slot, add->server.name) || Drains(held_, add->slot, add->server.name)) {
      return "Already exists a server with the same name in backend.";
    }
  } else if (const auto* drain = std::get_if<haproxy::DrainServer>(&step)) {
    if (!Serves(held_, drain->slot, drain->server)) return "No such server.";
  } else if (const auto* revive = std::get_if<haproxy::ReviveServer>(&step)) {
    if (!Serves(held_, revive->slot, revive->server.name) &&
        !Drains(held_, revive->slot, revive->server.name)) {
      return "No such server.";
    }
  } else if (const auto* retire = std::get_if<haproxy::RetireServer>(&step)) {
    if (!Serves(held_, retire->slot, retire->server) &&
        !Drains(held_, retire->slot, retire->server)) {
      return "No such server.";
    }
    const auto busy = sessions_.find({retire->slot, retire->server});
    if (busy != sessions_.end() && busy->second > 0) {
      return "Server still has connections attached to it, cannot remove it.";
    }
  } else if (const auto* set = std::get_if<haproxy::SetMapEntry>(&step)) {
    if (!set->is_new && !HasKey(held_.image, set->map, set->key)) return "entry not found.";
    if (set->is_new && HasKey(held_.image, set->map, set->key)) return "reads back otherwise";
  } else if (const auto* remove = std::get_if<haproxy::DeleteMapEntry>(&step)) {
    if (!HasKey(held_.image, remove->map, remove->key)) return "Key not found.";
  } else if (haproxy::IsCertificateStep(step)) {
    if (held_.image.base.find(haproxy::kCertificateList) == std::string::npos) {
      return "crt-list 'certs/crt-list.txt' does not exist!";
    }
    const auto* added = std::get_if<haproxy::AddCertificate>(&step);
    if (added != nullptr && Has(held_.image.certificates, added->file))
      return "reads back otherwise";
    const auto* dropped = std::get_if<haproxy::DropCertificate>(&step);
    if (dropped != nullptr && !Has(held_.image.certificates, dropped->file))
      return "does not exist";
  }
  return "";
}

Result<std::size_t> FakeProxy::Execute(const std::vector<Step>& steps, SteadyTime) {
  const Lock lock(mutex_);
  const Status entered = Enter();
  if (!entered) return Forward(entered.error());
  for (const Step& step : steps) {
    const bool now = refuse_at_ == 1;
    if (refuse_at_ > 0) --refuse_at_;
    const std::string refusal = now ? "refused as the test asked" : WhyRefused(step);
    if (!refusal.empty()) return Fail(Code::kRejected, refusal);
    const Status changed = Change();
    if (!changed) return Forward(changed.error());
    ApplyStep(held_, step);
    ++steps_;
  }
  return steps.size();
}

Result<Held> FakeProxy::ReadBack(const Image& assumed, SteadyTime) {
  const Lock lock(mutex_);
  const Status entered = Enter();
  if (!entered) return Forward(entered.error());
  Held held = held_;
  held.image.base = assumed.base;
  held.image.declared = assumed.declared;
  // As the real one: it does not show what it holds.
  for (auto& [file, certificate] : held.image.certificates) certificate.pem = {};
  held.image.default_pem = {};
  haproxy::TakePems(held.image, assumed);
  return held;
}

Result<std::map<model::ServerName, std::uint64_t>> FakeProxy::Sessions(const model::SlotName& slot,
                                                                       SteadyTime) {
  const Lock lock(mutex_);
  const Status entered = Enter();
  if (!entered) return Forward(entered.error());
  std::map<model::ServerName, std::uint64_t> sessions;
  const auto count = [&](const model::ServerName& name) {
    const auto found = sessions_.find({slot, name});
    sessions[name] = found == sessions_.end() ? 0 : found->second;
  };
  if (const auto servers = held_.image.servers.find(slot); servers != held_.image.servers.end()) {
    for (const model::Server& server : servers->second) count(server.name);
  }
  if (const auto draining = held_.draining.find(slot); draining != held_.draining.end()) {
    for (const model::ServerName& name : draining->second) count(name);
  }
  return sessions;
}

Result<ports::ReloadOutcome> FakeProxy::Reload(SteadyTime) {
  const Lock lock(mutex_);
  const Status entered = Enter();
  if (!entered) return Forward(entered.error());
  const Status checked = CheckText(disk_);
  if (!checked) return Forward(checked.error());
  if (reject_reloads_ > 0) {
    --reject_reloads_;
    return Fail(Code::kRejected, alert_);
  }
  const Status changed = Change();
  if (!changed) return Forward(changed.error());
  ports::ReloadOutcome outcome;
  outcome.old_pid = pid_;
  if (!LoadFromDisk()) return Fail(Code::kRejected, "no configuration");
  outcome.new_pid = pid_;
  ++reloads_;
  return outcome;
}

Status FakeProxy::CheckFiles(const std::string& directory, SteadyTime) {
  const Lock lock(mutex_);
  if (freeze_in_ == std::size_t{0}) return Fail(Code::kUnavailable, "frozen");
  const Status failure = TakeFailure(failures_);
  if (!failure) return failure;
  return CheckText(directory == kStagedDirectory ? staged_ : disk_);
}

// --- ports::ConfigFiles --------------------------------------------------------------------------

Status FakeProxy::Write(const Files& changed, const std::vector<std::string>& removed) {
  const Lock lock(mutex_);
  const Status entered = EnterFiles();
  if (!entered) return entered;
  for (const auto& [path, content] : changed) {
    const Status change = Change();
    if (!change) return change;
    disk_[path] = content;
    ++writes_;
  }
  for (const std::string& path : removed) {
    const Status change = Change();
    if (!change) return change;
    disk_.erase(path);
  }
  return Ok();
}

Result<Files> FakeProxy::Load() {
  const Lock lock(mutex_);
  const Status entered = EnterFiles();
  if (!entered) return Forward(entered.error());
  return disk_;
}

Result<std::string> FakeProxy::Stage(const Files& files) {
  const Lock lock(mutex_);
  const Status entered = EnterFiles();
  if (!entered) return Forward(entered.error());
  staged_ = files;
  return std::string(kStagedDirectory);
}

}  // namespace swarmgate::testing
