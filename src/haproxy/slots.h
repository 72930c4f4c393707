// Names of slots and of the files that hold them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "swarmgate/model/ids.h"
#include "swarmgate/model/routes.h"

namespace swarmgate::haproxy {

inline constexpr std::array<model::BackendClass, 3> kClasses = {
    model::BackendClass::kPlain, model::BackendClass::kRich, model::BackendClass::kSticky};
inline constexpr std::uint32_t kSlotsPerFile = 64;
inline constexpr const char* kBaseFile = "conf/00-base.cfg";

/// "plain", "rich", "sticky".
const char* ClassName(model::BackendClass backend_class);

struct Slot {
  model::BackendClass backend_class = model::BackendClass::kPlain;
  std::uint32_t number = 0;  ///< from 1
};
/// "sg_plain_00001".
model::SlotName MakeSlotName(Slot slot);
/// Nothing when it is not the name of a slot.
std::optional<Slot> ParseSlotName(const model::SlotName& name);

/// "conf/10-plain-0001.cfg": the file that declares the slot.
std::string ShardFile(Slot slot);

}  // namespace swarmgate::haproxy
