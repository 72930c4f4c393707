#include "swarmgate/base/strings.h"

#include <algorithm>
#include <array>

namespace swarmgate {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

char LowerChar(char c) { return (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c; }

// Length of the valid UTF-8 sequence that starts at text[at], or 0. Overlong forms and surrogates
// are invalid.
std::size_t Utf8Length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > text.size()) return 0;
  for (std::size_t i = at + 1; i < at + length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned char second = byte(at + 1);
  const bool bad = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                   (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return bad ? 0 : length;
}

// Costs are doubled so that a difference of case can count as half an edit.
std::size_t HalfEdits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = 2 * j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = 2 * i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = a[i - 1] == b[j - 1];
      const bool same_letter = LowerChar(a[i - 1]) == LowerChar(b[j - 1]);
      const std::size_t replace = last[j - 1] + (same ? 0U : same_letter ? 1U : 2U);
      row[j] = std::min({last[j] + 2, row[j - 1] + 2, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 2);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

std::string ToLower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), LowerChar);
  return lower;
}

std::optional<std::uint64_t> ParseUint(std::string_view text, std::uint64_t max) {
  if (text.empty() || text.size() > 20 || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (max - std::min(digit, max)) / 10 || digit > max) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::string Printable(std::string_view text, std::size_t limit) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = Utf8Length(text, at);
    const auto byte = static_cast<unsigned char>(text[at]);
    // C1 control characters (U+0080–U+009F) steer terminals as C0 ones do.
    const bool c1_control =
        length == 2 && byte == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0;
    const bool control = length == 1 && (byte < 0x20 || byte == 0x7F);
    std::string piece;
    if (length == 0 || control || c1_control) {
      length = c1_control ? 2 : 1;
      for (std::size_t i = at; i < at + length; ++i) {
        const auto value = static_cast<unsigned char>(text[i]);
        piece += "\\x";
        piece += kHexDigits[value >> 4U];
        piece += kHexDigits[value & 15U];
      }
    } else {
      piece = text.substr(at, length);
    }
    if (out.size() + piece.size() > limit) return out + "…";
    out += piece;
    at += length;
  }
  return out;
}

std::optional<std::string> ClosestMatch(std::string_view word,
                                        const std::vector<std::string>& candidates) {
  // Longer words are no typos; the bound keeps hostile input cheap.
  constexpr std::size_t kLongest = 64;
  if (word.empty() || word.size() > kLongest) return std::nullopt;
  const std::string* best = nullptr;
  std::size_t best_cost = 0;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > 2 * kLongest) continue;
    // Each byte that one has more than the other is an edit: no need to count further.
    const std::size_t longer = std::max(word.size(), candidate.size());
    const std::size_t shorter = std::min(word.size(), candidate.size());
    if (3 * (longer - shorter) > candidate.size()) continue;
    const std::size_t cost = HalfEdits(word, candidate);
    if (3 * cost > 2 * candidate.size()) continue;
    if (best == nullptr || cost < best_cost) {
      best = &candidate;
      best_cost = cost;
    }
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

std::uint64_t Hash64(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

std::string HashHex(std::string_view text) { return HexOf(Hash64(text)); }

std::string HexOf(std::uint64_t number) {
  std::string hex(16, '0');
  for (std::size_t i = 0; i < hex.size(); ++i) {
    hex[i] = kHexDigits[(number >> (60 - 4 * i)) & 15U];
  }
  return hex;
}

}  // namespace swarmgate
