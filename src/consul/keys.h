// Names of keys: what a record is called may hold bytes that mean something in a path.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace swarmgate::consul {

/// Letters, digits, '.', '-' and '_' stay; other bytes become "~XX".
[[nodiscard]] std::string EscapeName(std::string_view name);
/// Nothing for what EscapeName does not write.
[[nodiscard]] std::optional<std::string> UnescapeName(std::string_view text);

struct Keys {
  explicit Keys(std::string_view instance);
  [[nodiscard]] std::string Service(std::string_view name) const;
  /// The record's name; nothing for a foreign key.
  [[nodiscard]] std::optional<std::string> NameOf(std::string_view key) const;

  std::string services;  ///< "docker-flow/services/"
  std::string journal;
  std::string replicas;
};

}  // namespace swarmgate::consul
