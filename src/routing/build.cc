#include "swarmgate/routing/build.h"

#include <algorithm>
#include <utility>

#include "routing/router.h"

namespace swarmgate::routing {

Router::Router(std::size_t max_inserted) : impl_(std::make_unique<Impl>(max_inserted)) {}
Router::~Router() = default;

const Built& Router::Update(const Inputs& services, const BuildContext& context) {
  return impl_->Update(services, context);
}

std::size_t Router::rebuilds() const { return impl_->rebuilds(); }

Built Build(const Inputs& services, const BuildContext& context) {
  return Router().Update(services, context);
}

Inputs MakeInputs(std::vector<ServiceInput> services) {
  std::sort(services.begin(), services.end(), [](const ServiceInput& a, const ServiceInput& b) {
    return a.spec->name < b.spec->name;
  });
  Inputs inputs;
  for (ServiceInput& service : services) {
    inputs.push_back(std::make_shared<const ServiceInput>(std::move(service)));
  }
  return inputs;
}

std::vector<model::Diagnostic> AllDiagnostics(const Built& built) {
  std::vector<model::Diagnostic> all;
  for (const auto& [name, outcome] : built.services) {
    all.insert(all.end(), outcome.diagnostics.begin(), outcome.diagnostics.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace swarmgate::routing
