#include "labels/values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "swarmgate/base/strings.h"

namespace swarmgate::labels {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsHostByte(char c) { return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '-' || c == '_'; }

bool IsLocal(const std::array<unsigned char, 16>& bytes) {
  const auto zeros =
      std::find_if(bytes.begin(), bytes.end(), [](unsigned char b) { return b != 0; });
  const auto leading = zeros - bytes.begin();
  if (leading >= 15) return bytes[15] <= 1;  // :: and ::1
  // IPv4 inside IPv6, mapped or compatible.
  const bool mapped = leading == 10 && bytes[10] == 0xFF && bytes[11] == 0xFF;
  return (mapped || leading >= 12) && (bytes[12] == 127 || bytes[12] == 0);
}

}  // namespace

std::vector<std::string> SplitEscaped(std::string_view text, char separator) {
  std::vector<std::string> items(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      if (text[i + 1] != separator) items.back() += '\\';
      items.back() += text[++i];
    } else if (text[i] == separator) {
      items.emplace_back();
    } else {
      items.back() += text[i];
    }
  }
  for (std::string& item : items) item = std::string(Trim(item));
  return items;
}

std::optional<bool> ParseBool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  const auto value = ParseUint(text, 65535);
  if (!value || *value == 0) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  using std::chrono::milliseconds;
  constexpr std::uint64_t kMost = 1'000'000'000'000;
  const milliseconds longest = kLongestTimeout;
  if (const auto seconds = ParseUint(text, kMost)) {
    const milliseconds value(static_cast<std::int64_t>(*seconds) * 1000);
    if (value > longest) return std::nullopt;
    return value;
  }
  milliseconds sum{0};
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() && IsDigit(text[digits])) ++digits;
    const auto number = ParseUint(text.substr(0, digits), kMost);
    text.remove_prefix(digits);
    std::size_t letters = 0;
    while (letters < text.size() && !IsDigit(text[letters])) ++letters;
    const std::string_view unit = text.substr(0, letters);
    text.remove_prefix(letters);
    std::int64_t scale = 0;
    if (unit == "ms") scale = 1;
    if (unit == "s") scale = 1000;
    if (unit == "m") scale = 60'000;
    if (unit == "h") scale = 3'600'000;
    if (!number || scale == 0 || *number > static_cast<std::uint64_t>(longest.count() / scale)) {
      return std::nullopt;
    }
    sum += milliseconds(static_cast<std::int64_t>(*number) * scale);
    if (sum > longest) return std::nullopt;
  }
  return sum;
}

bool IsHostName(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  const auto labels = Split(text, '.');
  return std::all_of(labels.begin(), labels.end(), [](std::string_view label) {
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::all_of(label.begin(), label.end(), IsHostByte);
  });
}

bool IsPrintableAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::optional<Address> ParseAddress(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == std::string_view::npos) return std::nullopt;
  }
  const std::string copy(text);
  if (copy.find('\0') != std::string::npos) return std::nullopt;
  std::array<unsigned char, 4> v4{};
  if (inet_pton(AF_INET, copy.c_str(), v4.data()) == 1) {
    return Address{copy, v4[0] == 127 || v4[0] == 0};
  }
  std::array<unsigned char, 16> v6{};
  if (inet_pton(AF_INET6, copy.c_str(), v6.data()) != 1) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  if (inet_ntop(AF_INET6, v6.data(), canonical.data(), canonical.size()) == nullptr) {
    return std::nullopt;
  }
  return Address{canonical.data(), IsLocal(v6)};
}

}  // namespace swarmgate::labels
