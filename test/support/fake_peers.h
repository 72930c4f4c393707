// Addresses of replicas as a test says.
#pragma once

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "swarmgate/ports/peers.h"

namespace swarmgate::testing {

/// Thread: any.
class FakePeers final : public ports::Peers {
 public:
  explicit FakePeers(std::vector<std::string> addresses = {}) { Set(std::move(addresses)); }
  void Set(std::vector<std::string> addresses) {
    std::sort(addresses.begin(), addresses.end());
    const std::lock_guard<std::mutex> lock(mutex_);
    addresses_ = std::move(addresses);
  }
  /// Every call fails so until it is told otherwise.
  void SetDown(std::optional<Code> code) {
    const std::lock_guard<std::mutex> lock(mutex_);
    down_ = code;
  }

  Result<std::vector<std::string>> Find(SteadyTime deadline) override {
    (void)deadline;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (down_) return Fail(*down_, "the fake was told to fail");
    return addresses_;
  }
  void Cancel() override { SetDown(Code::kCancelled); }

 private:
  std::mutex mutex_;
  std::vector<std::string> addresses_;
  std::optional<Code> down_;
};

}  // namespace swarmgate::testing
