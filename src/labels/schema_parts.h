// The table of parameters by topic. schema.cc puts the parts together; within a part setters run in
// its order, so that what others depend on (pathType, serviceDomainAlgo) stands before them.
#pragma once

#include <span>
#include <string_view>

#include "labels/schema.h"

namespace swarmgate::labels {

inline constexpr std::string_view kBoolHint = "Write true or false";
inline constexpr std::string_view kPortHint =
    "Write a number from 1 to 65535, without sign or leading zero";
inline constexpr std::string_view kTimeHint =
    "Write seconds, as in 30, or 500ms, 1m, 1h30m, up to 24 days";
inline constexpr std::string_view kNameHint =
    "Write letters, digits, dot, dash and underscore, the first a letter or digit, at most 128";

[[nodiscard]] std::span<const Parameter> ServiceParameters();
[[nodiscard]] std::span<const Parameter> RoutingParameters();
[[nodiscard]] std::span<const Parameter> UpstreamParameters();
[[nodiscard]] std::span<const Parameter> AccessParameters();
[[nodiscard]] std::span<const Parameter> ContentParameters();
[[nodiscard]] std::span<const Parameter> TcpParameters();
[[nodiscard]] std::span<const Parameter> TlsParameters();
[[nodiscard]] std::span<const Parameter> RawParameters();
[[nodiscard]] std::span<const Parameter> ForeignParameters();

}  // namespace swarmgate::labels
