#include "haproxy/slots.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "haproxy/digest.h"
#include "haproxy/profile.h"
#include "swarmgate/base/check.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::haproxy {
namespace {

constexpr std::uint32_t kMaxGrowth = 4096;
constexpr std::uint64_t kMaxSlot = 9'999'999;
constexpr std::uint32_t kProfileSlots = 4;  ///< of a profile that is new
constexpr std::size_t kProfileId = 12;
std::string Padded(std::uint32_t number, int width) {
  char text[16];
  std::snprintf(text, sizeof text, "%0*u", width, number);
  return text;
}

/// Which numbers of each class are not to be given out.
class Taken {
 public:
  /// False when it was taken already.
  bool Take(const Slot& slot) {
    std::vector<bool>& numbers = numbers_[slot.backend_class];
    if (slot.number >= numbers.size()) numbers.resize(std::size_t{2} * slot.number + 64);
    const bool free = !numbers[slot.number];
    numbers[slot.number] = true;
    return free;
  }
  void Take(const model::SlotName& name) {
    if (const auto slot = ParseSlotName(name)) Take(*slot);
  }
  [[nodiscard]] bool Any(const model::BackendClass& backend_class) const {
    return numbers_.contains(backend_class);
  }

 private:
  std::map<model::BackendClass, std::vector<bool>> numbers_;
};

std::uint32_t Grown(std::uint32_t declared) {
  return declared + std::clamp<std::uint32_t>(declared, 1, kMaxGrowth);
}

}  // namespace

const char* KindName(model::BackendKind kind) {
  switch (kind) {
    case model::BackendKind::kPlain:
      return "plain";
    case model::BackendKind::kRich:
      return "rich";
    case model::BackendKind::kSticky:
      return "sticky";
    case model::BackendKind::kTcp:
      return "tcp";
  }
  return "plain";
}

std::string DefaultsName(model::BackendKind kind) { return std::string("sg_") + KindName(kind); }

model::BackendClass BaseClass(model::BackendKind kind) {
  return model::BackendClass(KindName(kind));
}

namespace {

/// Nothing when it is no class: "<kind>" or "<kind>.<12 hex digits>".
std::optional<model::BackendKind> ParseKind(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot != std::string_view::npos) {
    const std::string_view id = name.substr(dot + 1);
    if (id.size() != kProfileId || id.find_first_not_of("0123456789abcdef") != id.npos) {
      return std::nullopt;
    }
  }
  for (const model::BackendKind kind : kKinds) {
    if (name.substr(0, dot) == KindName(kind)) return kind;
  }
  return std::nullopt;
}

}  // namespace

model::BackendKind KindOf(const model::BackendClass& backend_class) {
  const auto kind = ParseKind(backend_class.str());
  SWARMGATE_CHECK(kind.has_value());
  return *kind;
}

model::BackendClass ClassOf(const model::Backend& backend) {
  model::BackendClass base = BaseClass(backend.kind);
  if (backend.profile.empty()) return base;
  const ProfileText text = RenderProfile(backend.profile, backend.kind);
  // Nobody must be able to make a profile that has the name of another's.
  const std::string digest = ToLower(Sha256Hex(text.head + '\0' + text.lines));
  return model::BackendClass(base.str() + "." + digest.substr(0, kProfileId));
}

model::SlotName MakeSlotName(const Slot& slot) {
  return model::SlotName("sg_" + slot.backend_class.str() + "_" + Padded(slot.number, 5));
}

std::optional<Slot> ParseSlotName(const model::SlotName& name) {
  constexpr std::size_t kDigits = 5;
  const std::string_view text = name.str();
  const std::size_t end = text.rfind('_');
  if (!text.starts_with("sg_") || end == std::string_view::npos || end < 3) return std::nullopt;
  const std::string_view backend_class = text.substr(3, end - 3);
  std::string_view digits = text.substr(end + 1);
  // As MakeSlotName writes it, and in no other way.
  if (!ParseKind(backend_class) || digits.size() < kDigits ||
      (digits.size() > kDigits && digits.front() == '0')) {
    return std::nullopt;
  }
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  const auto number = ParseUint(digits, kMaxSlot);
  if (!number || *number == 0) return std::nullopt;
  return Slot{model::BackendClass(std::string(backend_class)), static_cast<std::uint32_t>(*number)};
}

std::string ShardFile(const Slot& slot) {
  const std::string& name = slot.backend_class.str();
  const int order = 10 * (1 + static_cast<int>(KindOf(slot.backend_class)));
  return "conf/" + std::to_string(order) + "-" + name + "-" +
         Padded(1 + (slot.number - 1) / kSlotsPerFile, 4) + ".cfg";
}

bool IsClass(std::string_view name) { return ParseKind(name).has_value(); }

bool IsDeclared(const model::SlotName& slot, const Declared& declared) {
  const auto parts = ParseSlotName(slot);
  const auto found = parts ? declared.find(parts->backend_class) : declared.end();
  return found != declared.end() && parts->number <= found->second.count;
}

namespace {

struct Newcomer {
  const model::Backend* backend;
  model::BackendClass backend_class;
};

/// Classes of profiles that hold nothing: they go when a reload is due anyway.
void DropUnused(SlotMap& next, const Taken& taken) {
  std::set<model::BackendClass> used;
  for (const auto& [name, slot] : next.assigned) {
    if (const auto parsed = ParseSlotName(slot)) used.insert(parsed->backend_class);
  }
  std::erase_if(next.declared, [&](const auto& entry) {
    const model::BackendKind kind = KindOf(entry.first);
    const bool base = kind != model::BackendKind::kTcp && entry.first == BaseClass(kind);
    return !base && !used.contains(entry.first) && !taken.Any(entry.first);
  });
}

}  // namespace

SlotMap AssignSlots(const SlotMap& current, const Chunked<model::Backend>& backends,
                    const std::vector<model::SlotName>& busy, std::uint32_t minimum) {
  SlotMap next;
  next.declared = current.declared;
  // A slot that is freed here still has its servers and perhaps its route: whoever gets it in the
  // same change would receive the former tenant's requests.
  Taken taken;
  for (const model::SlotName& slot : busy) taken.Take(slot);
  for (const auto& [name, slot] : current.assigned) taken.Take(slot);

  std::vector<Newcomer> newcomers;
  Taken kept;
  for (const model::Backend& backend : backends) {
    model::BackendClass backend_class = ClassOf(backend);
    const auto found = current.assigned.find(backend.name);
    const auto slot = found == current.assigned.end() ? std::nullopt : ParseSlotName(found->second);
    const auto declared = slot ? next.declared.find(slot->backend_class) : next.declared.end();
    const bool fits = declared != next.declared.end() && slot->number <= declared->second.count &&
                      slot->backend_class == backend_class && kept.Take(*slot);
    if (fits) {
      next.assigned.emplace(backend.name, found->second);
    } else {
      newcomers.push_back({&backend, std::move(backend_class)});
    }
  }
  // Order of arrival must not matter.
  std::sort(newcomers.begin(), newcomers.end(), [](const auto& a, const auto& b) {
    return std::tie(a.backend_class, a.backend->name) < std::tie(b.backend_class, b.backend->name);
  });
  newcomers.erase(
      std::unique(newcomers.begin(), newcomers.end(),
                  [](const auto& a, const auto& b) { return a.backend->name == b.backend->name; }),
      newcomers.end());

  for (const model::BackendKind kind : kKinds) {
    // None ahead of need: the port that a first one listens on costs a reload anyway.
    if (kind == model::BackendKind::kTcp) continue;
    std::uint32_t& count = next.declared[BaseClass(kind)].count;
    count = std::max({count, minimum, std::uint32_t{1}});
  }
  std::uint32_t number = 0;
  const model::BackendClass* last = nullptr;
  for (const Newcomer& newcomer : newcomers) {
    const model::BackendClass& backend_class = newcomer.backend_class;
    if (last == nullptr || *last != backend_class) number = 0;
    last = &backend_class;
    ClassSlots& slots = next.declared[backend_class];
    if (slots.count == 0) {
      ProfileText text = RenderProfile(newcomer.backend->profile, newcomer.backend->kind);
      slots = {kProfileSlots, std::move(text.head), std::move(text.lines)};
    }
    do {
      ++number;
    } while (!taken.Take({backend_class, number}));
    while (number > slots.count) slots.count = Grown(slots.count);
    next.assigned.emplace(newcomer.backend->name, MakeSlotName({backend_class, number}));
  }
  if (next.declared != current.declared) DropUnused(next, taken);
  return next;
}

}  // namespace swarmgate::haproxy
