// Paths and hosts: the texts of servicePath and serviceDomain as matches, by the way of comparing
// that pathType and serviceDomainAlgo ask for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "labels/report.h"
#include "labels/schema.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::labels {

/// "path_beg", "path_reg -i", "path -m end"; nothing when there is no such type.
[[nodiscard]] std::optional<PathType> ParsePathType(std::string_view text);

/// "hdr(host)", "hdr_end(host)", "hdr_dom(host) -i"; nothing when there is no such way.
[[nodiscard]] std::optional<DomainAlgo> ParseDomainAlgo(std::string_view text);

/// One item of a list. What is wrong goes to `report`.
[[nodiscard]] std::optional<model::PathMatch> ParsePath(std::string_view item, const PathType& type,
                                                        Report& report);
[[nodiscard]] std::optional<model::HostMatch> ParseHost(std::string_view item, DomainAlgo algo,
                                                        Report& report);

}  // namespace swarmgate::labels
