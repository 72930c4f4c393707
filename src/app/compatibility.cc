#include "app/compatibility.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "app/option_replaced.h"
#include "app/option_table.h"
#include "swarmgate/app/options.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::app {
namespace {

constexpr std::string_view kHead = R"(# Compatibility

<!-- Written by the program; a test compares. After a change of its tables:
     UPDATE_GOLDEN=1 build/dev/test/app_test -->

Everything that Docker Flow Proxy and Docker Flow Swarm Listener could be told, and what it does here. *As there*:
the same effect. The last column names a test that shows it (`scripts/test -R` finds its program).

)";

struct Row {
  std::string_view name;
  std::string_view here;
  std::string_view differs = {};
};

constexpr auto kProxyCalls = std::to_array<Row>({
    {"/reconfigure", "as there",
     "Live when it answers. 409 also where an older service has the route. `distribute` calls all "
     "others at once; one that fails is told and makes no error."},
    {"/remove", "as there",
     "Says so when nothing was removed; a labelled service comes back when its "
     "labels change."},
    {"/reload", "as there",
     "`recreate` needs no asking: files are always written anew. "
     "`fromListener=true` lists Docker anew. A failure is told in the answer."},
    {"/config", "as there", "Text: all files, secrets and keys as stars."},
    {"/config?type=json", "as there",
     "The same fields; passwords and keys are stars. Besides: "
     "`Network`."},
    {"PUT /cert", "as there",
     "Checked before it is stored; a bad one is refused and changes nothing."},
    {"DELETE /cert", "new", "Removes one that was put."},
    {"/certs", "differs",
     "Names, dates and fingerprints instead of the files: private keys are never "
     "given."},
    {"/metrics", "as there", "HAProxy's CSV with the names of backends."},
    {"/ping", "differs", "503 when HAProxy does not answer."},
    {"/successfulinitreload", "as there", "503 before, not 500."},
    {"/metrics (Prometheus)", "differs",
     "The same of frontends, backends and servers, also without STATS_USER, and metrics of the "
     "proxy itself beside them; what the exporter told of itself (`haproxy_exporter_…`) is not "
     "there."},
    {"/v1/test, /v2/test", "as there"},
});

constexpr auto kListenerCalls = std::to_array<Row>({
    {"/notify-services", "differs", "Docker is listed anew and applied; nobody else is notified."},
    {"/get-services", "as there",
     "Services whose tasks start are there as well; secrets are stars."},
    {"/get-nodes", "as there"},
    {"/ping", "differs", "503 when HAProxy does not answer."},
    {"/metrics (listener)", "differs",
     "One page of metrics for everything; `docker_flow_service_count` "
     "is on it, `docker_flow_error` is not."},
});

constexpr auto kSecrets = std::to_array<Row>({
    {"dfp_<variable>", "differs", "Of every variable; before it where it was so there."},
    {"dfp_users_<suffix>", "as there"},
    {"cert-*, cert_*", "as there", "A changed set of secrets needs no restart of ours."},
    {"df_notify_…", "told at the start, and without effect", "Nobody else is notified."},
});

constexpr auto kFlags = std::to_array<Row>({
    {"-i, --ip", "as there"},
    {"-l, --listener-address", "told at the start, and without effect",
     "The listener is built in."},
    {"-p, --port", "as there"},
    {"-n, --service-name", "as there"},
    {"-c, --configs-path", "accepted, without effect", "DATA_DIR is where HAProxy's files are."},
    {"--proxy-instance-name", "as there"},
    {"-t, --templates-path", "honoured",
     "Where the templates of services lie; there is none of the whole configuration."},
});

/// A variable, and what differs where it is honoured; what is replaced says itself what to do.
struct Variable {
  std::string_view name;
  std::string_view note = {};
};

// Those of the listener come last.
constexpr auto kVariables = std::to_array<Variable>({
    {"BIND_PORTS"},
    {"CAPTURE_REQUEST_HEADER"},
    {"CA_FILE"},
    {"CERTS", "Dead there, too; certificates are read from CERTS_DIR."},
    {"CFG_TEMPLATE_PATH"},
    {"CHECK_RESOLVERS"},
    {"COMPRESSION_ALGO"},
    {"COMPRESSION_TYPE"},
    {"CONNECTION_MODE"},
    {"CONSUL_ADDRESS", "of the first releases; `swarmgate import-consul` takes their keys over"},
    {"CRT_LIST_PATH"},
    {"DEBUG", "LOG_LEVEL is for the log of the program itself"},
    {"DEBUG_ERRORS_ONLY"},
    {"DEBUG_HTTP_FORMAT"},
    {"DEBUG_TCP_FORMAT"},
    {"DEFAULT_PORTS", "also `address:port`"},
    {"DEFAULT_PROTOCOL"},
    {"DEFAULT_REQ_MODE", "the default of `reqMode`; there only the mode of the frontend"},
    {"DFP_SERVICE_…", "as there, and with every parameter, index and number"},
    {"DISPLAY_CONFIG_ON_ERROR"},
    {"DNS_LOOKUP_PAUSE_MS"},
    {"DO_NOT_RESOLVE_ADDR"},
    {"ENABLE_H2"},
    {"EXTRA_FRONTEND"},
    {"EXTRA_GLOBAL"},
    {"FILTER_PROXY_INSTANCE_NAME"},
    {"HEALTHCHECK"},
    {"HTTPS_ONLY"},
    {"IP"},
    {"LISTENER_ADDRESS"},
    {"MODE", "`swarm` also lets calls that change something in from other machines"},
    {"PORT"},
    {"PREFERRED_CERTIFICATE"},
    {"PROXY_INSTANCE_NAME"},
    {"RECONFIGURE_ATTEMPTS"},
    {"RELOAD_ATTEMPTS"},
    {"RELOAD_INTERVAL"},
    {"REPEAT_RELOAD"},
    {"RESOLVERS"},
    {"SEPARATOR", "a separator inside a value is written with `\\` before it"},
    {"SERVICE_DOMAIN_ALGO", "the default is equality, not `hdr_beg(host)`"},
    {"SERVICE_NAME"},
    {"SKIP_ADDRESS_VALIDATION"},
    {"SSL_BIND_CIPHERS"},
    {"SSL_BIND_OPTIONS"},
    {"STATS_PASS"},
    {"STATS_PASS_ENV"},
    {"STATS_PORT"},
    {"STATS_URI"},
    {"STATS_URI_ENV"},
    {"STATS_USER"},
    {"STATS_USER_ENV"},
    {"TERMINATE_ON_RELOAD", "connections are cut after a second"},
    {"TIMEOUT_CLIENT"},
    {"TIMEOUT_CONNECT"},
    {"TIMEOUT_HTTP_KEEP_ALIVE"},
    {"TIMEOUT_HTTP_REQUEST"},
    {"TIMEOUT_QUEUE"},
    {"TIMEOUT_SERVER"},
    {"TIMEOUT_TUNNEL"},
    {"USERS"},
    {"USERS_PASS_ENCRYPTED"},
    {"DF_DOCKER_HOST", "of the listener: DOCKER_HOST"},
    {"DF_INCLUDE_NODE_IP_INFO"},
    {"DF_INTERVAL"},
    {"DF_NODE_IP_INFO_INCLUDES_TASK_ADDRESS"},
    {"DF_NODE_POLLING_INTERVAL"},
    {"DF_NOTIFICATION_URL"},
    {"DF_NOTIFY_CREATE_NODE_METHOD"},
    {"DF_NOTIFY_CREATE_NODE_URL"},
    {"DF_NOTIFY_CREATE_SERVICE_IMMEDIATELY"},
    {"DF_NOTIFY_CREATE_SERVICE_METHOD"},
    {"DF_NOTIFY_CREATE_SERVICE_URL"},
    {"DF_NOTIFY_LABEL", "of the listener; the prefix of all labels follows from it"},
    {"DF_NOTIFY_REMOVE_NODE_METHOD"},
    {"DF_NOTIFY_REMOVE_NODE_URL"},
    {"DF_NOTIFY_REMOVE_SERVICE_METHOD"},
    {"DF_NOTIFY_REMOVE_SERVICE_URL"},
    {"DF_NOTIF_CREATE_SERVICE_URL"},
    {"DF_NOTIF_REMOVE_SERVICE_URL"},
    {"DF_RETRY"},
    {"DF_RETRY_INTERVAL"},
    {"DF_SERVICE_NAME_PREFIX"},
    {"DF_SERVICE_POLLING_INTERVAL"},
    {"DF_USE_DOCKER_NODE_EVENTS"},
    {"DF_USE_DOCKER_SERVICE_EVENTS"},
});

const OptionRow* FindRow(std::string_view name) {
  for (const OptionRow& row : OptionTable()) {
    if (name == row.name || (row.alias != nullptr && name == row.alias)) return &row;
  }
  return nullptr;
}

/// What the program says when this variable is set to something else than it was by itself; empty:
/// nothing.
std::string Told(std::string_view name) {
  OptionSources sources;
  sources.root = true;
  sources.environment[std::string(name)] = "1";
  const auto options = ReadOptions(sources);
  if (!options) return "";
  for (const std::string& warning : options->warnings) {
    constexpr std::string_view kNothing = " has no effect: ";
    const auto why = warning.find(kNothing);
    if (warning.starts_with(name) && why != std::string::npos) {
      return warning.substr(why + kNothing.size());
    }
  }
  return "";
}

/// One table; the rows' names in the list of tests begin with `kind`.
class Table {
 public:
  Table(std::string kind, const std::map<std::string, std::string>& shown_by)
      : kind_(std::move(kind)), shown_by_(shown_by) {}

  void Add(std::string_view name, std::string_view here, std::string_view differs) {
    std::string key = kind_ + " " + std::string(name);
    const auto test = shown_by_.find(key);
    const bool shown = test != shown_by_.end() && test->second != "-";
    text_ += "| `" + std::string(name) + "` | " + std::string(here) + " | " +
             (differs.empty() ? "–" : std::string(differs)) + " | " +
             (shown ? "`" + test->second + "`" : "–") + " |\n";
    keys_.push_back(std::move(key));
  }
  template <std::size_t kSize>
  void Add(const std::array<Row, kSize>& rows) {
    for (const Row& row : rows) Add(row.name, row.here, row.differs);
  }
  void AddLabels() {
    for (const labels::MigrationRow& row : labels::MigrationRows()) {
      Add(row.name, row.here, row.differs);
    }
  }
  void AddVariables() {
    for (const Variable& variable : kVariables) {
      const bool known = FindRow(variable.name) != nullptr;
      std::string note(variable.note);
      std::string here = note.empty() ? "as there" : "honoured";
      if (const std::string told = Told(variable.name); !told.empty()) {
        here = "told, and without effect";
        if (note.empty()) note = told;
      } else if (!known && !variable.name.starts_with("DFP_SERVICE_")) {
        here = "not known";
      }
      Add(variable.name, here, note);
    }
  }

  /// With its head.
  [[nodiscard]] std::string Text(std::string_view what) const {
    return "| " + std::string(what) + " | Here | What differs | Shown by |\n|---|---|---|---|\n" +
           text_;
  }
  [[nodiscard]] const std::vector<std::string>& keys() const { return keys_; }

 private:
  std::string kind_;
  const std::map<std::string, std::string>& shown_by_;
  std::string text_;
  std::vector<std::string> keys_;
};

/// All tables one after the other, and the names of all rows.
std::string Tables(const std::map<std::string, std::string>& shown_by,
                   std::vector<std::string>& keys) {
  std::string out;
  const auto take = [&](const Table& table, const char* title, const char* what) {
    out += std::string("## ") + title + "\n\n" + table.Text(what) + "\n";
    keys.insert(keys.end(), table.keys().begin(), table.keys().end());
  };
  Table proxy("call", shown_by);
  proxy.Add(kProxyCalls);
  take(proxy, "Calls of the proxy", "Under `/v1/docker-flow-proxy`");
  Table listener("listener", shown_by);
  listener.Add(kListenerCalls);
  take(listener, "Calls of the listener", "Under `/v1/docker-flow-swarm-listener`");
  Table parameters("label", shown_by);
  parameters.AddLabels();
  take(parameters, "Labels and parameters", "Behind `com.df.`");
  Table variables("variable", shown_by);
  variables.AddVariables();
  take(variables, "Variables", "Variable");
  Table secrets("secret", shown_by);
  secrets.Add(kSecrets);
  take(secrets, "Docker secrets", "Secret");
  Table flags("flag", shown_by);
  flags.Add(kFlags);
  take(flags, "Flags", "Flag");
  out.pop_back();
  return out;
}

}  // namespace

std::vector<std::string> CompatibilityRows() {
  std::vector<std::string> keys;
  (void)Tables({}, keys);
  return keys;
}

std::string CompatibilityMarkdown(const std::map<std::string, std::string>& shown_by) {
  std::vector<std::string> keys;
  return std::string(kHead) + Tables(shown_by, keys);
}

}  // namespace swarmgate::app
