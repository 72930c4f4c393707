// Replies of the Runtime API → values. A reply is bytes from outside: it may be cut, or garbage.
#include <algorithm>

#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::haproxy {
namespace {

constexpr std::uint64_t kMaxPid = 1U << 30U;

tl::unexpected<Error> Corrupt(const std::string& what, std::string_view line) {
  return Fail(Code::kCorrupt, what + ": " + Printable(line, 120));
}

bool IsText(std::string_view reply) {
  return std::all_of(reply.begin(), reply.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 || c == '\n' || c == '\r' || c == '\t';
  });
}

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  for (const std::string_view word : Split(line, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

/// A reply is complete when it ends with the empty line that HAProxy puts after each answer.
bool Complete(std::string_view reply) {
  return reply == "\n" || (reply.size() >= 2 && reply.substr(reply.size() - 2) == "\n\n");
}

}  // namespace

Result<std::uint32_t> ParsePrepareReply(std::string_view reply) {
  constexpr std::string_view kText = "New version created: ";
  const std::string_view line = Trim(reply);
  if (line.substr(0, kText.size()) == kText) {
    if (const auto version = ParseUint(line.substr(kText.size()), 0xffffffff)) {
      return static_cast<std::uint32_t>(*version);
    }
  }
  if (line.empty() || !IsText(reply)) return Corrupt("no version in the reply", line);
  return Fail(Code::kRejected, "prepare map: " + Printable(line));
}

Status CheckReply(const Batch& batch, std::string_view reply) {
  if (!IsText(reply)) return Corrupt("the reply is not text", reply);
  std::size_t empty = 0;
  std::size_t added = 0;
  std::size_t deleted = 0;
  for (const std::string_view raw : Split(reply, '\n')) {
    const std::string_view line = Trim(raw);
    if (line.empty()) {
      ++empty;
    } else if (line == "New server registered.") {
      ++added;
    } else if (line == "Server deleted.") {
      ++deleted;
    } else {
      return Fail(Code::kRejected, "HAProxy says: " + Printable(line));
    }
  }
  // Split counts one more part than there are newlines. 2.6 puts no empty line after
  // "Server deleted."
  if (empty + deleted < batch.commands + 1) {
    return Fail(Code::kCorrupt, "the reply is cut: " + std::to_string(batch.commands) +
                                    " commands, " + std::to_string(empty - 1) + " answers");
  }
  if (added != batch.added || deleted != batch.deleted) {
    return Fail(Code::kCorrupt, "the reply does not confirm each server");
  }
  return Ok();
}

Result<std::vector<std::pair<std::string, std::string>>> ParseShowMap(std::string_view reply) {
  std::vector<std::pair<std::string, std::string>> entries;
  if (!Complete(reply)) return Corrupt("the map is cut", reply);
  for (const std::string_view line : Split(reply, '\n')) {
    if (line.empty()) continue;
    const std::size_t key = line.find(' ');
    if (line.substr(0, 2) != "0x" || key == std::string_view::npos) {
      return Corrupt("not an entry of a map", line);
    }
    const std::string_view rest = line.substr(key + 1);
    const std::size_t value = rest.find(' ');
    if (value == std::string_view::npos || value == 0) return Corrupt("no value", line);
    entries.emplace_back(std::string(rest.substr(0, value)), std::string(rest.substr(value + 1)));
  }
  return entries;
}

Result<std::vector<ServerState>> ParseServersState(std::string_view reply) {
  // Columns of format 1: be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state …
  // srv_port (19th).
  constexpr std::size_t kColumns = 19;
  constexpr std::uint64_t kMaint = 0x01 | 0x02 | 0x04 | 0x20 | 0x40;
  constexpr std::uint64_t kDrain = 0x08 | 0x10;
  std::vector<ServerState> servers;
  bool headed = false;
  if (!Complete(reply)) return Corrupt("the list of servers is cut", reply);
  for (const std::string_view line : Split(reply, '\n')) {
    if (line.empty()) continue;
    if (line == "1") continue;
    if (line.substr(0, 8) == "# be_id ") {
      headed = true;
      continue;
    }
    const auto words = Words(line);
    if (!headed || words.size() < kColumns) return Corrupt("not a server's state", line);
    const auto admin = ParseUint(words[6], 0xffff);
    const auto port = ParseUint(words[18], 65535);
    if (!admin || !port) return Corrupt("not a server's state", line);
    ServerState state;
    state.slot = model::SlotName(std::string(words[1]));
    state.server = model::ServerName(std::string(words[3]));
    state.address = std::string(words[4]);
    state.port = static_cast<std::uint16_t>(*port);
    state.maint = (*admin & kMaint) != 0;
    state.drain = (*admin & kDrain) != 0;
    servers.push_back(std::move(state));
  }
  if (!headed) return Corrupt("no list of servers", reply);
  return servers;
}

Result<std::map<model::ServerName, std::uint64_t>> ParseSessions(std::string_view reply) {
  std::map<model::ServerName, std::uint64_t> sessions;
  bool headed = false;
  if (!Complete(reply)) return Corrupt("the statistics are cut", reply);
  for (const std::string_view line : Split(reply, '\n')) {
    if (line.empty()) continue;
    if (line.substr(0, 24) == "# pxname,svname,qcur,qma") {
      headed = true;
      continue;
    }
    const auto columns = Split(line, ',');
    const auto queued = columns.size() > 4 ? ParseUint(columns[2], 1U << 30U) : std::nullopt;
    const auto current = columns.size() > 4 ? ParseUint(columns[4], 1U << 30U) : std::nullopt;
    if (!headed || !queued || !current) return Corrupt("not statistics of a server", line);
    sessions[model::ServerName(std::string(columns[1]))] = *queued + *current;
  }
  if (!headed) return Corrupt("no statistics", reply);
  return sessions;
}

Result<int> ParsePid(std::string_view reply) {
  constexpr std::string_view kWord = "Pid: ";
  for (const std::string_view line : Split(reply, '\n')) {
    if (line.substr(0, kWord.size()) != kWord) continue;
    const auto pid = ParseUint(Trim(line.substr(kWord.size())), kMaxPid);
    if (pid && *pid > 0) return static_cast<int>(*pid);
  }
  return Corrupt("no pid in the reply", reply);
}

}  // namespace swarmgate::haproxy
