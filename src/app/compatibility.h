// docs/compatibility.md: each call, parameter, variable, secret and flag of Docker Flow Proxy and
// its listener, what it does here, and which test shows it. What the program's own tables say is
// read from them, so that the page cannot be out of date.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace swarmgate::app {

/// Of each row what it is called in the list of tests: "label port", "variable PORT",
/// "call /reconfigure".
[[nodiscard]] std::vector<std::string> CompatibilityRows();

/// `shown_by`: row → a test ("Suite.Name"), or "-".
[[nodiscard]] std::string CompatibilityMarkdown(const std::map<std::string, std::string>& shown_by);

}  // namespace swarmgate::app
