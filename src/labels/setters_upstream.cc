#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labels/matches.h"
#include "labels/regex.h"
#include "labels/setter_values.h"
#include "labels/setters.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels::set {
namespace {

// \0 … \9 in a replacement must be groups of the search.
bool CheckReplacement(std::string_view text, std::size_t groups, Report& report) {
  if (!IsPrintableAscii(text) || text.find_first_of("?#") != std::string_view::npos) {
    report.Error(
        "bad-rewrite",
        "the replacement " + Quoted(text) + " contains a character that cannot stand in a path",
        "Write it percent-encoded, as %20 for a space");
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') continue;
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    ++i;
    if (next == '\\') continue;
    if (next >= '0' && next <= '9' && static_cast<std::size_t>(next - '0') <= groups) continue;
    report.Error(
        "bad-rewrite",
        "the replacement " + Quoted(text) + " refers to a group that the search does not have",
        "Use \\1 to \\" + std::to_string(std::max<std::size_t>(groups, 1)) +
            " for what ( ) of the search matched");
    return false;
  }
  return true;
}

std::optional<model::PathRewrite> Rewrite(std::string_view wanted, const std::string& replacement,
                                          Report& report) {
  const RegexOutcome search = CheckedSearch(wanted);
  if (!search.problem.empty()) {
    report.Error("bad-regex", Quoted(wanted) + ": " + search.problem.message, search.problem.hint);
    return std::nullopt;
  }
  if (search.groups > kMaxRewriteGroups) {
    report.Error("bad-regex", Quoted(wanted) + " has more than 6 groups",
                 "Write (?:…) for groups that the replacement does not use");
    return std::nullopt;
  }
  if (!CheckReplacement(replacement, search.groups, report)) return std::nullopt;
  return model::PathRewrite{search.regex, replacement};
}

std::optional<model::PathRewrite> RewritePair(std::string_view pair, Report& report) {
  const std::vector<std::string> halves = SplitEscaped(pair, ',');
  if (halves.size() != 2) {
    report.Error("bad-rewrite",
                 Quoted(pair) + (halves.size() < 2 ? " has no comma" : " has more than one comma"));
    return std::nullopt;
  }
  return Rewrite(halves[0], halves[1], report);
}

}  // namespace

void OutboundHostname(Setting& setting) {
  Text& field = setting.dest->spec.outbound_hostname;
  const std::string lower = ToLower(setting.value);
  const auto address = ParseAddress(lower);
  if (!address &&
      (!IsHostName(lower) || lower.find_first_not_of("0123456789.") == std::string::npos)) {
    return setting.report.Error("bad-host", "it is neither a host name nor an address");
  }
  const bool local =
      address ? address->local : lower == "localhost" || lower.ends_with(".localhost");
  if (local && setting.options.source == Source::kLabel) {
    // Whoever may label a service must not reach what listens on the proxy's own machine.
    return setting.report.Error("local-host", "it names the proxy's own machine",
                                "Write the name or address of another machine");
  }
  field = address ? address->text : std::string(setting.value);
}

void Port(Setting& setting) { PortNumber(setting, setting.dest->spec.port); }

void ReqPathSearchReplace(Setting& setting) {
  bool empty = false;
  auto& rewrites = setting.dest->spec.policy.Edit().path_rewrites;
  // The colon is taken out of its escape here, the comma when a pair is split; a backslash that
  // escapes neither stays for the regex.
  for (const std::string& pair : SplitEscaped(setting.value, ':')) {
    if (pair.empty()) {
      empty = true;
      continue;
    }
    if (rewrites.size() == kMaxRewrites) {
      return setting.report.Error("bad-rewrite", "there are more than 8 pairs");
    }
    if (!CountRegex(setting)) return;
    if (auto rewrite = RewritePair(pair, setting.report)) rewrites.push_back(std::move(*rewrite));
  }
  if (empty) setting.report.Warning("empty-item", "an empty pair is left out");
}

void ReqPathSearch(Setting& setting) { setting.service.path_search = setting.value; }

// Runs after ReqPathSearch.
void ReqPathReplace(Setting& setting) {
  const std::string search = std::exchange(setting.service.path_search, "");
  if (search.empty()) {
    return setting.report.Warning("incomplete-pair", "without reqPathSearch it has no effect",
                                  "Use reqPathSearchReplace");
  }
  if (!CountRegex(setting)) return;
  if (auto rewrite = Rewrite(search, std::string(setting.value), setting.report)) {
    setting.service.common.policy.Edit().path_rewrites.push_back(std::move(*rewrite));
  }
}

void SessionType(Setting& setting) {
  if (setting.value == "sticky-server") {
    setting.service.spec.session = model::Session::kSticky;
  } else {
    setting.report.Warning("bad-session-type",
                           "there is no such kind of session, so requests are spread evenly",
                           "Write sticky-server, or leave it out");
  }
}

void TimeoutServer(Setting& setting) {
  Timeout(setting, setting.dest->spec.policy.Edit().timeout_server);
}

void TimeoutTunnel(Setting& setting) {
  Timeout(setting, setting.dest->spec.policy.Edit().timeout_tunnel);
}

}  // namespace swarmgate::labels::set
