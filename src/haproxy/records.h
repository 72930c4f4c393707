// Records: what a route's entry says of the backend that it leads to, and what that refers to in
// the maps of policies and rewrites. All of it follows from one backend, its slot and the settings.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "swarmgate/haproxy/image.h"
#include "swarmgate/model/routes.h"

namespace swarmgate::haproxy {

/// Lines of a map that several may refer to by an id, which follows from their content: a changed
/// group is another one that is complete before anything names it.
struct Group {
  std::string id;  ///< empty: nothing is referred to
  std::vector<std::pair<std::string, std::string>> lines;
};

/// How a backend's requests are treated.
struct Treatment {
  std::string tail;  ///< of its records; empty for those that look at none
  Group policy;
  Group rewrites;
};
[[nodiscard]] Treatment TreatmentOf(const model::Backend& backend, const Settings& settings);

/// As an Image has them.
[[nodiscard]] std::vector<model::Server> WireServers(const model::Backend& backend);

/// The records of one desired state. Holds references: lives no longer than what it was made of.
class Records {
 public:
  Records(const Chunked<model::Backend>& backends, const SlotMap& slots, const Settings& settings)
      : backends_(backends), slots_(slots), settings_(settings) {}

  /// "<slot>|<service>|<route>", and for rich and sticky ones the tail. Of a candidate, or of one
  /// that shares its requests. REQUIRES: its backend is there, and in the slots.
  template <typename Place>
  [[nodiscard]] std::string Of(const Place& place) {
    return Of(place.backend, place.service, place.route);
  }

  /// What TreatmentOf says of it, where that is known already. REQUIRES: it is one of the backends.
  void TakeTail(const model::Backend& backend, std::string tail);

 private:
  std::string Of(const model::BackendName& name, const model::ServiceName& service,
                 const model::RouteId& route);
  const std::string& TailOf(const model::Backend& backend);

  const Chunked<model::Backend>& backends_;
  const SlotMap& slots_;
  const Settings& settings_;
  std::unordered_map<std::string_view, std::string> tails_;  ///< those that are known
};

}  // namespace swarmgate::haproxy
