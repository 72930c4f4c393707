#include "app/option_values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace swarmgate::app {
namespace {

/// What opens a section of HAProxy's configuration.
constexpr std::string_view kSections[] = {
    "global",      "defaults", "frontend",    "backend",   "listen", "userlist",
    "peers",       "mailers",  "resolvers",   "ring",      "cache",  "program",
    "http-errors", "fcgi-app", "log-forward", "crt-store", "traces", "namespace_list"};

/// "10.1.2.3/8", "fd00::/8", "192.0.2.7"; nothing when it is no network.
std::optional<std::string> CanonicalNetwork(std::string_view text) {
  const auto slash = text.find('/');
  const std::string address(text.substr(0, slash));
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> spelled{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, address.c_str(), bytes.data()) != 1) continue;
    if (inet_ntop(family, bytes.data(), spelled.data(), spelled.size()) == nullptr) continue;
    if (slash == std::string_view::npos) return std::string(spelled.data());
    const auto length = ParseUint(text.substr(slash + 1), family == AF_INET ? 32 : 128);
    if (!length) return std::nullopt;
    return std::string(spelled.data()) + "/" + std::to_string(*length);
  }
  return std::nullopt;
}

}  // namespace

Status ParseName(const std::string& value, std::string& field) {
  const bool good = value.size() <= 128 && std::all_of(value.begin(), value.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
                    });
  if (!good) return Bad("use letters, digits, '.', '-' and '_', at most 128 of them");
  // It becomes a part of paths and of URLs, where these two are taken away.
  if (value == "." || value == "..") return Bad("'.' and '..' are no names; use letters or digits");
  field = value;
  return Ok();
}

Status Bad(std::string message) { return Fail(Code::kInvalidArgument, std::move(message)); }

bool IsAddress(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

Status ParsePort(const std::string& text, std::uint16_t& port) {
  const auto number = ParseUint(text, 65535);
  if (!number || *number == 0) return Bad("a port is a number from 1 to 65535");
  port = static_cast<std::uint16_t>(*number);
  return Ok();
}

Status ParseBool(const std::string& text, bool& flag) {
  const std::string lower = ToLower(text);
  if (lower == "true" || lower == "1" || lower == "yes") {
    flag = true;
  } else if (lower == "false" || lower == "0" || lower == "no") {
    flag = false;
  } else {
    return Bad("write true or false");
  }
  return Ok();
}

Status ParseDuration(const std::string& text, Duration minimum, Duration& duration) {
  const auto digits = text.find_first_not_of("0123456789");
  const std::string unit = digits == std::string::npos ? "s" : text.substr(digits);
  const auto number = ParseUint(text.substr(0, digits), 1'000'000'000);
  std::int64_t factor = 0;
  if (unit == "ms") factor = 1;
  if (unit == "s") factor = 1000;
  if (unit == "m") factor = 60'000;
  if (unit == "h") factor = 3'600'000;
  constexpr std::int64_t kMost = 7LL * 24 * 3'600'000;
  if (!number || factor == 0 || static_cast<std::int64_t>(*number) > kMost / factor) {
    return Bad(
        "a time is a number of seconds, at most a week; 20, 500ms, 5m and 1h are understood");
  }
  const Duration parsed(static_cast<std::int64_t>(*number) * factor);
  if (parsed < minimum) {
    return Bad("too short; at least " + std::to_string(minimum.count()) + "ms");
  }
  duration = parsed;
  return Ok();
}

Status ParseNetworks(const std::string& text, std::vector<std::string>& networks) {
  for (const std::string_view raw : Split(text, ',')) {
    const std::string_view item = Trim(raw);
    if (item.empty()) continue;
    auto network = CanonicalNetwork(item);
    if (!network) {
      return Bad("'" + Printable(item, 60) +
                 "' is not a network; write for example 10.0.0.0/8,fd00::/8,192.0.2.7");
    }
    networks.push_back(*std::move(network));
  }
  std::sort(networks.begin(), networks.end());
  networks.erase(std::unique(networks.begin(), networks.end()), networks.end());
  return Ok();
}

Status ParseWord(const std::string& text, const std::vector<std::string>& words,
                 std::string& word) {
  const std::string lower = ToLower(text);
  if (std::find(words.begin(), words.end(), lower) != words.end()) {
    word = lower;
    return Ok();
  }
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    list += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  }
  return Bad("write " + list);
}

bool HasControlByte(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Status ParseRawLines(const std::string& text, std::vector<std::string>& lines) {
  std::vector<std::string> raw(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ',';
    if (escaped) {
      raw.back() += text[++i];
    } else if (text[i] == ',' || text[i] == '\n') {
      raw.emplace_back();
    } else {
      raw.back() += text[i] == '\t' || text[i] == '\r' ? ' ' : text[i];
    }
  }
  for (const std::string& line : raw) {
    const std::string_view trimmed = Trim(line);
    if (trimmed.empty()) continue;
    if (HasControlByte(trimmed)) return Bad("a line has control characters");
    const std::string_view word = trimmed.substr(0, trimmed.find(' '));
    if (std::find(std::begin(kSections), std::end(kSections), word) != std::end(kSections)) {
      return Bad("'" + Printable(trimmed, 60) +
                 "' opens another section; only lines of this one can stand here");
    }
    lines.emplace_back(trimmed);
  }
  return Ok();
}

Status ParseDirectory(const std::string& text, std::string& directory) {
  const std::filesystem::path path(text);
  if (!path.is_absolute() || text.find_first_of("\n\r\t\"'\\ ") != std::string::npos) {
    return Bad("write an absolute path without white space or quotes");
  }
  directory = path.lexically_normal().string();
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  return Ok();
}

}  // namespace swarmgate::app
