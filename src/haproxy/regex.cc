#include "haproxy/regex.h"

#include <algorithm>
#include <string_view>

#include "haproxy/quote.h"

namespace swarmgate::haproxy {
namespace {

// The frame around a search has two groups in front of the user's: what precedes the match, and the
// match.
constexpr int kGroupsInFront = 2;
constexpr std::size_t kMaxText = 5000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string BadBytes(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return "a control byte in it";
  }
  return text.size() > kMaxText ? "longer than " + std::to_string(kMaxText) + " bytes" : "";
}

/// What a regex is to be used for decides which anchors mean what the user meant.
enum class Use { kRewrite, kPath, kWhole };

/// Walks over a regex as PCRE2 reads it, as far as groups and references need.
struct Scan {
  std::string objection;
  int groups = 0;
  std::string shifted;  ///< with back-references moved by kGroupsInFront

  Scan(const std::string& regex, Use use) : text_(regex), use_(use) {
    while (objection.empty() && at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\') {
        Escape();
      } else if (c == '[') {
        Class();
      } else if (c == '(') {
        Group();
      } else {
        Copy(1);
      }
    }
  }

 private:
  [[nodiscard]] char Peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void Copy(std::size_t count) {
    shifted += text_.substr(at_, count);
    at_ += count;
  }
  void Escape() {
    const char c = Peek(1);
    if (IsDigit(c) && use_ != Use::kRewrite) {
      // HAProxy compiles these without captures: the whole map would be refused.
      objection = "back-references cannot be used";
      return;
    }
    if (IsDigit(c)) {
      if (c == '0' || IsDigit(Peek(2))) {
        objection = "octal escapes and references with two digits cannot be used";
        return;
      }
      shifted += "\\" + std::to_string(c - '0' + kGroupsInFront);
      at_ += 2;
      return;
    }
    if (c == '\0') objection = "it ends with a backslash";
    if (c == 'Q' || c == 'g' || c == 'k' || c == 'K' || c == 'C') {
      objection = std::string("\\") + c + " cannot be used";
    }
    if (use_ == Use::kRewrite && (c == 'z' || c == 'Z')) {
      objection = std::string("\\") + c + " cannot be used, write $";
    }
    if (use_ == Use::kPath && (c == 'A' || c == 'G')) {
      objection = std::string("\\") + c + " cannot be used, write ^";
    }
    Copy(2);
  }
  void Class() {
    Copy(1);
    if (Peek(0) == '^') Copy(1);
    if (Peek(0) == ']') Copy(1);
    while (at_ < text_.size() && text_[at_] != ']') {
      if (text_[at_] == '[' && Peek(1) == ':') {
        const std::size_t end = text_.find(":]", at_ + 2);
        Copy(end == std::string::npos ? 1 : end + 2 - at_);
      } else {
        if (text_[at_] == '\\' && Peek(1) == 'Q') objection = "\\Q cannot be used";
        Copy(text_[at_] == '\\' ? 2 : 1);
      }
    }
    if (at_ < text_.size()) Copy(1);
  }
  void Group() {
    if (Peek(1) == '*') {
      objection = "verbs (*…) cannot be used";
    } else if (Peek(1) != '?') {
      ++groups;
      Copy(1);
    } else if (std::string_view(":=!>").find(Peek(2)) != std::string_view::npos) {
      Copy(3);
    } else if (Peek(2) == '<' && (Peek(3) == '=' || Peek(3) == '!')) {
      Copy(4);
    } else {
      Flags();
    }
  }
  /// "(?i)", "(?i-s:": the only other form that is let through.
  void Flags() {
    std::size_t end = at_ + 2;
    while (end < text_.size() && (IsLetter(text_[end]) || text_[end] == '-')) ++end;
    const std::string flags = text_.substr(at_ + 2, end - at_ - 2);
    const char last = end < text_.size() ? text_[end] : '\0';
    if ((last != ')' && last != ':') || flags.find_first_not_of("imsU-") != std::string::npos) {
      objection =
          "named groups, recursion, conditions, comments and flags other than i, m, s, U cannot be "
          "used";
      return;
    }
    Copy(end + 1 - at_);
  }

  const std::string& text_;
  Use use_;
  std::size_t at_ = 0;
};

/// The replacement in terms of the framed search; empty objection when it can be done.
struct Replacement {
  std::string objection;
  std::string shifted;

  Replacement(const std::string& text, int groups) {
    for (std::size_t i = 0; i < text.size() && objection.empty(); ++i) {
      if (text[i] == ' ') {
        objection = "a space in the replacement";
      } else if (text[i] != '\\') {
        shifted += text[i];
      } else if (i + 1 == text.size()) {
        objection = "the replacement ends with a backslash";
      } else {
        const char c = text[++i];
        if (!IsDigit(c)) {
          // HAProxy reads \x41 as a byte, which could be any.
          if (c == 'x') objection = "\\x cannot be used in the replacement";
          if (c == ' ') objection = "a space in the replacement";
          shifted += std::string("\\") + c;
        } else if (c - '0' > groups) {
          objection = std::string("\\") + c + " in the replacement has no group in the search";
        } else {
          shifted += "\\" + std::to_string(c == '0' ? kGroupsInFront : c - '0' + kGroupsInFront);
        }
      }
    }
  }
};

}  // namespace

std::string MapRegex(const std::string& regex) {
  std::string out;
  out.reserve(regex.size());
  for (std::size_t i = 0; i < regex.size(); ++i) {
    const bool escaped = regex[i] == '\\' && i + 1 < regex.size();
    const char c = escaped ? regex[i + 1] : regex[i];
    if (c == ' ') {
      out += "\\x20";
      i += escaped ? 1 : 0;
    } else if (escaped) {
      out += regex[i++];
      out += c;
    } else if (c == '<' && !out.empty() && out.back() == '<') {
      // "<<" at the end of a command announces a payload.
      out += "\\x3c";
    } else {
      out += c;
    }
  }
  return out;
}

std::string WhyNotMappable(const std::string& regex) {
  std::string objection = BadBytes(regex);
  if (!objection.empty() || regex.empty()) return objection;
  return Scan(regex, Use::kPath).objection;
}

std::optional<std::string> HostKey(const std::string& regex) {
  if (regex.empty() || !Scan(regex, Use::kWhole).objection.empty()) return std::nullopt;
  std::string key = MapRegex(regex);
  if (!IsMapWord(key)) return std::nullopt;
  return key;
}

std::string GroupKey(const std::string& group, const model::MatchCandidate& candidate) {
  const bool with_headers = group.front() == '^';
  std::string key = (with_headers ? "^\\" : "^") + group + ":" +
                    (candidate.port ? std::to_string(*candidate.port) : std::string("[0-9]+")) +
                    ":";
  key += MapRegex(candidate.header_regex);
  if (candidate.path_regex.empty()) return key;
  key += with_headers ? "\\n(?s:.*?)\\r\\n\\r\\n" : "\\n";
  return key + ".*?(?m:" + MapRegex(candidate.path_regex) + ")";
}

std::string WhyNotRewritable(const model::PathRewrite& rewrite) {
  if (rewrite.search.empty()) return "the search is empty";
  for (const std::string* text : {&rewrite.search, &rewrite.replace}) {
    std::string objection = BadBytes(*text);
    if (!objection.empty()) return objection;
  }
  const Scan scan(rewrite.search, Use::kRewrite);
  if (!scan.objection.empty()) return scan.objection;
  if (scan.groups > kMaxRewriteGroups) {
    return "more than " + std::to_string(kMaxRewriteGroups) + " groups in the search";
  }
  return Replacement(rewrite.replace, scan.groups).objection;
}

std::optional<std::pair<std::string, std::string>> RewriteLine(const std::string& id, std::size_t i,
                                                               const model::PathRewrite& rewrite) {
  if (!WhyNotRewritable(rewrite).empty()) return std::nullopt;
  const Scan scan(rewrite.search, Use::kRewrite);
  const int tail = kGroupsInFront + scan.groups + 1;
  std::string key =
      "^(.*?)((?m:" + MapRegex(scan.shifted) + "))(.*)\\n" + id + "\\." + std::to_string(i) + "$";
  std::string value =
      "\\1" + Replacement(rewrite.replace, scan.groups).shifted + "\\" + std::to_string(tail);
  if (!IsMapWord(key) || !IsMapWord(value)) return std::nullopt;
  return std::make_pair(std::move(key), std::move(value));
}

}  // namespace swarmgate::haproxy
