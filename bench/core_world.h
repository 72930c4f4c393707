// So many services on their way through the stages of the core, before and after one change: what
// the operations of core_bench are given.
#ifndef SWARMGATE_BENCH_CORE_WORLD_H_
#define SWARMGATE_BENCH_CORE_WORLD_H_

#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services.h"
#include "support/random_desired.h"
#include "swarmgate/base/check.h"
#include "swarmgate/engine/engine.h"
#include "swarmgate/haproxy/renderer.h"
#include "swarmgate/haproxy/slot_book.h"
#include "swarmgate/labels/parse.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::bench {

enum class Change {
  kCreate,
  kPath,
  kFront,  ///< the path becomes "/" for every host, which half of the services stand below
  kTask,
  kRemove
};

/// What each stage has made of the services. Two of them share what the change between them has
/// left alone, as in the engine.
struct State {
  routing::Inputs inputs;
  routing::Built built;
  haproxy::SlotMap slots;
  haproxy::Image image;
};

inline std::map<std::string, std::string> Parameters(const model::ServiceFacts& facts) {
  return labels::ParametersFromLabels(facts.labels.Unpack(), {});
}

inline std::shared_ptr<const routing::ServiceInput> MakeInput(model::ServiceFacts facts) {
  auto input = std::make_shared<routing::ServiceInput>();
  const labels::ParsedService parsed =
      labels::ParseParameters(model::ServiceName(facts.name), Parameters(facts), {});
  SWARMGATE_CHECK(parsed.spec.has_value() && parsed.diagnostics.empty());
  input->spec = parsed.spec;
  input->created_unix_ns = facts.created_unix_ns;
  input->facts = std::move(facts);
  return input;
}

inline routing::BuildContext Context() {
  const model::DockerFacts facts = testing::FakeDocker().facts();
  routing::BuildContext context;
  context.networks = facts.networks;
  context.own_network_ids = facts.own_network_ids;
  context.bound_ports = {80};
  return context;
}

inline haproxy::Settings Settings() { return testing::TestSettings("/run/swarmgate", 80); }

/// Of every class, as the engine has it.
inline std::uint32_t MinimumSlots() { return engine::EngineOptions().minimum_slots; }

class World {
 public:
  explicit World(std::size_t services)
      : services_(services), context_(Context()), renderer_(Settings()) {
    for (std::size_t i = 0; i < services; ++i) before_.inputs.push_back(MakeInput(NthService(i)));
    before_ = Take(before_.inputs);
    for (const Change change :
         {Change::kCreate, Change::kPath, Change::kFront, Change::kTask, Change::kRemove}) {
      // Anew, so that nothing but this change lies between the two.
      State from = Take(change == Change::kRemove ? InputsAfter(Change::kCreate) : before_.inputs);
      State to = Take(InputsAfter(change));
      // A change that HAProxy needs a reload for would be measured as another one.
      SWARMGATE_CHECK(from.image.declared == to.image.declared);
      changes_.emplace(change, std::pair(std::move(from), std::move(to)));
    }
  }

  [[nodiscard]] const routing::BuildContext& context() const { return context_; }
  [[nodiscard]] const State& before() const { return before_; }
  /// Before and after the change. What is removed was created.
  [[nodiscard]] std::pair<const State*, const State*> Of(Change change) const {
    const auto& [from, to] = changes_.at(change);
    return {&from, &to};
  }
  /// The number of the service that changes: one in the middle, with a host of its own.
  [[nodiscard]] std::size_t changed() const { return services_ / 4 * 2; }

 private:
  State Take(const routing::Inputs& inputs) {
    State state;
    state.inputs = inputs;
    state.built = router_.Update(inputs, context_);
    state.slots = book_.Assign(state.built.desired.backends, {}, MinimumSlots());
    state.image = renderer_.Update(state.built.desired, state.slots);
    SWARMGATE_CHECK(routing::AllDiagnostics(state.built).empty());
    return state;
  }

  [[nodiscard]] routing::Inputs InputsAfter(Change change) const {
    routing::Inputs inputs = before_.inputs;
    if (change == Change::kRemove) return inputs;
    const auto place = inputs.At(changed());
    model::ServiceFacts facts = NthService(changed());
    if (change == Change::kCreate) {
      facts = NthService(services_);
      // Among the others, as names are.
      facts.name = NthName(changed()) + "x";
      inputs.insert(std::next(place), MakeInput(std::move(facts)));
      return inputs;
    }
    if (change == Change::kPath) facts.labels.Set("com.df.servicePath", "/moved");
    if (change == Change::kFront) {
      facts.labels.Set("com.df.servicePath", "/");
      facts.labels.Erase("com.df.serviceDomain");
    }
    if (change == Change::kTask) facts.tasks.back() = testing::MakeTask("new", "10.2.0.1");
    inputs.Edit(place) = MakeInput(std::move(facts));
    return inputs;
  }

  std::size_t services_;
  routing::BuildContext context_;
  routing::Router router_;
  haproxy::SlotBook book_;
  haproxy::Renderer renderer_;
  State before_;
  std::map<Change, std::pair<State, State>> changes_;
};

/// Made once for each number of services, because that takes longer than what is measured.
inline const World& WorldOf(std::size_t services) {
  static std::map<std::size_t, std::unique_ptr<const World>> worlds;
  std::unique_ptr<const World>& world = worlds[services];
  if (!world) world = std::make_unique<const World>(services);
  return *world;
}

}  // namespace swarmgate::bench

#endif  // SWARMGATE_BENCH_CORE_WORLD_H_
