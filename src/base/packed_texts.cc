#include "swarmgate/base/packed_texts.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace swarmgate {
namespace {

void Append(std::string& packed, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  packed.append(reinterpret_cast<const char*>(&size), sizeof(size));
  packed.append(text);
}

std::string_view Take(std::string_view& packed) {
  std::uint32_t size = 0;
  std::memcpy(&size, packed.data(), sizeof(size));
  const std::string_view text = packed.substr(sizeof(size), size);
  packed.remove_prefix(sizeof(size) + size);
  return text;
}

}  // namespace

PackedTexts::PackedTexts(const Map& map) {
  std::size_t size = 0;
  for (const auto& [name, value] : map)
    size += name.size() + value.size() + 2 * sizeof(std::uint32_t);
  std::string packed;
  packed.reserve(size);
  for (const auto& [name, value] : map) {
    Append(packed, name);
    Append(packed, value);
  }
  packed_ = std::move(packed);
}

PackedTexts::Map PackedTexts::Unpack() const {
  Map map;
  for (std::string_view rest = packed_.str(); !rest.empty();) {
    std::string name(Take(rest));
    map.emplace_hint(map.end(), std::move(name), Take(rest));
  }
  return map;
}

bool PackedTexts::contains(std::string_view name) const {
  for (std::string_view rest = packed_.str(); !rest.empty(); (void)Take(rest)) {
    if (Take(rest) == name) return true;
  }
  return false;
}

void PackedTexts::Set(const std::string& name, const std::string& value) {
  Map map = Unpack();
  map[name] = value;
  *this = map;
}

void PackedTexts::Erase(const std::string& name) {
  Map map = Unpack();
  map.erase(name);
  *this = map;
}

}  // namespace swarmgate
