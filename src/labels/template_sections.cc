// Rendered templates → lines that can concern nobody but their service.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "labels/report.h"
#include "labels/templates.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels {
namespace {

constexpr std::size_t kMostLines = 512;
constexpr std::size_t kLongestLine = 1500;  // HAProxy takes 2047 bytes, and names become longer

// What would end the backend's section, or change what kind of section it is.
constexpr auto kForeign = std::to_array<std::string_view>(
    {"acme",        "backend",  "cache",   "crt-store",   "defaults", "dynamic-cookie-key",
     "fcgi-app",    "frontend", "global",  "http-errors", "listen",   "log-forward",
     "log-profile", "mailers",  "mode",    "peers",       "program",  "resolvers",
     "ring",        "traces",   "userlist"});
constexpr auto kServers =
    std::to_array<std::string_view>({"default-server", "server", "server-template"});

/// A line with its number.
struct Line {
  std::size_t number = 0;
  std::string text;
  std::vector<std::string> words;
};

tl::unexpected<Error> Bad(const Line& line, const std::string& message) {
  return Fail(Code::kInvalidArgument,
              "line " + std::to_string(line.number) + " of what it gives: " + message);
}

/// Words between white space; quotes keep it, as in HAProxy's own reading, and stay.
std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && c == ' ') {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
      continue;
    }
    if (c == '\\' && quote != '\'' && i + 1 < text.size()) word += text[i++];
    word += text[i];
    if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// Comments and empty lines go; so does what is no text.
Result<std::vector<Line>> ReadLines(std::string_view text) {
  std::vector<Line> lines;
  std::size_t number = 0;
  for (const std::string_view raw : Split(text, '\n')) {
    Line line{++number, std::string(raw), {}};
    std::replace(line.text.begin(), line.text.end(), '\t', ' ');
    line.text = std::string(Trim(line.text));
    if (line.text.empty() || line.text.front() == '#') continue;
    if (std::any_of(line.text.begin(), line.text.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
      return Bad(line, "it has a control character");
    }
    if (line.text.size() > kLongestLine) return Bad(line, "it is longer than 1500 bytes");
    // Would join the next line to this one, or reach beyond it.
    if (line.text.back() == '\\') return Bad(line, "it ends in a backslash");
    line.words = Words(line.text);
    lines.push_back(std::move(line));
    if (lines.size() > kMostLines) return Bad(lines.back(), "there are more than 512 lines");
  }
  return lines;
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':';
  });
}

/// A backend's section as it was written.
struct Written {
  std::string name;
  std::vector<Line> lines;
};

Result<std::vector<Written>> ReadBackends(std::string_view text) {
  auto lines = ReadLines(text);
  if (!lines) return Forward(lines.error());
  std::vector<Written> backends;
  for (Line& line : *lines) {
    const std::string word = ToLower(line.words.front());
    if (word == "backend") {
      if (line.words.size() != 2 || !IsName(line.words[1])) {
        return Bad(line, "a section begins with \"backend\" and its name, and nothing else");
      }
      backends.push_back({line.words[1], {}});
      continue;
    }
    if (backends.empty()) backends.push_back({"", {}});
    // What it is anyway.
    if (word == "mode" && line.words.size() == 2 && line.words[1] == "http") continue;
    if (IsForeignWord(word)) return Bad(line, Quoted(word) + " does not belong into a backend");
    backends.back().lines.push_back(std::move(line));
  }
  return backends;
}

/// The frontend's lines of one service.
class Frontend {
 public:
  Frontend(const model::ServiceName& service, const std::vector<Written>& backends)
      : service_(service.str()) {
    for (const Written& backend : backends) backends_.insert(backend.name);
  }

  Result<std::vector<std::string>> Take(std::string_view text) {
    auto lines = ReadLines(text);
    if (!lines) return Forward(lines.error());
    for (const Line& line : *lines) {
      if (line.words.front() != "acl") continue;
      if (line.words.size() < 3 || !IsName(line.words[1])) {
        return Bad(line, "an acl has a name and says what it looks at");
      }
      acls_.insert(line.words[1]);
    }
    for (const Line& line : *lines) {
      if (Status taken = TakeLine(line); !taken) return Forward(taken.error());
    }
    // As in HAProxy, where a request goes is decided when all other rules have been carried out.
    std::move(choices_.begin(), choices_.end(), std::back_inserter(rules_));
    return std::move(rules_);
  }

 private:
  [[nodiscard]] std::string Own(const std::string& name) const { return service_ + ":" + name; }

  /// Names of acls behind "if" or "unless" become the service's own. False: no condition.
  bool OwnCondition(std::vector<std::string>& words, std::size_t from) const {
    const auto begin = std::find_if(
        words.begin() + static_cast<std::ptrdiff_t>(std::min(from, words.size())), words.end(),
        [](const std::string& word) { return word == "if" || word == "unless"; });
    if (begin == words.end() || begin + 1 == words.end()) return false;
    bool inside = false;
    for (auto word = begin + 1; word != words.end(); ++word) {
      if (*word == "{" || *word == "!{") inside = true;
      if (*word == "}") inside = false;
      const bool no = word->front() == '!';
      const std::string name = word->substr(no ? 1 : 0);
      if (!inside && acls_.count(name) != 0) *word = (no ? "!" : "") + Own(name);
    }
    return true;
  }

  Status TakeLine(const Line& line) {
    std::vector<std::string> words = line.words;
    const std::string& word = line.words.front();
    if (word == "acl") {
      words[1] = Own(words[1]);
      rules_.push_back(Joined(words));
      return Ok();
    }
    if (word == "use_backend") return TakeChoice(line, std::move(words));
    const bool rule = word == "http-request" || word == "http-response" || word == "redirect";
    if (!rule) {
      return Bad(line, Quoted(word) +
                           " would concern every service: a frontend's template has acl, "
                           "use_backend, http-request, http-response and redirect");
    }
    if (word == "redirect") words.insert(words.begin(), "http-request");
    if (!OwnCondition(words, 2)) {
      return Bad(line, "without a condition it would concern every service: write \"if …\"");
    }
    rules_.push_back(Joined(words));
    return Ok();
  }

  Status TakeChoice(const Line& line, std::vector<std::string> words) {
    if (words.size() < 2 || backends_.count(words[1]) == 0) {
      return Bad(line, "use_backend names no backend of templateBePath");
    }
    const std::string backend = Own(words[1]);
    if (!OwnCondition(words, 2) || (words[2] != "if" && words[2] != "unless")) {
      return Bad(line, "without a condition it would take every service's requests");
    }
    words.erase(words.begin(), words.begin() + 2);
    // In the form of a route's record, which the rules behind go by, and the log.
    choices_.push_back("http-request set-var(txn.r) str(" + backend + "|" + service_ +
                       "|template) " + Joined(words));
    choices_.emplace_back("http-request allow if { var(txn.r) -m found }");
    return Ok();
  }

  std::string service_;
  std::set<std::string, std::less<>> backends_;
  std::set<std::string, std::less<>> acls_;
  std::vector<std::string> rules_;
  std::vector<std::string> choices_;
};

}  // namespace

bool IsForeignWord(std::string_view word) {
  // ".if" would reach into what follows; of quotes, escapes and variables HAProxy makes another
  // word than the one that is looked at here.
  return word.empty() || word.front() == '.' ||
         word.find_first_of("\"'\\$") != std::string_view::npos ||
         std::find(kForeign.begin(), kForeign.end(), word) != kForeign.end();
}

std::string_view FirstHttpLine(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    if (line.starts_with("http-") || line.starts_with("redirect ")) return line;
  }
  return {};
}

bool IsServerWord(std::string_view word) {
  return std::find(kServers.begin(), kServers.end(), word) != kServers.end();
}

Result<model::RawService> TakeSections(const model::ServiceName& service, std::string_view frontend,
                                       std::string_view backends) {
  const auto written = ReadBackends(backends);
  if (!written) return Forward(written.error(), "templateBePath");
  model::RawService raw;
  std::set<std::string> names;
  for (const Written& backend : *written) {
    if (backend.name.empty() || !names.insert(backend.name).second) {
      return Fail(Code::kInvalidArgument,
                  backend.name.empty() ? "its first line is \"backend\" and a name"
                                       : "two backends are called " + Quoted(backend.name),
                  "templateBePath");
    }
    model::RawBackend own{service.str() + ":" + backend.name, {}};
    for (const Line& line : backend.lines) own.lines.push_back(line.text);
    raw.backends.push_back(std::move(own));
  }
  if (raw.backends.empty()) {
    return Fail(Code::kInvalidArgument, "it gives no backend", "templateBePath");
  }
  auto lines = Frontend(service, *written).Take(frontend);
  if (!lines) return Forward(lines.error(), "templateFePath");
  raw.frontend = std::move(*lines);
  return raw;
}

Result<BackendLines> TakeBackendLines(std::string_view text) {
  const auto written = ReadBackends(text);
  if (!written) return Forward(written.error());
  if (written->size() > 1) {
    return Fail(
        Code::kInvalidArgument,
        "it gives several backends, and without templateFePath nothing leads to the others");
  }
  BackendLines taken;
  for (const Written& backend : *written) {
    for (const Line& line : backend.lines) {
      if (IsServerWord(ToLower(line.words.front()))) {
        taken.servers = true;
      } else {
        taken.lines.push_back(line.text);
      }
    }
  }
  return taken;
}

}  // namespace swarmgate::labels
