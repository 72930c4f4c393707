// Lists of headers: items, and the words of an item.
#include <algorithm>

#include "labels/log_format.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels {
namespace {

// Where the quoted word that begins at `at` ends (behind its last quote), or npos: then the quote
// is a character like any other. `ends` says what may follow.
std::size_t QuotedEnd(std::string_view text, std::size_t at, std::string_view ends) {
  const char quote = text[at];
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote &&
               (i + 1 == text.size() || ends.find(text[i + 1]) != std::string_view::npos)) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

bool IsQuote(char c) { return c == '"' || c == '\''; }

// Reads one word that begins at `at`, which moves behind it. True when it was in quotes.
bool TakeWord(std::string_view text, std::size_t& at, std::string& word) {
  constexpr std::string_view kEscapable = " \\\"'#";
  const bool quoted = IsQuote(text[at]) && QuotedEnd(text, at, " ") != std::string_view::npos;
  const std::size_t end = quoted ? QuotedEnd(text, at, " ") - 1 : text.size();
  const bool escapes = !quoted || text[at] == '"';
  if (quoted) ++at;
  std::size_t brackets = 0;
  for (; at < end; ++at) {
    const char c = text[at];
    if (!quoted && c == ' ' && brackets == 0) return quoted;
    if (escapes && c == '\\' && at + 1 < end &&
        kEscapable.find(text[at + 1]) != std::string_view::npos) {
      word += text[++at];
      continue;
    }
    if (c == '[' && !word.empty() && (word.back() == '%' || word.back() == '}')) brackets = 1;
    if (c == ']') brackets = 0;
    word += c;
  }
  if (quoted) ++at;
  return quoted;
}

}  // namespace

std::vector<std::string> SplitHeaders(std::string_view text, char separator) {
  std::vector<std::string> items;
  std::string item;
  bool in_expression = false;
  const std::string ends = std::string(" ") + separator;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool word_begins = item.empty() || item.back() == ' ';
    if (c == '\\' && i + 1 < text.size()) {
      if (text[i + 1] != separator) item += c;
      item += text[++i];
      continue;
    }
    if (word_begins && IsQuote(c)) {
      const std::size_t end = QuotedEnd(text, i, ends);
      if (end != std::string_view::npos) {
        item += text.substr(i, end - i);
        i = end - 1;
        continue;
      }
    }
    if (c == '[' && !item.empty() && (item.back() == '%' || item.back() == '}')) {
      // Without its end it is text, and text ends at the next separator.
      in_expression = text.find(']', i) != std::string_view::npos;
    }
    if (c == ']') in_expression = false;
    if (c == separator && !in_expression) {
      items.emplace_back(Trim(item));
      item.clear();
    } else {
      item += c;
    }
  }
  items.emplace_back(Trim(item));
  return items;
}

HeaderItem TakeApartHeader(std::string_view text) {
  HeaderItem item;
  const std::size_t name_end = std::min(text.find(' '), text.size());
  item.name = text.substr(0, name_end);
  item.rest = Trim(text.substr(name_end));
  const std::string_view rest = item.rest;
  for (std::size_t at = 0; at < rest.size();) {
    if (rest[at] == ' ') {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    std::string word;
    const bool quoted = TakeWord(rest, at, word);
    if (!quoted && (word == "if" || word == "unless") &&
        BeginsCondition(Trim(rest.substr(std::min(at, rest.size()))))) {
      item.condition = rest.substr(begin);
      break;
    }
    if (item.has_value) item.value += ' ';
    item.value += word;
    item.has_value = true;
  }
  return item;
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

}  // namespace swarmgate::labels
