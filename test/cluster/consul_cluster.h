// Three real Consul servers that elect a leader among them, on addresses of the hub.
#ifndef SWARMGATE_TEST_CLUSTER_CONSUL_CLUSTER_H_
#define SWARMGATE_TEST_CLUSTER_CONSUL_CLUSTER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cluster/hub.h"
#include "support/child_process.h"
#include "support/http_client.h"
#include "support/test_root.h"

namespace swarmgate::testing {

class ConsulCluster {
 public:
  /// Starts them; WaitLeader() tells when they are of use.
  explicit ConsulCluster(Hub* hub);

  [[nodiscard]] size_t size() const { return servers_.size(); }
  /// For CONSUL_ADDRESS: all, in order.
  [[nodiscard]] std::string addresses() const;
  /// The server that leads; throws when there is none within half a minute.
  size_t WaitLeader();
  /// One request to the server that leads; throws when it is not answered.
  HttpResponse Send(const HttpRequest& request);
  /// SIGKILL. What was acknowledged is on the disk.
  void Kill(size_t server);
  void Start(size_t server);
  /// It takes connections and answers nothing, until Resume.
  void Pause(size_t server);
  void Resume(size_t server);

 private:
  struct Server {
    std::string address;
    std::unique_ptr<TempDir> data;
    std::unique_ptr<ChildProcess> process;
    bool answers = false;
  };

  [[nodiscard]] Endpoint EndpointOf(size_t server) const;

  Hub* hub_;
  std::vector<Server> servers_;
};

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_CLUSTER_CONSUL_CLUSTER_H_
