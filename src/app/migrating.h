// docs/migrating.md: what whoever comes from another proxy writes here. Its tables of labels and
// variables are made of the tables that the program itself uses, so that they cannot be out of
// date.
#pragma once

#include <string>

namespace swarmgate::app {

[[nodiscard]] std::string MigratingMarkdown();

}  // namespace swarmgate::app
