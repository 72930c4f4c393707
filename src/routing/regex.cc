#include "routing/regex.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <utility>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace swarmgate::routing {
namespace {

constexpr std::uint32_t kMatchLimit = 1'000'000;

/// What takes the place of anchors and of "any character" when a regex becomes a part of a larger
/// one.
struct Replacements {
  std::string begin;          // for ^ and \A
  std::string end;            // for $, \z and \Z; empty: left as it is
  std::string dot;            // for .
  std::string_view excluded;  // added to negated classes
};

struct Rewritten {
  std::string text;
  int begins = 0;                // how many begin anchors
  bool begin_is_first = false;   // … the first of them as the very first token
  bool top_alternation = false;  // "a|b" outside of any group
};

/// Walks over a regex token by token. REQUIRES: the regex compiles.
class Rewriter {
 public:
  Rewriter(std::string_view regex, const Replacements& replacements)
      : regex_(regex), replacements_(replacements) {}

  std::optional<Rewritten> Run() {
    while (at_ < regex_.size()) {
      if (!Token()) return std::nullopt;
    }
    return std::move(out_);
  }

 private:
  bool Token() {
    const char c = regex_[at_];
    switch (c) {
      case '\\':
        return Escape();
      case '[':
        return Class();
      case '(':
        return Group();
      case ')':
        --depth_;
        break;
      case '|':
        if (depth_ == 0) out_.top_alternation = true;
        break;
      case '^':
        Begin();
        ++at_;
        return true;
      case '$':
        out_.text += replacements_.end.empty() ? "$" : replacements_.end;
        ++at_;
        return true;
      case '.':
        out_.text += replacements_.dot.empty() ? "." : replacements_.dot;
        ++at_;
        return true;
      default:
        break;
    }
    Copy(1);
    return true;
  }

  void Begin() {
    if (out_.begins++ == 0) out_.begin_is_first = out_.text.empty();
    out_.text += replacements_.begin;
  }

  void Copy(std::size_t count) {
    count = std::min(count, regex_.size() - at_);
    out_.text.append(regex_.substr(at_, count));
    at_ += count;
  }

  /// Copies up to and with the next `closer`.
  bool CopyThrough(std::string_view closer) {
    const std::size_t end = regex_.find(closer, at_);
    if (end == std::string_view::npos) return false;
    Copy(end + closer.size() - at_);
    return true;
  }

  bool Escape() {
    if (at_ + 1 >= regex_.size()) return false;
    const char next = regex_[at_ + 1];
    const char after = at_ + 2 < regex_.size() ? regex_[at_ + 2] : '\0';
    switch (next) {
      case 'Q':
        if (CopyThrough("\\E")) return true;
        Copy(regex_.size() - at_);
        out_.text += "\\E";
        return true;
      case 'A':
        Begin();
        at_ += 2;
        return true;
      case 'z':
      case 'Z':
        out_.text += replacements_.end.empty() ? "\\z" : replacements_.end;
        at_ += 2;
        return true;
      case 'G':
      case 'K':
      case 'C':
        return false;
      case 'c':
        Copy(3);
        return true;
      default:
        break;
    }
    if (std::string_view("pPxgkoNu").find(next) != std::string_view::npos) {
      if (after == '{') return CopyThrough("}");
      if (after == '<') return CopyThrough(">");
    }
    Copy(2);
    return true;
  }

  bool Class() {
    Copy(1);
    if (at_ < regex_.size() && regex_[at_] == '^') {
      Copy(1);
      // A ']' or '-' that stands first is a literal; it must stay one.
      if (at_ < regex_.size() && regex_[at_] == ']') Copy(1);
      out_.text.append(replacements_.excluded);
      if (!replacements_.excluded.empty() && at_ < regex_.size() && regex_[at_] == '-') {
        out_.text += '\\';
        Copy(1);
      }
    } else if (at_ < regex_.size() && regex_[at_] == ']') {
      Copy(1);
    }
    while (at_ < regex_.size() && regex_[at_] != ']') {
      if (regex_.substr(at_).starts_with("\\Q")) {
        if (!CopyThrough("\\E")) return false;
      } else if (regex_[at_] == '\\') {
        Copy(2);
      } else if (regex_.substr(at_).starts_with("[:") &&
                 regex_.find(":]", at_) != std::string_view::npos) {
        CopyThrough(":]");
      } else {
        Copy(1);
      }
    }
    if (at_ >= regex_.size()) return false;
    Copy(1);
    return true;
  }

  bool Group() {
    const std::string_view rest = regex_.substr(at_);
    if (rest.starts_with("(*")) return false;
    if (rest.starts_with("(?#")) return CopyThrough(")");
    if (!rest.starts_with("(?")) {
      ++depth_;
      Copy(1);
      return true;
    }
    const char kind = rest.size() > 2 ? rest[2] : '\0';
    const char after = rest.size() > 3 ? rest[3] : '\0';
    if (kind == 'R' || kind == 'C' || kind == '(' || kind == '+' || kind == '&' ||
        std::isdigit(static_cast<unsigned char>(kind)) != 0 ||
        (kind == '-' && std::isdigit(static_cast<unsigned char>(after)) != 0) ||
        (kind == 'P' && after != '<')) {
      return false;
    }
    ++depth_;
    Copy(2);
    if (kind == 'P' || kind == '<' || kind == '\'') {  // a name, or a look-behind
      Copy(kind == 'P' ? 2 : 1);
      if (kind == '<' && (after == '=' || after == '!')) {
        Copy(1);
        return true;
      }
      return CopyThrough(kind == '\'' ? "'" : ">");
    }
    if (kind != '^' && std::isalpha(static_cast<unsigned char>(kind)) == 0 && kind != '-') {
      Copy(1);  // (?: (?= (?! (?> (?|
      return true;
    }
    while (at_ < regex_.size() && regex_[at_] != ')' && regex_[at_] != ':') {
      if (regex_[at_] == 'x') return false;
      Copy(1);
    }
    return true;
  }

  std::string_view regex_;
  const Replacements& replacements_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Rewritten out_;
};

}  // namespace

std::optional<Regex> Regex::Compile(const std::string& pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   PCRE2_NO_AUTO_CAPTURE, &error, &offset, nullptr);
  if (code == nullptr) return std::nullopt;
  return Regex(std::shared_ptr<void>(
      code, [](void* held) { pcre2_code_free(static_cast<pcre2_code*>(held)); }));
}

bool Regex::Search(std::string_view subject) const {
  const auto* code = static_cast<const pcre2_code*>(code_.get());
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(context, kMatchLimit);
  const int found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(),
                                0, 0, data, context);
  pcre2_match_context_free(context);
  pcre2_match_data_free(data);
  return found >= 0;
}

std::optional<PathPart> PathRegexPart(const std::string& regex) {
  // The begin of the path is where all of the path still lies ahead.
  const Replacements replacements{std::string("(?=\\k<") + kPathGroup + ">\\z)", "", "", ""};
  std::optional<Rewritten> rewritten = Rewriter(regex, replacements).Run();
  if (!rewritten) return std::nullopt;
  if (rewritten->begins == 0) {
    const bool search = rewritten->top_alternation || !rewritten->text.starts_with(".*");
    return PathPart{(search ? ".*?(?:" : "(?:") + rewritten->text + ")", false};
  }
  if (rewritten->begins == 1 && rewritten->begin_is_first && !rewritten->top_alternation) {
    return PathPart{"(?:" + rewritten->text.substr(replacements.begin.size()) + ")", false};
  }
  return PathPart{".*?(?:" + rewritten->text + ")", true};
}

std::optional<std::string> HostRegexPart(const std::string& regex) {
  // Behind the host stand "|<port>|" and the whole path: whatever matched may not have reached
  // further than that. And what looks ahead may not see the port and the path, so '.' and negated
  // classes stop at '|'.
  const std::string tail = std::string("\\|[0-9]+\\|\\k<") + kPathGroup + ">\\z)";
  const Replacements replacements{"^", "(?=" + tail, "[^|]", "|"};
  std::optional<Rewritten> rewritten = Rewriter(regex, replacements).Run();
  if (!rewritten) return std::nullopt;
  const bool anchored =
      rewritten->begins > 0 && rewritten->begin_is_first && !rewritten->top_alternation;
  return (anchored ? "(?=(?:" : "(?=[^/]*?(?:") + rewritten->text + ")(?=[^/]*" + tail + ")";
}

std::string EscapeRegex(std::string_view literal) {
  std::string out;
  out.reserve(literal.size() + 8);
  for (const char c : literal) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) == 0 && c != '/' && c != '_' && c != '-') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace swarmgate::routing
