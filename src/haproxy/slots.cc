#include "haproxy/slots.h"

#include <cstdio>
#include <string_view>
#include <utility>

#include "haproxy/digest.h"
#include "haproxy/profile.h"
#include "swarmgate/base/check.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::haproxy {
namespace {

constexpr std::uint64_t kMaxSlot = 9'999'999;
constexpr std::size_t kProfileId = 12;

std::string Padded(std::uint32_t number, int width) {
  char text[16];
  std::snprintf(text, sizeof text, "%0*u", width, number);
  return text;
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
  if (backend.profile->empty()) return base;
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
  const TextView name = slot.backend_class.str();
  const int order = 10 * (1 + static_cast<int>(KindOf(slot.backend_class)));
  return "conf/" + std::to_string(order) + "-" + name + "-" +
         Padded(1 + (slot.number - 1) / kSlotsPerFile, 4) + ".cfg";
}

std::optional<Slot> ParseShardFile(std::string_view path) {
  constexpr std::string_view kEnd = ".cfg";
  const std::size_t begin = path.find('-');
  const std::size_t end = path.rfind('-');
  if (begin == end || !path.ends_with(kEnd)) return std::nullopt;
  const std::string_view backend_class = path.substr(begin + 1, end - begin - 1);
  std::string_view digits = path.substr(end + 1, path.size() - end - 1 - kEnd.size());
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  const auto shard = ParseUint(digits, kMaxSlot / kSlotsPerFile);
  if (!IsClass(backend_class) || !shard || *shard == 0) return std::nullopt;
  const Slot first{model::BackendClass(std::string(backend_class)),
                   static_cast<std::uint32_t>((*shard - 1) * kSlotsPerFile + 1)};
  if (ShardFile(first) != path) return std::nullopt;
  return first;
}

bool IsClass(std::string_view name) { return ParseKind(name).has_value(); }

bool IsDeclared(const model::SlotName& slot, const Declared& declared) {
  const auto parts = ParseSlotName(slot);
  const auto found = parts ? declared.find(parts->backend_class) : declared.end();
  return found != declared.end() && parts->number <= found->second.count;
}

}  // namespace swarmgate::haproxy
