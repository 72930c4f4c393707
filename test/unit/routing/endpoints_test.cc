// Servers of a destination: which tasks, on which network, at which port; and what is told where
// none can be reached.
#include "routing/endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "routing_fixture.h"

namespace swarmgate::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

model::TaskFacts Task(const std::string& id, model::Addresses addresses) {
  model::TaskFacts task;
  task.id = id;
  task.container_id = "c-" + id;
  task.state = "running";
  task.running = true;
  task.addresses = std::move(addresses);
  return task;
}

/// Networks: ov1 "beta", ov2 "alpha" (overlays), br "zeta" (bridge), ing (ingress), hostnet "host".
BuildContext Context(std::vector<std::string> own) {
  BuildContext context;
  context.networks = {{"ov1", "beta", "overlay", true, false},
                      {"ov2", "alpha", "overlay", true, false},
                      {"br", "aaa-bridge", "bridge", false, false},
                      {"ing", "ingress", "overlay", true, true},
                      {"hostnet", "host", "host", false, false}};
  context.own_network_ids = std::move(own);
  return context;
}

ServiceInput WithFacts(Service service, std::vector<std::string> networks,
                       std::vector<model::TaskFacts> tasks) {
  ServiceInput input = service;
  model::ServiceFacts facts;
  facts.name = input.spec->name.str();
  facts.network_ids = std::move(networks);
  facts.replicas = tasks.size();
  facts.tasks = std::move(tasks);
  input.facts = Shared<model::ServiceFacts>(std::move(facts));
  return input;
}

void ChangeFacts(ServiceInput& input, const auto& change) {
  model::ServiceFacts facts = *input.facts;
  change(facts);
  input.facts = Shared<model::ServiceFacts>(std::move(facts));
}

/// "name address:port" of the servers of the first backend.
std::vector<std::string> Servers(const Built& built, std::size_t backend = 0) {
  std::vector<std::string> servers;
  if (built.desired.backends.size() <= backend) return {"no backend"};
  for (const model::Server& server : built.desired.backends[backend].servers) {
    servers.push_back(server.name.str() + " " + server.address + ":" + std::to_string(server.port));
  }
  return servers;
}

TEST(EndpointsTest, OnlyTasksThatRunAndAreMeantToAndAreHealthyServe) {
  struct {
    const char* what;
    bool running, desired;
    model::Health health;
    bool serves;
  } const cases[] = {{"runs", true, true, model::Health::kNone, true},
                     {"healthy", true, true, model::Health::kHealthy, true},
                     {"starting", true, true, model::Health::kStarting, false},
                     {"unhealthy", true, true, model::Health::kUnhealthy, false},
                     {"to end", true, false, model::Health::kNone, false},
                     {"to end though healthy", true, false, model::Health::kHealthy, false},
                     {"not yet", false, true, model::Health::kNone, false},
                     {"gone", false, false, model::Health::kNone, false}};
  for (const auto& one : cases) {
    model::TaskFacts task = Task("t1", {{"ov1", "10.0.0.1"}});
    task.running = one.running;
    task.desired_running = one.desired;
    task.health = one.health;
    const BuiltAll built =
        BuildAll({WithFacts(Service("web").Dest("/"), {"ov1"}, {task})}, Context({"ov1"}));
    EXPECT_EQ(built.desired.backends.size(), 1U) << one.what;
    EXPECT_EQ(Servers(built).size(), one.serves ? 1U : 0U) << one.what;
    EXPECT_EQ(built.desired.routes.size(), 1U) << "the route stays: " << one.what;
    EXPECT_THAT(built.diagnostics, IsEmpty()) << one.what;
  }
}

TEST(EndpointsTest, ServersAreNamedAfterTheTaskAndSorted) {
  const BuiltAll built = BuildAll({WithFacts(Service("web").Dest("/"), {"ov1"},
                                             {Task("zzzzzzzzzzzzzzzzzz", {{"ov1", "10.0.0.2"}}),
                                              Task("abcdefghijklmnop", {{"ov1", "fd00::1"}})})},
                                  Context({"ov1"}));
  EXPECT_THAT(Servers(built),
              ElementsAre("t-abcdefghijkl fd00::1:8080", "t-zzzzzzzzzzzz 10.0.0.2:8080"));
  EXPECT_EQ(built.desired.backends[0].servers[0].task_id, "abcdefghijklmnop");
}

TEST(NetworkTest, TheChoiceIsAlwaysTheSame) {
  const model::Addresses all = {
      {"ov1", "10.1.0.1"}, {"ov2", "10.2.0.1"}, {"br", "172.17.0.2"}, {"ing", "10.255.0.1"}};
  struct {
    std::vector<std::string> own;
    std::string label;
    std::string address;
  } const cases[] = {{{"ov1", "ov2", "br", "ing"}, "", "10.2.0.1:8080"},  // overlay, then by name
                     {{"br", "ov1"}, "", "10.1.0.1:8080"},
                     {{"br", "ing"}, "", "172.17.0.2:8080"},
                     {{"ov1", "ov2"}, "beta", "10.1.0.1:8080"},
                     {{"ov1", "ov2"}, "ov1", "10.1.0.1:8080"}};
  for (const auto& one : cases) {
    Service service("web");
    service.Dest("/").input().spec.Edit().network = one.label;
    const BuiltAll built = BuildAll(
        {WithFacts(service, {"ov1", "ov2", "br", "ing"}, {Task("t", all)})}, Context(one.own));
    EXPECT_THAT(Servers(built), ElementsAre("t-t " + one.address)) << one.label;
  }
}

TEST(NetworkTest, ATaskThatIsNotYetOnTheBestNetworkIsReachedByTheNext) {
  const BuiltAll built =
      BuildAll({WithFacts(Service("web").Dest("/"), {"ov1", "ov2"},
                          {Task("new", {{"ov1", "10.1.0.1"}, {"ov2", "10.2.0.1"}}),
                           Task("old", {{"ov1", "10.1.0.2"}})})},
               Context({"ov1", "ov2"}));
  EXPECT_THAT(Servers(built), ElementsAre("t-new 10.2.0.1:8080", "t-old 10.1.0.2:8080"));
}

TEST(NetworkTest, NoneInCommonNamesBothSetsAndSaysWhatToDo) {
  const BuiltAll built =
      BuildAll({WithFacts(Service("web").Dest("/"), {"ov2", "ing"},
                          {Task("t", {{"ov2", "10.2.0.1"}, {"ing", "10.255.0.1"}})})},
               Context({"ov1", "ing"}));
  ASSERT_EQ(built.diagnostics.size(), 1U);
  EXPECT_EQ(built.diagnostics[0].code, "no-common-network");
  EXPECT_EQ(built.diagnostics[0].severity, model::Severity::kError);
  EXPECT_EQ(
      built.diagnostics[0].message,
      "the service and the proxy share no network: the service is on alpha, the proxy on beta");
  EXPECT_EQ(built.diagnostics[0].hint, "docker service update --network-add beta web");
  EXPECT_EQ(built.desired, model::Desired{}) << "left out, with its claims";
}

TEST(NetworkTest, UnknownNetworkListsTheServicesNetworks) {
  Service service("web");
  service.Dest("/").input().spec.Edit().network = "gamma";
  const BuiltAll built =
      BuildAll({WithFacts(service, {"ov1", "ov2"}, {})}, Context({"ov1", "ov2"}));
  ASSERT_EQ(built.diagnostics.size(), 1U);
  EXPECT_EQ(built.diagnostics[0].code, "unknown-network");
  EXPECT_EQ(built.diagnostics[0].value, "gamma");
  EXPECT_EQ(built.diagnostics[0].message,
            "the service is not on this network; it is on alpha, beta");
}

TEST(NetworkTest, AnUnreachableServiceLeavesItsClaimToAnother) {
  const ServiceInput old = WithFacts(Service("old").Dest("/x").Created(1), {"ov2"}, {});
  const ServiceInput young = WithFacts(Service("young").Dest("/x").Created(2), {"ov1"}, {});
  const BuiltAll built = BuildAll({old, young}, Context({"ov1"}));
  EXPECT_EQ(built.desired, BuildAll({young}, Context({"ov1"})).desired);
  EXPECT_THAT(Codes(built.diagnostics), ElementsAre("no-common-network old "));
}

TEST(NetworkTest, UnreachableTasksDoNotTakeAwayADestinationWithAHostNameOfItsOwn) {
  Service service("web");
  service.Dest("/a").Dest("/b").last().outbound_hostname = "10.9.9.9";
  const BuiltAll built = BuildAll({WithFacts(service, {"ov2"}, {})}, Context({"ov1"}));
  EXPECT_THAT(Codes(built.diagnostics), ElementsAre("no-common-network web "));
  ASSERT_EQ(built.desired.backends.size(), 1U);
  EXPECT_EQ(built.desired.backends[0].name.str(), "web-be8080_1");
}

TEST(BareHostTest, ReachesBridgesGatewayPublishedPortsAndItsOwnNetwork) {
  BuildContext context = Context({"br"});
  context.on_host = true;
  context.gateway_addresses = {{"c-gateway", "172.18.0.4"}};
  std::vector<model::TaskFacts> tasks = {
      Task("bridge", {{"br", "172.17.0.2"}}), Task("gateway", {{"ov1", "10.1.0.1"}}),
      Task("published", {{"ov1", "10.1.0.2"}}), Task("hostnet", {{"hostnet", ""}}),
      Task("remote", {{"ov1", "10.1.0.3"}})};
  for (model::TaskFacts& task : tasks) task.on_this_node = task.id != "remote";
  tasks[2].node_address = "192.0.2.7";
  tasks[2].published = {{8080, 32000, false, false},
                        {8080, 32001, true, true},
                        {9999, 32002, true, false},
                        {8080, 32003, true, false}};
  const BuiltAll built =
      BuildAll({WithFacts(Service("web").Dest("/"), {"ov1", "br"}, tasks)}, context);
  EXPECT_THAT(Servers(built),
              ElementsAre("t-bridge 172.17.0.2:8080", "t-gateway 172.18.0.4:8080",
                          "t-hostnet 127.0.0.1:8080", "t-published 192.0.2.7:32003"));
  ASSERT_THAT(Codes(built.diagnostics), ElementsAre("task-unreachable web "));
  EXPECT_THAT(built.diagnostics[0].message, HasSubstr("1 running task(s)"));
}

TEST(BareHostTest, ALocalOverlayTaskNeedsNoNetworkInCommon) {
  BuildContext context = Context({});
  context.on_host = true;
  const BuiltAll built = BuildAll({WithFacts(Service("web").Dest("/"), {"ov1"}, {})}, context);
  EXPECT_THAT(built.diagnostics, IsEmpty());
  EXPECT_EQ(built.desired.routes.size(), 1U);
}

TEST(BareHostTest, AServiceWithoutNetworkOrPublishedPortIsToldWhatWouldHelp) {
  BuildContext context = Context({"br"});
  for (const bool on_host : {true, false}) {
    context.on_host = on_host;
    const BuiltAll built =
        BuildAll({WithFacts(Service("web").Dest("/"), {}, {Task("t", {})})}, context);
    ASSERT_THAT(Codes(built.diagnostics), ElementsAre("no-common-network web "));
    EXPECT_EQ(built.diagnostics[0].hint,
              on_host ? "Publish its port on the node (docker service update --publish-add "
                        "mode=host,target=PORT,published=PORT web), or put it on an overlay network"
                      : "Put the proxy and the service on one overlay network");
  }
}

TEST(ParameterNamesTest, AreShownAsTheirOwnerWroteThem) {
  const struct {
    model::Origin origin;
    const char* path;
    const char* port;
    const char* network;
  } cases[] = {
      {model::Origin::kDocker, "org.x.servicePath.1", "org.x.port", "org.x.network"},
      {model::Origin::kManual, "servicePath.1", "port", "network"},
      {model::Origin::kStatic, "DFP_SERVICE_SERVICE_PATH_1", "DFP_SERVICE_PORT",
       "DFP_SERVICE_NETWORK"},
  };
  for (const auto& c : cases) {
    BuildContext context = Context({"ov1"});
    context.label_prefix = "org.x.";
    ServiceInput old = WithFacts(Service("old").Dest("/").Dest("/a").Created(1), {"ov1"}, {});
    ServiceInput twice = WithFacts(Service("twice").Dest("/b").Dest("/a").Created(2), {"ov1"}, {});
    ServiceInput no_port = WithFacts(Service("no-port").Dest("/c"), {"ov1"}, {});
    no_port.spec.Edit().dests[0].port.reset();
    ServiceInput lost = WithFacts(Service("lost").Dest("/d"), {"ov1"}, {});
    lost.spec.Edit().network = "nowhere";
    std::vector<ServiceInput> services = {old, twice, no_port, lost};
    for (ServiceInput& service : services) service.origin = c.origin;
    EXPECT_THAT(Codes(BuildAll(services, context).diagnostics),
                ::testing::UnorderedElementsAre(std::string("conflict twice ") + c.path,
                                                std::string("missing-port no-port ") + c.port,
                                                std::string("unknown-network lost ") + c.network));
  }
}

TEST(BareHostTest, AContainerWithoutNetworkIsTold) {
  BuildContext context = Context({"br"});
  context.on_host = true;
  ServiceInput input = WithFacts(Service("web").Dest("/"), {}, {Task("t", {})});
  ChangeFacts(input, [](auto& facts) { facts.kind = model::ServiceKind::kContainer; });
  const BuiltAll built = BuildAll({input}, context);
  ASSERT_THAT(Codes(built.diagnostics), ElementsAre("no-common-network web "));
  EXPECT_EQ(built.diagnostics[0].hint, "docker network connect aaa-bridge web");
}

TEST(PortTest, TheOneExposedPortMayBeLeftOut) {
  struct {
    std::vector<std::uint16_t> exposed;
    std::string expected;  // backend, or words of the message
  } const cases[] = {{{9090}, "web-be9090_0"},
                     {{}, "exposes no port"},
                     {{80, 81}, "exposes several ports (80, 81)"},
                     {{80, 80}, "web-be80_0"}};
  for (const auto& one : cases) {
    Service service("web");
    service.Dest("/").last().port.reset();
    ServiceInput input = WithFacts(service, {"ov1"}, {});
    ChangeFacts(input, [&](auto& facts) { facts.exposed_tcp_ports = one.exposed; });
    const BuiltAll built = BuildAll({input}, Context({"ov1"}));
    if (one.expected.starts_with("web")) {
      ASSERT_EQ(built.desired.backends.size(), 1U);
      EXPECT_EQ(built.desired.backends[0].name.str(), one.expected);
      continue;
    }
    ASSERT_THAT(Codes(built.diagnostics), ElementsAre("missing-port web com.df.port"));
    EXPECT_THAT(built.diagnostics[0].message, HasSubstr(one.expected));
    EXPECT_THAT(
        built.diagnostics[0].message,
        HasSubstr("When MODE is set to \"service\" or \"swarm\", the port query is mandatory"));
  }
}

TEST(PortTest, ADestinationWithoutPortIsLeftOutAndTheOthersStay) {
  Service service("web");
  service.Dest("/a").Dest("/b").last().port.reset();
  const BuiltAll built = BuildAll({service}, {});
  EXPECT_THAT(Codes(built.diagnostics), ElementsAre("missing-port web com.df.port.1"));
  EXPECT_EQ(built.desired.backends.size(), 1U);
}

TEST(NamesTest, WhatIsResolvedAndWhatNot) {
  struct {
    const char* what;
    bool facts;
    model::ServiceKind kind;
    model::Discovery discovery;
    std::string outbound;
    std::string wanted;  // empty: nothing
  } const cases[] = {
      {"unknown to Docker", false, model::ServiceKind::kSwarm, model::Discovery::kTasks, "", "web"},
      {"DNS, Swarm", true, model::ServiceKind::kSwarm, model::Discovery::kDns, "", "tasks.web"},
      {"DNS, container", true, model::ServiceKind::kContainer, model::Discovery::kDns, "", "web"},
      {"DNS, unknown", false, model::ServiceKind::kSwarm, model::Discovery::kDns, "", "web"},
      {"outbound", true, model::ServiceKind::kSwarm, model::Discovery::kTasks, "db.x", "db.x"},
      {"address", true, model::ServiceKind::kSwarm, model::Discovery::kTasks, "10.0.0.9", ""},
      {"tasks", true, model::ServiceKind::kSwarm, model::Discovery::kTasks, "", ""}};
  for (const auto& one : cases) {
    Service service("web");
    service.Dest("/").last().outbound_hostname = one.outbound;
    service.input().spec.Edit().discovery = one.discovery;
    ServiceInput input = service;
    if (one.facts) {
      input = WithFacts(service, {"ov1"}, {});
      ChangeFacts(input, [&](auto& facts) { facts.kind = one.kind; });
    }
    const BuiltAll built = BuildAll({input}, Context({"ov1"}));
    if (one.wanted.empty()) {
      EXPECT_THAT(built.names_wanted, IsEmpty()) << one.what;
    } else {
      EXPECT_THAT(built.names_wanted, ElementsAre(one.wanted)) << one.what;
    }
  }
}

TEST(NamesTest, ResolvedAddressesBecomeServersAndOthersWait) {
  Service service("web");
  service.Dest("/a").Dest("/b").last().outbound_hostname = "db.x";
  BuildContext context;
  context.names["web"] = {"10.0.0.2", "10.0.0.1", "10.0.0.2", "not an address"};
  const BuiltAll built = BuildAll({service}, context);
  EXPECT_EQ(Servers(built, 0).size(), 2U);
  EXPECT_THAT(Servers(built, 1), IsEmpty());
  EXPECT_THAT(built.names_wanted, ElementsAre("db.x", "web"));
  const auto again = BuildAll({service}, context);
  EXPECT_EQ(again.desired, built.desired);
  EXPECT_THAT(built.desired.backends[0].servers[0].name.str(), testing::StartsWith("d-"));
}

TEST(BackendTest, ClassIsStickyBeforeRichBeforePlain) {
  const auto class_of = [](Service& service) {
    return BuildAll({service}, {}).desired.backends[0].kind;
  };
  Service plain("web");
  plain.Dest("/");
  EXPECT_EQ(class_of(plain), model::BackendKind::kPlain);
  Service timeout = plain;
  timeout.last().policy.Edit().timeout_server = std::chrono::milliseconds(1);
  EXPECT_EQ(class_of(timeout), model::BackendKind::kRich);
  Service tunnel = plain;
  tunnel.last().policy.Edit().timeout_tunnel = std::chrono::milliseconds(1);
  EXPECT_EQ(class_of(tunnel), model::BackendKind::kRich);
  Service rewrite = plain;
  rewrite.last().policy.Edit().path_rewrites = {{"a", "b"}};
  EXPECT_EQ(class_of(rewrite), model::BackendKind::kRich);
  rewrite.input().spec.Edit().session = model::Session::kSticky;
  EXPECT_EQ(class_of(rewrite), model::BackendKind::kSticky);
}

TEST(BackendTest, PortsThatTheProxyDoesNotListenOnAreTold) {
  BuildContext context;
  context.bound_ports = {80, 8081};
  const BuiltAll built = BuildAll(
      {Service("a").Dest("/a").SrcPort(8081), Service("b").Dest("/b").SrcPort(9)}, context);
  ASSERT_THAT(Codes(built.diagnostics), ElementsAre("unbound-port b com.df.srcPort"));
  EXPECT_EQ(built.diagnostics[0].message,
            "the proxy does not listen on this port, only on 80, 8081");
}

TEST(ConvergingTest, WhileTasksAreOnTheirWay) {
  const auto converging = [](auto change) {
    ServiceInput input =
        WithFacts(Service("web").Dest("/"), {"ov1"}, {Task("t", {{"ov1", "10.0.0.1"}})});
    ChangeFacts(input, change);
    return !BuildAll({input}, Context({"ov1"})).converging.empty();
  };
  EXPECT_FALSE(converging([](auto&) {}));
  EXPECT_TRUE(converging([](auto& facts) { facts.replicas = 2; }));
  EXPECT_TRUE(converging([](auto& facts) { facts.replicas = 0; }));
  EXPECT_TRUE(converging([](auto& facts) { facts.update_state = "updating"; }));
  EXPECT_FALSE(converging([](auto& facts) { facts.update_state = "completed"; }));
  EXPECT_TRUE(converging([](auto& facts) { facts.tasks[0].running = false; }));
  EXPECT_TRUE(converging([](auto& facts) { facts.tasks[0].desired_running = false; }));
  EXPECT_TRUE(converging([](auto& facts) { facts.tasks[0].health = model::Health::kStarting; }));
  EXPECT_TRUE(converging([](auto& facts) { facts.tasks[0].health = model::Health::kUnhealthy; }));
  EXPECT_FALSE(converging([](auto& facts) {
    facts.global = true;
    facts.replicas.reset();
  }));
}

}  // namespace
}  // namespace swarmgate::routing
