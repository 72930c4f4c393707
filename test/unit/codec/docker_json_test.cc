#include "swarmgate/codec/docker_json.h"

#include <gtest/gtest.h>

#include <random>

#include "support/paths.h"
#include "support/rounds.h"
#include "support/test_root.h"
#include "swarmgate/codec/json_splitter.h"

namespace swarmgate::codec {
namespace {

using model::Health;

std::string Fixture(const std::string& name) {
  const std::string text =
      testing::ReadFile(testing::SourcePath("fixtures/docker/20.10/") + name + ".json");
  EXPECT_FALSE(text.empty()) << name;
  return text;
}

JsonValue Json(std::string_view text) {
  auto value = JsonValue::Parse(text);
  EXPECT_TRUE(value) << text << ": " << (value ? "" : value.error().message);
  return value ? *std::move(value) : JsonValue();
}

/// The element of a recorded list whose `key` is `value`.
JsonValue Recorded(const std::string& list, std::string_view key, std::string_view value) {
  const JsonValue json = Json(Fixture(list));
  for (const JsonValue& item : json.items()) {
    if (item[key].AsString() == value) return item;
  }
  ADD_FAILURE() << list << " has no " << value;
  return {};
}

JsonValue RecordedService(std::string_view name) {
  const JsonValue json = Json(Fixture("services"));
  for (const JsonValue& item : json.items()) {
    if (item["Spec"]["Name"].AsString() == name) return item;
  }
  ADD_FAILURE() << "no service " << name;
  return {};
}

Container RecordedContainer(const std::string& name) {
  const JsonValue json = Json(Fixture("containers"));
  for (const JsonValue& item : json.items()) {
    auto container = DecodeContainer(item);
    EXPECT_TRUE(container) << container.error().message;
    if (container && container->name == name) return *container;
  }
  ADD_FAILURE() << "no container " << name;
  return {};
}

TEST(DockerJson, ReadsTheVersionsOfTheDaemon) {
  const auto version = DecodeVersion(Json(Fixture("version")));
  ASSERT_TRUE(version);
  EXPECT_EQ(version->api, "1.41");
  EXPECT_EQ(version->min_api, "1.12");
}

TEST(DockerJson, TellsAManagerFromADaemonWithoutSwarm) {
  const auto manager = DecodeInfo(Json(Fixture("info")));
  ASSERT_TRUE(manager);
  EXPECT_TRUE(manager->manager);
  EXPECT_TRUE(manager->among_managers);
  EXPECT_EQ(manager->swarm_state, "active");
  EXPECT_EQ(manager->node_id, "mlscr89vz6lhwktnwrdyifmt6");
  const auto alone = DecodeInfo(Json(Fixture("info_no_swarm")));
  ASSERT_TRUE(alone);
  EXPECT_FALSE(alone->manager);
  EXPECT_EQ(alone->swarm_state, "inactive");
  EXPECT_EQ(alone->node_id, "");
  EXPECT_EQ(alone->id, manager->id);
}

TEST(DockerJson, ReadsAService) {
  const auto service = DecodeService(RecordedService("demo"), "com.df.");
  ASSERT_TRUE(service) << service.error().message;
  const model::ServiceFacts& facts = service->facts;
  EXPECT_EQ(facts.id, "qdpn7eceb9z9e5avlc6trk5k5");
  EXPECT_EQ(facts.name, "demo");
  EXPECT_EQ(facts.version, 15U);
  EXPECT_EQ(facts.created_unix_ns, 1795460543'211753873);
  EXPECT_EQ(facts.labels.Unpack().at("com.df.servicePath"), "/demo");
  EXPECT_EQ(facts.network_ids, std::vector<std::string>{"kh5wknk9kmx9mfc7iduvnmd9y"});
  EXPECT_EQ(facts.replicas, 2U);
  EXPECT_FALSE(facts.global);
  EXPECT_EQ(facts.exposed_tcp_ports, std::vector<std::uint16_t>{8080});
  ASSERT_EQ(facts.published.size(), 1U);
  EXPECT_EQ(facts.published[0], (model::PublishedPort{8080, 18080, true, false}));
  EXPECT_EQ(service->image, "swarmgate/echo:1");
}

TEST(DockerJson, LabelsOfTheContainerSpecAreMisplacedUnlessTheServiceHasThemToo) {
  // The recorded service carries notify and port at both levels.
  const auto both = DecodeService(RecordedService("demo"), "com.df.");
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->facts.misplaced_labels.empty());
  const auto wrong = DecodeService(
      Json(
          R"({"ID":"a1","Spec":{"Name":"x","Labels":{"com.df.port":"1"},"TaskTemplate":{"ContainerSpec":
              {"Labels":{"com.df.notify":"true","com.df.port":"2","other":"3"}}}}})"),
      "com.df.");
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->facts.misplaced_labels, (Labels{{"com.df.notify", "true"}}));
}

TEST(DockerJson, ReadsTheModeOfAService) {
  const struct {
    const char* mode;
    bool global;
    std::optional<std::uint64_t> replicas;
  } cases[] = {
      {R"({"Replicated":{"Replicas":3}})", false, 3},
      {R"({"Replicated":{}})", false, std::nullopt},
      {R"({"Global":{}})", true, std::nullopt},
      {R"({"ReplicatedJob":{"MaxConcurrent":1,"TotalCompletions":5}})", false, 5},
      {R"({"GlobalJob":{}})", true, std::nullopt},
      {"null", false, std::nullopt},
  };
  for (const auto& c : cases) {
    const auto service = DecodeService(
        Json(std::string(R"({"ID":"a","Spec":{"Name":"x","Mode":)") + c.mode + "}}"), "com.df.");
    ASSERT_TRUE(service) << c.mode;
    EXPECT_EQ(service->facts.global, c.global) << c.mode;
    EXPECT_EQ(service->facts.replicas, c.replicas) << c.mode;
  }
}

TEST(DockerJson, ReadsARunningTask) {
  const auto task = DecodeTask(Recorded("tasks", "ID", "ty0yth2yoj36jblf9qynj1ed2"));
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_EQ(task->service_id, "qdpn7eceb9z9e5avlc6trk5k5");
  EXPECT_EQ(task->slot, 2U);
  EXPECT_TRUE(task->facts.running);
  EXPECT_TRUE(task->facts.desired_running);
  EXPECT_EQ(task->facts.container_id.str().substr(0, 12), "773c810cf7c5");
  EXPECT_EQ(task->facts.addresses.at("kh5wknk9kmx9mfc7iduvnmd9y"), "10.0.1.4");
  EXPECT_EQ(task->facts.node_id, "mlscr89vz6lhwktnwrdyifmt6");
  ASSERT_EQ(task->facts.published.size(), 1U);
  EXPECT_EQ(task->facts.published[0].published, 18080);
}

TEST(DockerJson, ATaskThatIsToEndStillRunsButIsNotDesired) {
  const auto task = DecodeTask(Recorded("tasks_draining", "ID", "kq62vrqv2zlk6dphujo05qrg5"));
  ASSERT_TRUE(task);
  EXPECT_TRUE(task->facts.running);
  EXPECT_FALSE(task->facts.desired_running);
}

TEST(DockerJson, ATaskThatFailedTellsWhy) {
  const auto task = DecodeTask(Recorded("tasks", "ID", "be1mcls1k09leivpvb4frorfb"));
  ASSERT_TRUE(task);
  EXPECT_EQ(task->facts.state, "rejected");
  EXPECT_EQ(task->facts.message, "No such image: nosuch/image:1");
  EXPECT_FALSE(task->facts.running);
}

TEST(DockerJson, ReadsContainersOfEveryKind) {
  const Container box = RecordedContainer("box");
  EXPECT_TRUE(box.facts.running);
  EXPECT_EQ(box.exposed_tcp_ports, (std::vector<std::uint16_t>{8080, 9000}));
  ASSERT_EQ(box.facts.published.size(), 1U);
  EXPECT_EQ(box.facts.published[0].published, 19000);
  EXPECT_EQ(box.facts.addresses.begin()->second, "172.18.0.2");
  EXPECT_EQ(box.network_ids.size(), 1U);
  EXPECT_FALSE(box.swarm_task());

  EXPECT_EQ(RecordedContainer("proj-shop-1").facts.health, Health::kUnhealthy);
  const Container shop = RecordedContainer("proj-shop-2");
  EXPECT_EQ(shop.facts.health, Health::kHealthy);
  EXPECT_EQ(shop.compose_project(), "proj");
  EXPECT_EQ(shop.compose_service(), "shop");
  EXPECT_FALSE(shop.one_off());
  EXPECT_TRUE(RecordedContainer("proj-shop-run").one_off());

  const Container stopped = RecordedContainer("stopped");
  EXPECT_FALSE(stopped.facts.running);
  EXPECT_TRUE(stopped.exposed_tcp_ports.empty());
  EXPECT_FALSE(RecordedContainer("paused").facts.running);
  EXPECT_TRUE(RecordedContainer("plain.1.kq62vrqv2zlk6dphujo05qrg5").swarm_task());
}

TEST(DockerJson, AContainersFactsDoNotChangeWithTime) {
  const auto with_status = [](const std::string& state, const std::string& status) {
    const auto container = DecodeContainer(Json(R"({"Id":"a1","Names":["/x"],"State":")" + state +
                                                R"(","Status":")" + status + "\"}"));
    EXPECT_TRUE(container);
    return container->facts;
  };
  EXPECT_EQ(with_status("running", "Up 3 seconds"), with_status("running", "Up 2 hours"));
  EXPECT_EQ(with_status("paused", "Up 3 seconds (Paused)"),
            with_status("paused", "Up 2 hours (Paused)"));
  const auto exited = with_status("exited", "Exited (137) 3 seconds ago");
  EXPECT_EQ(exited, with_status("exited", "Exited (137) 2 hours ago"));
  EXPECT_EQ(exited.message, "Exited (137)");
  EXPECT_EQ(with_status("running", "Up 1 second (health: starting)").health, Health::kStarting);
}

TEST(DockerJson, AContainerIsCalledByItsOwnNameNotByALinkToIt) {
  const auto container =
      DecodeContainer(Json(R"({"Id":"a1","Names":["/other/alias","/mine"],"Labels":null})"));
  ASSERT_TRUE(container);
  EXPECT_EQ(container->name, "mine");
}

TEST(DockerJson, ReadsWhatAnInspectionAdds) {
  const auto details = DecodeContainerDetails(Json(Fixture("container_box")));
  ASSERT_TRUE(details);
  EXPECT_EQ(details->exposed_tcp_ports, (std::vector<std::uint16_t>{8080, 9000}));
  EXPECT_EQ(details->network_ids.size(), 1U);
  const auto image = DecodeImagePorts(Json(Fixture("image")));
  ASSERT_TRUE(image);
  EXPECT_EQ(*image, std::vector<std::uint16_t>{8080});
  const auto mixed = DecodeImagePorts(Json(
      R"({"Config":{"ExposedPorts":{"53/udp":{},"80/tcp":{},"x/tcp":{},"0/tcp":{},"443":{}}}})"));
  ASSERT_TRUE(mixed);
  EXPECT_EQ(*mixed, (std::vector<std::uint16_t>{80, 443}));
}

TEST(DockerJson, ReadsNetworksAndWhoIsOnTheGatewayBridge) {
  const auto web = DecodeNetwork(Recorded("networks", "Name", "web"));
  ASSERT_TRUE(web);
  EXPECT_EQ(*web,
            (model::NetworkFacts{"kh5wknk9kmx9mfc7iduvnmd9y", "web", "overlay", true, false}));
  const auto ingress = DecodeNetwork(Recorded("networks", "Name", "ingress"));
  ASSERT_TRUE(ingress);
  EXPECT_TRUE(ingress->ingress);
  const auto bridge = DecodeNetworkContainers(Json(Fixture("network_docker_gwbridge")));
  ASSERT_TRUE(bridge);
  EXPECT_EQ(bridge->addresses.size(), 2U) << "ingress-sbox is no container";
  EXPECT_EQ(
      bridge->addresses.at("773c810cf7c5af314ad6063578c3f5e7fbd3983a6c1a01e14dde8fe2d7fde93b"),
      "172.19.0.3");
}

TEST(DockerJson, ANodeThatReportsNoAddressOfItsOwnIsKnownByItsManagers) {
  const auto node = DecodeNode(Recorded("nodes", "ID", "mlscr89vz6lhwktnwrdyifmt6"), "com.df.");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->address, "127.0.0.1");
  const struct {
    const char *json, *address;
  } cases[] = {
      {R"({"ID":"a","Status":{"Addr":"0.0.0.0"},"ManagerStatus":{"Addr":"10.0.0.5:2377"}})",
       "10.0.0.5"},
      {R"({"ID":"a","Status":{"Addr":"0.0.0.0"},"ManagerStatus":{"Addr":"[fd00::5]:2377"}})",
       "fd00::5"},
      {R"({"ID":"a","Status":{"Addr":"not an address"}})", ""},
      {R"({"ID":"a"})", ""},
  };
  for (const auto& c : cases) {
    const auto decoded = DecodeNode(Json(c.json), "com.df.");
    ASSERT_TRUE(decoded) << c.json;
    EXPECT_EQ(decoded->address, c.address) << c.json;
  }
}

TEST(DockerJson, ANodeIsWhatTheListenerTellsOfIt) {
  const auto recorded = DecodeNode(Recorded("nodes", "ID", "mlscr89vz6lhwktnwrdyifmt6"), "com.df.");
  ASSERT_TRUE(recorded);
  EXPECT_EQ(
      *recorded,
      (model::NodeFacts{
          "mlscr89vz6lhwktnwrdyifmt6", "vm", "127.0.0.1", 22, "ready", "manager", "active", {}}));
  const auto labelled =
      DecodeNode(Json(R"({"ID":"a","Spec":{"Labels":{"com.df.zone":"b","com.df.":"x","other":"y"}},
               "Description":{"Engine":{"Labels":{"com.df.zone":"a","com.df.disk":"ssd"}}}})"),
                 "com.df.");
  ASSERT_TRUE(labelled);
  EXPECT_EQ(labelled->labels, (std::map<std::string, std::string>{{"disk", "ssd"}, {"zone", "b"}}));
}

TEST(DockerJson, AMemberOfTheWrongTypeIsAnErrorThatNamesIt) {
  const struct {
    const char *json, *message;
  } services[] = {
      {R"([])", "service: array instead of an object"},
      {R"({"ID":5,"Spec":{"Name":"x"}})", "ID: number instead of a string"},
      {R"({"ID":"","Spec":{"Name":"x"}})", "ID: \"\" is no id"},
      {R"({"ID":"../etc","Spec":{"Name":"x"}})", "ID: \"../etc\" is no id"},
      {R"({"ID":"a","Spec":[]})", "Spec: array instead of an object"},
      {R"({"ID":"a","Spec":{}})", "Spec.Name: missing"},
      {R"({"ID":"a","Spec":{"Name":"x","Labels":["a"]}})", "Labels: array instead of an object"},
      {R"({"ID":"a","Spec":{"Name":"x","Labels":{"k":7}}})",
       "Labels.k: number instead of a string"},
      {R"({"ID":"a","Spec":{"Name":"x"},"CreatedAt":"yesterday"})",
       "CreatedAt: \"yesterday\" is no time"},
      {R"({"ID":"a","Spec":{"Name":"x","Mode":{"Replicated":{"Replicas":-1}}}})",
       "Replicas: number instead of a positive integer"},
      {R"({"ID":"a","Spec":{"Name":"x"},"Endpoint":{"Ports":{"a":1}}})",
       "Ports: object instead of an array"},
      {R"({"ID":"a","Spec":{"Name":"x"},"Endpoint":{"Ports":[{"TargetPort":70000}]}})",
       "TargetPort: 70000 is no port"},
      {R"({"ID":"a","Spec":{"Name":"x"},"Version":{"Index":"7"}})",
       "Index: string instead of a positive integer"},
  };
  for (const auto& c : services) {
    const auto service = DecodeService(Json(c.json), "com.df.");
    ASSERT_FALSE(service) << c.json;
    EXPECT_EQ(service.error().code, Code::kCorrupt);
    EXPECT_EQ(service.error().message, c.message) << c.json;
  }
  const char* tasks[] = {
      R"({"ID":"a","Status":"running"})",
      R"({"ID":"a","Slot":1.5})",
      R"({"ID":"a","Status":{"State":true}})",
      R"({"ID":"a","NetworksAttachments":[{"Network":{"ID":"n"},"Addresses":["host name"]}]})",
      R"({"ID":"a","NetworksAttachments":[{"Network":{"ID":"n"},"Addresses":[5]}]})",
      R"({"ID":"a","NetworksAttachments":{"x":1}})",
  };
  for (const char* json : tasks) EXPECT_FALSE(DecodeTask(Json(json))) << json;
  const char* containers[] = {
      R"({"Id":"a","Names":[5]})", R"({"Id":"a","Created":"now"})",
      R"({"Id":"a","NetworkSettings":{"Networks":{"n":{"NetworkID":"x","IPAddress":"1.2.3"}}}})",
      R"({"Id":"a","Ports":[{"PrivatePort":"80"}]})"};
  for (const char* json : containers) EXPECT_FALSE(DecodeContainer(Json(json))) << json;
}

TEST(DockerJson, AbsentAndNullMembersHaveADefault) {
  EXPECT_TRUE(DecodeTask(Json(R"({"ID":"a"})")));
  EXPECT_TRUE(DecodeTask(Json(R"({"ID":"a","Status":null,"NetworksAttachments":null})")));
  EXPECT_TRUE(DecodeContainer(Json(R"({"Id":"a","Labels":null,"Ports":null,"Names":null})")));
  EXPECT_TRUE(DecodeService(Json(R"({"ID":"a","Spec":{"Name":"x","Labels":null}})"), "com.df."));
}

TEST(DockerJson, TimesAreReadInEveryZone) {
  const auto created = [](const std::string& time) -> std::optional<std::int64_t> {
    const auto service =
        DecodeService(Json(R"({"ID":"a","Spec":{"Name":"x"},"CreatedAt":")" + time + "\"}"), "");
    if (!service) return std::nullopt;
    return service->facts.created_unix_ns;
  };
  EXPECT_EQ(created("1970-01-01T00:00:01Z"), 1'000'000'000);
  EXPECT_EQ(created("2000-02-29T12:00:00.5Z"), 951825600'500'000'000);
  EXPECT_EQ(created("2000-02-29T13:00:00+01:00"), 951825600'000'000'000);
  EXPECT_EQ(created("0001-01-01T00:00:00Z"), 0);
  EXPECT_EQ(created("9999-12-31T23:59:59Z"), 9'000'000'000'000'000'000);
  for (const char* bad : {"2001-02-29T12:00:00Z", "2000-13-01T00:00:00Z", "2000-01-01 00:00:00Z",
                          "2000-01-01T24:00:00Z", "2000-01-01T00:00:00", "2000-01-01T00:00:00.Z",
                          "2000-01-01T00:00:00+1:00", "-001-01-01T00:00:00Z"}) {
    EXPECT_EQ(created(bad), std::nullopt) << bad;
  }
}

TEST(DockerJson, AddressesAreCheckedAndLoseTheirPrefixLength) {
  const struct {
    const char* text;
    std::optional<std::string> address;
  } cases[] = {{"10.0.1.4/24", "10.0.1.4"},
               {"10.0.1.4", "10.0.1.4"},
               {"fd00::4/64", "fd00::4"},
               {"::", "::"},
               {"::1", "::1"},
               {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
               {"", std::nullopt},
               {"10.0.1", std::nullopt},
               {"10.0.1.256", std::nullopt},
               {"10.0.1.04", std::nullopt},
               {"a.b.c.d", std::nullopt},
               {"10.0.1.4/x", std::nullopt},
               {"::1::2", std::nullopt},
               {"12345::", std::nullopt},
               {"1:2:3:4:5:6:7:8:9", std::nullopt},
               {"fd00::g", std::nullopt},
               {"10.0.1.4 x", std::nullopt}};
  for (const auto& c : cases) EXPECT_EQ(AddressWithoutPrefix(c.text), c.address) << c.text;
}

TEST(DockerJson, TheMessageOfARefusalIsPrintable) {
  EXPECT_EQ(DecodeMessage(R"({"message":"not\u001b here"})"), "not\\x1b here");
  EXPECT_EQ(DecodeMessage("<html>\n"), "<html>");
}

TEST(DockerJson, ShapesKeepEverythingThatTheDecodersLookAt) {
  const auto both = [](const std::string& list, const JsonShape& shape, const auto& decode) {
    std::size_t count = 0;
    const JsonValue whole = Json(Fixture(list));
    for (const JsonValue& item : whole.items()) {
      JsonWriter text;
      text.Value(item);
      const auto pruned = JsonValue::Parse(text.text(), {}, &shape);
      EXPECT_TRUE(pruned);
      const auto expected = decode(item);
      const auto decoded = decode(*pruned);
      EXPECT_TRUE(expected && decoded) << list;
      if (expected && decoded) decode.Compare(*decoded, *expected);
      ++count;
    }
    EXPECT_GT(count, 0U) << list;
  };
  struct Service {
    auto operator()(const JsonValue& json) const { return DecodeService(json, "com.df."); }
    static void Compare(const SwarmService& a, const SwarmService& b) {
      EXPECT_EQ(a.facts, b.facts);
      EXPECT_EQ(a.image, b.image);
    }
  };
  struct Task {
    auto operator()(const JsonValue& json) const { return DecodeTask(json); }
    static void Compare(const SwarmTask& a, const SwarmTask& b) {
      EXPECT_EQ(a.facts, b.facts);
      EXPECT_EQ(std::tie(a.service_id, a.slot, a.state_unix_ns),
                std::tie(b.service_id, b.slot, b.state_unix_ns));
    }
  };
  struct One {
    auto operator()(const JsonValue& json) const { return DecodeContainer(json); }
    static void Compare(const Container& a, const Container& b) {
      EXPECT_EQ(a.facts, b.facts);
      EXPECT_EQ(std::tie(a.name, a.image, a.labels, a.created_unix_ns, a.network_ids,
                         a.network_names, a.exposed_tcp_ports),
                std::tie(b.name, b.image, b.labels, b.created_unix_ns, b.network_ids,
                         b.network_names, b.exposed_tcp_ports));
    }
  };
  struct Network {
    auto operator()(const JsonValue& json) const { return DecodeNetwork(json); }
    static void Compare(const model::NetworkFacts& a, const model::NetworkFacts& b) {
      EXPECT_EQ(a, b);
    }
  };
  both("services", ServiceShape(), Service());
  both("tasks", TaskShape(), Task());
  both("containers", ContainerShape(), One());
  both("networks", NetworkShape(), Network());
}

/// Every decoder on every text: none may crash, whatever it is.
TEST(DockerJson, DamagedAnswersNeverCrash) {
  std::mt19937 random(7);
  for (const char* name : {"services", "tasks", "containers", "networks", "nodes", "info",
                           "container_box", "network_docker_gwbridge", "version"}) {
    const std::string whole = Fixture(name);
    for (unsigned round = 0; round < testing::Rounds(300); ++round) {
      std::string text = whole;
      for (int change = 0; change < 3; ++change) {
        const std::size_t at = random() % text.size();
        static constexpr std::string_view kBytes = "{}[]\",:0n";
        text[at] = kBytes[random() % kBytes.size()];
      }
      const auto json = JsonValue::Parse(text);
      if (!json) continue;
      std::vector<JsonValue> items = json->items();
      items.push_back(*json);
      for (const JsonValue& item : items) {
        (void)DecodeService(item, "com.df.").has_value();
        (void)DecodeTask(item).has_value();
        (void)DecodeContainer(item).has_value();
        (void)DecodeContainerDetails(item).has_value();
        (void)DecodeNetwork(item).has_value();
        (void)DecodeNetworkContainers(item).has_value();
        (void)DecodeNode(item, "com.df.").has_value();
        (void)DecodeInfo(item).has_value();
        (void)DecodeVersion(item).has_value();
        (void)DecodeImagePorts(item).has_value();
      }
    }
  }
}

}  // namespace
}  // namespace swarmgate::codec
