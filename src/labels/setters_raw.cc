// HAProxy's own language, for whom the operator allows it.
#include <algorithm>
#include <string>
#include <string_view>

#include "labels/setters.h"
#include "labels/templates.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels::set {
namespace {

constexpr std::size_t kMostLines = 64;

bool RawAllowed(Setting& setting) {
  if (setting.options.allow_raw) return true;
  setting.report.Error("raw-not-allowed",
                       "it is HAProxy's own configuration, which this proxy takes from nobody",
                       "Use another label, or have the operator set ALLOW_RAW_CONFIG=true");
  return false;
}

}  // namespace

void AclCondition(Setting& setting) {
  if (!RawAllowed(setting)) return;
  const std::string first(setting.value.substr(0, setting.value.find_first_of(" {")));
  if (first == "if" || first == "unless") {
    return setting.report.Error("bad-raw", "the condition begins with " + Quoted(first));
  }
  setting.service.acl_condition = setting.value;
}

void BackendExtra(Setting& setting) {
  Report& report = setting.report;
  if (!RawAllowed(setting)) return;
  std::string text(setting.value);
  for (std::size_t at = 0; (at = text.find("\\n", at)) != std::string::npos;) {
    text.replace(at, 2, "\n");
  }
  auto& raw = setting.service.common.profile.Edit().raw;
  for (const std::string_view part : Split(text, '\n')) {
    const std::string_view line = Trim(part);
    if (line.empty()) continue;
    const std::string word = ToLower(line.substr(0, std::min(line.find(' '), line.size())));
    // Servers are the proxy's own matter: one that it does not know is taken out at once.
    const bool foreign = IsForeignWord(word) || IsServerWord(word);
    if (foreign || raw.size() == kMostLines) {
      raw.clear();
      return report.Error("bad-raw",
                          foreign ? Quoted(word) + " does not belong into a service's backend"
                                  : "there are more than 64 lines",
                          "Write lines of a backend's section, divided by \\n");
    }
    raw.emplace_back(line);
  }
}

void TemplateFePath(Setting& setting) {
  if (RawAllowed(setting)) setting.service.template_fe = std::string(setting.value);
}

void TemplateBePath(Setting& setting) {
  if (RawAllowed(setting)) setting.service.template_be = std::string(setting.value);
}

// What templates see is what was written.
void UserDef(Setting& setting) { (void)setting; }

}  // namespace swarmgate::labels::set
