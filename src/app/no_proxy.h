// The HAProxy of a replica that runs none (ROLE=listener): it takes everything and serves nothing.
// So there is one engine, and what it knows, judges and tells others is the same in every role.
#pragma once

#include <string>
#include <vector>

#include "swarmgate/ports/proxy_control.h"

namespace swarmgate::app {

/// Thread: as its interfaces.
class NoProxy final : public ports::ProxyControl, public ports::ConfigFiles {
 public:
  Result<int> Pid(SteadyTime deadline) override {
    (void)deadline;
    return worker_;
  }
  Result<std::size_t> Execute(const std::vector<haproxy::Step>& steps,
                              SteadyTime deadline) override {
    (void)deadline;
    return steps.size();
  }
  Result<haproxy::Held> ReadBack(const haproxy::Image& assumed, SteadyTime deadline) override {
    (void)deadline;
    return haproxy::Held{assumed, {}};
  }
  Result<std::map<model::ServerName, std::uint64_t>> Sessions(const model::SlotName& slot,
                                                              SteadyTime deadline) override {
    (void)slot;
    (void)deadline;
    return std::map<model::ServerName, std::uint64_t>();
  }
  Result<ports::ReloadOutcome> Reload(SteadyTime deadline) override {
    (void)deadline;
    const int before = worker_++;
    return ports::ReloadOutcome{before, worker_};
  }
  Status CheckFiles(const std::string& directory, SteadyTime deadline) override {
    (void)directory;
    (void)deadline;
    return Ok();
  }

  Status Write(const haproxy::Files& changed, const std::vector<std::string>& removed) override {
    (void)changed;
    (void)removed;
    return Ok();
  }
  Result<haproxy::Files> Load() override { return haproxy::Files(); }
  Result<std::string> Stage(const haproxy::Files& files) override {
    (void)files;
    return std::string("none");
  }

 private:
  int worker_ = 1;  ///< another one after each reload, as with HAProxy
};

}  // namespace swarmgate::app
