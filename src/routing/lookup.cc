// The lookup table as HAProxy's rules read it.
#include <algorithm>
#include <string>
#include <string_view>

#include "routing/host.h"
#include "routing/regex.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::routing {
namespace {

using model::MatchCandidate;
using model::MatchEntry;
using model::MatchTable;

/// map_beg: the longest key that the text begins with.
const MatchEntry* LongestPrefix(const Chunked<MatchEntry>& entries, std::string_view text) {
  while (true) {
    auto it =
        entries.PartitionPoint([&text](const MatchEntry& entry) { return entry.key <= text; });
    if (it == entries.begin()) return nullptr;
    const MatchEntry& entry = *--it;
    if (text.starts_with(entry.key)) return &entry;
    const std::string& key = entry.key;
    const auto differ = std::mismatch(text.begin(), text.end(), key.begin(), key.end()).first;
    text = text.substr(0, static_cast<std::size_t>(differ - text.begin()));
  }
}

/// req.hdrs of HAProxy, without the empty line behind it.
std::string HeaderText(const Question& question) {
  std::string text;
  if (!question.host.empty()) text += "host: " + question.host + "\r\n";
  for (const auto& [name, value] : question.headers) {
    text.append(ToLower(name)).append(": ").append(Trim(value)).append("\r\n");
  }
  return text;
}

bool Holds(const MatchCandidate& candidate, const Question& question) {
  if (candidate.port && *candidate.port != question.port) return false;
  if (!candidate.header_regex.empty()) {
    const auto regex = Regex::Compile("^:" + candidate.header_regex);
    if (!regex || !regex->Search(":\n" + HeaderText(question) + "\r\n" + question.path)) {
      return false;
    }
  }
  if (candidate.path_regex.empty()) return true;
  // A line of the ordered list, and what is looked up in it.
  const std::string head = "~0123456789abcdef:" + std::to_string(question.port) + ":\n";
  const auto regex = Regex::Compile("^" + head + ".*?(?m:" + candidate.path_regex + ")");
  return regex && regex->Search(head + question.path);
}

std::optional<MatchCandidate> InTree(const MatchTable& table, std::string_view host,
                                     const Question& question) {
  const MatchEntry* entry = LongestPrefix(table.entries, std::string(host) + question.path + "/?");
  if (entry == nullptr) return std::nullopt;
  for (const MatchCandidate& candidate : entry->candidates) {
    if (Holds(candidate, question)) return candidate;
  }
  return std::nullopt;
}

std::optional<MatchCandidate> InHostRegexes(const MatchTable& table, const std::string& host,
                                            const Question& question) {
  std::string subject = host + "|" + std::to_string(question.port) + "|" + question.path;
  const bool with_headers =
      std::any_of(table.host_regexes.begin(), table.host_regexes.end(),
                  [](const auto& entry) { return !entry.candidate.header_regex.empty(); });
  if (with_headers) subject.insert(0, HeaderText(question) + "\r\n");
  for (const model::HostRegexEntry& entry : table.host_regexes) {
    const auto regex = Regex::Compile(entry.regex);
    if (regex && regex->Search(subject)) return entry.candidate;
  }
  return std::nullopt;
}

}  // namespace

std::optional<MatchCandidate> Lookup(const MatchTable& table, const Question& question) {
  const std::string host = NormaliseHost(question.host);
  if (!host.empty()) {
    if (auto found = InTree(table, host, question)) return found;
    for (const std::string_view suffix : HostSuffixes(host)) {
      if (auto found = InTree(table, suffix, question)) return found;
    }
    if (auto found = InHostRegexes(table, host, question)) return found;
  }
  return InTree(table, "", question);
}

}  // namespace swarmgate::routing
