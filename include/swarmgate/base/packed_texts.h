// A map of texts that is kept very often and read seldom (labels, parameters): one text that copies
// share, where a std::map takes some 150 bytes for each entry.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "swarmgate/base/text.h"

namespace swarmgate {

class PackedTexts {
 public:
  using Map = std::map<std::string, std::string>;

  PackedTexts() = default;
  PackedTexts(const Map& map);  // NOLINT(google-explicit-constructor): the same value
  PackedTexts(std::initializer_list<Map::value_type> items) : PackedTexts(Map(items)) {}

  [[nodiscard]] Map Unpack() const;
  [[nodiscard]] bool empty() const { return packed_.empty(); }
  [[nodiscard]] bool contains(std::string_view name) const;
  /// In the place of what it says now.
  void Set(const std::string& name, const std::string& value);
  void Erase(const std::string& name);
  friend bool operator==(const PackedTexts&, const PackedTexts&) = default;

 private:
  Text packed_;  ///< by name: how much of it the one before has, the rest, the value
};

}  // namespace swarmgate
