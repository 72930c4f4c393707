// Services by a text that is theirs: an id, the id of a container. Only the hash of the text is
// kept, next to each other: a node of a hash table with its key would be several times as much for
// each of very many services. Thread: owner.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <utility>

#include "swarmgate/base/chunked.h"
#include "swarmgate/model/docker.h"

namespace swarmgate::engine {

class ServiceIndex {
 public:
  /// REQUIRES: the service lives until Erase.
  void Add(std::string_view key, const model::ServiceFacts* service) {
    const Entry entry(Hash(key), service);
    entries_.insert(PlaceOf(entry), entry);
  }
  /// REQUIRES: it was added under this key.
  void Erase(std::string_view key, const model::ServiceFacts* service) {
    entries_.erase(PlaceOf({Hash(key), service}));
  }
  /// All that were added under this key, and maybe others.
  template <typename Visit>
  void Each(std::string_view key, const Visit& visit) const {
    const std::size_t hash = Hash(key);
    for (auto at = PlaceOf({hash, nullptr}); at != entries_.end() && at->first == hash; ++at) {
      visit(*at->second);
    }
  }

 private:
  using Entry = std::pair<std::size_t, const model::ServiceFacts*>;
  using Entries = Chunked<Entry>;

  static std::size_t Hash(std::string_view key) { return std::hash<std::string_view>()(key); }
  [[nodiscard]] Entries::const_iterator PlaceOf(const Entry& entry) const {
    return entries_.PartitionPoint([&](const Entry& other) {
      if (other.first != entry.first) return other.first < entry.first;
      return std::less<>()(other.second, entry.second);
    });
  }

  Entries entries_;  ///< sorted
};

}  // namespace swarmgate::engine
