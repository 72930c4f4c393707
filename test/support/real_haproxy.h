// A real HAProxy on files and sockets in a folder of the test's own. Header only: it uses the
// adapter, which not every test program links.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "support/child_process.h"
#include "support/network.h"
#include "support/random_desired.h"
#include "support/test_root.h"
#include "support/wait.h"
#include "swarmgate/proxy/config_files.h"
#include "swarmgate/proxy/haproxy_control.h"
#include "swarmgate/proxy/process.h"

namespace swarmgate::testing {

inline SteadyTime In(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

class RealHaproxy {
 public:
  RealHaproxy()
      : dir_("haproxy"),
        settings_(TestSettings(dir_.path(), static_cast<std::uint16_t>(FreePort()))) {}
  ~RealHaproxy() { Kill(); }
  RealHaproxy(const RealHaproxy&) = delete;
  RealHaproxy& operator=(const RealHaproxy&) = delete;

  static bool Available() {
    return !proxy::ProbeVersion("haproxy", In(std::chrono::seconds(5))).has_value() ? false : true;
  }

  [[nodiscard]] haproxy::Settings& settings() { return settings_; }
  [[nodiscard]] int port() const { return settings_.binds.front().port; }
  [[nodiscard]] const std::string& directory() const { return dir_.path(); }

  [[nodiscard]] proxy::HaproxyCommand command() const {
    proxy::HaproxyCommand command;
    command.files_dir = settings_.files_dir;
    command.run_dir = settings_.run_dir;
    command.max_open_files = 4000;
    return command;
  }

  proxy::HaproxyControl& control() {
    if (!control_)
      control_ =
          std::make_unique<proxy::HaproxyControl>(proxy::ControlOptions{settings_, "haproxy"});
    return *control_;
  }
  proxy::DiskConfigFiles& files() {
    if (!files_)
      files_ = std::make_unique<proxy::DiskConfigFiles>(
          proxy::ConfigFilesOptions{settings_.files_dir, {}});
    return *files_;
  }

  /// On the files as they are. False when it does not come up.
  bool Start() {
    if (!proxy::PrepareRunDir(settings_.run_dir, std::nullopt)) return false;
    const auto pid = proxy::StartHaproxy(command());
    if (!pid) return false;
    master_ = *pid;
    return WaitUntil([this] {
             return proxy::HaproxyAnswers(settings_.run_dir) || proxy::HaproxyEnded(master_);
           }) &&
           !proxy::HaproxyEnded(master_);
  }
  /// The master, and with it the worker.
  void Kill() {
    if (master_ == 0) return;
    // Its end is what is wanted; that it has ended already is no failure.
    (void)proxy::StopHaproxy(master_, In(std::chrono::milliseconds(0)),
                             In(std::chrono::seconds(5)));
    master_ = 0;
  }
  [[nodiscard]] pid_t master() const { return master_; }

 private:
  TempDir dir_;
  haproxy::Settings settings_;
  std::unique_ptr<proxy::HaproxyControl> control_;
  std::unique_ptr<proxy::DiskConfigFiles> files_;
  pid_t master_ = 0;
};

}  // namespace swarmgate::testing
