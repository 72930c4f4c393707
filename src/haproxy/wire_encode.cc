// Steps → commands of the Runtime API.
#include <type_traits>

#include "haproxy/quote.h"
#include "haproxy/server_words.h"
#include "swarmgate/base/check.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::haproxy {
namespace {

// One line must stay below the buffer of 16 kB (2.6) and leave room for what HAProxy keeps for
// itself.
constexpr std::size_t kMaxBatch = 12'000;

std::string ServerPath(const model::SlotName& slot, const model::ServerName& server) {
  return EscapeArgument(slot.str()) + "/" + EscapeArgument(server.str());
}

/// The commands of one step, and how many of each kind.
struct Encoded {
  std::string text;  ///< joined by ';'
  std::size_t commands = 0;
  std::size_t added = 0;
  std::size_t deleted = 0;

  void Add(const std::string& command) {
    if (!text.empty()) text += ';';
    text += command;
    ++commands;
  }

  void operator()(const AddServer& step) {
    const auto address = CanonicalAddress(step.server.address);
    SWARMGATE_CHECK(address.has_value());
    const std::string path = ServerPath(step.slot, step.server.name);
    Add("add server " + path + " " + JoinAddress(*address, step.server.port) +
        ServerWords(step.server.options));
    // 2.6 gives a dynamic server no cookie until it is computed anew.
    if (step.sticky) Add("enable dynamic-cookie backend " + EscapeArgument(step.slot.str()));
    if (step.server.options->check_interval) Add("enable health " + path);
    Add("enable server " + path);
    ++added;
  }
  void operator()(const DrainServer& step) {
    Add("set server " + ServerPath(step.slot, step.server) + " state drain");
  }
  void operator()(const ReviveServer& step) {
    Add("set server " + ServerPath(step.slot, step.server.name) + " state ready");
  }
  void operator()(const RetireServer& step) {
    const std::string path = ServerPath(step.slot, step.server);
    Add("set server " + path + " state maint");
    Add("del server " + path);
    ++deleted;
  }
  void operator()(const SetMapEntry& step) {
    Add(std::string(step.is_new ? "add map " : "set map ") + std::string(MapFile(step.map)) + " " +
        EscapeArgument(step.key) + " " + EscapeArgument(step.value));
  }
  void operator()(const DeleteMapEntry& step) {
    Add("del map " + std::string(MapFile(step.map)) + " " + EscapeArgument(step.key));
  }
  void operator()(const ReplaceMap&) { SWARMGATE_CHECK(false); }
  void operator()(const AddCertificate&) { SWARMGATE_CHECK(false); }
  void operator()(const DropCertificate&) { SWARMGATE_CHECK(false); }
  void operator()(const SetDefaultCertificate&) { SWARMGATE_CHECK(false); }
};

}  // namespace

std::vector<Batch> EncodeSteps(const std::vector<Step>& steps, const Settings&) {
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (std::holds_alternative<ReplaceMap>(steps[i]) || IsCertificateStep(steps[i])) continue;
    Encoded encoded;
    std::visit(encoded, steps[i]);
    if (batches.empty() || batches.back().text.size() + encoded.text.size() > kMaxBatch) {
      if (!batches.empty()) batches.back().text += '\n';
      batches.emplace_back();
    } else {
      batches.back().text += ';';
    }
    Batch& batch = batches.back();
    batch.text += encoded.text;
    batch.commands += encoded.commands;
    batch.added += encoded.added;
    batch.deleted += encoded.deleted;
    batch.steps.push_back(i);
  }
  if (!batches.empty()) batches.back().text += '\n';
  return batches;
}

std::string EncodePrepare(MapId map, const Settings&) {
  return "prepare map " + std::string(MapFile(map)) + "\n";
}

std::vector<std::string> EncodeReplace(const ReplaceMap& replace, std::uint32_t version,
                                       const Settings&) {
  const std::string target =
      "@" + std::to_string(version) + " " + std::string(MapFile(replace.map));
  std::vector<std::string> texts;
  std::string lines;
  const auto flush = [&] {
    if (lines.empty()) return;
    texts.push_back("add map " + target + " <<\n" + lines + "\n");
    lines.clear();
  };
  for (const auto& [key, value] : replace.entries) {
    SWARMGATE_CHECK(IsMapWord(key) && IsMapWord(value));
    if (lines.size() + key.size() + value.size() > kMaxBatch) flush();
    lines += key;
    lines += ' ';
    lines += value;
    lines += '\n';
  }
  flush();
  texts.push_back("commit map " + target + "\n");
  return texts;
}

std::string AskEntry(MapId map, const std::string& key) {
  return "get map " + std::string(MapFile(map)) + " " + EscapeArgument(key);
}

std::string AskMap(MapId map) { return "show map " + std::string(MapFile(map)); }

std::string AskServers(const model::SlotName& slot) {
  return "show servers state " + EscapeArgument(slot.str());
}

std::string AskSessions(const model::SlotName& slot) {
  // 4: servers only; -1: all of them.
  return "show stat " + EscapeArgument(slot.str()) + " 4 -1";
}

}  // namespace swarmgate::haproxy
