#include "haproxy/slots.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/image.h"

namespace swarmgate::haproxy {
namespace {

constexpr std::uint32_t kMaxGrowth = 4096;
constexpr std::uint64_t kMaxSlot = 9'999'999;
constexpr std::array<std::pair<std::string_view, model::BackendClass>, 3> kPrefixes = {{
    {"sg_plain_", model::BackendClass::kPlain},
    {"sg_rich_", model::BackendClass::kRich},
    {"sg_sticky_", model::BackendClass::kSticky},
}};

std::string Padded(std::uint32_t number, int width) {
  char text[16];
  std::snprintf(text, sizeof text, "%0*u", width, number);
  return text;
}

/// Which numbers of each class are not to be given out.
class Taken {
 public:
  /// False when it was taken already.
  bool Take(Slot slot) {
    std::vector<bool>& numbers = numbers_[static_cast<std::size_t>(slot.backend_class)];
    if (slot.number >= numbers.size()) numbers.resize(std::size_t{2} * slot.number + 64);
    const bool free = !numbers[slot.number];
    numbers[slot.number] = true;
    return free;
  }
  void Take(const model::SlotName& name) {
    if (const auto slot = ParseSlotName(name)) Take(*slot);
  }

 private:
  std::array<std::vector<bool>, kClasses.size()> numbers_;
};

std::uint32_t Grown(std::uint32_t declared) {
  return declared + std::clamp<std::uint32_t>(declared, 1, kMaxGrowth);
}

}  // namespace

const char* ClassName(model::BackendClass backend_class) {
  switch (backend_class) {
    case model::BackendClass::kPlain:
      return "plain";
    case model::BackendClass::kRich:
      return "rich";
    case model::BackendClass::kSticky:
      return "sticky";
  }
  return "plain";
}

model::SlotName MakeSlotName(Slot slot) {
  return model::SlotName("sg_" + std::string(ClassName(slot.backend_class)) + "_" +
                         Padded(slot.number, 5));
}

std::optional<Slot> ParseSlotName(const model::SlotName& name) {
  constexpr std::size_t kDigits = 5;
  for (const auto& [prefix, backend_class] : kPrefixes) {
    if (name.str().rfind(prefix, 0) != 0) continue;
    std::string_view digits = std::string_view(name.str()).substr(prefix.size());
    // As MakeSlotName writes it, and in no other way.
    if (digits.size() < kDigits || (digits.size() > kDigits && digits.front() == '0')) {
      return std::nullopt;
    }
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    const auto number = ParseUint(digits, kMaxSlot);
    if (!number || *number == 0) return std::nullopt;
    return Slot{backend_class, static_cast<std::uint32_t>(*number)};
  }
  return std::nullopt;
}

std::string ShardFile(Slot slot) {
  const int order = 10 * (1 + static_cast<int>(slot.backend_class));
  return "conf/" + std::to_string(order) + "-" + ClassName(slot.backend_class) + "-" +
         Padded(1 + (slot.number - 1) / kSlotsPerFile, 4) + ".cfg";
}

SlotMap AssignSlots(const SlotMap& current, const std::vector<model::Backend>& backends,
                    const std::vector<model::SlotName>& busy, std::uint32_t minimum) {
  SlotMap next;
  next.declared = current.declared;
  // A slot that is freed here still has its servers and perhaps its route: whoever gets it in the
  // same change would receive the former tenant's requests.
  Taken taken;
  for (const model::SlotName& slot : busy) taken.Take(slot);
  for (const auto& [name, slot] : current.assigned) taken.Take(slot);

  std::vector<const model::Backend*> newcomers;
  Taken kept;
  for (const model::Backend& backend : backends) {
    const auto found = current.assigned.find(backend.name);
    const auto slot = found == current.assigned.end() ? std::nullopt : ParseSlotName(found->second);
    const auto declared = slot ? next.declared.find(slot->backend_class) : next.declared.end();
    const bool fits = declared != next.declared.end() && slot->number <= declared->second &&
                      slot->backend_class == backend.backend_class && kept.Take(*slot);
    if (fits) {
      next.assigned.emplace_hint(next.assigned.end(), backend.name, found->second);
    } else {
      newcomers.push_back(&backend);
    }
  }
  // Order of arrival must not matter.
  std::sort(newcomers.begin(), newcomers.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  newcomers.erase(std::unique(newcomers.begin(), newcomers.end(),
                              [](const auto* a, const auto* b) { return a->name == b->name; }),
                  newcomers.end());

  for (const model::BackendClass backend_class : kClasses) {
    std::uint32_t& declared = next.declared[backend_class];
    declared = std::max({declared, minimum, std::uint32_t{1}});
    std::uint32_t number = 0;
    for (const model::Backend* backend : newcomers) {
      if (backend->backend_class != backend_class) continue;
      do {
        ++number;
      } while (!taken.Take({backend_class, number}));
      while (number > declared) declared = Grown(declared);
      next.assigned.emplace(backend->name, MakeSlotName({backend_class, number}));
    }
  }
  return next;
}

}  // namespace swarmgate::haproxy
