#include "app/controller.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "app/layout.h"
#include "app/port_probe.h"
#include "app/resolve.h"
#include "app/supervisor.h"
#include "swarmgate/admin/server.h"
#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/docker/docker_api.h"
#include "swarmgate/engine/engine.h"
#include "swarmgate/proxy/config_files.h"
#include "swarmgate/proxy/haproxy_control.h"
#include "swarmgate/proxy/process.h"
#include "swarmgate/sqlite/store.h"

namespace swarmgate::app {
namespace {

SteadyTime In(Duration duration) { return std::chrono::steady_clock::now() + duration; }

haproxy::Settings SettingsOf(const Options& options, const Layout& layout) {
  haproxy::Settings settings;
  settings.binds = options.binds;
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
  return settings;
}

engine::EngineOptions EngineOptionsOf(const Options& options, haproxy::Settings settings) {
  engine::EngineOptions result;
  result.proxy = std::move(settings);
  result.parse.separator = options.separator;
  result.parse.domain_algo = options.domain_algo;
  result.parse.instance_name = options.instance_name;
  result.parse.filter_instance = options.filter_instance;
  result.parse.label_prefix = options.label_prefix;
  result.minimum_slots = options.minimum_slots;
  result.drain_timeout = options.drain_timeout;
  result.static_services = options.static_services;
  result.reserved_ports = {options.port};
  const std::string address = options.binds.empty() ? "*" : options.binds.front().address;
  result.port_is_free = [address](std::uint16_t port) { return PortIsFree(address, port); };
  return result;
}

Result<std::unique_ptr<ports::DockerApi>> DockerOf(const Options& options) {
  if (options.docker_host.empty()) return std::unique_ptr<ports::DockerApi>();
  docker::DockerOptions docker;
  docker.host = options.docker_host;
  docker.tls = options.docker_tls || !options.docker_cert_path.empty();
  docker.tls_verify = options.docker_tls && options.docker_tls_verify;
  docker.cert_path = options.docker_cert_path;
  docker.label_prefix = options.label_prefix;
  docker.own_container = options.own_container;
  return docker::MakeDockerApi(docker);
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

}  // namespace

int RunController(const Options& options) {
  // Blocked before any thread exists, so that every thread inherits it and sigwait gets them.
  const sigset_t signals = ControllerSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  (void)std::signal(SIGPIPE, SIG_IGN);
  (void)std::signal(SIGTTOU, SIG_IGN);
  (void)SetLogLevel(options.log_level);  // checked where options are read
  // Started by /proc/self/exe, we would be called "exe" in ps.
  (void)prctl(PR_SET_NAME, "swarmgate");
  LimitResolver();
  const int control_descriptor = ControlDescriptor();
  const Layout layout = LayoutOf(options);

  // The controller of a killed supervisor may still be ending.
  const auto lock = FileLock::Take(layout.controller_lock, In(std::chrono::seconds(15)));
  if (!lock) return Refuse("CONTROLLER_LOCKED", lock.error(), {}, 1);
  haproxy::Settings settings = SettingsOf(options, layout);
  const auto version = proxy::ProbeVersion(options.haproxy_binary, In(std::chrono::seconds(5)));
  if (!version) return Refuse("HAPROXY_UNUSABLE", version.error(), {}, kExitSettings);
  settings.version = *version;
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
  const auto store = sqlite::MakeStore(layout.state_dir + "/state.db");

  engine::Engine::Ports ports;
  ports.docker = docker->get();
  ports.proxy = &control;
  ports.files = &files;
  ports.store = store.get();
  ports.files_ready = [control_descriptor] { TellReady(control_descriptor); };
  ports.resolve = ResolveName;
  ports.clock = &clock;
  engine::Engine engine(EngineOptionsOf(options, settings), ports);

  admin::EngineBackend backend(engine);
  admin::AdminOptions admin_options;
  admin_options.ip = options.ip;
  admin_options.port = options.port;
  admin_options.token = options.admin_token;
  admin_options.allow_remote = options.admin_allow_remote;
  admin_options.version = SWARMGATE_VERSION;
  admin::AdminServer admin(admin_options, backend);
  if (const Status bound = BindAdmin(admin); !bound) {
    return Refuse("ADMIN_PORT_UNAVAILABLE", bound.error(), "choose another PORT (or IP)",
                  kExitSettings);
  }
  engine.Start();
  admin.Start();

  for (int signal = 0; signal != SIGTERM && signal != SIGINT;) {
    if (sigwait(&signals, &signal) != 0) continue;
    // Posted, not waited for.
    if (signal == SIGHUP) (void)engine.Resync(std::chrono::steady_clock::now());
  }
  // Should anything hang from here on, the kernel ends us: HAProxy serves without us.
  alarm(10);
  CloseEvents();
  admin.Stop();
  control.Cancel();
  engine.Stop();
  return 0;
}

}  // namespace swarmgate::app
