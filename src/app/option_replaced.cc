#include "app/option_replaced.h"

#include <algorithm>
#include <set>

#include "app/option_table.h"
#include "app/static_services.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::app {
namespace {

constexpr std::string_view kServices = "DFP_SERVICE_";

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string ToUpper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

bool IsHarmless(const ReplacedVariable& variable, const std::string& value) {
  const auto words = Split(variable.harmless, '|');
  return value.empty() || std::find(words.begin(), words.end(), value) != words.end();
}

const ReplacedVariable* FindReplaced(std::string_view name) {
  const std::vector<ReplacedVariable>& all = ReplacedVariables();
  const auto found = std::find_if(all.begin(), all.end(), [name](const ReplacedVariable& variable) {
    return variable.name == name;
  });
  return found == all.end() ? nullptr : &*found;
}

/// Every variable that means something to us, or meant something to the predecessor.
std::vector<std::string> KnownNames() {
  std::vector<std::string> names;
  for (const OptionRow& row : OptionTable()) {
    names.emplace_back(row.name);
    if (row.alias != nullptr) names.emplace_back(row.alias);
  }
  for (const ReplacedVariable& variable : ReplacedVariables()) names.emplace_back(variable.name);
  for (const char* name : {"DFP_SERVICE_NAME", "DFP_SERVICE_PATH", "DFP_SERVICE_PORT"}) {
    names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string DidYouMean(const std::string& name, const std::vector<std::string>& known) {
  auto close = ClosestMatch(name, known);
  // "DFP_STATS_USER": the prefix is that of services and secrets only.
  if (!close) {
    const std::string bare = name.substr(StartsWith(name, "DFP_") ? 4 : 3);
    close = ClosestMatch(bare, known);
    if (std::binary_search(known.begin(), known.end(), bare)) close = bare;
  }
  return close ? "; did you mean " + *close + "?" : "; see docs/options.md";
}

/// A name without our prefix is called misspelled only when hardly anything else can be meant: the
/// environment is full of other programs' variables.
std::optional<std::string> Misspelled(const std::string& name,
                                      const std::vector<std::string>& known) {
  if (name.size() < 8) return std::nullopt;
  const auto close = ClosestMatch(name, known);
  if (!close || close->size() < 8) return std::nullopt;
  const std::size_t longer = std::max(name.size(), close->size());
  const std::size_t shorter = std::min(name.size(), close->size());
  if (longer - shorter > 2) return std::nullopt;
  // Two edits: what is left when the common beginning and end are taken off is short.
  std::size_t head = 0;
  while (head < shorter && name[head] == (*close)[head]) ++head;
  std::size_t tail = 0;
  while (tail < shorter - head &&
         name[name.size() - 1 - tail] == (*close)[close->size() - 1 - tail])
    ++tail;
  return longer - head - tail <= 2 ? close : std::nullopt;
}

void AddReplaced(const OptionSources& sources, std::vector<std::string>& said) {
  for (const ReplacedVariable& variable : ReplacedVariables()) {
    const auto found = sources.environment.find(variable.name);
    if (found == sources.environment.end() || IsHarmless(variable, found->second)) continue;
    said.push_back(std::string(variable.name) + " has no effect: " + variable.instead);
  }
}

void AddUnknown(const OptionSources& sources, std::vector<std::string>& said) {
  const std::vector<std::string> known = KnownNames();
  const auto is_known = [&](const std::string& name) {
    return std::binary_search(known.begin(), known.end(), name);
  };
  for (const auto& [name, value] : sources.environment) {
    if (value.empty() || is_known(name) || StartsWith(name, kServices)) continue;
    if (StartsWith(name, "DFP_") || StartsWith(name, "DF_")) {
      said.push_back("the variable " + Printable(name, 80) + " is not known" +
                     DidYouMean(name, known));
    } else if (const auto close = Misspelled(name, known)) {
      said.push_back("the variable " + Printable(name, 80) + " is not known; did you mean " +
                     *close + "?");
    }
  }
  for (const std::string& secret : sources.secret_names) {
    const std::string lower = ToLower(secret);
    const bool ours = StartsWith(lower, "dfp_");
    if ((!ours && !StartsWith(lower, "df_notify_")) || StartsWith(lower, "dfp_users")) continue;
    const std::string name = ToUpper(ours ? lower.substr(4) : lower);
    if (const ReplacedVariable* replaced = FindReplaced(name)) {
      said.push_back("the secret " + Printable(secret, 80) +
                     " has no effect: " + replaced->instead);
      continue;
    }
    if (is_known(name)) continue;
    const auto close = ClosestMatch(name, known);
    said.push_back(
        "the secret " + Printable(secret, 80) + " is not known" +
        (close ? "; did you mean " + std::string(ours ? "dfp_" : "") + ToLower(*close) + "?"
               : "; see docs/options.md"));
  }
}

constexpr const char* kListener =
    "the listener is built in, and every change is applied as soon as Docker tells of it";
constexpr const char* kNames =
    "servers are the addresses of tasks; what is a name (outboundHostname, discoveryType=DNS) "
    "Swarmgate resolves itself, as /etc/resolv.conf says, and one that does not resolve harms no "
    "other service";
constexpr const char* kNotifications = "no other program is notified; the proxy itself needs none";

}  // namespace

const std::vector<ReplacedVariable>& ReplacedVariables() {
  static const std::vector<ReplacedVariable> variables = {
      {"CERTS", "", "certificates are read from CERTS_DIR"},
      {"CFG_TEMPLATE_PATH", "/cfg/tmpl/haproxy.tmpl",
       "there is no template of the whole; EXTRA_GLOBAL and EXTRA_FRONTEND add lines to it"},
      {"CHECK_RESOLVERS", "false", kNames},
      {"DF_INCLUDE_NODE_IP_INFO", "false|true", "addresses of nodes are known from Docker"},
      {"DF_INTERVAL", "5", kListener},
      {"DF_NODE_IP_INFO_INCLUDES_TASK_ADDRESS", "true|false",
       "addresses of tasks are known from Docker"},
      {"DF_NODE_POLLING_INTERVAL", "-1", kListener},
      {"DF_NOTIFICATION_URL", "", kNotifications},
      {"DF_NOTIFY_CREATE_NODE_METHOD", "GET", kNotifications},
      {"DF_NOTIFY_CREATE_NODE_URL", "", kNotifications},
      {"DF_NOTIFY_CREATE_SERVICE_IMMEDIATELY", "false|true", kListener},
      {"DF_NOTIFY_CREATE_SERVICE_METHOD", "GET", kNotifications},
      {"DF_NOTIFY_CREATE_SERVICE_URL", "", kNotifications},
      {"DF_NOTIFY_REMOVE_NODE_METHOD", "GET", kNotifications},
      {"DF_NOTIFY_REMOVE_NODE_URL", "", kNotifications},
      {"DF_NOTIFY_REMOVE_SERVICE_METHOD", "GET", kNotifications},
      {"DF_NOTIFY_REMOVE_SERVICE_URL", "", kNotifications},
      {"DF_NOTIF_CREATE_SERVICE_URL", "", kNotifications},
      {"DF_NOTIF_REMOVE_SERVICE_URL", "", kNotifications},
      {"DF_RETRY", "50", kListener},
      {"DF_RETRY_INTERVAL", "5", kListener},
      {"DF_SERVICE_NAME_PREFIX", "",
       "services keep their names; aclName orders their routes where that was meant"},
      {"DF_SERVICE_POLLING_INTERVAL", "-1", kListener},
      {"DF_USE_DOCKER_NODE_EVENTS", "true", kListener},
      {"DF_USE_DOCKER_SERVICE_EVENTS", "true", kListener},
      {"DISPLAY_CONFIG_ON_ERROR", "false|true",
       "the configuration is served at /v1/docker-flow-proxy/config"},
      {"DNS_LOOKUP_PAUSE_MS", "", "nothing is looked up at start"},
      {"DO_NOT_RESOLVE_ADDR", "false|true", kNames},
      {"HEALTHCHECK", "true",
       "the image's health check asks /readyz; Docker's --no-healthcheck ends it"},
      {"RECONFIGURE_ATTEMPTS", "20",
       "a service that HAProxy refuses is left out at once, and told why"},
      {"RELOAD_ATTEMPTS", "5", kListener},
      {"RELOAD_INTERVAL", "5000", kListener},
      {"REPEAT_RELOAD", "false|true", kListener},
      {"RESOLVERS", "nameserver dns 127.0.0.11:53", kNames},
      {"SKIP_ADDRESS_VALIDATION", "true|false", kNames},
  };
  return variables;
}

std::vector<std::string> OddVariables(const OptionSources& sources) {
  std::vector<std::string> said;
  AddReplaced(sources, said);
  AddUnknown(sources, said);
  for (std::string& nameless : NamelessStaticServices(sources.environment)) {
    said.push_back(std::move(nameless));
  }
  return said;
}

}  // namespace swarmgate::app
