// The world of the end-to-end suite: one Docker daemon with a Swarm for the whole program, and a
// Swarmgate for each test.
#ifndef SWARMGATE_TEST_INTEGRATION_WORLD_H_
#define SWARMGATE_TEST_INTEGRATION_WORLD_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "support/dockerd.h"
#include "support/gate.h"
#include "support/load_generator.h"

namespace swarmgate::testing {

/// The overlay network that the proxy is on.
inline constexpr char kWeb[] = "web";
/// An overlay network that it is not on.
inline constexpr char kLonely[] = "lonely";
/// A bridge network of the daemon's host.
inline constexpr char kBridge[] = "bridged";

/// The daemon of this program, started when it is first asked for.
Dockerd& docker();
/// The container whose place on kWeb the proxy takes; made anew when the daemon lost it.
Anchor& anchor();
/// Ends what docker() started.
void TearDownWorld();

/// How Swarmgate stands in the tests of a fixture.
enum class Place {
  kTask,  ///< on the overlay network, as a service of the Swarm is
  kHost,  ///< on the daemon's host, outside of any container
};

/// A Swarm without services, and a Swarmgate that is not started yet.
class SwarmTest : public ::testing::Test {
 protected:
  explicit SwarmTest(Place place = Place::kTask) : place_(place) {}
  void SetUp() override;
  void TearDown() override;

  Gate& gate() { return *gate_; }
  /// Labels of an ordinary service: notify, servicePath and port 8080.
  static Labels Route(const std::string& path, Labels more = {});
  /// Creates a service on kWeb with these labels and waits until its tasks run.
  ServiceOptions RunService(const std::string& name, const Labels& labels, int replicas = 1);
  /// Load on one path, until Stop().
  [[nodiscard]] LoadOptions Load(const std::string& path, bool keep_alive) const;

 private:
  Place place_;
  std::unique_ptr<Gate> gate_;
};

class HostTest : public SwarmTest {
 protected:
  HostTest() : SwarmTest(Place::kHost) {}
};

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_INTEGRATION_WORLD_H_
