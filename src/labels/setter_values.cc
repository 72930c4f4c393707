#include "labels/setter_values.h"

#include <algorithm>
#include <utility>

#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels::set {

void Boolean(Setting& setting, bool& field) {
  if (const auto value = ParseBool(setting.value)) {
    field = *value;
  } else {
    setting.report.Error("bad-bool", "it is neither true nor false");
  }
}

void PortNumber(Setting& setting, std::optional<std::uint16_t>& field) {
  field = ParsePort(setting.value);
  if (!field) setting.report.Error("bad-port", "it is not a port number");
}

void Name(Setting& setting, Text& field) {
  if (IsValidServiceName(setting.value)) {
    field = setting.value;
  } else {
    setting.report.Error("bad-name", "it is not a valid name");
  }
}

void Timeout(Setting& setting, std::optional<std::chrono::milliseconds>& field) {
  field = ParseDuration(setting.value);
  if (!field) {
    setting.report.Error("bad-duration", "it is not a duration");
  } else if (field->count() == 0) {
    field = kLongestTimeout;
    setting.report.Warning("no-timeout", "0 means no timeout, which is taken as 24 days",
                           "Write the longest time that an answer may take");
  }
}

// The items of a list, each once. Too many are an error, and then there are none.
std::vector<std::string> Items(Setting& setting, char separator) {
  std::vector<std::string> items;
  bool empty = false;
  for (std::string& item : SplitEscaped(setting.value, separator)) {
    if (item.empty()) {
      empty = true;
    } else if (std::find(items.begin(), items.end(), item) != items.end()) {
      setting.report.Warning("repeated-item", Quoted(item) + " stands there more than once");
    } else if (items.size() == kMaxListItems) {
      setting.report.Error("too-many-items",
                           "the list has more than " + std::to_string(kMaxListItems) + " items",
                           "Use a shorter path or a wildcard, or a further destination");
      return {};
    } else {
      items.push_back(std::move(item));
    }
  }
  if (items.empty()) {
    setting.report.Error("empty-list", "the list has no items");
  } else if (empty) {
    setting.report.Warning("empty-item", "the list has an empty item, which is left out");
  }
  return items;
}

bool CountRegex(Setting& setting) {
  if (++setting.service.regexes <= kMaxRegexes) return true;
  setting.report.Error("too-many-regexes",
                       "the service has more than " + std::to_string(kMaxRegexes) + " regexes",
                       "Join them with |, or use path_beg and *.example.com, which cost nothing");
  return false;
}

}  // namespace swarmgate::labels::set
