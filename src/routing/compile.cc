#include "routing/compile.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "routing/condition.h"
#include "routing/host.h"
#include "routing/order.h"
#include "routing/path.h"
#include "routing/regex.h"

namespace swarmgate::routing {
namespace {

using model::HostMatch;
using model::MatchCandidate;
using model::PathMatch;
using model::Route;

/// Places in the order of precedence.
using Index = std::uint32_t;
constexpr Index kNone = std::numeric_limits<Index>::max();

/// What the compiler needs to know of a route beside the route.
struct Facts {
  std::string condition;  // regex on the path, empty: none
  std::string key;        // opens the region of its path
  bool usable = true;     // its regexes can be used
  bool special = false;
  bool moved = false;  // a wildcard route that is in the list of host regexes
  bool reached = false;
};

class Compiler {
 public:
  Compiler(const std::vector<Placed>& routes, std::size_t max_inserted, const std::string* only)
      : routes_(routes), max_inserted_(max_inserted), only_(only), facts_(routes.size()) {}

  Compiled Run() {
    Prepare();
    MoveWildcards();
    std::map<std::string_view, std::vector<Index>> nodes;  // host → its routes; "" is any host
    for (Index i = 0; i < routes_.size(); ++i) {
      const HostMatch& host = routes_[i].route->host;
      if (facts_[i].usable && !facts_[i].moved && IsCompiled(host)) {
        nodes[host.text].push_back(i);
      }
    }
    out_.inserted.resize(routes_.size());
    std::vector<std::vector<Index>> inserted;
    inserted.reserve(nodes.size());
    for (const auto& [host, own] : nodes) {
      inserted.push_back(host.empty() ? std::vector<Index>() : LessSpecific(host, own));
    }
    if (out_.too_large) return std::move(out_);
    auto added = inserted.cbegin();
    for (const auto& [host, own] : nodes) CompileHost(host, own, *added++);
    if (only_ == nullptr) CompileHostRegexes();
    std::sort(entries_.begin(), entries_.end(),
              [](const model::MatchEntry& a, const model::MatchEntry& b) { return a.key < b.key; });
    out_.matches.entries = std::move(entries_);
    for (Index i = 0; i < routes_.size(); ++i) {
      const bool seen = only_ == nullptr || IsCompiled(routes_[i].route->host);
      if (seen && facts_[i].usable && !facts_[i].reached)
        out_.unreachable.push_back({i, FindWinner(i)});
    }
    return std::move(out_);
  }

 private:
  struct Key {
    std::string text;
    std::vector<Index> routes;  // those whose region it opens
  };
  /// A key whose region is being walked through, with what it answers.
  struct Frame {
    const Key* key;
    std::vector<Index> answer;
  };

  /// Are there entries under this host?
  [[nodiscard]] bool IsCompiled(const HostMatch& host) const {
    return host.kind != HostMatch::Kind::kRegex && (only_ == nullptr || host.text == *only_);
  }

  void Prepare() {
    for (Index i = 0; i < routes_.size(); ++i) {
      const Route& route = *routes_[i].route;
      Facts& facts = facts_[i];
      facts.special = IsSpecial(route);
      facts.key = PathKey(route.path);
      const std::optional<std::string> condition =
          RegexesCompile(route) ? TreeCondition(route) : std::nullopt;
      facts.usable = condition.has_value();
      if (condition) facts.condition = *condition;
      if (facts.usable && route.host.kind == HostMatch::Kind::kRegex) {
        facts.usable = HostListRegex(route, !route.conditions.empty()).has_value();
      }
      if (!facts.usable) out_.refused.push_back(i);
      if (!facts.usable || !facts.special) continue;
      if (route.host.kind == HostMatch::Kind::kAny) special_any_.push_back(i);
      if (route.host.kind == HostMatch::Kind::kRegex) {
        if (auto regex = Regex::CompileWhole(route.host.text)) {
          special_regex_.emplace_back(i, *std::move(regex));
        }
      }
      if (route.host.kind == HostMatch::Kind::kWildcard)
        special_wildcard_[route.host.text].push_back(i);
    }
  }

  /// Can the regions of two routes meet? Ports do not count: what is entered before one candidate
  /// of a region stands before all of them.
  bool MayMeet(Index a, Index b) const {
    // A regex opens "/", which everything stands under.
    const std::string& left = facts_[a].key;
    const std::string& right = facts_[b].key;
    return left.size() < right.size() ? right.starts_with(left) : left.starts_with(right);
  }

  /// Marks the wildcard routes that come after a host regex (or after a shorter wildcard, which
  /// more hosts can reach than the entry under the longer one would say), and then those that come
  /// after these.
  void MoveWildcards() {
    std::vector<Index> in_list;
    for (Index i = 0; i < routes_.size(); ++i) {
      const HostMatch& host = routes_[i].route->host;
      if (!facts_[i].usable) continue;
      if (host.kind == HostMatch::Kind::kRegex) in_list.push_back(i);
      if (host.kind != HostMatch::Kind::kWildcard || !ComesAfterList(i, in_list)) continue;
      facts_[i].moved = true;
      in_list.push_back(i);
    }
  }

  bool ComesAfterList(Index i, const std::vector<Index>& in_list) const {
    const std::string& host = routes_[i].route->host.text;
    const bool listed = std::any_of(in_list.begin(), in_list.end(), [&](Index other) {
      const HostMatch& match = routes_[other].route->host;
      const bool hosts = match.kind == HostMatch::Kind::kRegex || match.text.ends_with(host) ||
                         host.ends_with(match.text);
      return hosts && MayMeet(other, i);
    });
    if (listed) return true;
    if (special_wildcard_.empty()) return false;
    for (std::size_t dot = host.find('.', 1); dot != std::string::npos;
         dot = host.find('.', dot + 1)) {
      const auto found = special_wildcard_.find(std::string_view(host).substr(dot));
      if (found == special_wildcard_.end()) continue;
      for (const Index other : found->second) {
        if (other < i && MayMeet(other, i)) return true;
      }
    }
    return false;
  }

  /// Routes of less specific hosts that come before a route of this host which they may meet;
  /// sorted.
  std::vector<Index> LessSpecific(std::string_view host, const std::vector<Index>& own) {
    std::vector<Index> found;
    const auto add = [&](Index special) {
      for (auto it = own.rbegin(); it != own.rend() && *it > special; ++it) {
        if (!MayMeet(*it, special)) continue;
        found.push_back(special);
        return;
      }
    };
    for (const Index special : special_any_) {
      if (special > own.back()) break;
      add(special);
    }
    if (host.front() != '.') {
      for (const auto& [special, regex] : special_regex_) {
        if (special < own.back() && regex.Search(host)) add(special);
      }
      if (!special_wildcard_.empty()) {
        for (const std::string_view suffix : HostSuffixes(host)) {
          const auto wildcard = special_wildcard_.find(suffix);
          if (wildcard == special_wildcard_.end()) continue;
          for (const Index special : wildcard->second) add(special);
        }
      }
    }
    for (const Index special : found) ++out_.inserted[special];
    sum_inserted_ += found.size();
    // Counting goes on, keeping does not.
    if (sum_inserted_ > max_inserted_) {
      out_.too_large = true;
      return {};
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  void CompileHost(std::string_view host, const std::vector<Index>& own,
                   const std::vector<Index>& inserted) {
    if (own.size() == 1 && inserted.empty() && routes_[own[0]].route->excludes.empty() &&
        PathHole(routes_[own[0]].route->path).empty()) {
      Emit(host, facts_[own[0]].key, own);
      return;
    }
    const std::vector<Key> keys = Keys(own, inserted);
    std::vector<Frame> stack;
    for (const Key& key : keys) {
      while (!stack.empty() && !key.text.starts_with(stack.back().key->text)) stack.pop_back();
      stack.push_back(Frame{&key, {}});
      std::vector<Index> answer = Answer(stack, inserted);
      const bool same =
          stack.size() > 1 ? answer == stack[stack.size() - 2].answer : answer.empty();
      if (!same) Emit(host, key.text, answer);
      stack.back().answer = std::move(answer);
    }
  }

  /// All texts at which the set of covering routes can change, sorted: a key stands behind those
  /// that it is under.
  std::vector<Key> Keys(const std::vector<Index>& own, const std::vector<Index>& inserted) const {
    std::vector<std::pair<std::string, Index>> texts;
    const auto add_path = [&](const PathMatch& path, Index opens) {
      if (path.kind == PathMatch::Kind::kRegex && opens == kNone) return;
      texts.emplace_back(PathKey(path), opens);
      if (std::string hole = PathHole(path); !hole.empty())
        texts.emplace_back(std::move(hole), kNone);
    };
    const auto add_route = [&](Index i) {
      add_path(routes_[i].route->path, i);
      for (const PathMatch& exclude : routes_[i].route->excludes) add_path(exclude, kNone);
    };
    for (const Index i : own) add_route(i);
    for (const Index i : inserted) add_route(i);
    std::sort(texts.begin(), texts.end());
    std::vector<Key> keys;
    for (auto& [text, opens] : texts) {
      if (keys.empty() || keys.back().text != text) keys.push_back(Key{std::move(text), {}});
      if (opens != kNone) keys.back().routes.push_back(opens);
    }
    return keys;
  }

  bool Covers(Index i, const std::string& key) const {
    const Route& route = *routes_[i].route;
    if (!PathCoversKey(route.path, key)) return false;
    return std::none_of(
        route.excludes.begin(), route.excludes.end(), [&](const PathMatch& exclude) {
          return exclude.kind != PathMatch::Kind::kRegex && PathCoversKey(exclude, key);
        });
  }

  bool Unconditional(Index i) const {
    return !routes_[i].route->port && facts_[i].condition.empty() &&
           routes_[i].route->conditions.empty();
  }

  /// The candidates of the innermost key: whatever covers its region, in order, up to the first
  /// without a condition; routes of less specific hosts only before one of this host.
  std::vector<Index> Answer(const std::vector<Frame>& stack, const std::vector<Index>& inserted) {
    const std::string& key = stack.back().key->text;
    std::vector<Index> answer;
    Index bound = kNone;  // the first without a condition
    for (auto frame = stack.rbegin(); frame != stack.rend(); ++frame) {
      for (const Index i : frame->key->routes) {
        if (i >= bound) break;
        if (!Covers(i, key)) continue;
        answer.push_back(i);
        if (Unconditional(i)) bound = i;
      }
    }
    std::sort(answer.begin(), answer.end());
    if (bound != kNone) {
      answer.erase(std::upper_bound(answer.begin(), answer.end(), bound), answer.end());
    }
    DropRepeated(answer);
    while (!inserted.empty() && !answer.empty() &&
           std::binary_search(inserted.begin(), inserted.end(), answer.back())) {
      answer.pop_back();
    }
    for (const Index i : answer) facts_[i].reached = true;
    return answer;
  }

  /// A second candidate for one port can only be reached when the first has a further condition.
  void DropRepeated(std::vector<Index>& answer) const {
    if (answer.size() < 2) return;
    std::vector<std::uint16_t> taken;
    std::erase_if(answer, [&](Index i) {
      const Route& route = *routes_[i].route;
      if (!route.port) return false;
      if (std::find(taken.begin(), taken.end(), *route.port) != taken.end()) return true;
      if (facts_[i].condition.empty() && route.conditions.empty()) taken.push_back(*route.port);
      return false;
    });
  }

  MatchCandidate Candidate(Index i) const {
    const Route& route = *routes_[i].route;
    return MatchCandidate{route.id,          route.backend,       route.service,
                          route.port,        facts_[i].condition, HeaderRegex(route.conditions),
                          *routes_[i].shares};
  }

  void Emit(std::string_view host, const std::string& key, const std::vector<Index>& answer) {
    model::MatchEntry entry;
    entry.key = std::string(host).append(key);
    entry.candidates.reserve(answer.size());
    for (const Index i : answer) {
      facts_[i].reached = true;
      entry.candidates.push_back(Candidate(i));
    }
    entries_.push_back(std::move(entry));
  }

  /// Host regexes and moved wildcards in order, and before each of them the routes for any host
  /// that come before it.
  void CompileHostRegexes() {
    std::vector<Index> list;  // from last to first
    for (Index i = static_cast<Index>(routes_.size()); i-- > 0;) {
      if (!facts_[i].usable) continue;
      const HostMatch::Kind kind = routes_[i].route->host.kind;
      const bool own = kind == HostMatch::Kind::kRegex || facts_[i].moved;
      const bool before =
          kind == HostMatch::Kind::kAny && facts_[i].special &&
          std::any_of(list.begin(), list.end(), [&](Index later) { return MayMeet(i, later); });
      if (own) facts_[i].reached = true;
      if (own || before) list.push_back(i);
    }
    const bool with_headers = std::any_of(
        list.begin(), list.end(), [&](Index i) { return !routes_[i].route->conditions.empty(); });
    for (auto it = list.rbegin(); it != list.rend(); ++it) {
      std::optional<std::string> regex = HostListRegex(*routes_[*it].route, with_headers);
      if (!regex) continue;
      MatchCandidate candidate = Candidate(*it);
      candidate.path_regex = {};
      out_.matches.host_regexes.push_back({*std::move(regex), std::move(candidate)});
    }
  }

  /// Which route takes all that an unreachable one asks for.
  std::size_t FindWinner(Index i) {
    if (!Covers(i, facts_[i].key)) return i;
    Index winner = i;
    const HostMatch& host = routes_[i].route->host;
    const auto try_host = [&](std::string_view text) {
      for (const Index other : Claimants(text, facts_[i].key)) {
        if (other < winner && Takes(other, i)) winner = other;
      }
    };
    try_host(host.text);
    if (host.kind != HostMatch::Kind::kAny) try_host("");
    if (host.kind == HostMatch::Kind::kExact) {
      for (const std::string_view suffix : HostSuffixes(host.text)) try_host(suffix);
      for (const auto& [other, regex] : special_regex_) {
        if (other < winner && Takes(other, i) && regex.Search(host.text)) winner = other;
      }
    }
    return winner;
  }

  /// But for the host: does `other` take all of the region that route `i` opens?
  bool Takes(Index other, Index i) const {
    const std::optional<std::uint16_t>& port = routes_[other].route->port;
    const model::Conditions& asked = routes_[other].route->conditions;
    const model::Conditions& given = routes_[i].route->conditions;
    return facts_[other].usable && facts_[other].condition.empty() &&
           std::includes(given.headers.begin(), given.headers.end(), asked.headers.begin(),
                         asked.headers.end()) &&
           (asked.user_agents.empty() || asked.user_agents == given.user_agents) &&
           (!port || port == routes_[i].route->port) && Covers(other, facts_[i].key);
  }

  /// Routes of one host whose regions are opened by a key that `key` begins with.
  std::vector<Index> Claimants(std::string_view host, const std::string& key) {
    if (claims_.empty()) {
      for (Index i = 0; i < routes_.size(); ++i) {
        claims_[routes_[i].route->host.text + facts_[i].key].push_back(i);
      }
    }
    std::vector<Index> found;
    std::string text(host);
    for (const char c : key) {
      text += c;
      if (const auto claims = claims_.find(text); claims != claims_.end()) {
        found.insert(found.end(), claims->second.begin(), claims->second.end());
      }
    }
    return found;
  }

  const std::vector<Placed>& routes_;
  const std::size_t max_inserted_;
  const std::string* only_;  ///< host, or null: all
  std::size_t sum_inserted_ = 0;
  std::vector<Facts> facts_;
  std::vector<Index> special_any_;
  std::vector<std::pair<Index, Regex>> special_regex_;
  std::map<std::string_view, std::vector<Index>> special_wildcard_;
  std::unordered_map<std::string, std::vector<Index>> claims_;  // host + key → routes
  std::vector<model::MatchEntry> entries_;
  Compiled out_;
};

}  // namespace

Compiled Compile(const std::vector<Placed>& routes, std::size_t max_inserted,
                 const std::string* only_host) {
  return Compiler(routes, max_inserted, only_host).Run();
}

}  // namespace swarmgate::routing
