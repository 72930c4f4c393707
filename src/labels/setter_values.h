// Kinds of values that several setters read: text → typed field, or a diagnostic.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "labels/schema.h"

namespace swarmgate::labels::set {

void Boolean(Setting& setting, bool& field);
void PortNumber(Setting& setting, std::optional<std::uint16_t>& field);
void Name(Setting& setting, Text& field);
void Timeout(Setting& setting, std::optional<std::chrono::milliseconds>& field);
/// The items of a list, each once. Too many are an error, and then there are none.
std::vector<std::string> Items(Setting& setting, char separator);
bool CountRegex(Setting& setting);

}  // namespace swarmgate::labels::set
