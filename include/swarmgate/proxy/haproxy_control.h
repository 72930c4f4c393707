// ports::ProxyControl over the two unix sockets of a running HAProxy: the worker's runtime socket
// and the master's. The sockets are treated with suspicion: one connection and one line per batch,
// read to its end, each reply checked, and then what was touched is read back.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "swarmgate/haproxy/image.h"
#include "swarmgate/ports/proxy_control.h"

namespace swarmgate::proxy {

struct ControlOptions {
  haproxy::Settings settings;
  std::string binary = "haproxy";  ///< for CheckFiles
};

/// Thread: as ports::ProxyControl; Cancel: any.
class HaproxyControl final : public ports::ProxyControl {
 public:
  explicit HaproxyControl(ControlOptions options);
  ~HaproxyControl() override;
  HaproxyControl(const HaproxyControl&) = delete;
  HaproxyControl& operator=(const HaproxyControl&) = delete;

  Result<int> Pid(SteadyTime deadline) override;
  Result<std::size_t> Execute(const std::vector<haproxy::Step>& steps,
                              SteadyTime deadline) override;
  Result<haproxy::Held> ReadBack(const haproxy::Image& assumed, SteadyTime deadline) override;
  Result<std::map<model::ServerName, std::uint64_t>> Sessions(const model::SlotName& slot,
                                                              SteadyTime deadline) override;
  Result<ports::ReloadOutcome> Reload(SteadyTime deadline) override;
  Status CheckFiles(const std::string& directory, SteadyTime deadline) override;

  /// Every call, now and from now on, ends with kCancelled within some milliseconds.
  void Cancel();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarmgate::proxy
