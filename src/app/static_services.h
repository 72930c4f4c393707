// DFP_SERVICE_* variables → parameters of services that need no label.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace swarmgate::app {

/// "DFP_SERVICE_SERVICE_PATH" is servicePath of the unnumbered service, "DFP_SERVICE_2_PORT_1" is
/// port.1 of service 2. The unnumbered one comes first, then by number; gaps are allowed. Pure.
[[nodiscard]] std::vector<std::map<std::string, std::string>> StaticServices(
    const std::map<std::string, std::string>& environment);

/// A sentence for each service that has variables and no name, and so is not there.
[[nodiscard]] std::vector<std::string> NamelessStaticServices(
    const std::map<std::string, std::string>& environment);

}  // namespace swarmgate::app
