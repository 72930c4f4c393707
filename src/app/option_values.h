// How the values of options are read: checks that several rows of the table share. Each message
// completes "NAME=value: …".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/app/options.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::app {

[[nodiscard]] Status Bad(std::string message);

[[nodiscard]] bool IsAddress(const std::string& text);
[[nodiscard]] Status ParsePort(const std::string& text, std::uint16_t& port);
[[nodiscard]] Status ParseBool(const std::string& text, bool& flag);
/// Whole seconds, or with a unit: "20", "20s", "500ms", "5m", "1h".
[[nodiscard]] Status ParseDuration(const std::string& text, Duration minimum, Duration& duration);
/// "10.0.0.0/8, fd00::/8, 192.0.2.7" → canonical networks.
[[nodiscard]] Status ParseNetworks(const std::string& text, std::vector<std::string>& networks);
/// One of `words`, in any case.
[[nodiscard]] Status ParseWord(const std::string& text, const std::vector<std::string>& words,
                               std::string& word);
/// "a,b\,c" → {"a", "b,c"}; a line break separates as well. Lines for a section of HAProxy's
/// configuration: what would leave the section is refused.
[[nodiscard]] Status ParseRawLines(const std::string& text, std::vector<std::string>& lines);
[[nodiscard]] bool HasControlByte(std::string_view text);

template <Duration Options::*kMember>
Status SetTimeout(Options& options, const std::string& value) {
  return ParseDuration(value, Duration(1), options.*kMember);
}

/// An absolute path, without a slash at its end.
[[nodiscard]] Status ParseDirectory(const std::string& text, std::string& directory);

template <std::string Options::*kMember>
Status SetDirectory(Options& options, const std::string& value) {
  return ParseDirectory(value, options.*kMember);
}

template <std::string Options::*kMember>
Status SetText(Options& options, const std::string& value) {
  options.*kMember = value;
  return Ok();
}

/// A name as it may stand in URLs, logs and files.
Status ParseName(const std::string& value, std::string& field);
template <std::string Options::*kMember>
Status SetName(Options& options, const std::string& value) {
  return ParseName(value, options.*kMember);
}

template <bool Options::*kMember>
Status SetBool(Options& options, const std::string& value) {
  return ParseBool(value, options.*kMember);
}

template <typename T, T Options::*kMember, std::uint64_t kLeast, std::uint64_t kMost>
Status SetNumber(Options& options, const std::string& value) {
  const auto number = ParseUint(value, kMost);
  if (!number || *number < kLeast) {
    return Bad("write a number from " + std::to_string(kLeast) + " to " + std::to_string(kMost));
  }
  options.*kMember = static_cast<T>(*number);
  return Ok();
}

}  // namespace swarmgate::app
