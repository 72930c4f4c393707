#include "app/yaml.h"

#include <yaml-cpp/yaml.h>

#include <utility>

#include "swarmgate/base/strings.h"

namespace swarmgate::app {
namespace {

using codec::JsonValue;

constexpr std::size_t kMaxBytes = 1U << 20U;
constexpr std::size_t kMaxNodes = 100'000;
constexpr std::size_t kMaxDepth = 64;

/// Sets a member, or replaces the one of this name.
void SetMember(JsonValue::Object& object, std::string key, JsonValue value, bool replace) {
  for (auto& [name, old] : object) {
    if (name != key) continue;
    if (replace) old = std::move(value);
    return;
  }
  object.emplace_back(std::move(key), std::move(value));
}

class Converter {
 public:
  Result<JsonValue> Convert(const YAML::Node& node, std::size_t depth) {
    if (++nodes_ > kMaxNodes) return Fail(Code::kCorrupt, "too large: more than 100,000 values");
    if (depth > kMaxDepth) return Fail(Code::kCorrupt, "nested deeper than 64 levels");
    if (node.IsScalar()) return JsonValue::OfString(node.Scalar());
    if (node.IsSequence()) return ConvertSequence(node, depth);
    if (node.IsMap()) return ConvertMap(node, depth);
    return JsonValue();
  }

 private:
  Result<JsonValue> ConvertSequence(const YAML::Node& node, std::size_t depth) {
    JsonValue::Array items;
    for (const YAML::Node& item : node) {
      auto value = Convert(item, depth + 1);
      if (!value) return value;
      items.push_back(*std::move(value));
    }
    return JsonValue::OfArray(std::move(items));
  }

  Result<JsonValue> ConvertMap(const YAML::Node& node, std::size_t depth) {
    JsonValue::Object members;
    JsonValue::Array merged;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) {
        return Fail(Code::kCorrupt, "a key is no plain text");
      }
      auto value = Convert(entry.second, depth + 1);
      if (!value) return value;
      if (entry.first.Scalar() == "<<") {
        merged.push_back(*std::move(value));
      } else {
        SetMember(members, entry.first.Scalar(), *std::move(value), true);
      }
    }
    // What is merged in never replaces what stands there; of several, the first one wins.
    for (const JsonValue& source : merged) {
      Merge(source, members);
      for (const JsonValue& item : source.items()) Merge(item, members);
    }
    return JsonValue::OfObject(std::move(members));
  }

  static void Merge(const JsonValue& source, JsonValue::Object& members) {
    for (const auto& [name, value] : source.members()) SetMember(members, name, value, false);
  }

  std::size_t nodes_ = 0;
};

}  // namespace

Result<JsonValue> ParseYaml(const std::string& text) {
  if (text.size() > kMaxBytes) return Fail(Code::kCorrupt, "larger than 1 MiB");
  try {
    return Converter().Convert(YAML::Load(text), 0);
  } catch (const YAML::Exception& error) {
    return Fail(Code::kCorrupt, "line " + std::to_string(error.mark.line + 1) + ", column " +
                                    std::to_string(error.mark.column + 1) + ": " +
                                    Printable(error.msg, 200));
  }
}

}  // namespace swarmgate::app
