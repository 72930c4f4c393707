#include "app/controller.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "app/access_log.h"
#include "app/certificate_files.h"
#include "app/docker_of.h"
#include "app/layout.h"
#include "app/no_proxy.h"
#include "app/port_probe.h"
#include "app/replicas.h"
#include "app/resolve.h"
#include "app/sealed_store.h"
#include "app/supervisor.h"
#include "app/template_files.h"
#include "swarmgate/admin/server.h"
#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/docker/docker_api.h"
#include "swarmgate/engine/engine.h"
#include "swarmgate/proxy/config_files.h"
#include "swarmgate/proxy/haproxy_control.h"
#include "swarmgate/proxy/process.h"
#include "swarmgate/proxy/stats.h"
#include "swarmgate/sqlite/store.h"

namespace swarmgate::app {
namespace {

SteadyTime In(Duration duration) { return std::chrono::steady_clock::now() + duration; }

haproxy::Settings SettingsOf(const Options& options, const Layout& layout) {
  haproxy::Settings settings;
  settings.binds = options.binds;
  settings.tls = options.tls;
  settings.run_dir = layout.run_dir;
  settings.files_dir = layout.files_dir;
  settings.max_connections = options.max_connections;
  settings.threads = options.threads;
  settings.timeout_connect = options.timeout_connect;
  settings.timeout_client = options.timeout_client;
  settings.timeout_server = options.timeout_server;
  settings.timeout_queue = options.timeout_queue;
  settings.timeout_tunnel = options.timeout_tunnel;
  settings.timeout_http_request = options.timeout_http_request;
  settings.timeout_http_keep_alive = options.timeout_http_keep_alive;
  settings.hard_stop_after = options.hard_stop_after;
  settings.unknown_route_status = options.unknown_route_status;
  settings.extras = options.extras;
  return settings;
}

/// What HAProxy is told to verify tasks against; empty where there is nothing.
std::string UpstreamAuthorities(const Options& options) {
  std::error_code error;
  if (!options.upstream_ca_file.empty()) {
    if (std::filesystem::is_regular_file(options.upstream_ca_file, error)) {
      return options.upstream_ca_file;
    }
    LogEvent(LogLevel::kWarning, "UPSTREAM_CA_MISSING",
             "UPSTREAM_CA_FILE is no file; services with sslVerify=true are not served",
             {{"file", Printable(options.upstream_ca_file, 200)}});
    return "";
  }
  // Where HAProxy looks, too: OpenSSL's folder.
  const std::filesystem::directory_iterator entries("/etc/ssl/certs", error);
  return !error && entries != std::filesystem::directory_iterator() ? "@system-ca" : "";
}

engine::EngineOptions EngineOptionsOf(const Options& options, haproxy::Settings settings) {
  engine::EngineOptions result;
  result.proxy = std::move(settings);
  result.parse.separator = options.separator;
  result.parse.domain_algo = options.domain_algo;
  result.parse.instance_name = options.instance_name;
  result.parse.filter_instance = options.filter_instance;
  result.parse.label_prefix = options.label_prefix;
  result.parse.https_only = options.https_only;
  result.parse.req_mode = options.req_mode;
  result.parse.static_req_mode = options.static_req_mode;
  result.parse.users = options.users;
  result.parse.allow_raw = options.allow_raw_config;
  result.parse.upstream_ca = UpstreamAuthorities(options);
  result.parse.verifies_clients = !options.tls.ca_file.empty() || !options.tls.crt_list.empty();
  result.minimum_slots = options.minimum_slots;
  result.drain_timeout = options.drain_timeout;
  result.static_services = options.static_services;
  result.certificates.preferred = options.preferred_certificates;
  result.certificates.directory = options.certs_dir;
  result.reserved_ports = {options.port};
  if (options.extras.stats.port) result.reserved_ports.push_back(*options.extras.stats.port);
  const std::string address = options.binds.empty() ? "*" : options.binds.front().address;
  result.port_is_free = [address](std::uint16_t port) { return PortIsFree(address, port); };
  return result;
}

Result<std::unique_ptr<ports::DockerApi>> DockerOf(const Options& options) {
  if (options.docker_host.empty()) return std::unique_ptr<ports::DockerApi>();
  return docker::MakeDockerApi(DockerOptionsOf(options));
}

/// Docker Flow Proxy was given no socket, and its users' commands mount none: where nobody says
/// which daemon to listen to, and there is no socket at the usual place, none is waited for. One
/// that comes later is heard all the same.
bool DockerIsOptional(const Options& options) {
  const std::string usual = Options().docker_host;
  std::error_code error;
  const bool optional =
      options.docker_host == usual &&
      !std::filesystem::exists(usual.substr(std::string_view("unix://").size()), error) && !error;
  if (optional) {
    LogEvent(
        LogLevel::kInfo, "DOCKER_ABSENT",
        "there is no Docker socket: labels are not heard until there is one, services are made "
        "known by calls and found by their names",
        {{"socket", usual}});
  }
  return optional;
}

/// The key that private keys are stored under; nothing where none is given.
Result<std::optional<certs::SealKey>> SealKeyOf(const Options& options) {
  std::string text = options.cert_key;
  if (text.empty() && !options.cert_key_file.empty()) {
    const auto read = ReadSecretFile(options.cert_key_file, 4096);
    if (!read) return Forward(read.error(), "CERT_KEY_FILE");
    text = std::string(Trim(*read));
    if (text.empty()) {
      return Fail(Code::kInvalidArgument, "CERT_KEY_FILE=" + options.cert_key_file + " is empty");
    }
  }
  if (text.empty()) return std::optional<certs::SealKey>();
  const auto key = certs::MakeSealKey(text);
  if (!key) return Forward(key.error(), "CERT_KEY_FILE");
  return std::optional(*key);
}

/// The descriptor that the supervisor listens to; -1 without one.
int ControlDescriptor() {
  const char* text = std::getenv(kControlVariable);
  const auto number = text == nullptr ? std::nullopt : ParseUint(text, 1U << 20U);
  unsetenv(kControlVariable);
  return number ? static_cast<int>(*number) : -1;
}

void TellReady(int control) {
  constexpr std::string_view kReady = "ready\n";
  if (control >= 0 && write(control, kReady.data(), kReady.size()) < 0) {
    LogEvent(LogLevel::kWarning, "SUPERVISOR_GONE", "the supervisor does not listen");
  }
}

/// A predecessor's port is free as soon as it has ended.
Status BindAdmin(admin::AdminServer& server) {
  const SteadyTime deadline = In(std::chrono::seconds(2));
  while (true) {
    const auto port = server.Bind();
    if (port) return Ok();
    if (port.error().code != Code::kConflict || std::chrono::steady_clock::now() >= deadline) {
      return Forward(port.error());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

sigset_t ControllerSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

int Refuse(std::string_view id, const Error& error, std::string next, int status) {
  LogFields fields = {{"error", error.ToString()}};
  if (!next.empty()) fields.emplace_back("next", std::move(next));
  LogEvent(LogLevel::kError, id, "cannot start", std::move(fields));
  return status;
}

/// Null when nothing is logged, or cannot be: that is no reason not to serve.
std::unique_ptr<AccessLog> OpenAccessLog(const haproxy::Settings& settings) {
  if (settings.extras.access_log.what == haproxy::AccessLog::What::kOff) return nullptr;
  auto opened = AccessLog::Open(haproxy::AccessLogSocket(settings.run_dir));
  if (opened) return *std::move(opened);
  LogEvent(LogLevel::kError, "ACCESS_LOG_UNAVAILABLE", "requests are not logged",
           {{"error", opened.error().ToString()}});
  return nullptr;
}

/// The signals that are waited for.
sigset_t PrepareProcess(const Options& options) {
  // Blocked before any thread exists, so that every thread inherits it and sigwait gets them.
  const sigset_t signals = ControllerSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  (void)std::signal(SIGPIPE, SIG_IGN);
  (void)std::signal(SIGTTOU, SIG_IGN);
  (void)SetLogLevel(options.log_level);  // checked where options are read
  // Started by /proc/self/exe, we would be called "exe" in ps.
  (void)prctl(PR_SET_NAME, "swarmgate");
  LimitResolver();
  return signals;
}

admin::AdminOptions AdminOptionsOf(const Options& options) {
  admin::AdminOptions result;
  result.ip = options.ip;
  result.port = options.port;
  result.token = options.admin_token;
  result.allow_remote = options.admin_allow_remote;
  result.version = SWARMGATE_VERSION;
  return result;
}

/// What Docker says comes from our own, and is told to others; or from another replica, which is
/// the one that is returned.
std::unique_ptr<ports::DockerApi> ConnectDocker(const Options& options, ports::DockerApi* own,
                                                cluster::Cluster& cluster,
                                                engine::Engine::Ports& ports) {
  if (options.role == Role::kProxy) {
    auto peers = cluster.MakeDocker();
    ports.docker = peers.get();
    return peers;
  }
  ports.docker = own;
  ports.facts_changed = [&cluster](const ports::AppliedDelta& delta) { cluster.TakeFacts(delta); };
  ports.docker_answers = [&cluster](bool answers) { cluster.TakeDocker(answers); };
  return nullptr;
}

// A peer fetches what it lacks within a tenth of that.
constexpr Duration kLastWords{1000};

void AwaitEnd(const sigset_t& signals, engine::Engine& engine) {
  for (int signal = 0; signal != SIGTERM && signal != SIGINT;) {
    if (sigwait(&signals, &signal) != 0) continue;
    // Posted, not waited for.
    if (signal == SIGHUP) (void)engine.Resync(std::chrono::steady_clock::now());
  }
}

}  // namespace

int RunController(const Options& options) {
  // Forty threads that are idle nearly always: a heap for each costs tens of megabytes. (With
  // 10,000 services 246 MiB, with two heaps 180.)
  (void)mallopt(M_ARENA_MAX, 2);
  const sigset_t signals = PrepareProcess(options);
  const int control_descriptor = ControlDescriptor();
  const Layout layout = LayoutOf(options);

  // The controller of a killed supervisor may still be ending.
  const auto lock = FileLock::Take(layout.controller_lock, In(std::chrono::seconds(15)));
  if (!lock) return Refuse("CONTROLLER_LOCKED", lock.error(), {}, 1);
  haproxy::Settings settings = SettingsOf(options, layout);
  const bool has_proxy = options.role != Role::kListener;
  if (has_proxy) {
    const auto version = proxy::ProbeVersion(options.haproxy_binary, In(std::chrono::seconds(5)));
    if (!version) return Refuse("HAPROXY_UNUSABLE", version.error(), {}, kExitSettings);
    settings.version = *version;
  }
  auto cookie_key = LoadCookieKey(layout);
  if (!cookie_key) return Refuse("STATE_UNUSABLE", cookie_key.error(), {}, 1);
  settings.cookie_key = *cookie_key;
  const auto docker = DockerOf(options);
  if (!docker) {
    return Refuse("DOCKER_UNUSABLE", docker.error(), "correct DOCKER_HOST", kExitSettings);
  }
  proxy::ConfigFilesOptions files_options;
  files_options.files_dir = layout.files_dir;
  if (options.haproxy_user) {
    const auto user = proxy::LookupUser(*options.haproxy_user);
    if (!user) return Refuse("HAPROXY_USER", user.error(), "correct HAPROXY_USER", kExitSettings);
    files_options.reader = user->gid;
  }
  const SystemClock clock;
  proxy::DiskConfigFiles files(files_options);
  proxy::HaproxyControl control({settings, options.haproxy_binary});
  const auto seal_key = SealKeyOf(options);
  if (!seal_key) return Refuse("CERT_KEY_UNUSABLE", seal_key.error(), {}, kExitSettings);
  engine::Engine* running = nullptr;  // set before anybody asks
  const auto replicas = Replicas::Make(options, layout, *seal_key, clock, [&running] {
    return *running->snapshot()->shared.replicas;
  });
  if (!replicas) return Refuse("STATE_UNUSABLE", replicas.error(), {}, 1);
  ports::SharedStore* shared = (*replicas)->shared();
  const auto store = sqlite::MakeStore(layout.state_dir + "/state.db", shared != nullptr);
  std::optional<SealedStore> sealed;
  if (*seal_key) sealed.emplace(*store, **seal_key);
  auto self_signed = LoadSelfSigned(layout);
  if (!self_signed) return Refuse("STATE_UNUSABLE", self_signed.error(), {}, 1);
  DiskCertificates certificates(options.certs_dir, options.secrets_dir);

  cluster::Cluster& cluster = (*replicas)->cluster();
  NoProxy no_proxy;
  engine::Engine::Ports ports;
  const auto peer_docker = ConnectDocker(options, docker->get(), cluster, ports);
  ports.proxy = has_proxy ? static_cast<ports::ProxyControl*>(&control) : &no_proxy;
  ports.files = has_proxy ? static_cast<ports::ConfigFiles*>(&files) : &no_proxy;
  ports.shared = shared;
  ports.store = sealed ? static_cast<ports::StateStore*>(&*sealed) : store.get();
  if (options.tls.crt_list.empty() && has_proxy) ports.certificates = &certificates;
  ports.files_ready = [control_descriptor] { TellReady(control_descriptor); };
  ports.resolve = ResolveName;
  ports.read_template = [&options](const std::string& path) {
    return ReadTemplate(options.templates_path, path);
  };
  ports.clock = &clock;
  engine::EngineOptions engine_options = EngineOptionsOf(options, settings);
  engine_options.docker_optional = DockerIsOptional(options);
  engine_options.certificates.self_signed = model::Secret(std::move(*self_signed));
  engine_options.sharing.self = (*replicas)->self();
  engine_options.sharing.store_name = (*replicas)->shared_name();
  engine_options.sharing.announce_every = (*replicas)->announce_every();
  engine::Engine engine(std::move(engine_options), ports);
  running = &engine;
  cluster.OnFollower([&engine] { engine.WantFacts(); });

  proxy::StatsReader stats(layout.run_dir);
  admin::EngineBackend backend(engine,
                               [&stats](SteadyTime deadline) { return stats.Read(deadline); });
  admin::AdminServer admin(AdminOptionsOf(options), backend, &cluster);
  if (const Status bound = BindAdmin(admin); !bound) {
    return Refuse("ADMIN_PORT_UNAVAILABLE", bound.error(), "choose another PORT (or IP)",
                  kExitSettings);
  }
  const auto access_log = has_proxy ? OpenAccessLog(settings) : nullptr;
  (*replicas)->Start();
  engine.Start();
  admin.Start();

  AwaitEnd(signals, engine);
  // Should anything hang from here on, the kernel ends us: HAProxy serves without us.
  alarm(10);
  // The disk may go with the task: what was accepted is to be with the others before.
  (void)cluster.AwaitPeers(kLastWords);
  CloseEvents();
  admin.Stop();
  control.Cancel();
  engine.Stop();
  (*replicas)->Stop();
  return 0;
}

}  // namespace swarmgate::app
