// Everything that an operator can set, read once at start into one immutable struct. Flags come
// before environment variables, these before Docker secrets (/run/secrets/dfp_<lower-case name>).
// One table defines every option: parsing,
// `--help` and docs/options.md are derived from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/haproxy/image.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::app {

/// What this replica does.
enum class Role {
  kAll,
  kListener,  ///< hears Docker, and tells those who cannot; runs no HAProxy
  kProxy,     ///< runs HAProxy, and hears of Docker by another replica
};
/// "all", "listener", "proxy".
[[nodiscard]] const char* RoleName(Role role);

struct Options {
  // Traffic.
  std::vector<haproxy::Bind> binds;  ///< DEFAULT_PORTS and BIND_PORTS
  int unknown_route_status = 503;
  std::uint32_t max_connections = 0;
  int threads = 0;
  std::uint32_t minimum_slots = 64;
  Duration timeout_connect{5000};
  Duration timeout_client{20000};
  Duration timeout_server{20000};
  Duration timeout_queue{30000};
  Duration timeout_tunnel{3600000};
  Duration timeout_http_request{5000};
  Duration timeout_http_keep_alive{15000};
  Duration hard_stop_after{600000};
  Duration drain_timeout{30000};

  /// Everything of haproxy::Extras, composed from several variables where ReadOptions ends.
  haproxy::Extras extras;
  std::string access_log;         ///< "", off, errors, all
  std::string access_log_format;  ///< "", json, http
  bool debug = false;
  bool debug_errors_only = false;
  std::string debug_http_format;
  std::string debug_tcp_format;
  std::string stats_user_from = "STATS_USER";  ///< names of the variables that hold the values
  std::string stats_pass_from = "STATS_PASS";
  std::string stats_uri_from = "STATS_URI";
  std::optional<std::uint16_t> stats_port;
  bool terminate_on_reload = false;

  // TLS.
  haproxy::TlsSettings tls;
  std::string certs_dir = "/certs";
  std::string secrets_dir = "/run/secrets";
  std::vector<std::string> preferred_certificates;
  std::string cert_key;       ///< secret
  std::string cert_key_file;  ///< path of a file that holds it

  // Admin API.
  std::string ip = "0.0.0.0";
  std::uint16_t port = 8080;
  std::string admin_token;
  bool admin_allow_remote = false;  ///< ADMIN_ALLOW_REMOTE, or MODE=swarm

  // Identity and parsing.
  std::string mode = "default";
  std::string service_name = "proxy";  ///< of the proxy itself
  std::string instance_name = "docker-flow";
  bool filter_instance = false;
  char separator = ',';
  std::string domain_algo;
  std::string label_prefix = "com.df.";
  bool https_only = false;
  model::ReqMode req_mode = model::ReqMode::kHttp;
  std::optional<model::ReqMode> static_req_mode;
  std::string users_text;  ///< USERS; `users` is what it says
  bool users_encrypted = false;
  labels::KnownUsers users;
  bool allow_raw_config = false;
  std::string templates_path = "/cfg/tmpl";  ///< only files below it are templates
  std::string upstream_ca_file;              ///< empty: the system's authorities
  /// DFP_SERVICE_*: parameter names without prefix, by service.
  std::vector<std::map<std::string, std::string>> static_services;

  // Docker.
  std::string docker_host = "unix:///var/run/docker.sock";  ///< empty: no Docker
  bool docker_tls = false;
  bool docker_tls_verify = true;  ///< only looked at when docker_tls
  std::string docker_cert_path;
  std::string own_container;

  // Replicas.
  Role role = Role::kAll;
  std::string peers;                        ///< as given, checked
  std::vector<std::string> consul_servers;  ///< base URLs; empty: nothing is shared through Consul
  std::string consul_token;
  std::string consul_ca_file;
  std::string consul_cert_file;
  std::string consul_key_file;
  bool consul_verify = true;

  // This process.
  std::string data_dir;
  std::string run_dir;
  std::string haproxy_binary = "haproxy";
  std::optional<std::string> haproxy_user;  ///< only as root
  Duration haproxy_start_timeout{30000};
  Duration stop_grace{8000};
  std::string log_level = "info";

  /// What the operator should know before anything starts: ports that are not served, settings
  /// without effect.
  std::vector<std::string> warnings;
};

/// Where options come from; tests bring their own.
struct OptionSources {
  std::vector<std::string> arguments;  ///< without program name and subcommand
  std::map<std::string, std::string> environment;
  /// The text of a secret ("dfp_port"), or nothing.
  std::function<std::optional<std::string>(const std::string& name)> secret;
  std::vector<std::string> secret_names;  ///< all that there are
  /// <suffix> → text of the secrets dfp_users_<suffix>.
  std::map<std::string, std::string> user_secrets;
  bool root = false;
};

/// The process's own environment and secrets.
[[nodiscard]] OptionSources SystemSources(std::vector<std::string> arguments);

/// Errors: kInvalidArgument with one sentence that names option, value and what to write instead.
[[nodiscard]] Result<Options> ReadOptions(const OptionSources& sources);

/// The text of `swarmgate run --help`.
[[nodiscard]] std::string RunHelp();

/// docs/options.md (a test compares).
[[nodiscard]] std::string OptionsMarkdown();

}  // namespace swarmgate::app
