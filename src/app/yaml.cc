#include "app/yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <utility>

#include "swarmgate/base/strings.h"

namespace swarmgate::app {
namespace {

using codec::JsonValue;

constexpr std::size_t kMaxBytes = 1U << 20U;
constexpr std::size_t kMaxNodes = 100'000;
constexpr std::size_t kMaxDepth = 64;

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
    std::map<std::string, int> lines;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) {
        return Fail(Code::kCorrupt, "a key is no plain text");
      }
      const std::string& key = entry.first.Scalar();
      const int line = entry.first.Mark().line + 1;
      const auto [first, is_first] = lines.emplace(key, line);
      // Several sources may be merged in.
      if (!is_first && key != "<<") {
        return Fail(Code::kCorrupt, "line " + std::to_string(std::max(line, first->second)) +
                                        ": the key " + Printable(key, 200) + " stands in line " +
                                        std::to_string(std::min(line, first->second)) +
                                        " already. Leave one of them out");
      }
      auto value = Convert(entry.second, depth + 1);
      if (!value) return value;
      if (key == "<<") {
        merged.push_back(*std::move(value));
      } else {
        members.emplace_back(key, *std::move(value));
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
    for (const auto& added : source.members()) {
      const bool stands = std::any_of(members.begin(), members.end(), [&](const auto& member) {
        return member.first == added.first;
      });
      if (!stands) members.push_back(added);
    }
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
