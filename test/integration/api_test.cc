// The admin API and the commands against a running instance.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "integration/world.h"
#include "support/json.h"
#include "support/network.h"
#include "support/paths.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kReconfigure[] = "/v1/docker-flow-proxy/reconfigure?";
constexpr char kRemove[] = "/v1/docker-flow-proxy/remove?";

/// Swarmgate without Docker, and one web server on this machine.
class ApiTest : public ::testing::Test {
 protected:
  ApiTest() : gate_(GateOptions{}), port_(std::to_string(FreePort())) {
    ChildOptions options;
    options.argv = {EchoServerBinary(), port_};
    options.environment = {{"ECHO_NAME", "local"}};
    server_ = std::make_unique<ChildProcess>(options);
    gate_.Start();
  }
  void TearDown() override {
    if (HasFailure()) GTEST_LOG_(INFO) << gate_.process().Tail(80);
  }
  std::string Query(const std::string& name, const std::string& more) {
    return "serviceName=" + name + "&port=" + port_ + "&outboundHostname=127.0.0.1" + more;
  }

  Gate gate_;
  std::string port_;
  std::unique_ptr<ChildProcess> server_;
};

TEST_F(ApiTest, ReconfigureIsLiveWhenItAnswersAndRemoveTakesItAway) {
  const HttpResponse added = gate_.Admin(kReconfigure + Query("api", "&servicePath=/api"));
  EXPECT_EQ(added.status, 200) << added.Summary();
  EXPECT_EQ(JsonText(added.body, "/Status"), "OK");
  EXPECT_EQ(JsonText(added.body, "/ServiceName"), "api");
  EXPECT_EQ(added.Header("Content-Type").rfind("application/json", 0), 0U);
  EXPECT_EQ(gate_.Web("/api/x").status, 200) << "without waiting";
  const HttpResponse removed = gate_.Admin(std::string(kRemove) + "serviceName=api");
  EXPECT_EQ(removed.status, 200) << removed.Summary();
  EXPECT_EQ(gate_.Web("/api/x").status, 503);
}

TEST_F(ApiTest, SynonymPathWorks) {
  EXPECT_EQ(gate_.Admin("/v1/proxy/reconfigure?" + Query("api", "&servicePath=/api")).status, 200);
  EXPECT_EQ(gate_.Web("/api").status, 200);
}

TEST_F(ApiTest, RefusalsHaveTheStatusAndTextThatUsersKnow) {
  const struct {
    std::string query;
    int status;
    const char* message;
  } cases[] = {
      {"servicePath=/x&port=80", 400, "serviceName parameter is mandatory."},
      {"serviceName=x&port=80", 409, "servicePath or serviceDomain are mandatory"},
      {"serviceName=x&servicePath=/x", 400, "the port query is mandatory"},
      {"serviceName=x&servicePath=/x&port=0", 400, "port"},
      {"serviceName=x&servicePath=x&port=80", 400, "servicePath"},
      {"serviceName=a%20b&servicePath=/x&port=80", 400, "serviceName"},
      {"serviceName=x&servicePath=/x%0ay&port=80", 400, "servicePath"},
  };
  for (const auto& c : cases) {
    const HttpResponse response = gate_.Admin(kReconfigure + c.query);
    EXPECT_EQ(response.status, c.status) << c.query << ": " << response.Summary();
    EXPECT_EQ(JsonText(response.body, "/Status"), "NOK") << c.query;
    EXPECT_NE(response.body.find(c.message), std::string::npos) << response.Summary();
  }
}

TEST_F(ApiTest, ManyCallsInARowLoseNothingAndCostNoReload) {
  ASSERT_EQ(gate_.Admin(kReconfigure + Query("stays", "&servicePath=/stays")).status, 200);
  LoadOptions options;
  options.endpoint = gate_.web();
  options.targets = {GetTarget("/stays")};
  options.threads = 4;
  options.think_time = milliseconds(2);
  LoadGenerator load(options);
  for (int i = 0; i < 40; ++i) {
    const std::string name = "s" + std::to_string(i);
    ASSERT_EQ(gate_.Admin(kReconfigure + Query(name, "&servicePath=/" + name)).status, 200);
    ASSERT_EQ(gate_.Web("/" + name).status, 200) << name;
  }
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(gate_.Admin(kRemove + ("serviceName=s" + std::to_string(i))).status, 200);
  }
  EXPECT_EQ(gate_.Web("/s0").status, 503);
  EXPECT_EQ(gate_.Reloads(), 0);
  const LoadReport report = load.Stop();
  EXPECT_GT(report.ok, 100U);
  EXPECT_EQ(report.lost, 0U) << report.Summary();
}

TEST_F(ApiTest, MoreServicesThanSlotsGrowByAHitlessReload) {
  gate_.Stop();
  gate_.options().environment["MINIMUM_SLOTS"] = "1";
  gate_.Start();
  ASSERT_EQ(gate_.Admin(kReconfigure + Query("stays", "&servicePath=/stays")).status, 200);
  LoadOptions options;
  options.endpoint = gate_.web();
  options.targets = {GetTarget("/stays")};
  options.threads = 4;
  options.think_time = milliseconds(2);
  LoadGenerator load(options);
  // Whatever the smallest pool is, so many outgrow it.
  for (int i = 0; i < 100; ++i) {
    const std::string name = "s" + std::to_string(i);
    ASSERT_EQ(gate_.Admin(kReconfigure + Query(name, "&servicePath=/" + name)).status, 200);
    EXPECT_EQ(gate_.Web("/" + name).status, 200) << name;
  }
  EXPECT_GE(gate_.Reloads(), 1);
  const LoadReport report = load.Stop();
  EXPECT_EQ(report.lost, 0U) << report.Summary();
}

TEST_F(ApiTest, ReloadIsHitless) {
  ASSERT_EQ(gate_.Admin(kReconfigure + Query("stays", "&servicePath=/stays")).status, 200);
  for (const bool keep_alive : {true, false}) {
    LoadOptions options;
    options.endpoint = gate_.web();
    options.targets = {GetTarget("/stays")};
    options.threads = 4;
    options.keep_alive = keep_alive;
    options.think_time = milliseconds(5);
    LoadGenerator load(options);
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(load.WaitForAnswers(50));
      EXPECT_EQ(gate_.Admin("/v1/docker-flow-proxy/reload").status, 200);
    }
    const LoadReport report = load.Stop();
    EXPECT_EQ(report.lost, 0U) << report.Summary();
  }
}

TEST_F(ApiTest, ConfigIsShownAsTextAndAsJson) {
  ASSERT_EQ(gate_.Admin(kReconfigure + Query("api", "&servicePath=/api")).status, 200);
  EXPECT_NE(gate_.Admin("/v1/docker-flow-proxy/config").body.find("frontend services"),
            std::string::npos);
  const std::string json = gate_.Admin("/v1/docker-flow-proxy/config?type=json").body;
  EXPECT_TRUE(JsonAt(json, "/api").has_value()) << json;
}

TEST_F(ApiTest, WhyNamesTheWinnerAndTheReason) {
  ASSERT_EQ(gate_.Admin(kReconfigure + Query("short", "&servicePath=/a")).status, 200);
  ASSERT_EQ(gate_.Admin(kReconfigure + Query("long", "&servicePath=/a/b")).status, 200);
  const std::string answer = gate_.Admin("/v1/why?url=http://x.example/a/b/c").body;
  EXPECT_NE(answer.find("long"), std::string::npos) << answer;
  EXPECT_NE(answer.find("short"), std::string::npos) << answer;
  EXPECT_EQ(gate_.Admin("/v1/why").status, 400);
}

TEST_F(ApiTest, ProbesAndMetricsAnswer) {
  for (const char* path : {"/healthz", "/readyz", "/v1/status", "/v1/services", "/v1/routes",
                           "/v1/docker-flow-proxy/ping", "/v1/docker-flow-swarm-listener/ping",
                           "/v1/docker-flow-swarm-listener/get-services", "/metrics"}) {
    EXPECT_EQ(gate_.Admin(path).status, 200) << path;
  }
  EXPECT_EQ(gate_.Admin("/nothing/here").status, 404);
}

TEST_F(ApiTest, TokenIsAskedForWhereOneIsSet) {
  gate_.Stop();
  gate_.options().environment["ADMIN_TOKEN"] = "open-sesame";
  gate_.Start();
  const std::string target = kReconfigure + Query("api", "&servicePath=/api");
  EXPECT_EQ(gate_.Admin(target).status, 401);
  EXPECT_EQ(gate_.Web("/api").status, 503);
  HttpRequest request;
  request.target = target;
  request.headers = {{"Authorization", "Bearer open-sesame"}};
  EXPECT_EQ(Fetch(gate_.admin(), request).status, 200);
  request.headers = {{"Authorization", "Bearer open-sesam"}};
  EXPECT_EQ(Fetch(gate_.admin(), request).status, 401);
}

TEST_F(ApiTest, CrossSiteBrowserRequestsAreRefused) {
  HttpRequest request;
  request.method = "POST";
  request.target = kReconfigure + Query("api", "&servicePath=/api");
  request.headers = {{"Origin", "http://evil.example"}, {"Sec-Fetch-Site", "cross-site"}};
  EXPECT_EQ(Fetch(gate_.admin(), request).status, 403);
  EXPECT_EQ(gate_.Web("/api").status, 503);
}

TEST_F(ApiTest, OverridesSurviveKillAndRestart) {
  ASSERT_EQ(gate_.Admin(kReconfigure + Query("api", "&servicePath=/api")).status, 200);
  gate_.KillEverything();
  gate_.Start();
  EXPECT_EQ(gate_.Web("/api").status, 200);
}

TEST_F(ApiTest, DamagedStateIsSetAsideAndDoesNotPreventAStart) {
  gate_.Stop();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(gate_.data_dir())) {
    if (entry.path().extension() == ".db" || entry.path().extension() == ".sqlite") {
      WriteFile(entry.path(), std::string(8192, 'x'));
    }
  }
  gate_.Start();
  EXPECT_EQ(gate_.Admin(kReconfigure + Query("api", "&servicePath=/api")).status, 200);
  EXPECT_EQ(gate_.Web("/api").status, 200);
}

TEST_F(ApiTest, CommandsPrintTablesAndJsonAndHaveExitCodes) {
  CommandResult result = gate_.Cli(
      {"reconfigure", "api", "servicePath=/api", "port=" + port_, "outboundHostname=127.0.0.1"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(gate_.Web("/api").status, 200);
  for (const char* command : {"status", "services", "routes"}) {
    result = gate_.Cli({command});
    EXPECT_EQ(result.exit_code, 0) << command << ": " << result.output;
    result = gate_.Cli({command, "-o", "json"});
    EXPECT_EQ(result.exit_code, 0) << command << ": " << result.output;
    EXPECT_TRUE(JsonAt(result.output, "").has_value()) << command << ": " << result.output;
  }
  EXPECT_NE(gate_.Cli({"services"}).output.find("api"), std::string::npos);
  EXPECT_NE(gate_.Cli({"why", "http://any.example/api/x"}).output.find("api"), std::string::npos);
  EXPECT_EQ(gate_.Cli({"why", "http://any.example/api/x"}).exit_code, 0);
  EXPECT_EQ(gate_.Cli({"why", "http://any.example/other"}).exit_code, 1);
  result = gate_.Cli({"why", "zz zz"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("write for example a.com"), std::string::npos) << result.output;
  EXPECT_EQ(gate_.Cli({"why", "zz zz", "-o", "json"}).exit_code, 2);
  EXPECT_EQ(gate_.Cli({"remove", "api"}).exit_code, 0);
  EXPECT_EQ(gate_.Web("/api").status, 503);
  EXPECT_EQ(gate_.Cli({"health"}).exit_code, 0);
  EXPECT_EQ(gate_.Cli({"health", "--ready"}).exit_code, 0);
  EXPECT_EQ(gate_.Cli({"version"}).exit_code, 0);
  EXPECT_EQ(gate_.Cli({"no-such-command"}).exit_code, 2);
  for (const char* command : {"run", "status", "health", "services", "routes", "why", "lint",
                              "reconfigure", "remove", "events", "version"}) {
    EXPECT_EQ(gate_.Cli({command, "--help"}).exit_code, 0) << command;
  }
  gate_.Stop();
  EXPECT_EQ(gate_.Cli({"status"}).exit_code, 3);
  EXPECT_EQ(gate_.Cli({"health"}).exit_code, 3);
}

TEST_F(SwarmTest, ManualOverridesLabelsUntilItIsRemoved) {
  gate().Start();
  RunService("demo", Route("/labels"), 2);
  ASSERT_TRUE(gate().WaitStatus(200, "/labels"));
  // The name is known to Docker: its tasks are used.
  const HttpResponse added =
      gate().Admin(std::string(kReconfigure) + "serviceName=demo&servicePath=/manual&port=8080");
  ASSERT_EQ(added.status, 200) << added.Summary();
  EXPECT_TRUE(gate().WaitServers(2, "/manual"));
  EXPECT_EQ(gate().Web("/labels").status, 503);
  ASSERT_EQ(gate().Admin(std::string(kRemove) + "serviceName=demo").status, 200);
  EXPECT_TRUE(gate().WaitStatus(200, "/labels"));
  EXPECT_EQ(gate().Web("/manual").status, 503);
}

TEST_F(SwarmTest, RemovedLabelledServiceStaysAwayUntilItsLabelsChange) {
  gate().Start();
  ServiceOptions service = RunService("demo", Route("/demo"));
  ASSERT_TRUE(gate().WaitStatus(200, "/demo"));
  ASSERT_EQ(gate().Admin(std::string(kRemove) + "serviceName=demo").status, 200);
  EXPECT_EQ(gate().Web("/demo").status, 503);
  const HttpResponse nothing = gate().Admin(std::string(kRemove) + "serviceName=other");
  EXPECT_EQ(nothing.status, 200) << nothing.Summary();
  EXPECT_NE(nothing.body.find("nothing was removed"), std::string::npos) << nothing.Summary();
  // A change that is not one of labels does not bring it back.
  service.replicas = 2;
  docker().UpdateService(service);
  docker().WaitRunning("demo", 2);
  EXPECT_EQ(gate().Admin("/v1/docker-flow-swarm-listener/notify-services").status, 200);
  EXPECT_EQ(gate().Web("/demo").status, 503);
  service.labels = Route("/again");
  docker().UpdateService(service);
  EXPECT_TRUE(gate().WaitStatus(200, "/again"));
}

TEST_F(SwarmTest, ListenerEndpointListsTheLabelledServices) {
  gate().Start();
  RunService("demo", Route("/demo"), 2);
  ASSERT_TRUE(gate().WaitStatus(200, "/demo"));
  const std::string json = gate().Admin("/v1/docker-flow-swarm-listener/get-services").body;
  EXPECT_EQ(JsonText(json, "/0/serviceName"), "demo") << json;
  EXPECT_EQ(JsonText(json, "/0/servicePath"), "/demo") << json;
  EXPECT_EQ(JsonText(json, "/0/port"), "8080") << json;
}

TEST_F(SwarmTest, ListenerEndpointListsTheNodes) {
  const auto label = [](const std::string& labels) {
    const std::string nodes = docker().Call("GET", "/nodes");
    docker().Call("POST",
                  "/nodes/" + JsonText(nodes, "/0/ID") +
                      "/update?version=" + JsonText(nodes, "/0/Version/Index"),
                  R"({"Role":"manager","Availability":"active","Labels":{)" + labels + "}}");
  };
  label(R"("com.df.zone":"b","other":"x")");
  gate().Start();
  std::string json;
  EXPECT_TRUE(WaitUntil(
      [&] {
        json = gate().Admin("/v1/docker-flow-swarm-listener/get-nodes").body;
        return JsonText(json, "/0/zone") == "b";
      },
      std::chrono::seconds(20)))
      << json;
  EXPECT_EQ(JsonText(json, "/0/state"), "ready") << json;
  EXPECT_EQ(JsonText(json, "/0/role"), "manager") << json;
  EXPECT_EQ(JsonText(json, "/0/availability"), "active") << json;
  EXPECT_EQ(JsonText(json, "/0/other"), "") << json;
  label("");
}

TEST_F(SwarmTest, NameOfAServiceOfUnknownOriginIsResolvedAtRunTime) {
  gate().Start();
  // Nobody has this name yet: accepted, and served as soon as it resolves.
  EXPECT_EQ(gate()
                .Admin(std::string(kReconfigure) +
                       "serviceName=later&servicePath=/later&port=65500&outboundHostname=localhost")
                .status,
            200);
  EXPECT_TRUE(gate().WaitStatus(200, "/later"));
}

}  // namespace
}  // namespace swarmgate::testing
