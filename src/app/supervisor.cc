#include "app/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "app/layout.h"
#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/proxy/process.h"

namespace swarmgate::app {
namespace {

SteadyTime Now() { return std::chrono::steady_clock::now(); }

constexpr SteadyTime kNever = SteadyTime::max();

int OpenPidfd(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

std::string ExitText(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "status " + std::to_string(WEXITSTATUS(status));
}

/// One of the two children.
struct Watched {
  pid_t pid = -1;
  SteadyTime started;
  SteadyTime next_start = SteadyTime::min();
  Duration backoff{0};

  [[nodiscard]] bool alive() const { return pid > 0; }

  /// At once after a long life, else with growing pauses.
  void ScheduleRestart(Duration most) {
    pid = -1;
    if (Now() - started > std::chrono::seconds(10)) backoff = Duration(0);
    next_start = Now() + backoff;
    backoff = std::min(std::max(backoff * 2, Duration(100)), most);
  }
};

class Supervisor {
 public:
  Supervisor(const Options& options, const std::vector<std::string>& arguments)
      : options_(options), arguments_(arguments), layout_(LayoutOf(options)) {}

  int Run() {
    OpenSignals();
    StartController();
    if (HasProxy()) Adopt();
    while (!Done()) {
      if (!stopping_) {
        StartController();
        EnsureHaproxy();
      }
      WatchHaproxyStart();
      PushStop();
      Wait();
    }
    LogEvent(LogLevel::kInfo, "STOPPED", "ended", {{"status", std::to_string(exit_status_)}});
    return exit_status_;
  }

 private:
  void OpenSignals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    (void)std::signal(SIGPIPE, SIG_IGN);
    signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  [[nodiscard]] bool Done() const { return stopping_ && !controller_.alive() && !proxy_.alive(); }

  // --- the controller -----------------------------------------------------------------

  void StartController() {
    if (controller_.alive() || Now() < controller_.next_start) return;
    std::array<int, 2> pipe{};
    if (pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
      LogEvent(LogLevel::kError, "CONTROLLER_START_FAILED", "no pipe",
               {{"error", std::strerror(errno)}});
      controller_.ScheduleRestart(Duration(5000));
      return;
    }
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) ExecController(parent, pipe[1]);
    close(pipe[1]);
    if (control_ >= 0) close(control_);
    control_ = pipe[0];
    control_text_.clear();
    controller_.started = Now();
    if (pid < 0) {
      LogEvent(LogLevel::kError, "CONTROLLER_START_FAILED", "fork failed",
               {{"error", std::strerror(errno)}});
      controller_.ScheduleRestart(Duration(5000));
      return;
    }
    controller_.pid = pid;
    LogEvent(LogLevel::kDebug, "CONTROLLER_STARTED", "controller started",
             {{"pid", std::to_string(pid)}});
  }

  [[noreturn]] void ExecController(pid_t parent, int control) {
    // Ends with us, so that a killed supervisor leaves nobody who would act beside its successor.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(0);
    // Ctrl-C is for the supervisor, which ends the others in order.
    setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    fcntl(control, F_SETFD, 0);
    setenv(kControlVariable, std::to_string(control).c_str(), 1);
    std::vector<std::string> words = {"swarmgate", "controller"};
    words.insert(words.end(), arguments_.begin(), arguments_.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    execv("/proc/self/exe", argv.data());
    _exit(127);
  }

  void ControllerEnded(int status) {
    const bool settings = WIFEXITED(status) && WEXITSTATUS(status) == kExitSettings;
    controller_.ScheduleRestart(Duration(5000));
    if (stopping_) return;
    if (settings && !ready_) {
      Stop(1);
      return;
    }
    LogEvent(LogLevel::kWarning, "CONTROLLER_ENDED",
             "the controller ended; HAProxy goes on serving, a new controller is started",
             {{"how", ExitText(status)}});
  }

  void ReadControl() {
    std::array<char, 256> buffer{};
    const ssize_t size = read(control_, buffer.data(), buffer.size());
    if (size == 0) {
      close(control_);
      control_ = -1;
    }
    if (size <= 0) return;
    control_text_.append(buffer.data(), static_cast<std::size_t>(size));
    if (control_text_.find("ready\n") != std::string::npos) {
      ready_ = true;
      control_text_.clear();
    }
  }

  // --- HAProxy --------------------------------------------------------------------------

  [[nodiscard]] proxy::HaproxyCommand Command() const {
    proxy::HaproxyCommand command;
    command.binary = options_.haproxy_binary;
    command.files_dir = layout_.files_dir;
    command.run_dir = layout_.run_dir;
    command.user = options_.haproxy_user;
    return command;
  }

  /// Takes over a HAProxy that a killed predecessor left serving.
  bool Adopt() {
    const auto master = proxy::FindMaster(layout_.run_dir);
    if (!master) return false;
    pidfd_ = OpenPidfd(*master);
    if (pidfd_ < 0) return false;
    proxy_.pid = *master;
    proxy_.started = Now();
    adopted_ = true;
    // It did serve once: from now on its end is a reason to start it again, not to give up.
    served_ = true;
    WatchForAnswer();
    LogEvent(LogLevel::kInfo, "HAPROXY_ADOPTED", "a running HAProxy was found and taken over",
             {{"pid", std::to_string(*master)}});
    return true;
  }

  [[nodiscard]] bool HasProxy() const { return options_.role != Role::kListener; }

  void EnsureHaproxy() {
    if (!HasProxy() || !ready_ || proxy_.alive() || Now() < proxy_.next_start) return;
    if (Adopt()) return;
    if (!served_ && !PortsFree()) return;
    proxy_.started = Now();
    const auto pid = proxy::StartHaproxy(Command());
    if (!pid) {
      LogEvent(LogLevel::kError, "HAPROXY_START_FAILED", "HAProxy cannot be started",
               {{"error", pid.error().ToString()}});
      if (!served_) {
        Stop(1);
      } else {
        proxy_.ScheduleRestart(Duration(2000));
      }
      return;
    }
    proxy_.pid = *pid;
    adopted_ = false;
    WatchForAnswer();
  }

  /// Before the first success: a port that somebody else holds is the operator's to solve; it may
  /// also be a predecessor that is just ending.
  bool PortsFree() {
    if (ports_patience_ == SteadyTime()) ports_patience_ = Now() + std::chrono::seconds(3);
    for (const haproxy::Bind& bind : options_.binds) {
      const Status free = CheckBindable(bind);
      if (free) continue;
      if (free.error().code == Code::kConflict && Now() < ports_patience_) {
        proxy_.next_start = Now() + std::chrono::milliseconds(100);
        return false;
      }
      const bool denied = free.error().code == Code::kRejected;
      LogEvent(LogLevel::kError, "PORT_UNAVAILABLE", free.error().message,
               {{"next", denied ? "run as root, or choose ports from 1024 up: DEFAULT_PORTS=8081"
                                : "end that program, or choose other ports: DEFAULT_PORTS=8081"}});
      Stop(1);
      return false;
    }
    return true;
  }

  void WatchForAnswer() { answer_until_ = Now() + options_.haproxy_start_timeout; }

  void WatchHaproxyStart() {
    if (answer_until_ == kNever || !proxy_.alive()) return;
    if (proxy::HaproxyAnswers(layout_.run_dir)) {
      answer_until_ = kNever;
      served_ = true;
      proxy_.backoff = Duration(0);
      LogEvent(LogLevel::kInfo, "HAPROXY_SERVES", "HAProxy serves",
               {{"pid", std::to_string(proxy_.pid)}});
    } else if (Now() > answer_until_) {
      LogEvent(LogLevel::kError, "HAPROXY_SILENT", "HAProxy does not answer; ending it",
               {{"pid", std::to_string(proxy_.pid)}});
      kill(proxy_.pid, SIGKILL);
      answer_until_ = kNever;
    }
  }

  void HaproxyEnded(const std::string& how) {
    if (pidfd_ >= 0) close(pidfd_);
    pidfd_ = -1;
    answer_until_ = kNever;
    proxy_.ScheduleRestart(Duration(2000));
    if (stopping_) return;
    LogEvent(LogLevel::kError, "HAPROXY_ENDED",
             served_ ? "HAProxy ended; starting it again" : "HAProxy did not start",
             {{"how", how}, {"output", proxy::HaproxyLogTail(layout_.run_dir, 700)}});
    if (!served_) Stop(1);
  }

  // --- the end -----------------------------------------------------------------------------

  void Stop(int status) {
    if (stopping_) {
      // Asked twice: no more patience.
      stop_hard_ = std::min(stop_hard_, Now());
      return;
    }
    stopping_ = true;
    exit_status_ = status;
    stop_hard_ = Now() + options_.stop_grace;
    if (controller_.alive()) kill(controller_.pid, SIGTERM);
    SoftStop();
  }

  /// Again and again: a master that is just starting, or that executes itself anew, loses a signal.
  void SoftStop() {
    if (proxy_.alive()) (void)proxy::SoftStopHaproxy(proxy_.pid);  // gone already: noticed soon
    soft_again_ = Now() + std::chrono::milliseconds(300);
  }

  void PushStop() {
    if (!stopping_) return;
    if (Now() < stop_hard_) {
      if (Now() >= soft_again_) SoftStop();
      return;
    }
    if (!hard_sent_) {
      hard_sent_ = true;
      stop_kill_ = Now() + std::chrono::seconds(1);
      if (proxy_.alive()) (void)proxy::HardStopHaproxy(proxy_.pid);
      return;
    }
    if (Now() < stop_kill_) return;
    stop_kill_ = Now() + std::chrono::seconds(1);
    if (proxy_.alive()) kill(proxy_.pid, SIGKILL);
    if (controller_.alive()) kill(controller_.pid, SIGKILL);
  }

  // --- waiting -------------------------------------------------------------------------------

  [[nodiscard]] int WaitMilliseconds() const {
    SteadyTime wake = Now() + std::chrono::seconds(60);
    if (!stopping_ && !controller_.alive()) wake = std::min(wake, controller_.next_start);
    if (!stopping_ && ready_ && HasProxy() && !proxy_.alive())
      wake = std::min(wake, proxy_.next_start);
    if (answer_until_ != kNever && proxy_.alive()) {
      wake = std::min(wake, Now() + std::chrono::milliseconds(20));
    }
    if (stopping_)
      wake = std::min(wake, hard_sent_ ? stop_kill_ : std::min(soft_again_, stop_hard_));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake - Now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  void Wait() {
    std::array<pollfd, 3> watched = {pollfd{signals_, POLLIN, 0}, pollfd{control_, POLLIN, 0},
                                     pollfd{pidfd_, POLLIN, 0}};
    if (poll(watched.data(), watched.size(), WaitMilliseconds()) <= 0) return;
    if (watched[0].revents != 0) ReadSignals();
    if (watched[1].revents != 0 && control_ >= 0) ReadControl();
    if (watched[2].revents != 0 && pidfd_ >= 0 && adopted_) HaproxyEnded("while adopted");
  }

  void ReadSignals() {
    signalfd_siginfo info{};
    while (read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      const int signal = static_cast<int>(info.ssi_signo);
      if (signal == SIGTERM || signal == SIGINT) {
        LogEvent(LogLevel::kInfo, "STOPPING", "ending on request",
                 {{"signal", signal == SIGTERM ? "TERM" : "INT"}});
        Stop(0);
      } else if (signal == SIGHUP && controller_.alive()) {
        kill(controller_.pid, SIGHUP);
      }
    }
    Reap();
  }

  /// Our two children, and as process 1 of a container every orphan.
  void Reap() {
    int status = 0;
    for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
      if (pid == controller_.pid) {
        ControllerEnded(status);
      } else if (pid == proxy_.pid) {
        HaproxyEnded(ExitText(status));
      }
    }
  }

  const Options& options_;
  const std::vector<std::string>& arguments_;
  const Layout layout_;
  int signals_ = -1;
  int control_ = -1;  ///< read end: what the controller reports
  std::string control_text_;
  Watched controller_;
  Watched proxy_;
  int pidfd_ = -1;  ///< of an adopted HAProxy, which is not our child
  bool adopted_ = false;
  bool ready_ = false;   ///< the files are complete: HAProxy may start
  bool served_ = false;  ///< HAProxy answered once
  SteadyTime answer_until_ = kNever;
  SteadyTime ports_patience_;
  bool stopping_ = false;
  bool hard_sent_ = false;
  SteadyTime stop_hard_ = kNever;
  SteadyTime stop_kill_ = kNever;
  SteadyTime soft_again_ = kNever;
  int exit_status_ = 0;
};

std::string PortsText(const Options& options) {
  std::string text;
  for (const haproxy::Bind& bind : options.binds) {
    text += (text.empty() ? "" : ",") + (bind.address == "*" ? "" : bind.address + ":") +
            std::to_string(bind.port);
  }
  return text;
}

}  // namespace

int RunSupervisor(const Options& options, const std::vector<std::string>& arguments) {
  (void)SetLogLevel(options.log_level);  // checked where options are read
  const Layout layout = LayoutOf(options);
  if (const Status prepared = PrepareLayout(layout, options); !prepared) {
    std::fprintf(stderr, "swarmgate: %s\n", prepared.error().message.c_str());
    return prepared.error().code == Code::kInvalidArgument ? 2 : 1;
  }
  const auto lock = FileLock::Take(layout.lock, Now());
  if (!lock) {
    const bool taken = lock.error().code == Code::kConflict;
    std::fprintf(stderr, "swarmgate: DATA_DIR=%s: %s%s\n", options.data_dir.c_str(),
                 lock.error().message.c_str(),
                 taken ? "; give this instance a DATA_DIR of its own" : "");
    return 1;
  }
  const auto version = proxy::ProbeVersion(options.haproxy_binary, Now() + std::chrono::seconds(5));
  if (options.role != Role::kListener && !version) {
    std::fprintf(stderr, "swarmgate: HAPROXY_BINARY=%s: %s\n", options.haproxy_binary.c_str(),
                 version.error().message.c_str());
    return 1;
  }
  for (const std::string& warning : options.warnings) {
    LogEvent(LogLevel::kWarning, "OPTION", warning);
  }
  LogEvent(LogLevel::kInfo, "STARTING", "Swarmgate " SWARMGATE_VERSION,
           {{"role", RoleName(options.role)},
            {"ports", options.role == Role::kListener ? "none" : PortsText(options)},
            {"admin", options.ip + ":" + std::to_string(options.port)},
            {"docker", options.docker_host.empty() ? "none" : options.docker_host},
            {"data_dir", options.data_dir}});
  return Supervisor(options, arguments).Run();
}

}  // namespace swarmgate::app
