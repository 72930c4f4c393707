// Reads members of JSON objects and remembers the first one that is not of the type that it should
// be, so that a decoder is a list of assignments with one check at the end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "swarmgate/base/error.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::codec {

class StrictReader {
 public:
  // Absent and null: the default value.
  std::string String(const JsonValue& object, std::string_view key);
  bool Bool(const JsonValue& object, std::string_view key);
  std::int64_t Int(const JsonValue& object, std::string_view key);
  std::optional<std::uint64_t> Uint(const JsonValue& object, std::string_view key);
  std::uint16_t Port(const JsonValue& object, std::string_view key);
  /// RFC 3339; nanoseconds since 1970, 0 before.
  std::int64_t Time(const JsonValue& object, std::string_view key);
  std::map<std::string, std::string> StringMap(const JsonValue& object, std::string_view key);
  /// An object or null.
  const JsonValue& Object(const JsonValue& object, std::string_view key);
  /// An array or null.
  const JsonValue& Array(const JsonValue& object, std::string_view key);

  /// A member that must be there: letters and digits, as it can stand in a path.
  std::string Id(const JsonValue& object, std::string_view key);

  /// The value itself must be an object.
  void ExpectObject(const JsonValue& json, std::string_view what);
  void Reject(std::string_view key, std::string_view message);

  [[nodiscard]] Status status() const;

 private:
  const JsonValue& Typed(const JsonValue& value, std::string_view key, bool right_type,
                         std::string_view type);

  std::optional<std::string> error_;
};

/// Up to 128 letters and digits.
[[nodiscard]] bool IsDockerId(std::string_view text);

}  // namespace swarmgate::codec
