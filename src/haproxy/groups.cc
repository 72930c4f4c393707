#include "haproxy/groups.h"

#include <algorithm>
#include <set>
#include <utility>

#include "haproxy/quote.h"
#include "haproxy/regex.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::haproxy {
namespace {

/// A candidate that can be asked for, and where it leads.
struct Choice {
  const model::MatchCandidate* candidate;
  std::string target;
};

/// Keys that lead the numbers from `begin` up to `end` (of a thousand, three digits each) to one
/// value: as few beginnings of numbers as it takes.
std::vector<std::string> NumberKeys(std::uint32_t begin, std::uint32_t end) {
  std::vector<std::string> keys;
  while (begin < end) {
    std::uint32_t step = 1;
    std::size_t digits = 3;
    while (step < 1000 && begin % (step * 10) == 0 && begin + step * 10 <= end) {
      step *= 10;
      --digits;
    }
    const std::string number = std::to_string(1000 + begin).substr(1);
    keys.push_back(number.substr(0, digits));
    begin += step;
  }
  return keys;
}

std::string PortGroup(const std::string& id, const std::vector<Choice>& choices,
                      std::vector<Group>& groups) {
  Group group{"@" + id, {}};
  for (const auto& [candidate, target] : choices) {
    const std::string port = candidate->port ? std::to_string(*candidate->port) + ":" : "";
    group.lines.emplace_back(group.id + ":" + port, target);
  }
  groups.push_back(std::move(group));
  return groups.back().id;
}

std::string RegexGroup(std::string id, const std::vector<Choice>& choices,
                       std::vector<Group>& groups) {
  Group group{std::move(id), {}};
  std::set<std::string> keys;
  for (const auto& [candidate, target] : choices) {
    std::string key = GroupKey(group.id, *candidate);
    if (!IsMapWord(key) || !keys.insert(key).second) continue;
    group.lines.emplace_back(std::move(key), target);
  }
  groups.push_back(std::move(group));
  return groups.back().id;
}

}  // namespace

std::string Target(const model::MatchCandidate& candidate, Records& records,
                   std::vector<Group>& groups) {
  if (candidate.shares.empty()) return records.Of(candidate);
  const auto& shares = candidate.shares;
  const auto most =
      std::max_element(shares.begin(), shares.end(),
                       [](const auto& a, const auto& b) { return a.thousandths < b.thousandths; });
  if (most->thousandths == 1000) return records.Of(*most);
  MapEntries keys{{"", records.Of(*most)}};
  std::uint32_t begin = 0;
  for (auto share = shares.begin(); share != shares.end(); ++share) {
    const std::uint32_t end = begin + share->thousandths;
    if (share != most) {
      const std::string record = records.Of(*share);
      for (const std::string& key : NumberKeys(begin, end)) keys.emplace("1" + key, record);
    }
    begin = end;
  }
  std::string content;
  for (const auto& [key, record] : keys) content.append(key).append(" ").append(record) += '\n';
  Group group{"%" + HashHex(content), {}};
  for (const auto& [key, record] : keys) group.lines.emplace_back(group.id + ":" + key, record);
  groups.push_back(std::move(group));
  return groups.back().id;
}

std::string EntryValue(const model::MatchEntry& entry, Records& records,
                       std::vector<Group>& groups) {
  if (!entry.candidates.empty() && entry.candidates.front().unconditional()) {
    return Target(entry.candidates.front(), records, groups);
  }
  std::vector<const model::MatchCandidate*> candidates;
  for (const model::MatchCandidate& candidate : entry.candidates) {
    if (!WhyNotMappable(candidate.path_regex).empty() ||
        !WhyNotMappable(candidate.header_regex).empty()) {
      continue;
    }
    candidates.push_back(&candidate);
    if (candidate.unconditional()) break;
  }
  if (candidates.empty()) return "-";
  // Those with conditions may all have been left out.
  if (candidates.front()->unconditional()) return Target(*candidates.front(), records, groups);
  std::vector<Choice> choices;
  std::string content;
  bool regexes = false;
  bool headers = false;
  for (const auto* candidate : candidates) {
    choices.push_back({candidate, Target(*candidate, records, groups)});
    regexes = regexes || !candidate->path_regex.empty();
    headers = headers || !candidate->header_regex.empty();
    content += std::to_string(candidate->port.value_or(0)) + " " + candidate->path_regex + "\n";
    if (!candidate->header_regex.empty()) content += candidate->header_regex + "\n";
    content += choices.back().target + "\n";
  }
  const std::string id = HashHex(content);
  if (headers) return RegexGroup("^" + id, choices, groups);
  return regexes ? RegexGroup("~" + id, choices, groups) : PortGroup(id, choices, groups);
}

bool IsRegexGroup(std::string_view id) { return id.front() == '~' || id.front() == '^'; }

std::string GroupPrefix(const std::string& id) {
  if (!IsRegexGroup(id)) return id + ":";
  // As GroupKey has it.
  return (id.front() == '^' ? "^\\" : "^") + id + ":";
}

}  // namespace swarmgate::haproxy
