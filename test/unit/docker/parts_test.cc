// The pure parts of the adapter.
#include <gtest/gtest.h>

#include "docker/assemble.h"
#include "docker/daemon.h"
#include "docker/event.h"
#include "docker/host.h"
#include "docker/own_container.h"
#include "support/paths.h"
#include "support/test_root.h"

namespace swarmgate::docker {
namespace {

const std::string kId(64, 'a');
const std::string kOther = std::string(63, 'b') + "0";

TEST(DockerHost, UnderstandsTheFormsOfDockerHost) {
  const struct {
    const char* host;
    bool tls;
    const char *url, *socket;
    bool local;
  } cases[] = {
      {"unix:///var/run/docker.sock", false, "http://docker", "/var/run/docker.sock", true},
      {"UNIX:///run/d.sock", true, "http://docker", "/run/d.sock", true},
      {"tcp://10.0.0.1", false, "http://10.0.0.1:2375", "", false},
      {"tcp://10.0.0.1", true, "https://10.0.0.1:2376", "", false},
      {"tcp://manager:4000/", true, "https://manager:4000", "", false},
      {"http://localhost:1", true, "http://localhost:1", "", true},
      {"https://127.0.0.1:1", false, "https://127.0.0.1:1", "", true},
      {"tcp://[::1]:2375", false, "http://[::1]:2375", "", true},
  };
  for (const auto& c : cases) {
    DockerOptions options;
    options.host = c.host;
    options.tls = c.tls;
    const auto endpoint = ResolveHost(options);
    ASSERT_TRUE(endpoint) << c.host << ": " << endpoint.error().message;
    EXPECT_EQ(endpoint->base_url, c.url);
    EXPECT_EQ(endpoint->unix_socket, c.socket);
    EXPECT_EQ(IsLocal(*endpoint), c.local) << c.host;
  }
}

TEST(DockerHost, RefusesWhatItCannotUnderstandAndSaysWhatToWrite) {
  for (const std::string& host :
       {std::string("/var/run/docker.sock"), std::string(""), std::string("unix://"),
        std::string("unix://docker.sock"), "unix:///" + std::string(107, 'x'),
        std::string("ssh://host"), std::string("tcp://"), std::string("tcp://:2375"),
        std::string("tcp://host:0"), std::string("tcp://host:65536"), std::string("tcp://host:x"),
        std::string("tcp://a b"), std::string("tcp://user@host"), std::string("tcp://host/path"),
        std::string("tcp://a\nb")}) {
    DockerOptions options;
    options.host = host;
    const auto endpoint = ResolveHost(options);
    ASSERT_FALSE(endpoint) << host;
    EXPECT_EQ(endpoint.error().code, Code::kInvalidArgument);
    EXPECT_NE(endpoint.error().message.find("write unix:///var/run/docker.sock"),
              std::string::npos);
    EXPECT_EQ(endpoint.error().message.find('\n'), std::string::npos);
  }
}

TEST(DockerHost, CertificatesMustBeThere) {
  const testing::TempDir dir("certs");
  DockerOptions options;
  options.host = "tcp://manager";
  options.tls = true;
  options.cert_path = dir.path();
  const auto missing = ResolveHost(options);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("DOCKER_CERT_PATH: " + dir.path() + "/ca.pem"),
            std::string::npos)
      << missing.error().message;
  for (const char* name : {"cert.pem", "key.pem"}) testing::WriteFile(dir.File(name), "x");
  EXPECT_FALSE(ResolveHost(options)) << "an authority is needed to verify";
  options.tls_verify = false;
  const auto unverified = ResolveHost(options);
  ASSERT_TRUE(unverified);
  EXPECT_FALSE(unverified->verify_peer);
  EXPECT_EQ(unverified->ca_file, "");
  testing::WriteFile(dir.File("ca.pem"), "x");
  options.tls_verify = true;
  const auto verified = ResolveHost(options);
  ASSERT_TRUE(verified);
  EXPECT_TRUE(verified->verify_peer);
  EXPECT_EQ(verified->ca_file, dir.File("ca.pem"));
}

TEST(DockerVersion, TheGreatestThatBothSpeak) {
  const struct {
    const char *api, *min, *negotiated;
    Code code;
  } cases[] = {
      {"1.41", "1.12", "1.41", {}},          {"1.47", "1.24", "1.47", {}},
      {"1.52", "1.44", "1.47", {}},          {"1.24", "", "1.24", {}},
      {"1.23", "1.12", "", Code::kRejected}, {"1.60", "1.48", "", Code::kRejected},
      {"", "", "", Code::kCorrupt},          {"2.0", "", "", Code::kCorrupt},
      {"1.x", "", "", Code::kCorrupt},       {"1.41", "one", "", Code::kCorrupt},
  };
  for (const auto& c : cases) {
    const auto version = NegotiateVersion(c.api, c.min);
    ASSERT_EQ(version.has_value(), *c.negotiated != '\0') << c.api;
    if (version) {
      EXPECT_EQ(*version, c.negotiated);
    } else {
      EXPECT_EQ(version.error().code, c.code) << c.api;
    }
  }
}

TEST(OwnContainer, IsNamedByTheKernelsRecords) {
  const std::string mounts =
      "1 2 0:3 / / rw - overlay overlay rw\n"
      "4 1 8:1 /var/lib/docker/containers/" +
      kId + "/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n";
  EXPECT_EQ(OwnContainerCandidates(mounts, "0::/\n", "web-1"), std::vector<std::string>{kId});
  for (const std::string& cgroup :
       {"12:cpu:/docker/" + kId + "\n0::/\n", "0::/system.slice/docker-" + kId + ".scope\n",
        "0::/kubepods/pod7/" + kId + "\n"}) {
    EXPECT_EQ(OwnContainerCandidates("", cgroup, "x"), std::vector<std::string>{kId}) << cgroup;
  }
  EXPECT_EQ(OwnContainerCandidates("", "0::/\n", "0123456789ab"),
            std::vector<std::string>{"0123456789ab"});
  // The default host name is the beginning of the id: once is enough.
  EXPECT_EQ(OwnContainerCandidates(mounts, "", kId.substr(0, 12)), std::vector<std::string>{kId});
}

TEST(OwnContainer, OfABareHostIsNone) {
  // What a host's own mountinfo shows of its containers.
  const std::string mounts =
      "1 2 0:3 / /var/lib/docker/overlay2/" + kOther + "/merged rw - overlay overlay rw\n" +
      "4 1 0:9 / /var/lib/docker/containers/" + kId + "/mounts/shm rw - tmpfs shm rw\n" +
      "5 1 8:1 / /etc/hostname rw - ext4 /dev/sda1 rw\n";
  EXPECT_TRUE(OwnContainerCandidates(mounts, "0::/user.slice/session-1.scope\n", "myhost").empty());
  EXPECT_TRUE(OwnContainerCandidates("", "garbage\n\n:::\n/", "abcdef").empty());
  EXPECT_TRUE(OwnContainerCandidates("a b c", "0::/docker/" + kId + "f\n", "").empty());
}

TEST(DockerEvents, ReadsTheRecordedOnes) {
  const std::string text =
      testing::ReadFile(testing::SourcePath("fixtures/docker/20.10/events.json"));
  bool killed = false;
  bool service = false;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    const auto json = codec::JsonValue::Parse(text.substr(begin, end - begin));
    ASSERT_TRUE(json);
    const ports::DockerEvent event = DecodeEvent(*json);
    EXPECT_FALSE(event.type.empty());
    EXPECT_FALSE(event.action.empty());
    EXPECT_FALSE(event.id.empty());
    EXPECT_GT(event.time_ns, 1'700'000'000'000'000'000);
    if (event.action == "kill" && event.name == "evt") {
      EXPECT_EQ(event.signal, "9");
      killed = true;
    }
    if (event.type == "container" && event.name.rfind("glob.", 0) == 0) {
      EXPECT_EQ(event.service_id, "lmslpddwznjtqfp0ty0ulkwb7");
    }
    service =
        service || (event.type == "service" && event.action == "remove" && event.name == "bad");
    begin = end + 1;
  }
  EXPECT_TRUE(killed);
  EXPECT_TRUE(service);
}

TEST(DockerEvents, WhatIsOfAnotherTypeIsLeftEmpty) {
  const auto json =
      codec::JsonValue::Parse(R"({"Type":5,"Action":"kill","Actor":["x"],"timeNano":"soon"})");
  ASSERT_TRUE(json);
  const ports::DockerEvent event = DecodeEvent(*json);
  EXPECT_EQ(event.type, "");
  EXPECT_EQ(event.action, "kill");
  EXPECT_EQ(event.id, "");
  EXPECT_EQ(event.time_ns, 0);
}

TEST(DockerEvents, AreAskedForSinceATimeInNanoseconds) {
  EXPECT_EQ(EventsQuery(0).find("since"), std::string::npos);
  EXPECT_NE(EventsQuery(1795460590'012345678).find("&since=1795460590.012345678"),
            std::string::npos);
}

codec::SwarmTask Task(const std::string& id, const std::string& state, std::int64_t time) {
  codec::SwarmTask task;
  task.facts.id = id;
  task.facts.state = state;
  task.facts.running = state == "running";
  task.state_unix_ns = time;
  return task;
}

std::vector<std::string> Ids(const std::vector<model::TaskFacts>& tasks) {
  std::vector<std::string> ids;
  for (const model::TaskFacts& task : tasks) ids.push_back(task.id);
  return ids;
}

TEST(SelectTasks, EndedTasksAreToldOnlyAsTheReasonWhyNoneRuns) {
  const std::vector<codec::SwarmTask> history = {Task("d", "failed", 5), Task("c", "rejected", 9),
                                                 Task("b", "shutdown", 10),
                                                 Task("a", "preparing", 1)};
  EXPECT_EQ(Ids(SelectTasks(history)), (std::vector<std::string>{"a", "c"}));
  auto running = history;
  running.push_back(Task("e", "running", 2));
  EXPECT_EQ(Ids(SelectTasks(running)), (std::vector<std::string>{"a", "e"}));
  EXPECT_TRUE(SelectTasks({}).empty());
}

codec::Container ContainerOf(const std::string& id, const std::string& name, codec::Labels labels,
                             std::int64_t created) {
  codec::Container container;
  container.facts.id = id;
  container.facts.container_id = id;
  container.name = name;
  container.labels = std::move(labels);
  container.created_unix_ns = created;
  return container;
}

TEST(GroupContainers, ContainersOfAComposeServiceAreOneService) {
  const auto compose = [](const std::string& path) {
    return codec::Labels{{"com.docker.compose.project", "p"},
                         {"com.docker.compose.service", "s"},
                         {"com.df.servicePath", path}};
  };
  auto first = ContainerOf("1", "p-s-1", compose("/old"), 100);
  first.network_ids = {"n2"};
  auto second = ContainerOf("2", "p-s-2", compose("/new"), 200);
  second.network_ids = {"n1", "n2"};
  second.exposed_tcp_ports = {80};
  const auto other = ContainerOf("0", "box", {{"com.docker.compose.project", "p"}}, 50);
  const auto services = GroupContainers({second, other, first});
  ASSERT_EQ(services.size(), 2U);
  EXPECT_EQ(services[0].name, "box");
  EXPECT_EQ(services[0].id, "0") << "without a service's name it is a container like any other";
  const model::ServiceFacts& shop = services[1];
  EXPECT_EQ(shop.kind, model::ServiceKind::kCompose);
  EXPECT_EQ(shop.id, "p/s");
  EXPECT_EQ(shop.name, "p_s");
  EXPECT_EQ(shop.stack, "p");
  EXPECT_EQ(shop.labels.Unpack().at("com.df.servicePath"), "/new");
  EXPECT_EQ(shop.created_unix_ns, 100);
  EXPECT_EQ(shop.network_ids, (std::vector<std::string>{"n1", "n2"}));
  EXPECT_EQ(shop.exposed_tcp_ports, std::vector<std::uint16_t>{80});
  EXPECT_EQ(Ids(shop.tasks), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(GroupContainers({first, second, other}), services) << "the order does not matter";
}

TEST(NamesPort, KnowsTheLabelsThatGiveAPort) {
  EXPECT_TRUE(NamesPort({{"com.df.port", "80"}}, "com.df."));
  EXPECT_TRUE(NamesPort({{"com.df.port.3", "80"}}, "com.df."));
  EXPECT_FALSE(NamesPort({{"com.df.portal", "80"}, {"com.df.poor", ""}, {"port", "1"}}, "com.df."));
  EXPECT_FALSE(NamesPort({}, "com.df."));
}

}  // namespace
}  // namespace swarmgate::docker
