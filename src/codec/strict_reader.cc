#include "codec/strict_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "swarmgate/base/strings.h"

namespace swarmgate::codec {
namespace {

const JsonValue kNull;

/// Seconds since 1970 of "2026-01-31T12:00:00" and nothing for what is no such date.
std::optional<std::int64_t> ParseSeconds(std::string_view text) {
  if (text.size() != 19 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':') {
    return std::nullopt;
  }
  const auto digits = [&](std::size_t at, std::size_t count) -> int {
    int value = 0;
    for (const char c : text.substr(at, count)) {
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  const int hour = digits(11, 2);
  const int minute = digits(14, 2);
  const int second = digits(17, 2);
  const int month = digits(5, 2);
  const int day = digits(8, 2);
  const int year = digits(0, 4);
  if (year < 0 || month < 0 || day < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60) {
    return std::nullopt;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

/// Seconds east of UTC of "Z" or "+01:00".
std::optional<std::int64_t> ParseZone(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto two = [](std::string_view part) -> std::optional<int> {
    if (part[0] < '0' || part[0] > '9' || part[1] < '0' || part[1] > '9') return std::nullopt;
    return (part[0] - '0') * 10 + (part[1] - '0');
  };
  const auto hours = two(text.substr(1, 2));
  const auto minutes = two(text.substr(4, 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t seconds = (std::int64_t{*hours} * 60 + *minutes) * 60;
  return text[0] == '-' ? -seconds : seconds;
}

std::optional<std::int64_t> ParseTime(std::string_view text) {
  if (text.size() < 20) return std::nullopt;
  const auto seconds = ParseSeconds(text.substr(0, 19));
  std::string_view rest = text.substr(19);
  std::int64_t nanoseconds = 0;
  if (rest.front() == '.') {
    rest.remove_prefix(1);
    std::int64_t unit = 100'000'000;
    std::size_t count = 0;
    for (; count < rest.size() && rest[count] >= '0' && rest[count] <= '9'; ++count) {
      nanoseconds += (rest[count] - '0') * unit;
      unit /= 10;
    }
    if (count == 0) return std::nullopt;
    rest.remove_prefix(count);
  }
  const auto zone = ParseZone(rest);
  if (!seconds || !zone) return std::nullopt;
  constexpr std::int64_t kLatest = 9'000'000'000;  // the year 2255; later ones overflow
  return std::clamp<std::int64_t>(*seconds - *zone, 0, kLatest) * 1'000'000'000 + nanoseconds;
}

}  // namespace

bool IsDockerId(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

void StrictReader::Reject(std::string_view key, std::string_view message) {
  if (!error_) error_ = fmt::format("{}: {}", key, message);
}

void StrictReader::ExpectObject(const JsonValue& json, std::string_view what) {
  if (!json.is_object()) Reject(what, fmt::format("{} instead of an object", json.type_name()));
}

Status StrictReader::status() const {
  if (error_) return Fail(Code::kCorrupt, *error_);
  return Ok();
}

const JsonValue& StrictReader::Typed(const JsonValue& value, std::string_view key, bool right_type,
                                     std::string_view type) {
  if (right_type || value.is_null()) return value;
  Reject(key, fmt::format("{} instead of {}", value.type_name(), type));
  return kNull;
}

std::string StrictReader::String(const JsonValue& object, std::string_view key) {
  const JsonValue& value = object[key];
  return Typed(value, key, value.is_string(), "a string").StringOr();
}

bool StrictReader::Bool(const JsonValue& object, std::string_view key) {
  const JsonValue& value = object[key];
  return Typed(value, key, value.is_bool(), "a boolean").AsBool().value_or(false);
}

std::int64_t StrictReader::Int(const JsonValue& object, std::string_view key) {
  const JsonValue& value = object[key];
  return Typed(value, key, value.AsInt64().has_value(), "an integer").AsInt64().value_or(0);
}

std::optional<std::uint64_t> StrictReader::Uint(const JsonValue& object, std::string_view key) {
  const JsonValue& value = object[key];
  return Typed(value, key, value.AsUint64().has_value(), "a positive integer").AsUint64();
}

std::uint16_t StrictReader::Port(const JsonValue& object, std::string_view key) {
  const std::uint64_t port = Uint(object, key).value_or(0);
  if (port <= 65535) return static_cast<std::uint16_t>(port);
  Reject(key, fmt::format("{} is no port", port));
  return 0;
}

std::int64_t StrictReader::Time(const JsonValue& object, std::string_view key) {
  const std::string text = String(object, key);
  if (text.empty()) return 0;
  const auto time = ParseTime(text);
  if (!time) Reject(key, fmt::format("\"{}\" is no time", Printable(text, 40)));
  return time.value_or(0);
}

std::map<std::string, std::string> StrictReader::StringMap(const JsonValue& object,
                                                           std::string_view key) {
  std::map<std::string, std::string> map;
  for (const auto& [name, value] : Object(object, key).members()) {
    const auto text = value.AsString();
    // Go writes a label without value as "", but older daemons kept null.
    if (!text && !value.is_null()) {
      Reject(fmt::format("{}.{}", key, Printable(name, 60)),
             fmt::format("{} instead of a string", value.type_name()));
    }
    map[name] = std::string(text.value_or(std::string_view()));
  }
  return map;
}

const JsonValue& StrictReader::Object(const JsonValue& object, std::string_view key) {
  const JsonValue& value = object[key];
  return Typed(value, key, value.is_object(), "an object");
}

const JsonValue& StrictReader::Array(const JsonValue& object, std::string_view key) {
  const JsonValue& value = object[key];
  return Typed(value, key, value.is_array(), "an array");
}

std::string StrictReader::Id(const JsonValue& object, std::string_view key) {
  std::string id = String(object, key);
  if (!IsDockerId(id)) Reject(key, fmt::format("\"{}\" is no id", Printable(id, 40)));
  return id;
}

}  // namespace swarmgate::codec
