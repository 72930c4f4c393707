// The part of Reconciler that keeps what was applied, and tells other replicas what Docker says.
#include <optional>
#include <string>
#include <utility>

#include "engine/reconciler.h"

namespace swarmgate::engine {

void Reconciler::Save() {
  if (store_.TakeLost()) {
    facts_.SaveAllAgain();
    saved_slots_ = {};
    saved_names_.clear();
    saved_structure_.reset();
    saved_revision_ = 0;
  }
  ports::AppliedDelta delta;
  facts_.MoveChangesTo(delta);
  TellFacts(delta);
  const haproxy::SlotMap& slots = applier_.slots();
  for (const auto& [backend, slot] : slots.assigned) {
    auto saved = saved_slots_.assigned.find(backend);
    if (saved == saved_slots_.assigned.end() || saved->second != slot) {
      delta.slots_set.emplace(backend, slot);
    }
  }
  for (const auto& [backend, slot] : saved_slots_.assigned) {
    if (!slots.assigned.contains(backend)) delta.slots_removed.push_back(backend);
  }
  if (slots.declared != saved_slots_.declared) delta.declared = slots.declared;
  if (names_.resolved() != saved_names_) delta.names = names_.resolved();
  const std::optional<std::pair<std::string, int>> structure = applier_.structure();
  if (structure && structure != saved_structure_) delta.structure = structure;
  if (revision_ != saved_revision_) delta.revision = revision_;
  const bool empty = delta.upserts.empty() && delta.removals.empty() && !delta.host &&
                     delta.slots_set.empty() && delta.slots_removed.empty() && !delta.declared &&
                     !delta.names && !delta.structure && !delta.revision;
  save_wanted_ = false;
  if (empty) return;
  if (store_.SaveApplied(delta)) {
    if (!delta.slots_set.empty() || !delta.slots_removed.empty() || delta.declared) {
      saved_slots_ = slots;
    }
    if (delta.names) saved_names_ = *delta.names;
    if (delta.structure) saved_structure_ = structure;
    saved_revision_ = revision_;
    return;
  }
  save_wanted_ = true;
  facts_.TakeBack(delta);
}

void Reconciler::On(FactsWanted) {
  if (!std::exchange(facts_wanted_, true)) TellFacts({});
}

// Most replicas have no follower: neither time nor memory is spent on one before there is.
void Reconciler::TellFacts(const ports::AppliedDelta& delta) {
  if (!facts_wanted_ || !ports_.facts_changed || ports_.docker == nullptr || !docker_listed_) {
    return;
  }
  if (std::exchange(facts_told_, true)) return ports_.facts_changed(delta);
  ports::AppliedDelta all;
  all.host = facts_.facts();
  all.upserts = std::exchange(all.host->services, {});
  ports_.facts_changed(all);
}

}  // namespace swarmgate::engine
