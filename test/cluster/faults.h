// What the tests of faults measure with: changes that go on meanwhile, and the table of the
// results.
#ifndef SWARMGATE_TEST_CLUSTER_FAULTS_H_
#define SWARMGATE_TEST_CLUSTER_FAULTS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cluster/world.h"
#include "support/load_generator.h"

namespace swarmgate::testing {

/// Sends definitions and removals of a few services, each to any of the replicas, one after the
/// other, and remembers the last one of each that was accepted.
class Changes {
 public:
  /// `seed`: of the order in which replicas are sent changes, the same after each Start.
  Changes(Cluster* cluster, unsigned seed) : cluster_(cluster), seed_(seed) {}
  ~Changes() { Stop(); }
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;

  /// Goes on until Stop(), to the replicas on these machines.
  void Start(std::vector<size_t> machines);
  void Stop();
  /// Of all runs.
  [[nodiscard]] unsigned accepted() const { return accepted_; }
  /// Calls that were not answered with 200 since this was last asked, and why.
  [[nodiscard]] std::map<std::string, unsigned> TakeRefused() {
    return std::exchange(refused_, {});
  }
  /// Empty when this replica serves the last accepted changes, else what it lacks.
  std::string Missing(size_t machine) const;

 private:
  void Run(const std::vector<size_t>& machines);

  Cluster* cluster_;
  unsigned seed_;
  std::mt19937 random_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  std::atomic<unsigned> accepted_{0};
  unsigned sent_ = 0;
  std::map<std::string, std::string> last_;  // service → path; empty: removed
  std::map<std::string, std::string> calls_;  // service → what was sent and answered, for a failure
  std::map<std::string, unsigned> refused_;
};

/// A row of docs/reliability.md.
struct FaultResult {
  std::string fault;
  uint64_t requests = 0;
  uint64_t failed = 0;
  unsigned changes = 0;
  /// Of all answers.
  std::chrono::milliseconds slowest{0};
  std::chrono::milliseconds converged{0};
};

/// The page with these rows.
std::string ReliabilityPage(const std::vector<FaultResult>& results);

/// Requests that a replica lost that could be connected to: one that is just replaced cannot.
uint64_t LostByServing(const LoadReport& report);

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_CLUSTER_FAULTS_H_
