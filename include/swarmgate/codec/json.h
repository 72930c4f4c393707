// JSON in and out, for every border of the program. Parsed text becomes a tree of our own that
// cannot be misused: a getter of the wrong type answers "nothing", never asserts (RapidJSON's do),
// and a missing member reads as null, so that readers can chain. Written text is always valid JSON
// in UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/base/text.h"

namespace swarmgate::codec {

struct JsonLimits {
  std::size_t max_bytes = 16U << 20U;
  std::size_t max_depth = 64;  ///< of nested arrays and objects
};

/// Which members of objects are wanted: the others are checked but not kept, which is what most of
/// the time of reading a large list goes into. Elements of an array have the array's shape.
struct JsonShape {
  struct Wanted {
    std::string_view key;
    const JsonShape* inside = nullptr;  ///< nullptr: everything
  };
  std::vector<Wanted> members;
};

/// An immutable JSON value. Thread: any (const).
class JsonValue {
 public:
  using Member = std::pair<std::string, JsonValue>;
  using Array = std::vector<JsonValue>;
  using Object = std::vector<Member>;  ///< in the order of the text

  JsonValue() = default;  ///< null

  /// Parses exactly one JSON value with nothing but white space around it. Invalid UTF-8 is
  /// refused. Errors: kCorrupt, with the byte offset, for anything that is not JSON, too large or
  /// too deep.
  static Result<JsonValue> Parse(std::string_view text, const JsonLimits& limits = {},
                                 const JsonShape* shape = nullptr);

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] bool is_bool() const { return std::holds_alternative<bool>(value_); }
  [[nodiscard]] bool is_number() const;
  [[nodiscard]] bool is_string() const { return std::holds_alternative<std::string>(value_); }
  [[nodiscard]] bool is_array() const { return std::holds_alternative<Array>(value_); }
  [[nodiscard]] bool is_object() const { return std::holds_alternative<Object>(value_); }
  /// "null", "boolean", "number", "string", "array", "object": for messages.
  [[nodiscard]] const char* type_name() const;

  // The value, or nothing when it is of another type (or, for integers, out of range or with a
  // fraction).
  [[nodiscard]] std::optional<bool> AsBool() const;
  [[nodiscard]] std::optional<std::int64_t> AsInt64() const;
  [[nodiscard]] std::optional<std::uint64_t> AsUint64() const;
  [[nodiscard]] std::optional<double> AsDouble() const;
  /// Valid as long as this value lives.
  [[nodiscard]] std::optional<std::string_view> AsString() const;
  /// The string, or `fallback` when it is none.
  [[nodiscard]] std::string StringOr(std::string_view fallback = {}) const;

  /// Elements; empty when it is no array.
  [[nodiscard]] const Array& items() const;
  /// Members; empty when it is no object.
  [[nodiscard]] const Object& members() const;

  /// The member of this name (the last one, if repeated); null when there is none or this is no
  /// object.
  [[nodiscard]] const JsonValue& operator[](std::string_view key) const;
  /// The member of this name, or nullptr when it is absent: tells `null` and absent apart.
  [[nodiscard]] const JsonValue* Find(std::string_view key) const;

  // Builders, for the parser and for tests.
  static JsonValue OfBool(bool value);
  static JsonValue OfInt(std::int64_t value);
  static JsonValue OfUint(std::uint64_t value);
  static JsonValue OfDouble(double value);
  static JsonValue OfString(std::string value);
  static JsonValue OfArray(Array value);
  static JsonValue OfObject(Object value);

  friend bool operator==(const JsonValue&, const JsonValue&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array,
               Object>
      value_;
};

/// Builds compact JSON text piece by piece:
///   JsonWriter json;
///   json.BeginObject().Key("Status").String("OK").Key("ports").BeginArray().Uint(80).EndArray().EndObject();
///   return std::move(json).Take();
/// Commas and escapes are its own work; bytes that are not UTF-8 become U+FFFD; a double that is
/// not finite becomes null. Ending what was not begun is a bug and CHECKs.
class JsonWriter {
 public:
  JsonWriter& BeginObject();
  JsonWriter& EndObject();
  JsonWriter& BeginArray();
  JsonWriter& EndArray();
  /// REQUIRES: inside an object, a value follows.
  JsonWriter& Key(std::string_view key);

  JsonWriter& String(std::string_view value);
  JsonWriter& Int(std::int64_t value);
  JsonWriter& Uint(std::uint64_t value);
  JsonWriter& Double(double value);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  /// REQUIRES: `json` is one valid JSON value.
  JsonWriter& Raw(std::string_view json);
  JsonWriter& Value(const JsonValue& value);

  // Key and value in one: json.Field("name", name).
  JsonWriter& Field(std::string_view key, std::string_view value);
  JsonWriter& Field(std::string_view key, const std::string& value);
  JsonWriter& Field(std::string_view key, const Text& value);
  JsonWriter& Field(std::string_view key, const char* value);
  JsonWriter& Field(std::string_view key, bool value);
  JsonWriter& Field(std::string_view key, int value);
  JsonWriter& Field(std::string_view key, long value);
  JsonWriter& Field(std::string_view key, unsigned value);
  JsonWriter& Field(std::string_view key, unsigned long value);
  JsonWriter& Field(std::string_view key, double value);

  /// REQUIRES: everything begun has been ended.
  [[nodiscard]] std::string Take() &&;
  /// What has been written so far, for streams.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void BeforeValue();
  void Open(char bracket);
  void Close(char open, char close);

  std::string text_;
  std::string open_;        ///< '[' or '{' per level
  bool first_ = true;       ///< nothing written yet on this level
  bool after_key_ = false;  ///< a key waits for its value
};

/// The text as a JSON string literal, quotes included.
[[nodiscard]] std::string JsonQuote(std::string_view text);

}  // namespace swarmgate::codec
