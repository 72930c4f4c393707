#include "haproxy/slots.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/image.h"

namespace swarmgate::haproxy {
namespace {

constexpr std::uint32_t kMaxGrowth = 4096;

std::string Padded(std::uint32_t number, int width) {
  char text[16];
  std::snprintf(text, sizeof text, "%0*u", width, number);
  return text;
}

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
  for (const model::BackendClass backend_class : kClasses) {
    const std::string prefix = "sg_" + std::string(ClassName(backend_class)) + "_";
    if (name.str().rfind(prefix, 0) != 0) continue;
    std::string_view digits = std::string_view(name.str()).substr(prefix.size());
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    const auto number = ParseUint(digits, 9'999'999);
    if (!number || *number == 0) return std::nullopt;
    const Slot slot{backend_class, static_cast<std::uint32_t>(*number)};
    if (MakeSlotName(slot) != name) return std::nullopt;
    return slot;
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
  std::set<model::SlotName> taken(busy.begin(), busy.end());
  for (const auto& [name, slot] : current.assigned) taken.insert(slot);

  std::vector<const model::Backend*> newcomers;
  std::set<model::SlotName> kept;
  for (const model::Backend& backend : backends) {
    const auto found = current.assigned.find(backend.name);
    const auto slot = found == current.assigned.end() ? std::nullopt : ParseSlotName(found->second);
    const auto declared = slot ? next.declared.find(slot->backend_class) : next.declared.end();
    const bool fits = declared != next.declared.end() && slot->number <= declared->second &&
                      slot->backend_class == backend.backend_class &&
                      kept.insert(found->second).second;
    if (fits) {
      next.assigned.emplace(backend.name, found->second);
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
      model::SlotName name;
      do {
        name = MakeSlotName({backend_class, ++number});
      } while (taken.count(name) != 0);
      while (number > declared) declared = Grown(declared);
      next.assigned.emplace(backend->name, name);
    }
  }
  return next;
}

}  // namespace swarmgate::haproxy
