// The adapter against a daemon that answers as the test says, with recorded answers as the default.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

#include "unit/docker/recorded_daemon.h"

namespace swarmgate::docker {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

TEST_F(DockerAdapterTest, ListsEverythingThatIsLabelled) {
  Lister lister = MakeLister();
  const auto facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->api_version, "1.41");
  EXPECT_TRUE(facts->swarm_manager);
  EXPECT_EQ(facts->node_id, "mlscr89vz6lhwktnwrdyifmt6");
  EXPECT_FALSE(facts->daemon_id.empty());
  EXPECT_EQ(Names(*facts), (std::vector<std::string>{"bad", "box", "demo", "glob", "paused",
                                                     "proj_shop", "stopped"}))
      << "plain has no label, proj-shop-run is one-off";
  const model::ServiceFacts* demo = Find(*facts, "demo");
  ASSERT_NE(demo, nullptr);
  ASSERT_EQ(demo->tasks.size(), 2U);
  EXPECT_TRUE(demo->tasks[0].on_this_node);
  EXPECT_EQ(demo->tasks[0].node_address, "127.0.0.1");
  EXPECT_FALSE(demo->tasks[1].running);
  EXPECT_EQ(Find(*facts, "glob")->exposed_tcp_ports, std::vector<std::uint16_t>{8080})
      << "by its image";
  EXPECT_EQ(Find(*facts, "stopped")->exposed_tcp_ports, (std::vector<std::uint16_t>{8080, 9000}))
      << "by inspection";
  EXPECT_EQ(Find(*facts, "proj_shop")->tasks.size(), 2U);
  ASSERT_EQ(Find(*facts, "stopped")->network_ids->size(), 1U) << "by its name: never started";
  EXPECT_EQ(Find(*facts, "stopped")->network_ids, Find(*facts, "box")->network_ids);
  const model::ServiceFacts* bad = Find(*facts, "bad");
  ASSERT_FALSE(bad->tasks.empty());
  EXPECT_EQ(bad->tasks.back().message, "No such image: nosuch/image:1");
  EXPECT_EQ(facts->networks.size(), 7U);
  EXPECT_TRUE(facts->unreadable_service_ids.empty());
}

TEST_F(DockerAdapterTest, TheSameAnswersGiveTheSameFacts) {
  Lister lister = MakeLister();
  const auto first = List(lister);
  const auto second = List(lister);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(daemon_.server().CountOf("/version"), 1U) << "negotiated once";
  EXPECT_EQ(daemon_.server().CountOf("/v1.41/info"), 1U) << "slow: asked once";
  EXPECT_EQ(daemon_.server().CountOf("/v1.41/images"), 2U) << "once for each";
  EXPECT_EQ(daemon_.server().connections(), 1U);
}

TEST_F(DockerAdapterTest, OnABareHostLocalBridgesAndTheGatewayBridgeAreReachable) {
  Lister lister = MakeLister();
  const auto facts = List(lister);
  ASSERT_TRUE(facts);
  EXPECT_TRUE(facts->on_host);
  std::vector<std::string> own;
  for (const model::NetworkFacts& network : facts->networks) {
    for (const std::string& id : facts->own_network_ids) {
      if (network.id == id) own.push_back(network.name);
    }
  }
  EXPECT_EQ(own, (std::vector<std::string>{"apps", "bridge"}));
  EXPECT_EQ(
      facts->gateway_addresses,
      (model::ContainerAddresses{
          {"773c810cf7c5af314ad6063578c3f5e7fbd3983a6c1a01e14dde8fe2d7fde93b", "172.19.0.3"}}))
      << "only tasks of labelled services";
}

TEST_F(DockerAdapterTest, InAContainerItsNetworksAreReachable) {
  const std::string own(64, 'e');
  daemon_.Set("/containers/" + own + "/json", 200, Fixture("container_box"));
  Lister lister = MakeLister({std::string(64, 'd'), own});
  const auto facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_FALSE(facts->on_host);
  EXPECT_EQ(facts->own_network_ids.size(), 1U);
  EXPECT_TRUE(facts->gateway_addresses.empty());
}

TEST_F(DockerAdapterTest, OnAnotherNodeTheOwnTaskTellsTheNetworks) {
  // The daemon is a manager's behind a socket proxy; we are the container of demo's task.
  Lister lister = MakeLister({"773c810cf7c5"}, false);
  for (int i = 0; i < 2; ++i) {
    const auto facts = List(lister);
    ASSERT_TRUE(facts) << facts.error().ToString();
    EXPECT_FALSE(facts->on_host);
    EXPECT_EQ(facts->own_network_ids, std::vector<std::string>{"kh5wknk9kmx9mfc7iduvnmd9y"});
  }
}

TEST_F(DockerAdapterTest, ElsewhereNoNetworkIsReachable) {
  Lister lister = MakeLister({}, false);
  const auto facts = List(lister);
  ASSERT_TRUE(facts);
  EXPECT_FALSE(facts->on_host);
  EXPECT_TRUE(facts->own_network_ids.empty());
}

TEST_F(DockerAdapterTest, AnOwnContainerThatIsNotThereIsSaid) {
  DockerOptions options = daemon_.options();
  options.own_container = "proxy";
  Lister lister(options, daemon_.endpoint(), {}, true, clock_);
  const auto facts = List(lister);
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, Code::kNotFound);
  EXPECT_NE(facts.error().message.find("OWN_CONTAINER"), std::string::npos);
  daemon_.Set("/containers/proxy/json", 200, Fixture("container_box"));
  EXPECT_TRUE(List(lister));
}

TEST_F(DockerAdapterTest, TheSwarmsMachinesAreListedAndTheListDoesNotDependOnThem) {
  RecordedDaemon daemon;
  Lister lister(daemon.options(), daemon.endpoint(), {}, true, clock_);
  auto facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  ASSERT_EQ(facts->nodes.size(), 1U);
  EXPECT_EQ(facts->nodes[0].hostname, "vm");
  // Nothing is published by single tasks, so that no address of a node is needed.
  daemon.Set("/tasks", 200, "[]");
  daemon.Set("/nodes", 500, R"({"message":"not now"})");
  clock_.now += std::chrono::minutes(1);
  facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->nodes.size(), 1U) << "as they were known";
}

TEST_F(DockerAdapterTest, NamedServicesAreListedWithoutALabel) {
  Lister lister = MakeLister();
  lister.Include({"plain"});
  auto facts = List(lister);
  ASSERT_TRUE(facts);
  ASSERT_NE(Find(*facts, "plain"), nullptr);
  EXPECT_EQ(Find(*facts, "plain")->exposed_tcp_ports, std::vector<std::uint16_t>{8080});
  lister.Include({});
  facts = List(lister);
  ASSERT_TRUE(facts);
  EXPECT_EQ(Find(*facts, "plain"), nullptr);
}

TEST_F(DockerAdapterTest, AServiceLabelledAtTheWrongLevelIsListedToTellItsOwner) {
  daemon_.Set("/services", 200,
              R"([{"ID":"a1","Spec":{"Name":"wrong","TaskTemplate":{"ContainerSpec":
                  {"Image":"swarmgate/echo:1","Labels":{"com.df.notify":"true"}}}}}])");
  Lister lister = MakeLister();
  const auto facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  ASSERT_NE(Find(*facts, "wrong"), nullptr);
  EXPECT_TRUE(Find(*facts, "wrong")->misplaced_labels.contains("com.df.notify"));
}

TEST_F(DockerAdapterTest, AWrongTypeInOneServiceLeavesThatOneOutAndNamesIt) {
  std::string services = Fixture("services");
  const std::size_t at = services.find("\"com.df.servicePath\":\"/glob\"");
  ASSERT_NE(at, std::string::npos);
  services.replace(at, 28, "\"com.df.servicePath\":[1,2]");
  daemon_.Set("/services", 200, services);
  Lister lister = MakeLister();
  const auto facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(Find(*facts, "glob"), nullptr);
  EXPECT_NE(Find(*facts, "demo"), nullptr);
  EXPECT_EQ(facts->unreadable_service_ids, std::vector<std::string>{"lmslpddwznjtqfp0ty0ulkwb7"});
}

TEST_F(DockerAdapterTest, AWrongTypeInOneTaskLeavesItsServiceOutAndNamesIt) {
  std::string tasks = Fixture("tasks");
  const std::size_t at = tasks.find("\"10.0.1.4/24\"");
  ASSERT_NE(at, std::string::npos);
  tasks.replace(at, 13, "{\"a\":\"b\"}");
  daemon_.Set("/tasks", 200, tasks);
  Lister lister = MakeLister();
  const auto facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(Find(*facts, "demo"), nullptr);
  EXPECT_EQ(facts->unreadable_service_ids, std::vector<std::string>{"qdpn7eceb9z9e5avlc6trk5k5"});
  const auto listed =
      lister.ListTasks({"qdpn7eceb9z9e5avlc6trk5k5", "lmslpddwznjtqfp0ty0ulkwb7"}, In(20s));
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().service_id, "lmslpddwznjtqfp0ty0ulkwb7");
}

TEST_F(DockerAdapterTest, AWrongTypeInOneContainerLeavesItsServiceOutAndNamesIt) {
  std::string containers = Fixture("containers");
  const std::size_t at = containers.find("\"172.18.0.4\"");
  ASSERT_NE(at, std::string::npos);
  containers.replace(at, 12, "17");
  daemon_.Set("/containers/json", 200, containers);
  Lister lister = MakeLister();
  const auto facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(Find(*facts, "proj_shop"), nullptr);
  EXPECT_EQ(facts->unreadable_service_ids, std::vector<std::string>{"proj/shop"});
}

TEST_F(DockerAdapterTest, NonsenseFailsTheListAndIsNeverAnEmptyOne) {
  std::string deep = "[{\"ID\":\"com.df.\",\"x\":";
  for (int i = 0; i < 10'000; ++i) deep += "{\"x\":";
  const std::string services = Fixture("services");
  const struct {
    const char* path;
    std::string body;
  } cases[] = {
      {"/services", services.substr(0, services.size() / 2)},
      {"/services", services.substr(0, services.size() - 2)},
      {"/services", deep + "1" + std::string(10'001, '}') + "]"},
      {"/services", "{}"},
      {"/services", "<html>proxy error</html>"},
      {"/services", ""},
      {"/services", R"([{"ID":7,"Spec":{"Name":"x","Labels":{"com.df.notify":"true"}}}])"},
      {"/tasks", "[1,2]"},
      {"/tasks", "[[[["},
      {"/containers/json", R"({"message":"hello"})"},
      {"/networks", "[{\"Id\":null}]"},
      {"/networks", "tru"},
      {"/nodes", R"([{"ID":{}}])"},
      {"/info", "[]"},
      {"/info", R"({"Swarm":"yes"})"},
      {"/version", "null"},
      {"/version", R"({"ApiVersion":1.41})"},
      {"/networks/docker_gwbridge", R"({"Id":"a","Containers":[]})"},
  };
  for (const auto& c : cases) {
    RecordedDaemon daemon;
    daemon.Set(c.path, 200, c.body);
    Lister lister(daemon.options(), daemon.endpoint(), {}, true, clock_);
    const auto facts = List(lister);
    ASSERT_FALSE(facts) << c.path << ": " << c.body.substr(0, 60);
    EXPECT_EQ(facts.error().code, Code::kCorrupt) << facts.error().ToString();
    EXPECT_EQ(facts.error().ToString().find('\n'), std::string::npos);
  }
}

TEST_F(DockerAdapterTest, ARefusalFailsTheListWithTheDaemonsWords) {
  for (const char* path : {"/version", "/info", "/services", "/tasks", "/containers/json",
                           "/networks", "/nodes", "/networks/docker_gwbridge"}) {
    RecordedDaemon daemon;
    daemon.Set(path, 500, R"({"message":"the disk is on fire"})");
    Lister lister(daemon.options(), daemon.endpoint(), {}, true, clock_);
    const auto facts = List(lister);
    ASSERT_FALSE(facts) << path;
    EXPECT_EQ(facts.error().code, Code::kUnavailable) << path;
    EXPECT_NE(facts.error().ToString().find("the disk is on fire"), std::string::npos)
        << facts.error().ToString();
    daemon.Set(path, 200, Fixture(path + 1));
    if (!Fixture(path + 1).empty()) {
      EXPECT_TRUE(List(lister)) << "it recovers";
    }
  }
}

TEST_F(DockerAdapterTest, OneObjectThatCannotBeInspectedHidesNobody) {
  const std::string container =
      "/containers/86b9233077fdc43daa833b3c2e4bb1b0fef150f171dbc6b95e14da368a09b3d7/json";
  const std::string bad_ports = R"({"Config":{"ExposedPorts":[80]}})";
  const struct {
    std::string path;
    int status;
    std::string body;
    std::string service;
  } cases[] = {
      {"/images/swarmgate/echo:1/json", 500, R"({"message":"the layer is damaged"})", "glob"},
      {"/images/swarmgate/echo:1/json", 200, bad_ports, "glob"},
      {"/images/swarmgate/echo:1/json", 200, "<html>", "glob"},
      {container, 500, R"({"message":"the layer is damaged"})", "stopped"},
      {container, 200, R"({"Id":7})", "stopped"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.path + " " + std::to_string(c.status) + " " + c.body);
    RecordedDaemon daemon;
    daemon.Set(c.path, c.status, c.body);
    Lister lister(daemon.options(), daemon.endpoint(), {}, true, clock_);
    const auto facts = List(lister);
    ASSERT_TRUE(facts) << facts.error().ToString();
    EXPECT_EQ(Names(*facts).size(), 7U);
    const model::ServiceFacts* service = Find(*facts, c.service);
    ASSERT_NE(service, nullptr);
    EXPECT_TRUE(service->exposed_tcp_ports.empty());
    EXPECT_EQ(
        std::count(facts->ports_unknown_ids.begin(), facts->ports_unknown_ids.end(), service->id),
        1);
    // It recovers; not at once, so that a daemon in trouble is left in peace.
    daemon.Set("/images/swarmgate/echo:1/json", 200, Fixture("image"));
    daemon.Set(container, 200, Fixture("container_box"));
    clock_.now += 11s;
    const auto again = List(lister);
    ASSERT_TRUE(again) << again.error().ToString();
    EXPECT_TRUE(again->ports_unknown_ids.empty());
    EXPECT_FALSE(Find(*again, c.service)->exposed_tcp_ports.empty());
  }
}

TEST_F(DockerAdapterTest, WithoutSwarmThereAreContainersOnly) {
  daemon_.Set("/info", 200, Fixture("info_no_swarm"));
  daemon_.Set("/services", 503, Fixture("services_no_swarm"));
  daemon_.Set("/tasks", 503, Fixture("services_no_swarm"));
  Lister lister = MakeLister();
  const auto facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_FALSE(facts->swarm_manager);
  EXPECT_EQ(Names(*facts), (std::vector<std::string>{"box", "paused", "proj_shop", "stopped"}));
}

TEST_F(DockerAdapterTest, AWorkerKnowsItsContainersOnly) {
  daemon_.Set(
      "/info", 200,
      R"({"ID":"x","Swarm":{"NodeID":"w1","LocalNodeState":"active","ControlAvailable":false,
                  "RemoteManagers":[{"NodeID":"m1","Addr":"10.0.0.1:2377"}]}})");
  daemon_.Set("/services", 503, Fixture("services_no_swarm"));
  Lister lister = MakeLister();
  const auto facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_FALSE(facts->swarm_manager);
  EXPECT_EQ(facts->node_id, "w1");
}

TEST_F(DockerAdapterTest, AManagerThatCannotAnswerNowIsNotTakenForAWorker) {
  daemon_.Set("/services", 503, Fixture("services_no_swarm"));
  const char* infos[] = {
      // It lost its quorum: still a manager.
      R"({"Swarm":{"NodeID":"m1","LocalNodeState":"active","ControlAvailable":true}})",
      // dockerd has just started: the agent is up before the manager is.
      R"({"Swarm":{"NodeID":"m1","LocalNodeState":"active","ControlAvailable":false,
          "RemoteManagers":[{"NodeID":"m1"}]}})",
      R"({"Swarm":{"NodeID":"m1","LocalNodeState":"pending"}})",
      R"({"Swarm":{"NodeID":"m1","LocalNodeState":"locked"}})",
      R"({"Swarm":{"NodeID":"m1","LocalNodeState":"error","Error":"x"}})"};
  for (const char* info : infos) {
    daemon_.Set("/info", 200, info);
    Lister lister = MakeLister();
    const auto facts = List(lister);
    ASSERT_FALSE(facts) << info;
    EXPECT_EQ(facts.error().code, Code::kUnavailable);
  }
}

TEST_F(DockerAdapterTest, ADaemonThatJoinsASwarmIsNoticed) {
  daemon_.Set("/info", 200, Fixture("info_no_swarm"));
  daemon_.Set("/services", 503, Fixture("services_no_swarm"));
  Lister lister = MakeLister();
  ASSERT_TRUE(List(lister));
  daemon_.Set("/info", 200, Fixture("info"));
  daemon_.Set("/services", 200, Fixture("services"));
  const auto facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_TRUE(facts->swarm_manager);
  EXPECT_EQ(facts->node_id, "mlscr89vz6lhwktnwrdyifmt6");
  EXPECT_NE(Find(*facts, "demo"), nullptr);
}

TEST_F(DockerAdapterTest, AnotherDaemonIsNegotiatedWithAnew) {
  Lister lister = MakeLister();
  ASSERT_TRUE(List(lister));
  // Downgraded: it refuses the version of before, once.
  daemon_.Set("/version", 200, R"({"ApiVersion":"1.40","MinAPIVersion":"1.12"})");
  daemon_.Set("/services", 400, R"({"message":"client version 1.41 is too new"})");
  EXPECT_FALSE(List(lister));
  daemon_.Set("/services", 200, Fixture("services"));
  const auto facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->api_version, "1.40");
  EXPECT_GT(daemon_.server().CountOf("/v1.40/"), 0U);
}

TEST_F(DockerAdapterTest, AnImageTakenAwayKeepsThePortsItExposed) {
  Lister lister = MakeLister();
  ASSERT_TRUE(List(lister));
  daemon_.Set("/images/swarmgate/echo:1/json", 404, R"({"message":"No such image"})");
  clock_.now += 10min;
  const auto facts = List(lister);
  ASSERT_TRUE(facts);
  EXPECT_EQ(Find(*facts, "glob")->exposed_tcp_ports, std::vector<std::uint16_t>{8080});
  EXPECT_EQ(daemon_.server().CountOf("/v1.41/images/swarmgate"), 2U) << "it was asked again";
  EXPECT_EQ(daemon_.server().CountOf("/v1.41/info"), 2U);
}

TEST_F(DockerAdapterTest, ManyServicesAreNotAskedForOneByOne) {
  std::string services = "[";
  std::string tasks = "[";
  for (int i = 0; i < 500; ++i) {
    const std::string id = "svc" + std::to_string(i);
    services += std::string(i == 0 ? "" : ",") + R"({"ID":")" + id + R"(","Spec":{"Name":")" + id +
                R"(","Labels":{"com.df.notify":"true","com.df.port":"1"}}})";
    tasks += std::string(i == 0 ? "" : ",") + R"({"ID":"task)" + std::to_string(i) +
             R"(","ServiceID":")" + id + R"(","Status":{"State":"running"}})";
  }
  daemon_.Set("/services", 200, services + "]");
  daemon_.Set("/tasks", 200, tasks + "]");
  Lister lister = MakeLister();
  const auto facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  ASSERT_NE(Find(*facts, "svc499"), nullptr);
  EXPECT_EQ(Find(*facts, "svc499")->tasks.size(), 1U);
  for (const std::string& target : daemon_.server().targets()) EXPECT_LT(target.size(), 4000U);
  EXPECT_EQ(daemon_.server().CountOf("/v1.41/tasks"), 1U);
}

TEST_F(DockerAdapterTest, AContainerThatHasJustStartedTellsItsTask) {
  Lister lister = MakeLister();
  ASSERT_TRUE(List(lister));
  std::string state = R"("Running":true,"Paused":false)";
  daemon_.SetScript("/containers/c1/json", [&](const Exchange& x) {
    x.Reply(200, R"({"Id":"c1","State":{)" + state +
                     R"(},"Config":{"Labels":{"com.docker.swarm.task.id":"t1"}},)"
                     R"("NetworkSettings":{"Networks":{}}})");
  });
  const auto look = [&] {
    const auto task = lister.LookAt("c1", In(20s));
    EXPECT_TRUE(task) << task.error().ToString();
    return task && *task ? (*task)->task_id : "";
  };
  EXPECT_EQ(look(), "t1");
  state = R"("Running":true,"Paused":false,"Health":{"Status":"starting"})";
  EXPECT_EQ(look(), "");
  state = R"("Running":true,"Paused":false,"Health":{"Status":"healthy"})";
  EXPECT_EQ(look(), "t1");
  state = R"("Running":true,"Paused":true)";
  EXPECT_EQ(look(), "");
  state = R"("Running":false,"Paused":false)";
  EXPECT_EQ(look(), "");
  daemon_.SetScript("/containers/c1/json", [](const Exchange& x) { x.Reply(404, "{}"); });
  EXPECT_EQ(look(), "") << "it is gone already";
}

TEST_F(DockerAdapterTest, SilenceEndsAtTheDeadline) {
  daemon_.SetScript("/services", [](const Exchange& x) { x.WaitClosed(); });
  Lister lister = MakeLister();
  const auto facts = lister.List(In(100ms));
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, Code::kDeadlineExceeded);
}

TEST_F(DockerAdapterTest, CancelEndsAListUnderWay) {
  auto api = MakeDockerApi(daemon_.options());
  ASSERT_TRUE(api);
  std::promise<void> asked;
  std::thread canceller([&] {
    asked.get_future().wait();
    (*api)->Cancel();
  });
  daemon_.SetScript("/services", [&](const Exchange& x) {
    asked.set_value();
    x.WaitClosed();
  });
  const auto facts = (*api)->List(In(20s));
  canceller.join();
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, Code::kCancelled);
}

// --- events ---------------------------------------------------------------------------

TEST_F(DockerAdapterTest, WatchHandsOverEventsHoweverTheStreamIsCut) {
  const std::string events = Fixture("events");
  daemon_.SetScript("/events", [&](const Exchange& x) {
    x.BeginChunks();
    for (std::size_t at = 0; at < events.size(); at += 777) x.Chunk(events.substr(at, 777));
    x.EndChunks();
  });
  auto api = MakeDockerApi(daemon_.options());
  ASSERT_TRUE(api);
  int connected = 0;
  std::vector<ports::DockerEvent> seen;
  const Error end = (*api)->Watch(
      5'000'000'000, [&] { ++connected; },
      [&](const ports::DockerEvent& event) { seen.push_back(event); });
  EXPECT_EQ(end.code, Code::kUnavailable) << end.ToString();
  EXPECT_EQ(connected, 1);
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(std::count(events.begin(), events.end(), '\n')));
  EXPECT_EQ(daemon_.server().CountOf("/v1.41/events?filters="), 1U);
  EXPECT_NE(daemon_.server().targets().back().find("&since=5.000000000"), std::string::npos);
}

TEST_F(DockerAdapterTest, AStreamCutInsideAnObjectIsUnavailableAndGivesNoHalfEvent) {
  daemon_.SetScript("/events", [](const Exchange& x) {
    x.BeginChunks();
    x.Chunk(R"({"Type":"service","Action":"update"}{"Type":"serv)");
    x.Close();
  });
  auto api = MakeDockerApi(daemon_.options());
  ASSERT_TRUE(api);
  int events = 0;
  const Error end = (*api)->Watch(
      0, [] {}, [&](const ports::DockerEvent&) { ++events; });
  EXPECT_EQ(end.code, Code::kUnavailable);
  EXPECT_EQ(events, 1);
}

TEST_F(DockerAdapterTest, NonsenseEndsTheStream) {
  for (const std::string& text :
       {std::string("hello"), std::string("{\"a\":}"),
        "{\"a\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}",
        std::string("[{}]")}) {
    daemon_.SetScript("/events", [&](const Exchange& x) {
      x.BeginChunks();
      x.Chunk(text);
      x.WaitClosed();
    });
    auto api = MakeDockerApi(daemon_.options());
    ASSERT_TRUE(api);
    const Error end = (*api)->Watch(
        0, [] {}, [](const ports::DockerEvent&) { FAIL(); });
    EXPECT_EQ(end.code, Code::kCorrupt) << end.ToString();
  }
}

TEST_F(DockerAdapterTest, AStreamThatIsRefusedNeverCountsAsConnected) {
  daemon_.Set("/events", 500, R"({"message":"no"})");
  auto api = MakeDockerApi(daemon_.options());
  ASSERT_TRUE(api);
  const Error end = (*api)->Watch(
      0, [] { FAIL(); }, [](const ports::DockerEvent&) {});
  EXPECT_EQ(end.code, Code::kUnavailable);
  EXPECT_NE(end.ToString().find("no"), std::string::npos);
}

TEST_F(DockerAdapterTest, CancelEndsAWatchAtOnceAndForGood) {
  daemon_.SetScript("/events", [](const Exchange& x) {
    x.BeginChunks();
    x.WaitClosed();
  });
  auto api = MakeDockerApi(daemon_.options());
  ASSERT_TRUE(api);
  std::thread canceller;
  const auto connected = [&] { canceller = std::thread([&] { (*api)->Cancel(); }); };
  EXPECT_EQ((*api)->Watch(0, connected, [](const ports::DockerEvent&) {}).code, Code::kCancelled);
  canceller.join();
  EXPECT_EQ((*api)
                ->Watch(
                    0, [] {}, [](const ports::DockerEvent&) {})
                .code,
            Code::kCancelled);
}

TEST_F(DockerAdapterTest, AListGoesOnWhileEventsAreWatched) {
  daemon_.SetScript("/events", [](const Exchange& x) {
    x.BeginChunks();
    x.WaitClosed();
  });
  auto api = MakeDockerApi(daemon_.options());
  ASSERT_TRUE(api);
  std::thread lister;
  (void)(*api)->Watch(
      0,
      [&] {
        lister = std::thread([&] {
          EXPECT_TRUE((*api)->List(In(20s)));
          (*api)->Cancel();
        });
      },
      [](const ports::DockerEvent&) {});
  lister.join();
}

}  // namespace
}  // namespace swarmgate::docker
