// Columns of text for people. Pure.
#pragma once

#include <string>
#include <vector>

namespace swarmgate::app {

/// Each row has as many cells as the head. Control characters are escaped: labels end up here.
[[nodiscard]] std::string FormatTable(const std::vector<std::string>& head,
                                      const std::vector<std::vector<std::string>>& rows);

}  // namespace swarmgate::app
