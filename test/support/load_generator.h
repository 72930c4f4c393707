// Steady, bounded load, and an honest count of what was lost.
//
// A request is lost when its complete, expected answer did not come: refused,
// reset, end of stream, timeout, another status or another body. Nothing is
// retried: a keep-alive connection that the proxy closed without having said so
// costs the request that was sent on it, as it does for real clients.
#ifndef SWARMGATE_TEST_SUPPORT_LOAD_GENERATOR_H_
#define SWARMGATE_TEST_SUPPORT_LOAD_GENERATOR_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/http_client.h"

namespace swarmgate::testing {

struct LoadOptions {
  Endpoint endpoint;
  /// Each thread goes round these; the answer must be 200 and contain the
  /// request's `expect`.
  struct Target {
    HttpRequest request;
    std::string expect;
  };
  std::vector<Target> targets;
  int threads = 8;
  bool keep_alive = true;
  /// Between an answer and the next request of the same thread.
  std::chrono::microseconds think_time{0};
  /// It stops by itself after either.
  std::chrono::milliseconds max_duration{std::chrono::seconds(60)};
  uint64_t max_requests = 5'000'000;
  std::chrono::milliseconds timeout{std::chrono::seconds(10)};
};

struct LoadReport {
  uint64_t ok = 0;
  uint64_t lost = 0;
  std::map<std::string, uint64_t> reasons;
  /// The first few losses: when (ms since the start), what, where.
  std::vector<std::string> samples;
  std::chrono::milliseconds duration{0};
  /// Of the answers that came, sorted, in microseconds.
  std::vector<uint32_t> latencies;

  /// 0.5 is the median; 0 when there was no answer.
  [[nodiscard]] std::chrono::microseconds Quantile(double q) const;
  [[nodiscard]] std::chrono::milliseconds Slowest() const;
  [[nodiscard]] std::string Summary() const;
};

/// Runs from construction until Stop(), or until its own bounds.
class LoadGenerator {
 public:
  explicit LoadGenerator(LoadOptions options);
  ~LoadGenerator();
  LoadGenerator(const LoadGenerator&) = delete;
  LoadGenerator& operator=(const LoadGenerator&) = delete;

  [[nodiscard]] uint64_t answered() const { return answered_.load(); }
  /// Waits until so many more answers have come; false after `limit`.
  bool WaitForAnswers(uint64_t more, std::chrono::milliseconds limit = std::chrono::seconds(20));
  /// Lets requests in flight finish. Callable once.
  LoadReport Stop();
  /// Waits for the bounds, then as Stop().
  LoadReport Finish();

 private:
  struct Worker;
  void Run(Worker* worker, size_t index);

  LoadOptions options_;
  std::chrono::steady_clock::time_point start_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> started_{0};
  std::atomic<uint64_t> answered_{0};
  std::vector<std::unique_ptr<Worker>> workers_;
};

/// GET `path`, expecting 200 and `expect` in the body.
LoadOptions::Target GetTarget(const std::string& path,
                              const std::string& expect = "host=", const std::string& host = {});

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_SUPPORT_LOAD_GENERATOR_H_
