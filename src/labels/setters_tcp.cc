#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labels/matches.h"
#include "labels/regex.h"
#include "labels/setter_values.h"
#include "labels/setters.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels::set {

void ReqMode(Setting& setting) {
  if (setting.value == "http") return;
  if (setting.value == "tcp" || setting.value == "sni") {
    return setting.report.Error("req-mode-not-yet",
                                "reqMode " + std::string(setting.value) + " is not honoured yet",
                                "Only http is: leave reqMode out");
  }
  setting.report.Error("bad-req-mode", "there is no such mode");
}

}  // namespace swarmgate::labels::set
