// Classes of slots, names of slots, and the files that hold them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "swarmgate/haproxy/image.h"
#include "swarmgate/model/ids.h"
#include "swarmgate/model/routes.h"

namespace swarmgate::haproxy {

inline constexpr std::array<model::BackendKind, 4> kKinds = {
    model::BackendKind::kPlain, model::BackendKind::kRich, model::BackendKind::kSticky,
    model::BackendKind::kTcp};
inline constexpr std::uint32_t kSlotsPerFile = 64;
inline constexpr const char* kBaseFile = "conf/00-base.cfg";

/// "plain", "rich", "sticky", "tcp".
const char* KindName(model::BackendKind kind);
/// "sg_plain": the section of defaults that the slots of a kind take their rules from.
std::string DefaultsName(model::BackendKind kind);

/// The class of a kind whose slots say nothing further.
model::BackendClass BaseClass(model::BackendKind kind);
/// REQUIRES: a class as ClassOf makes it.
model::BackendKind KindOf(const model::BackendClass& backend_class);
/// "rich", or "rich.<12 hex digits>" where the backend has a profile.
model::BackendClass ClassOf(const model::Backend& backend);

struct Slot {
  model::BackendClass backend_class;
  std::uint32_t number = 0;  ///< from 1
};
/// "sg_plain_00001".
model::SlotName MakeSlotName(const Slot& slot);
/// Nothing when it is not the name of a slot.
std::optional<Slot> ParseSlotName(const model::SlotName& name);

/// "conf/10-plain-0001.cfg": the file that declares the slot.
std::string ShardFile(const Slot& slot);
/// The first slot that it declares; nothing when it is not the name of such a file.
std::optional<Slot> ParseShardFile(std::string_view path);

}  // namespace swarmgate::haproxy
