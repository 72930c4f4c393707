// What a request to share says of the record that it meets.
#pragma once

#include <cstdint>

namespace swarmgate::engine {

/// In place of the revision that is expected: the news say that others have deleted the record. No
/// store gives this one.
inline constexpr std::uint64_t kDeletedByOthers = UINT64_MAX;

}  // namespace swarmgate::engine
