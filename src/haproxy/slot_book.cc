#include "swarmgate/haproxy/slot_book.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "haproxy/profile.h"
#include "haproxy/slots.h"

namespace swarmgate::haproxy {
namespace {

constexpr std::uint32_t kMaxGrowth = 4096;
constexpr std::uint32_t kProfileSlots = 4;  ///< of a profile that is new

std::uint32_t Grown(std::uint32_t declared) {
  return declared + std::clamp<std::uint32_t>(declared, 1, kMaxGrowth);
}

}  // namespace

bool SlotBook::Numbers::Take(std::uint32_t number) {
  if (number >= taken_.size()) taken_.resize(std::size_t{2} * number + 64);
  if (taken_[number]) return false;
  taken_[number] = true;
  ++count_;
  while (Has(lowest_free_)) ++lowest_free_;
  return true;
}

void SlotBook::Numbers::Free(std::uint32_t number) {
  if (!Has(number)) return;
  taken_[number] = false;
  --count_;
  lowest_free_ = std::min(lowest_free_, number);
}

bool SlotBook::Numbers::Has(std::uint32_t number) const {
  return number < taken_.size() && taken_[number];
}

/// What becomes of one call.
struct SlotBook::Change {
  std::vector<Newcomer> newcomers;
  /// Slots whose tenants go, or move. They still have their servers and perhaps their routes:
  /// whoever got one in the same change would receive the former tenant's requests.
  std::vector<model::SlotName> left;
};

SlotBook::AllNumbers SlotBook::Count(const SlotMap& slots) {
  AllNumbers numbers;
  for (const auto& [name, slot] : slots.assigned) {
    if (const auto parsed = ParseSlotName(slot)) {
      (void)numbers[parsed->backend_class].Take(parsed->number);  // a second one is of the same
    }
  }
  return numbers;
}

bool SlotBook::Fits(const model::SlotName& slot, const model::BackendClass& wanted) const {
  const auto parsed = ParseSlotName(slot);
  return parsed && parsed->backend_class == wanted && IsDeclared(slot, slots_.declared);
}

/// With the backends of the last call.
void SlotBook::Compare(const Chunked<model::Backend>& backends, Change& change) {
  const auto leave = [&](const model::Backend& backend) {
    const auto found = slots_.assigned.find(backend.name);
    change.left.push_back(found->second);
    slots_.assigned.erase(found);
  };
  Chunked<model::Backend>::Diff(
      backends_, backends, [](const auto& a, const auto& b) { return a.name < b.name; }, leave,
      [&](const model::Backend& added) {
        change.newcomers.push_back({&added, ClassOf(added)});
      },
      [&](const model::Backend& before, const model::Backend& after) {
        model::BackendClass wanted = ClassOf(after);
        if (Fits(slots_.assigned.at(after.name), wanted)) return;
        leave(before);
        change.newcomers.push_back({&after, std::move(wanted)});
      });
}

/// Nothing is known of the assignments that are there: they may be of any age.
void SlotBook::Adopt(const Chunked<model::Backend>& backends, Change& change) {
  numbers_ = Count(slots_);
  SlotMap kept;
  std::set<model::SlotName> used;
  for (const model::Backend& backend : backends) {
    model::BackendClass wanted = ClassOf(backend);
    const auto found = slots_.assigned.find(backend.name);
    if (found != slots_.assigned.end() && Fits(found->second, wanted) &&
        used.insert(found->second).second) {
      kept.assigned.emplace(backend.name, found->second);
    } else {
      change.newcomers.push_back({&backend, std::move(wanted)});
    }
  }
  slots_.assigned = std::move(kept.assigned);
}

/// True: more is declared than before.
bool SlotBook::Declare(std::uint32_t minimum) {
  bool grows = false;
  for (const model::BackendKind kind : kKinds) {
    // None ahead of need: the port that a first one listens on costs a reload anyway.
    if (kind == model::BackendKind::kTcp) continue;
    std::uint32_t& count = slots_.declared[BaseClass(kind)].count;
    const std::uint32_t wanted = std::max({count, minimum, std::uint32_t{1}});
    grows = grows || count != wanted;
    count = wanted;
  }
  return grows;
}

bool SlotBook::Admit(std::vector<Newcomer> newcomers, const Busy& busy) {
  // Order of arrival must not matter.
  std::sort(newcomers.begin(), newcomers.end(), [](const auto& a, const auto& b) {
    return std::tie(a.backend_class, a.backend->name) < std::tie(b.backend_class, b.backend->name);
  });
  bool grows = false;
  for (const Newcomer& newcomer : newcomers) {
    const model::BackendClass& backend_class = newcomer.backend_class;
    ClassSlots& slots = slots_.declared[backend_class];
    if (slots.count == 0) {
      ProfileText text = RenderProfile(newcomer.backend->profile, newcomer.backend->kind);
      slots = {kProfileSlots, std::move(text.head), std::move(text.lines)};
      grows = true;
    }
    Numbers& numbers = numbers_[backend_class];
    const auto drains = busy.find(backend_class);
    std::uint32_t number = numbers.lowest_free();
    while (numbers.Has(number) || (drains != busy.end() && drains->second.contains(number))) {
      ++number;
    }
    (void)numbers.Take(number);  // free, as was just seen
    for (; number > slots.count; grows = true) slots.count = Grown(slots.count);
    slots_.assigned.emplace(newcomer.backend->name, MakeSlotName({backend_class, number}));
  }
  return grows;
}

/// Classes of profiles that hold nothing: they go when a reload is due anyway.
void SlotBook::DropUnused(const Busy& busy) {
  std::erase_if(slots_.declared, [&](const auto& entry) {
    const model::BackendKind kind = KindOf(entry.first);
    const bool base = kind != model::BackendKind::kTcp && entry.first == BaseClass(kind);
    const auto numbers = numbers_.find(entry.first);
    return !base && !busy.contains(entry.first) &&
           (numbers == numbers_.end() || numbers->second.empty());
  });
}

const SlotMap& SlotBook::Assign(const Chunked<model::Backend>& backends,
                                const std::vector<model::SlotName>& busy, std::uint32_t minimum) {
  Change change;
  if (known_) {
    Compare(backends, change);
  } else {
    Adopt(backends, change);
  }
  Busy numbers;
  for (const model::SlotName& name : busy) {
    if (const auto slot = ParseSlotName(name)) numbers[slot->backend_class].insert(slot->number);
  }
  const bool more = Declare(minimum);
  const bool grows = Admit(std::move(change.newcomers), numbers);
  if (more || grows) DropUnused(numbers);
  if (known_) {
    for (const model::SlotName& name : change.left) {
      const auto slot = ParseSlotName(name);
      const auto held = slot ? numbers_.find(slot->backend_class) : numbers_.end();
      if (held == numbers_.end()) continue;
      held->second.Free(slot->number);
      if (held->second.empty()) numbers_.erase(held);
    }
  } else {
    numbers_ = Count(slots_);
  }
  backends_ = backends;
  known_ = true;
  return slots_;
}

SlotMap AssignSlots(const SlotMap& current, const Chunked<model::Backend>& backends,
                    const std::vector<model::SlotName>& busy, std::uint32_t minimum) {
  return SlotBook(current).Assign(backends, busy, minimum);
}

}  // namespace swarmgate::haproxy
