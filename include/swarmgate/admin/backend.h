// What the admin API needs of the engine: its picture, and the few calls that change something. A
// seam of its own, so that the API is tested without an engine.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/engine/engine.h"

namespace swarmgate::admin {

/// As engine::Engine's members of the same names. Thread: any.
class AdminBackend {
 public:
  virtual ~AdminBackend() = default;
  [[nodiscard]] virtual std::shared_ptr<const engine::Snapshot> GetSnapshot() const = 0;
  virtual engine::Outcome Reconfigure(const std::map<std::string, std::string>& parameters,
                                      SteadyTime deadline, std::int64_t made_unix_ms) = 0;
  virtual engine::Outcome Validate(const std::map<std::string, std::string>& parameters,
                                   SteadyTime deadline) = 0;
  virtual engine::Outcome Remove(const std::map<std::string, std::string>& parameters,
                                 SteadyTime deadline, std::int64_t made_unix_ms) = 0;
  virtual engine::Outcome PutCertificate(const std::string& name, const std::string& pem,
                                         SteadyTime deadline, std::int64_t made_unix_ms) = 0;
  virtual engine::Outcome RemoveCertificate(const std::string& name, SteadyTime deadline,
                                            std::int64_t made_unix_ms) = 0;
  virtual engine::Outcome Reload(SteadyTime deadline) = 0;
  virtual engine::Outcome Resync(SteadyTime deadline) = 0;
  virtual Result<std::string> ConfigText(SteadyTime deadline) = 0;
  /// HAProxy's counters as CSV; never null. May be some seconds old.
  virtual Result<std::shared_ptr<const std::string>> ProxyStats(SteadyTime deadline) = 0;
};

/// Hands every call to an engine, which outlives it, and to who knows HAProxy's counters.
class EngineBackend final : public AdminBackend {
 public:
  using Stats = std::function<Result<std::shared_ptr<const std::string>>(SteadyTime deadline)>;
  explicit EngineBackend(engine::Engine& engine, Stats stats)
      : engine_(engine), stats_(std::move(stats)) {}
  [[nodiscard]] std::shared_ptr<const engine::Snapshot> GetSnapshot() const override {
    return engine_.snapshot();
  }
  engine::Outcome Reconfigure(const std::map<std::string, std::string>& parameters,
                              SteadyTime deadline, std::int64_t made_unix_ms) override {
    return engine_.Reconfigure(parameters, deadline, made_unix_ms);
  }
  engine::Outcome Validate(const std::map<std::string, std::string>& parameters,
                           SteadyTime deadline) override {
    return engine_.Validate(parameters, deadline);
  }
  engine::Outcome Remove(const std::map<std::string, std::string>& parameters, SteadyTime deadline,
                         std::int64_t made_unix_ms) override {
    return engine_.Remove(parameters, deadline, made_unix_ms);
  }
  engine::Outcome PutCertificate(const std::string& name, const std::string& pem,
                                 SteadyTime deadline, std::int64_t made_unix_ms) override {
    return engine_.PutCertificate(name, pem, deadline, made_unix_ms);
  }
  engine::Outcome RemoveCertificate(const std::string& name, SteadyTime deadline,
                                    std::int64_t made_unix_ms) override {
    return engine_.RemoveCertificate(name, deadline, made_unix_ms);
  }
  engine::Outcome Reload(SteadyTime deadline) override { return engine_.Reload(deadline); }
  engine::Outcome Resync(SteadyTime deadline) override { return engine_.Resync(deadline); }
  Result<std::string> ConfigText(SteadyTime deadline) override {
    return engine_.ConfigText(deadline);
  }
  Result<std::shared_ptr<const std::string>> ProxyStats(SteadyTime deadline) override {
    return stats_(deadline);
  }

 private:
  engine::Engine& engine_;
  Stats stats_;
};

}  // namespace swarmgate::admin
