#include "swarmgate/model/routes.h"

namespace swarmgate::model {

const Backend* FindBackend(const Chunked<Backend>& backends, const BackendName& name) {
  const auto found =
      backends.PartitionPoint([&name](const Backend& backend) { return backend.name < name; });
  return found != backends.end() && found->name == name ? &*found : nullptr;
}

}  // namespace swarmgate::model
