#include "app/option_table.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <utility>

#include "app/option_values.h"
#include "app/tls_options.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::app {
namespace {

/// Takes an ending such as ":ssl" off.
bool TakeSuffix(std::string& text, std::string_view suffix) {
  if (text.size() <= suffix.size() || !std::string_view(text).ends_with(suffix)) return false;
  text.resize(text.size() - suffix.size());
  return true;
}

/// "80,443:ssl,127.0.0.1:8085,81:proxy".
Status AddBinds(Options& options, const std::string& value) {
  for (const std::string_view raw : Split(value, ',')) {
    std::string item(Trim(raw));
    if (item.empty()) continue;
    const bool proxied = TakeSuffix(item, ":proxy");
    haproxy::Bind bind;
    bind.tls = TakeSuffix(item, ":ssl");
    bind.accept_proxy = proxied || TakeSuffix(item, ":proxy");
    std::string port = item;
    if (const auto colon = item.rfind(':'); colon != std::string::npos) {
      bind.address = item.substr(0, colon);
      port = item.substr(colon + 1);
      const bool brackets =
          bind.address.size() > 2 && bind.address.front() == '[' && bind.address.back() == ']';
      if (brackets) bind.address = bind.address.substr(1, bind.address.size() - 2);
      if (bind.address != "*" && !IsAddress(bind.address)) {
        return Bad("'" + Printable(item, 60) +
                   "' is not a port; write 80, 443:ssl or 127.0.0.1:80");
      }
    }
    if (const Status parsed = ParsePort(port, bind.port); !parsed) {
      return Bad("'" + Printable(item, 60) + "': " + parsed.error().message +
                 "; write for example 80,443:ssl");
    }
    const auto same = std::find_if(
        options.binds.begin(), options.binds.end(), [&bind](const haproxy::Bind& known) {
          return known.address == bind.address && known.port == bind.port;
        });
    if (same == options.binds.end()) {
      options.binds.push_back(bind);
    } else if (same->tls != bind.tls) {
      return Bad("port " + port + " is given with and without :ssl; choose one");
    }
  }
  return Ok();
}

Status SetH2(Options& options, const std::string& value) {
  return ParseBool(value, options.tls.h2);
}

Status SetIp(Options& options, const std::string& value) {
  if (!IsAddress(value)) return Bad("write an IPv4 or IPv6 address, for example 0.0.0.0");
  options.ip = value;
  return Ok();
}

Status SetPort(Options& options, const std::string& value) {
  return ParsePort(value, options.port);
}

Status SetMode(Options& options, const std::string& value) {
  const std::string lower = ToLower(value);
  if (lower != "default" && lower != "swarm" && lower != "service") {
    return Bad("write default or swarm");
  }
  options.mode = lower == "service" ? "swarm" : lower;
  return Ok();
}

Status SetSeparator(Options& options, const std::string& value) {
  const char c = value.size() == 1 ? value[0] : '\\';
  const bool plain = c > ' ' && c < 127 && c != '\\' && c != '/' && c != '.' && c != '-' &&
                     !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
  if (!plain) return Bad("one character that stands in no value, such as , or ;");
  options.separator = c;
  return Ok();
}

Status ParseReqMode(const std::string& value, model::ReqMode& mode) {
  std::string word;
  Status known = ParseWord(value, {"http", "tcp", "sni"}, word);
  if (!known) return known;
  mode = word == "tcp"   ? model::ReqMode::kTcp
         : word == "sni" ? model::ReqMode::kSni
                         : model::ReqMode::kHttp;
  return Ok();
}

Status SetReqMode(Options& options, const std::string& value) {
  return ParseReqMode(value, options.req_mode);
}

Status SetStaticReqMode(Options& options, const std::string& value) {
  return ParseReqMode(value, options.static_req_mode.emplace());
}

Status SetLabelPrefix(Options& options, const std::string& value) {
  if (value.size() < 2 || value.back() != '.' || value.size() > 100 ||
      value.find_first_of(" \t\r\n=\"\\") != std::string::npos) {
    return Bad("a prefix ends with a dot, for example com.df.");
  }
  options.label_prefix = value;
  return Ok();
}

Status SetNotifyLabel(Options& options, const std::string& value) {
  std::string label = value;
  if (const auto equals = label.find('='); equals != std::string::npos) label.resize(equals);
  constexpr std::string_view kEnd = ".notify";
  if (label.size() <= kEnd.size() ||
      label.compare(label.size() - kEnd.size(), kEnd.size(), kEnd) != 0) {
    return Bad(
        "only a name that ends with .notify, such as com.df.notify, is understood; all other "
        "labels then begin with what stands before notify");
  }
  return SetLabelPrefix(options, label.substr(0, label.size() - kEnd.size() + 1));
}

Status SetListenerAddress(Options& options, const std::string& value) {
  options.warnings.push_back(
      "LISTENER_ADDRESS=" + Printable(value, 100) +
      " has no effect: the listener is built in (give it the Docker socket)");
  return Ok();
}

Status SetDockerHost(Options& options, const std::string& value) {
  if (value == "none") {
    options.docker_host.clear();
    return Ok();
  }
  const bool unix_socket = value.rfind("unix:///", 0) == 0;
  const bool tcp = value.rfind("tcp://", 0) == 0 || value.rfind("http://", 0) == 0 ||
                   value.rfind("https://", 0) == 0;
  if (!unix_socket && !tcp) {
    return Bad("write unix:///var/run/docker.sock, tcp://host:2376, or none");
  }
  options.docker_host = value;
  return Ok();
}

Status SetTlsVerify(Options& options, const std::string& value) {
  // As the docker client understands it: any value but these turns verification on.
  options.docker_tls = true;
  options.docker_tls_verify = !(value == "0" || ToLower(value) == "false");
  return Ok();
}

/// A file that HAProxy is told of in words of its Runtime API, which knows no quotes.
Status SetPlainFile(Options& options, const std::string& value) {
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._/:@-").find(c) != std::string_view::npos;
  });
  if (!plain) return Bad("use a path of letters, digits and . _ / : @ -");
  return SetDirectory<&Options::upstream_ca_file>(options, value);
}

Status SetHaproxyUser(Options& options, const std::string& value) {
  Options checked;
  if (const Status good = SetName<&Options::service_name>(checked, value); !good) return good;
  options.haproxy_user = value;
  return Ok();
}

Status SetUnknownRoute(Options& options, const std::string& value) {
  if (value != "503" && value != "404") return Bad("write 503 or 404");
  options.unknown_route_status = value == "503" ? 503 : 404;
  return Ok();
}

Status SetLevel(Options& options, const std::string& value) {
  const std::string lower = ToLower(value);
  if (lower != "debug" && lower != "info" && lower != "warning" && lower != "error") {
    return Bad("write debug, info, warning or error");
  }
  options.log_level = lower;
  return Ok();
}

Status SetToken(Options& options, const std::string& value) {
  const bool good =
      value.size() >= 8 && value.size() <= 512 &&
      std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < 127; });
  if (!good) return Bad("a token has 8 to 512 printable ASCII characters and no white space");
  options.admin_token = value;
  return Ok();
}

constexpr const char* kTraffic = "Traffic";
constexpr const char* kTls = "Certificates and TLS";
constexpr const char* kAdmin = "Admin API";
constexpr const char* kLabels = "Services and labels";
constexpr const char* kDocker = "Docker";
constexpr const char* kProcess = "Files and processes";

std::vector<OptionRow> PortAndAdminRows() {
  return {
      {"DEFAULT_PORTS", "PORTS", "80,443:ssl", kTraffic,
       "ports that take requests, separated by commas; address:port binds one address. "
       "Ports with :ssl speak TLS, with a self-signed certificate while there is no other. "
       "With :proxy behind it every connection must begin with a PROXY protocol header",
       AddBinds},
      {"BIND_PORTS", "PORTS", "", kTraffic, "further ports, written like DEFAULT_PORTS", AddBinds},
      {"UNKNOWN_ROUTE_STATUS", "CODE", "503", kTraffic,
       "answer to a request that no route takes: 503 or 404", SetUnknownRoute},
      {"MAX_CONNECTIONS", "N", "0", kTraffic,
       "most client connections at a time; 0: as many as the limit of open files allows",
       SetNumber<std::uint32_t, &Options::max_connections, 0, 10'000'000>},
      {"THREADS", "N", "0", kTraffic, "HAProxy's threads; 0: one per core",
       SetNumber<int, &Options::threads, 0, 64>},
      {"MINIMUM_SLOTS", "N", "64", kTraffic,
       "backends declared in advance, per class; more are added in powers of two by a hitless "
       "reload",
       SetNumber<std::uint32_t, &Options::minimum_slots, 1, 100'000>},
      Time<&Options::timeout_client>(
          "TIMEOUT_CLIENT", "20", kTraffic,
          "longest silence of a client; seconds, or with a unit (500ms, 5m)"),
      Time<&Options::timeout_connect>("TIMEOUT_CONNECT", "5", kTraffic,
                                      "longest time to connect to a task"),
      Time<&Options::timeout_http_keep_alive>("TIMEOUT_HTTP_KEEP_ALIVE", "15", kTraffic,
                                              "longest wait for a client's next request"),
      Time<&Options::timeout_http_request>(
          "TIMEOUT_HTTP_REQUEST", "5", kTraffic,
          "longest time a client may take to send a request's header"),
      Time<&Options::timeout_queue>("TIMEOUT_QUEUE", "30", kTraffic,
                                    "longest wait for a free connection"),
      Time<&Options::timeout_server>(
          "TIMEOUT_SERVER", "20", kTraffic,
          "longest silence of a task, unless the service sets timeoutServer"),
      Time<&Options::timeout_tunnel>(
          "TIMEOUT_TUNNEL", "3600", kTraffic,
          "longest silence of a websocket, or of a connection that does not speak HTTP, unless the "
          "service sets timeoutTunnel"),
      Time<&Options::hard_stop_after>(
          "HARD_STOP_AFTER", "600", kTraffic,
          "how long connections of a replaced HAProxy process may live on"),
      Time<&Options::drain_timeout>(
          "DRAIN_TIMEOUT", "30", kTraffic,
          "how long requests of an ending task are watched until it is taken out"),

      Directory<&Options::certs_dir>(
          "CERTS_DIR", "/certs", kTls,
          "directory of certificates: each file is certificate, chain and unencrypted key in PEM. "
          "Docker secrets named cert-… or cert_… are read as well. Looked at every two seconds"),
      {"PREFERRED_CERTIFICATE", "GLOBS", "", kTls,
       "names of certificates, separated by commas, * and ? allowed: these come first for names "
       "that several have, and the first is the default certificate",
       tls::SetPreferred},
      {"CRT_LIST_PATH", "FILE", "", kTls,
       "a crt-list of your own instead of all other certificates; HAProxy's user must be able to "
       "read it. After a change: POST /v1/docker-flow-proxy/reload",
       tls::SetCrtList},
      {"CA_FILE", "FILE", "", kTls,
       "clients may show a certificate, which must then be of one of these CAs; HAProxy's user "
       "must be able to read it",
       tls::SetCaFile},
      {"ENABLE_H2", "BOOL", "true", kTls, "speak HTTP/2 on ports with TLS", SetH2},
      {"SSL_BIND_CIPHERS", "CIPHERS", "", kTls,
       "ciphers of TLS 1.2, as OpenSSL names them; default: modern ones", tls::SetBindCiphers},
      {"SSL_BIND_OPTIONS", "WORDS", "", kTls,
       "no-tlsv12, no-tlsv13, no-tls-tickets, ssl-min-ver TLSv1.1 …; the least version is TLS 1.2 "
       "unless ssl-min-ver says otherwise",
       tls::SetBindOptions},
      {"CERT_KEY", "KEY", "", kTls,
       "encrypts the private keys of certificates that were put through the API where they are "
       "stored (AES-256-GCM): 64 hex digits, or a text of at least 16 characters",
       tls::SetCertKey, true},
      {"CERT_KEY_FILE", "FILE", "", kTls, "a file that holds CERT_KEY", tls::SetCertKeyFile},

      {"IP", "ADDRESS", "0.0.0.0", kAdmin, "address of the admin API", SetIp},
      {"PORT", "PORT", "8080", kAdmin, "port of the admin API", SetPort},
      {"ADMIN_TOKEN", "TOKEN", "", kAdmin,
       "calls that change something must carry it (Authorization: Bearer …). Without one they are "
       "taken from this machine only",
       SetToken, true},
      Yes<&Options::admin_allow_remote>(
          "ADMIN_ALLOW_REMOTE", "false", kAdmin,
          "take changing calls from other machines without a token; MODE=swarm does so too"),
  };
}

std::vector<OptionRow> LabelRows() {
  return {
      {"MODE", "MODE", "default", kLabels,
       "swarm: as ADMIN_ALLOW_REMOTE=true, for the calls that users of Docker Flow Proxy script",
       SetMode},
      {"PROXY_INSTANCE_NAME", "NAME", "docker-flow", kLabels, "the name of this instance",
       SetName<&Options::instance_name>},
      Yes<&Options::filter_instance>(
          "FILTER_PROXY_INSTANCE_NAME", "false", kLabels,
          "serve only services whose proxyInstanceName is this instance's"),
      {"SEPARATOR", "CHARACTER", ",", kLabels, "what separates values in a list", SetSeparator},
      {"SERVICE_DOMAIN_ALGO", "FETCH", "", kLabels,
       "how serviceDomain is matched where a service does not say it, e.g. hdr_beg(host); "
       "empty: exactly",
       SetText<&Options::domain_algo>},
      {"DEFAULT_REQ_MODE", "MODE", "http", kLabels,
       "http, tcp or sni: reqMode where a service does not say it", SetReqMode},
      {"DEFAULT_PROTOCOL", "MODE", "", kLabels,
       "the same for static services (DFP_SERVICE_*) only. Default: DEFAULT_REQ_MODE",
       SetStaticReqMode},
      Yes<&Options::https_only>("HTTPS_ONLY", "false", kLabels,
                                "redirect requests without TLS to https, for every service"),
      {"USERS", "USERS", "", kLabels,
       "user:password items divided by commas, asked for by every service that has no users of its "
       "own; passwords for names in the label users",
       SetText<&Options::users_text>, true},
      Yes<&Options::users_encrypted>("USERS_PASS_ENCRYPTED", "false", kLabels,
                                     "the passwords of USERS are hashes of crypt(3)"),
      {"LABEL_PREFIX", "PREFIX", "com.df.", kLabels, "what our labels begin with", SetLabelPrefix},
      Yes<&Options::allow_raw_config>(
          "ALLOW_RAW_CONFIG", "false", kLabels,
          "honour labels that are HAProxy's own configuration (backendExtra, header expressions "
          "that "
          "are not in the list): whoever may label a service then has a say in the whole proxy"),
      Directory<&Options::templates_path>(
          "TEMPLATES_PATH", "/cfg/tmpl", kLabels,
          "where the files lie that templateFePath and templateBePath name; only with "
          "ALLOW_RAW_CONFIG"),
      {"UPSTREAM_CA_FILE", "FILE", "", kLabels,
       "PEM file of the authorities that tasks with sslVerify=true are verified against; default: "
       "the system's. HAProxy's user must be able to read it",
       SetPlainFile},
      {"DF_NOTIFY_LABEL", "LABEL", "", kLabels,
       "the label that opts a service in; sets LABEL_PREFIX too", SetNotifyLabel},
  };
}

std::vector<OptionRow> DockerRows() {
  return {
      {"DOCKER_HOST", "URL", "unix:///var/run/docker.sock", kDocker,
       "the Docker daemon to listen to, unix:// or tcp://; none: no daemon. Where the default is "
       "no "
       "file at start, it is not waited for",
       SetDockerHost, false, "DF_DOCKER_HOST"},
      {"DOCKER_TLS_VERIFY", "BOOL", "", kDocker,
       "speak TLS to the daemon and check its certificate", SetTlsVerify},
      Directory<&Options::docker_cert_path>("DOCKER_CERT_PATH", "", kDocker,
                                            "directory of ca.pem, cert.pem and key.pem"),
      {"OWN_CONTAINER", "ID", "", kDocker,
       "our own container's id or name, where it cannot be found out",
       SetName<&Options::own_container>},
      {"LISTENER_ADDRESS", "ADDRESSES", "", kDocker,
       "accepted; has no effect: the listener is built in", SetListenerAddress},
  };
}

std::vector<OptionRow> ProcessRows() {
  return {
      Directory<&Options::data_dir>(
          "DATA_DIR", "", kProcess,
          "where state and HAProxy's files are kept; one instance per directory. Default: "
          "/var/lib/swarmgate as root, else $XDG_STATE_HOME/swarmgate or ~/.local/state/swarmgate"),
      Directory<&Options::run_dir>("RUN_DIR", "", kProcess,
                                   "where sockets are; default: DATA_DIR/run"),
      {"HAPROXY_BINARY", "PROGRAM", "haproxy", kProcess, "HAProxy 2.6.3 or later",
       SetText<&Options::haproxy_binary>},
      {"HAPROXY_USER", "USER", "", kProcess,
       "the user that HAProxy runs as when we are root; default: haproxy", SetHaproxyUser},
      Time<&Options::haproxy_start_timeout>("HAPROXY_START_TIMEOUT", "30", kProcess,
                                            "how long HAProxy may take to answer after its start, "
                                            "before it is ended and started anew"),
      Time<&Options::stop_grace>("STOP_GRACE", "8", kProcess,
                                 "how long requests in flight may take when we are told to end"),
      {"LOG_LEVEL", "LEVEL", "info", kProcess, "debug, info, warning or error", SetLevel},
  };
}

}  // namespace

std::string OptionRow::flag() const {
  std::string text = ToLower(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

const std::vector<OptionRow>& OptionTable() {
  static const std::vector<OptionRow> table = [] {
    std::vector<OptionRow> rows = PortAndAdminRows();
    for (std::vector<OptionRow>& part :
         std::array{LabelRows(), DockerRows(), ReplicaRows(), ProcessRows()}) {
      std::move(part.begin(), part.end(), std::back_inserter(rows));
    }
    const auto admin = std::find_if(rows.begin(), rows.end(), [](const OptionRow& row) {
      return std::string_view(row.group) == kAdmin;
    });
    std::vector<OptionRow> more = TrafficRows();
    rows.insert(admin, std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    return rows;
  }();
  return table;
}

}  // namespace swarmgate::app
