// One bad service harms nobody else, and its owner is told what is wrong.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "integration/world.h"
#include "support/json.h"
#include "support/lying_daemon.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::seconds;

struct BadCase {
  const char* name;
  Labels labels;  // beside notify, servicePath /bad and port 8080
  const char* says;
};

std::vector<BadCase> BadCases() {
  Labels many;
  for (int i = 0; i < 500; ++i) many["com.df.unheardOf" + std::to_string(i)] = "x";
  return {
      {"newline", {{"com.df.servicePath", "/bad\n  use_backend evil"}}, "com.df.servicePath"},
      {"control", {{"com.df.servicePath", "/bad\x01\x7f"}}, "com.df.servicePath"},
      {"quote", {{"com.df.serviceDomain", "a\"b.example.com"}}, "com.df.serviceDomain"},
      {"hash", {{"com.df.servicePath", "/bad#x"}}, "com.df.servicePath"},
      {"sample", {{"com.df.serviceDomain", "%[env(PATH)]"}}, "com.df.serviceDomain"},
      {"template", {{"com.df.serviceDomain", "{{ .Env }}"}}, "com.df.serviceDomain"},
      {"braces", {{"com.df.aclName", "{a}"}}, "com.df.aclName"},
      {"huge", {{"com.df.servicePath", "/" + std::string(65536, 'a')}}, "com.df.servicePath"},
      {"unicode",
       {{"com.df.serviceDomain",
         "b\xc3\xbc"
         "cher.example"}},
       "com.df.serviceDomain"},
      {"midstar", {{"com.df.serviceDomain", "a.*.example.com"}}, "com.df.serviceDomain"},
      {"port0", {{"com.df.port", "0"}}, "com.df.port"},
      {"port65536", {{"com.df.port", "65536"}}, "com.df.port"},
      {"port08", {{"com.df.port", "08"}}, "com.df.port"},
      {"portminus", {{"com.df.port", "-1"}}, "com.df.port"},
      {"portabc", {{"com.df.port", "abc"}}, "com.df.port"},
      {"noslash", {{"com.df.servicePath", "bad"}}, "com.df.servicePath"},
      {"noregex",
       {{"com.df.pathType", "path_reg"}, {"com.df.servicePath", "^/bad(["}},
       "com.df.servicePath"},
      {"backtrack",
       {{"com.df.pathType", "path_reg"}, {"com.df.servicePath", "^/(a+)+$"}},
       "com.df.servicePath"},
      {"pathtype", {{"com.df.pathType", "path_nonsense"}}, "com.df.pathType"},
      {"typo", {{"com.df.servicPath", "/bad"}}, "com.df.servicePath"},
      {"index11", {{"com.df.port.11", "8080"}}, "com.df.port.11"},
      {"many", many, "502 parameters"},
      {"timeout", {{"com.df.timeoutServer", "soon"}}, "com.df.timeoutServer"},
  };
}

TEST_F(SwarmTest, BadLabelsOfAllKindsAreToldToTheirOwnersAndHarmNobodyElse) {
  gate().Start();
  RunService("good", Route("/good"), 2);
  ASSERT_TRUE(gate().WaitServers(2, "/good"));
  LoadGenerator kept(Load("/good", true));
  LoadGenerator fresh(Load("/good", false));
  const std::vector<BadCase> cases = BadCases();
  for (const BadCase& bad : cases) {
    ServiceOptions service{.name = std::string("bad-") + bad.name,
                           .labels = Route(std::string("/bad-") + bad.name),
                           .networks = {kWeb},
                           // No tasks: it is the labels that are tried here.
                           .replicas = 0};
    for (const auto& [label, value] : bad.labels) service.labels[label] = value;
    docker().CreateService(service);
  }
  for (const BadCase& bad : cases) {
    const std::string name = std::string("bad-") + bad.name;
    ASSERT_TRUE(WaitUntil([&] { return gate().Admin("/v1/services/" + name).status == 200; }))
        << name;
    const std::string text = gate().ServiceText(name);
    EXPECT_GT(JsonCount(text, "/diagnostics"), 0U) << name << ": " << text.substr(0, 2000);
    EXPECT_NE(text.find(bad.says), std::string::npos) << name << ": " << text.substr(0, 2000);
    EXPECT_EQ(text.find('\x01'), std::string::npos) << "raw bytes of a label in the answer";
  }
  // The daemon still works for others.
  RunService("late", Route("/late"));
  EXPECT_TRUE(gate().WaitStatus(200, "/late"));
  for (const BadCase& bad : cases) docker().RemoveService(std::string("bad-") + bad.name);
  EXPECT_TRUE(WaitUntil([&] { return gate().Admin("/v1/services/bad-many").status == 404; }));
  EXPECT_EQ(gate().Reloads(), 0);
  for (LoadGenerator* load : {&kept, &fresh}) {
    const LoadReport report = load->Stop();
    EXPECT_GT(report.ok, 200U);
    EXPECT_EQ(report.lost, 0U) << report.Summary();
  }
}

TEST_F(SwarmTest, DaemonThatTalksNonsenseLosesNoRoute) {
  RunService("demo", Route("/demo"), 2);
  const std::string socket = gate().data_dir() + "/docker.sock";
  LyingDaemon liar(socket, docker().socket());
  gate().options().docker_socket = socket;
  gate().Start();
  ASSERT_TRUE(gate().WaitServers(2, "/demo"));
  LoadGenerator load(Load("/demo", true));
  const std::string services = docker().Call("GET", "/services");
  const struct {
    const char* name;
    std::string answer;
  } lies[] = {
      {"truncated", JsonAnswer(services.substr(0, services.size() / 2))},
      {"nested", JsonAnswer(std::string(10000, '['))},
      {"object", JsonAnswer("{}")},
      {"wrong types", JsonAnswer(R"([{"ID":1,"Spec":[],"Version":"x"},7,null])")},
      {"nothing", JsonAnswer("")},
      {"short body", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n["},
      {"no HTTP", std::string("\0\xff garbage\r\n\r\n", 15)},
      {"500", "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"},
  };
  for (const auto& lie : lies) {
    liar.AnswerWith(lie.answer);
    gate().Admin("/v1/docker-flow-swarm-listener/notify-services");
    ASSERT_TRUE(WaitUntil([&] { return liar.lies() >= 3; }, seconds(40))) << lie.name;
    EXPECT_TRUE(gate().WaitServers(2, "/demo", {}, seconds(2))) << lie.name;
  }
  liar.AnswerWith({});
  RunService("late", Route("/late"));
  EXPECT_TRUE(gate().WaitStatus(200, "/late", {}, seconds(40)));
  const LoadReport report = load.Stop();
  EXPECT_EQ(report.lost, 0U) << report.Summary();
}

TEST_F(SwarmTest, TwoServicesWithOneAclNameBothWork) {
  gate().Start();
  RunService("a", Route("/a", {{"com.df.aclName", "same"}}));
  RunService("b", Route("/b", {{"com.df.aclName", "same"}}));
  EXPECT_TRUE(gate().WaitStatus(200, "/a"));
  EXPECT_TRUE(gate().WaitStatus(200, "/b"));
  docker().RemoveService("a");
  EXPECT_TRUE(gate().WaitStatus(503, "/a"));
  EXPECT_EQ(gate().Web("/b").status, 200);
}

TEST_F(SwarmTest, HostileRequestsAreAnsweredOrRefusedAndHarmNobody) {
  gate().Start();
  RunService("demo", Route("/demo"));
  ASSERT_TRUE(gate().WaitStatus(200, "/demo"));
  const struct {
    const char* target;
    const char* host;
    int status;
  } cases[] = {
      {"/x", "example.com/demo", 503}, {"/%64emo", "", 503},  {"/demo/../x", "", 200},
      {"/demo?x=%00", "", 200},        {"/x?/demo", "", 503},
  };
  for (const auto& c : cases) EXPECT_EQ(gate().Web(c.target, c.host).status, c.status) << c.target;
  EXPECT_EQ(gate().Web("/demo").status, 200);
}

}  // namespace
}  // namespace swarmgate::testing
