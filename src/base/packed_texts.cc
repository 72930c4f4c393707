#include "swarmgate/base/packed_texts.h"

#include <algorithm>
#include <cstddef>

namespace swarmgate {
namespace {

// Seven bits in each byte, the lowest first; the eighth says that more follow.
void AppendSize(std::string& packed, std::size_t size) {
  for (; size >= 0x80; size >>= 7U) packed += static_cast<char>(0x80U | (size & 0x7fU));
  packed += static_cast<char>(size);
}

std::size_t TakeSize(std::string_view& packed) {
  std::size_t size = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(packed.front());
    packed.remove_prefix(1);
    size |= static_cast<std::size_t>(byte & 0x7fU) << shift;
    if (byte < 0x80U) return size;
  }
}

void Append(std::string& packed, std::string_view text) {
  AppendSize(packed, text.size());
  packed += text;
}

std::string_view Take(std::string_view& packed) {
  const std::size_t size = TakeSize(packed);
  const std::string_view text = packed.substr(0, size);
  packed.remove_prefix(size);
  return text;
}

// Labels begin alike: of each name that which the one before has is left out.
std::size_t CommonPrefix(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin()).first -
      a.begin());
}

/// The name behind `name`, into its place.
void TakeName(std::string_view& packed, std::string& name) {
  name.resize(TakeSize(packed));
  name += Take(packed);
}

}  // namespace

PackedTexts::PackedTexts(const Map& map) {
  std::string packed;
  std::string_view before;
  for (const auto& [name, value] : map) {
    const std::size_t common = CommonPrefix(before, name);
    AppendSize(packed, common);
    Append(packed, std::string_view(name).substr(common));
    Append(packed, value);
    before = name;
  }
  packed_ = packed;
}

PackedTexts::Map PackedTexts::Unpack() const {
  Map map;
  std::string name;
  for (std::string_view rest = packed_.str(); !rest.empty();) {
    TakeName(rest, name);
    map.emplace_hint(map.end(), name, Take(rest));
  }
  return map;
}

bool PackedTexts::contains(std::string_view name) const {
  std::string held;
  for (std::string_view rest = packed_.str(); !rest.empty(); (void)Take(rest)) {
    TakeName(rest, held);
    if (held == name) return true;
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
