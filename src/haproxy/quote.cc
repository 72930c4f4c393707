#include "haproxy/quote.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "swarmgate/base/check.h"

namespace swarmgate::haproxy {
namespace {

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool AnyOf(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

/// Four numbers without leading zeros: the spelling that inet_ntop gives, which is what nearly all
/// addresses are.
bool IsPlainIpv4(std::string_view text) {
  int parts = 0;
  for (std::size_t at = 0; at <= text.size();) {
    std::size_t end = at;
    unsigned value = 0;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9' && end - at < 4) {
      value = value * 10 + static_cast<unsigned>(text[end++] - '0');
    }
    const bool leading_zero = end - at > 1 && text[at] == '0';
    if (end == at || value > 255 || leading_zero || ++parts > 4) return false;
    if (end == text.size()) return parts == 4;
    if (text[end] != '.') return false;
    at = end + 1;
  }
  return false;
}

}  // namespace

std::string Quote(std::string_view word) {
  SWARMGATE_CHECK(std::none_of(word.begin(), word.end(), IsControl));
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return IsAlphanumeric(c) || AnyOf("._/:*@-", c);
  });
  if (plain) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string EscapeArgument(std::string_view word) {
  SWARMGATE_CHECK(std::none_of(word.begin(), word.end(), IsControl));
  std::string escaped;
  escaped.reserve(word.size());
  for (const char c : word) {
    if (AnyOf(" ;\\", c)) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

bool IsMapWord(std::string_view word, std::size_t limit) {
  if (word.empty() || word.size() > limit || word.front() == '#') return false;
  return std::none_of(word.begin(), word.end(), [](char c) { return IsControl(c) || c == ' '; });
}

void AppendField(std::string& record, std::string_view text) {
  for (const char c : text) record += IsAlphanumeric(c) || AnyOf("._~/:@-", c) ? c : '_';
}

std::optional<std::string> CanonicalAddress(const std::string& address) {
  if (IsPlainIpv4(address)) return address;
  std::array<unsigned char, 16> binary{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  // inet_pton stops at a zero byte; a text that holds one is no address.
  if (address.size() != std::strlen(address.c_str())) return std::nullopt;
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, address.c_str(), binary.data()) == 1 &&
        inet_ntop(family, binary.data(), text.data(), text.size()) != nullptr) {
      return std::string(text.data());
    }
  }
  return std::nullopt;
}

std::string JoinAddress(const std::string& canonical, std::uint16_t port) {
  const bool six = canonical.find(':') != std::string::npos;
  return (six ? "[" + canonical + "]" : canonical) + ":" + std::to_string(port);
}

}  // namespace swarmgate::haproxy
