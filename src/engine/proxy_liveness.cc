// The part of Applier that looks whether HAProxy is there, still the same process, and which ports
// it holds.
#include <set>
#include <string>
#include <string_view>

#include "engine/applier.h"
#include "swarmgate/base/log.h"
#include "swarmgate/haproxy/tcp_ports.h"

namespace swarmgate::engine {
namespace {

constexpr Duration kPidInterval{1000};
// Far longer than the start of a HAProxy with very much to read.
constexpr Duration kDeadAfter{15000};

}  // namespace

void Applier::NoteProxyDown(const Error& error) {
  if (proxy_up_) {
    LogEvent(LogLevel::kWarning, "PROXY_LOST", "HAProxy does not answer",
             {{"error", error.ToString()}});
  }
  proxy_up_ = false;
  proxy_error_ = error;
  // One that is only slow to answer still listens.
  if (error.code != Code::kUnavailable) {
    down_since_.reset();
  } else if (!down_since_) {
    down_since_ = clock_.Now();
    death_seen_ = false;
  }
  held_.reset();
  aligned_ = false;
  next_pid_poll_ = In(pid_backoff_.Next());
}

void Applier::NotePid(int pid) {
  if (pid_ != 0 && pid != pid_) {
    // Started by somebody else on the files as they are: a crash, a restart, a foreign reload.
    ++counters_.haproxy_restarts;
    LogEvent(LogLevel::kWarning, "PROXY_RESTARTED", "another HAProxy process answers",
             {{"old_pid", std::to_string(pid_)}, {"new_pid", std::to_string(pid)}});
    held_.reset();
    running_ = on_disk_;
  } else if (pid_ == 0 && found_pid_ == 0) {
    running_ = on_disk_;
  }
  // Whoever starts from now on finds the files as they are.
  if (written_) on_disk_ = WrittenStructure();
  startable_ = true;
  if (!proxy_up_) {
    LogEvent(LogLevel::kInfo, "PROXY_CONNECTED", "HAProxy answers", {{"pid", std::to_string(pid)}});
  }
  pid_ = pid;
  proxy_up_ = true;
  down_since_.reset();
  pid_backoff_.Reset();
  next_pid_poll_ = In(kPidInterval);
}

bool Applier::IsDead() const { return down_since_ && clock_.Now() - *down_since_ >= kDeadAfter; }

bool Applier::PollPid() {
  if (clock_.Now() < next_pid_poll_ || (!written_ && !expected_)) return false;
  Result<int> pid = proxy_.Pid(In(kPidDeadline));
  if (!pid) {
    NoteProxyDown(pid.error());
    const bool news = IsDead() && !death_seen_;
    death_seen_ = IsDead();
    return news;
  }
  const bool wanted = !proxy_up_ || *pid != pid_;
  NotePid(*pid);
  return wanted;
}

void Applier::ExpectProxy() {
  startable_ = expected_ = true;
  pid_backoff_.Reset();
  next_pid_poll_ = clock_.Now();
}

std::set<std::uint16_t> Applier::TcpPortsHeld() {
  // Nobody listens for a HAProxy that is dead, and whoever has taken its port meanwhile would keep
  // it from starting.
  if (IsDead()) return {};
  if (running_) return haproxy::TcpPorts(running_->base);
  // Whoever runs already runs on what lies on the disk.
  const Result<haproxy::Files> disk = files_.Load();
  if (!disk) return {};
  const auto base = disk->find("conf/00-base.cfg");
  return base == disk->end() ? std::set<std::uint16_t>() : haproxy::TcpPorts(base->second);
}

std::set<std::uint16_t> Applier::RefusedPorts(const model::Desired& desired) {
  if (rejection_.empty()) return {};
  const std::set<std::uint16_t> held = TcpPortsHeld();
  std::set<std::uint16_t> named;
  for (const model::TcpListener& listener : desired.tcp_listeners) {
    if (held.contains(listener.port)) continue;
    const std::string name = "tcp_" + std::to_string(listener.port);
    const std::size_t at = rejection_.find(name);
    const std::size_t end = at + name.size();
    const bool whole = at != std::string::npos &&
                       (end == rejection_.size() ||
                        std::string_view("0123456789").find(rejection_[end]) == std::string::npos);
    if (whole) named.insert(listener.port);
  }
  return named;
}

}  // namespace swarmgate::engine
