// deploy/socket-proxy.cfg, between Swarmgate and Docker's socket: all that Swarmgate asks goes
// through, and nothing else does.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "integration/world.h"
#include "support/child_process.h"
#include "support/json.h"
#include "support/paths.h"
#include "support/test_root.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

class SocketProxyTest : public SwarmTest {
 protected:
  void SetUp() override {
    SwarmTest::SetUp();
    if (IsSkipped()) return;
    std::string text = ReadFile(SourcePath("deploy/socket-proxy.cfg"));
    text = Replaced(text, "/var/run/docker.sock", docker().socket());
    text = Replaced(text, "bind 127.0.0.1:2375", "bind unix@" + socket());
    text += "frontend told\n    bind unix@" + dir_.File("stats.sock") +
            "\n    stats enable\n    stats uri /\n";
    WriteFile(dir_.File("haproxy.cfg"), text);
    ChildOptions options;
    options.argv = {"haproxy", "-db", "-f", dir_.File("haproxy.cfg")};
    haproxy_ = std::make_unique<ChildProcess>(options);
    ASSERT_TRUE(WaitUntil([&] { return Ask("GET", "/version").status == 200; }))
        << haproxy_->Tail();
    gate().options().docker_socket = socket();
  }
  void TearDown() override {
    SwarmTest::TearDown();
    haproxy_.reset();
  }

  [[nodiscard]] std::string socket() const { return dir_.File("docker.sock"); }
  [[nodiscard]] HttpResponse Ask(const std::string& method, const std::string& target) const {
    HttpRequest request;
    request.method = method;
    request.target = target;
    return Fetch({.unix_path = socket()}, request);
  }

  /// How many requests HAProxy has refused.
  [[nodiscard]] std::string Denied() const {
    const std::string stats = Get({.unix_path = dir_.File("stats.sock")}, "/;csv").body;
    size_t at = stats.find("docker,FRONTEND,");
    if (at == std::string::npos) return "no counters in: " + stats;
    constexpr int kColumn = 10;  // dreq
    for (int i = 0; i < kColumn; ++i) at = stats.find(',', at) + 1;
    return stats.substr(at, stats.find(',', at) - at);
  }

 private:
  TempDir dir_{"socket-proxy"};
  std::unique_ptr<ChildProcess> haproxy_;
};

TEST_F(SocketProxyTest, EverythingThatSwarmgateAsksGoesThrough) {
  gate().Start();
  RunService("demo", Route("/demo"), 2);
  EXPECT_TRUE(gate().WaitServers(2, "/demo"));
  // What the image exposes, which only Docker knows: of a service and of a container.
  Labels portless = Route("/image");
  portless.erase("com.df.port");
  RunService("portless", portless);
  EXPECT_TRUE(gate().WaitStatus(200, "/image"));
  portless["com.df.servicePath"] = "/container";
  docker().RunContainer({.name = "solo", .labels = portless, .network = kWeb});
  EXPECT_TRUE(gate().WaitStatus(200, "/container"));
  // Events come through, and a change is live by them.
  docker().RemoveContainer("solo");
  EXPECT_TRUE(gate().WaitStatus(503, "/container"));
  EXPECT_EQ(gate().Admin("/v1/docker-flow-swarm-listener/get-nodes").status, 200);
  EXPECT_EQ(JsonText(gate().Admin("/v1/status").body, "/docker/ok"), "true");
  EXPECT_EQ(Denied(), "0");
}

TEST_F(SocketProxyTest, NothingElseDoes) {
  for (const char* target : {"/version", "/v1.41/info", "/services", "/v1.41/tasks", "/nodes",
                             "/v1.41/networks", "/v1.41/containers/json?all=1"}) {
    EXPECT_EQ(Ask("GET", target).status, 200) << target;
    for (const char* method : {"POST", "PUT", "DELETE", "HEAD"}) {
      EXPECT_EQ(Ask(method, target).status, 403) << method << " " << target;
    }
  }
  for (const char* target : {"/",
                             "/secrets",
                             "/v1.41/secrets",
                             "/configs",
                             "/swarm",
                             "/swarm/unlockkey",
                             "/plugins",
                             "/volumes",
                             "/images/json",
                             "/images/x/get",
                             "/images/../secrets/json",
                             "/containers/x/../../secrets/json",
                             "/images/%2e%2e/secrets/json",
                             "//secrets",
                             "/containers/anchor/logs?stdout=1",
                             "/containers/anchor/archive?path=/etc",
                             "/containers/anchor/export",
                             "/containers/anchor/top",
                             "/containers/anchor/attach/ws",
                             "/exec/x/json",
                             "/services/x",
                             "/services/x/logs",
                             "/nodes/x",
                             "/networks/web",
                             "/system/df",
                             "/_ping",
                             "/v1.41/v1.41/info",
                             "/v2/info",
                             "/distribution/x/json",
                             "/session",
                             "/build"}) {
    EXPECT_EQ(Ask("GET", target).status, 403) << target;
    EXPECT_EQ(Ask("POST", target).status, 403) << target;
  }
  EXPECT_NE(Denied(), "0");
}

}  // namespace
}  // namespace swarmgate::testing
