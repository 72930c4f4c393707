#include "proxy/master.h"

#include <algorithm>
#include <optional>

#include "proxy/unix_exchange.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::proxy {
namespace {

constexpr std::uint64_t kMaxPid = 1U << 30U;
constexpr std::size_t kMaxReplyOfMaster = 1U << 20U;
/// A connection that was accepted just before the master executes itself anew is never answered.
constexpr Duration kPatience{500};

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  for (const std::string_view word : Split(line, ' ')) {
    if (!Trim(word).empty()) words.push_back(Trim(word));
  }
  return words;
}

/// "Success=0\n--\n[ALERT] …": what HAProxy says about a reload that failed.
std::string Reason(std::string_view reply) {
  const std::size_t log = reply.find("--\n");
  const std::string_view text =
      Trim(log == std::string_view::npos ? std::string_view() : reply.substr(log + 3));
  return text.empty() ? "its log says why" : Printable(text, 800);
}

}  // namespace

Result<MasterState> ParseShowProc(std::string_view reply) {
  // "<pid> master <reloads> [failed: <n>] <uptime> <version>", then below "# workers" "<pid> worker
  // …".
  MasterState state;
  bool current = false;
  for (const std::string_view line : Split(reply, '\n')) {
    if (Trim(line).empty()) continue;
    if (line.front() == '#') {
      current = Trim(line) == "# workers";
      continue;
    }
    const auto words = Words(line);
    const auto pid = words.size() > 2 ? ParseUint(words[0], kMaxPid) : std::nullopt;
    if (!pid || *pid == 0) return Fail(Code::kCorrupt, "not a process: " + Printable(line, 120));
    if (words[1] == "master") {
      state.pid = static_cast<int>(*pid);
      state.reloads = static_cast<int>(ParseUint(words[2], 1U << 30U).value_or(0));
      if (words.size() > 4 && words[3] == "[failed:" && words[4].back() == ']') {
        state.failed = static_cast<int>(
            ParseUint(words[4].substr(0, words[4].size() - 1), 1U << 30U).value_or(0));
      }
    } else if (words[1] == "worker" && current) {
      state.workers.push_back(static_cast<int>(*pid));
    }
  }
  if (state.pid == 0) return Fail(Code::kCorrupt, "no master in the list of processes");
  return state;
}

Result<MasterState> AskMaster(const std::string& socket, SteadyTime deadline, int cancel) {
  const auto reply =
      Exchange(socket, "show proc\n", deadline, cancel, After::kHalfClose, kMaxReplyOfMaster);
  if (!reply) return Forward(reply.error());
  return ParseShowProc(*reply);
}

namespace {

/// Asks until there is an answer: the master refuses while it executes itself anew, which it also
/// does right after its start. The last try is cut short by the deadline: what the one before it
/// met says more.
Result<MasterState> AwaitMaster(const std::string& socket, SteadyTime deadline, int cancel) {
  std::optional<Error> met;
  for (;;) {
    const SteadyTime soon = std::chrono::steady_clock::now() + kPatience;
    auto state = AskMaster(socket, std::min(deadline, soon), cancel);
    if (state || state.error().code == Code::kCancelled) return state;
    const bool cut_short = state.error().code == Code::kDeadlineExceeded;
    if (!cut_short || !met) met = state.error();
    if (!Pause(Duration(2), deadline, cancel)) return Forward(*met);
  }
}

}  // namespace

Result<MasterState> ReloadMaster(const std::string& socket, SteadyTime deadline, int cancel) {
  const SteadyTime soon = std::chrono::steady_clock::now() + kPatience;
  const Result<MasterState> before = AwaitMaster(socket, std::min(deadline, soon), cancel);
  if (!before) return Forward(before.error(), "master");
  const auto reply =
      Exchange(socket, "reload\n", deadline, cancel, After::kHalfClose, kMaxReplyOfMaster);
  // The connection may break when the master executes itself anew: it has heard us nevertheless.
  if (!reply && reply.error().code != Code::kUnavailable) return Forward(reply.error(), "master");
  if (reply && reply->find("Success=0") != std::string::npos) {
    return Fail(Code::kRejected, "HAProxy did not load the configuration: " + Reason(*reply));
  }
  for (;;) {
    const Result<MasterState> now = AwaitMaster(socket, deadline, cancel);
    if (!now) return Forward(now.error(), "waiting for the reload");
    if (now->reloads > before->reloads) {
      if (now->failed > 0) {
        return Fail(Code::kRejected, "HAProxy did not load the configuration");
      }
      if (!now->workers.empty()) return now;
    }
    const Status paused = Pause(Duration(2), deadline, cancel);
    if (!paused) return Forward(paused.error(), "waiting for the reload");
  }
}

}  // namespace swarmgate::proxy
