// The chapter "Using service registry to store the state", typed as it stands in the book: a proxy
// of three replicas, three Consul servers, and a service that is made known by a call to any
// replica. And the same where nothing but the replicas themselves keeps it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cluster/world.h"
#include "support/json.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kReconfigure[] =
    "/v1/docker-flow-proxy/reconfigure?serviceName=go-demo&servicePath=/demo&port=8080";
const std::vector<size_t> kAll{0, 1, 2};

class ChapterTest : public ClusterTest {
 protected:
  static void CreateDemo(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"service", "create",    "--detach",   "--name",
                                   "go-demo", "--network", kProxyNetwork};
    words.insert(words.end(), more.begin(), more.end());
    words.emplace_back(kEchoImage);
    cluster().Docker(0, words);
    cluster().machine(0).WaitRunning("go-demo", 1);
  }
  /// All three answer, within the two seconds that a replica may be behind.
  static void ExpectServedByAll(const std::string& path, milliseconds limit = seconds(2)) {
    for (const size_t machine : kAll) {
      HttpResponse last;
      EXPECT_TRUE(WaitUntil(
          [&] {
            last = Get(cluster().Web(machine), path);
            return last.status == 200;
          },
          limit))
          << "machine " << machine << ": " << last.Summary();
      EXPECT_NE(last.body.find("path=" + path), std::string::npos) << last.Summary();
    }
  }
  /// The answer to a distributed call names the two others, and that they have done it.
  static void ExpectDistributed(const HttpResponse& answer) {
    EXPECT_EQ(JsonCount(answer.body, "/replicas"), kMachines - 1) << answer.body;
    for (size_t i = 0; i < JsonCount(answer.body, "/replicas"); ++i) {
      EXPECT_EQ(JsonText(answer.body, "/replicas/" + std::to_string(i) + "/ok"), "true")
          << answer.body;
    }
  }
  /// The same of a call right after the start, when the replicas have yet to find each other.
  static void ExpectReachesTheOthers(size_t asked, const std::string& target) {
    HttpResponse answer;
    EXPECT_TRUE(WaitUntil(
        [&] {
          answer = Call(asked, target);
          return JsonCount(answer.body, "/replicas") == kMachines - 1;
        },
        seconds(10), milliseconds(100)));
    EXPECT_EQ(answer.status, 200) << answer.Summary();
    ExpectDistributed(answer);
  }
  /// Takes away all replicas but one; the machine that it is on.
  static size_t LeaveOne() {
    cluster().Docker(0, {"service", "scale", "--detach", "proxy=1"});
    std::vector<size_t> left;
    EXPECT_TRUE(WaitUntil(
        [&] {
          left.clear();
          for (const size_t machine : kAll) {
            if (!cluster().ContainerOf(machine, "proxy").empty()) left.push_back(machine);
          }
          return left.size() == 1;
        },
        seconds(30), milliseconds(100)));
    return left.empty() ? 0 : left[0];
  }
  static void ExpectSameRoutes() {
    EXPECT_TRUE(WaitUntil(
        [] {
          return RoutesOf(cluster(), 0) == RoutesOf(cluster(), 1) &&
                 RoutesOf(cluster(), 0) == RoutesOf(cluster(), 2);
        },
        seconds(2)))
        << RoutesOf(cluster(), 0) << "\n"
        << RoutesOf(cluster(), 1) << "\n"
        << RoutesOf(cluster(), 2);
  }
  static void ExpectInEveryConfiguration(const std::string& text) {
    for (const size_t machine : kAll) {
      const HttpResponse config = Call(machine, "/v1/docker-flow-proxy/config");
      EXPECT_EQ(config.status, 200);
      EXPECT_NE(config.body.find(text), std::string::npos) << "machine " << machine;
    }
  }
  static std::vector<std::string> Socket() {
    return {"--mount", "type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock"};
  }
};

TEST_F(ChapterTest, AServiceMadeKnownToOneReplicaIsServedByAll) {
  cluster().CreateProxy(Socket());
  ASSERT_TRUE(cluster().WaitReady(kAll));
  CreateDemo();
  for (const size_t asked : kAll) {
    for (const char* distribute : {"", "&distribute=true"}) {
      const HttpResponse answer = Call(asked, std::string(kReconfigure) + distribute);
      ASSERT_EQ(answer.status, 200) << answer.Summary();
      EXPECT_EQ(JsonText(answer.body, "/Status"), "OK") << answer.Summary();
      if (*distribute != '\0') ExpectDistributed(answer);
      ExpectServedByAll("/demo/hello");
      ExpectInEveryConfiguration("|go-demo|");
      ExpectSameRoutes();
      const HttpResponse removed =
          Call((asked + 1) % kMachines,
               std::string("/v1/docker-flow-proxy/remove?serviceName=go-demo") + distribute);
      ASSERT_EQ(removed.status, 200) << removed.Summary();
      for (const size_t machine : kAll) {
        EXPECT_TRUE(WaitUntil(
            [&] { return Get(cluster().Web(machine), "/demo/hello").status == 503; }, seconds(2)))
            << "machine " << machine;
      }
    }
  }
}

TEST_F(ChapterTest, ALabelledServiceIsServedByAllWithoutACall) {
  cluster().CreateProxy(Socket());
  ASSERT_TRUE(cluster().WaitReady(kAll));
  CreateDemo({"--replicas", "1", "--label", "com.df.notify=true", "--label",
              "com.df.servicePath=/demo", "--label", "com.df.port=8080", "--label",
              "com.df.distribute=true"});
  ExpectServedByAll("/demo/hello");
  ExpectInEveryConfiguration("|go-demo|");
  ExpectSameRoutes();
  cluster().Docker(0, {"service", "rm", "go-demo"});
  for (const size_t machine : kAll) {
    EXPECT_TRUE(WaitUntil([&] { return Get(cluster().Web(machine), "/demo/hello").status == 503; }))
        << "machine " << machine;
  }
}

// The chapter mounts no docker.sock: the service is found by its name. (By its tasks' addresses,
// for want of IPVS: dnsrr.)
TEST_F(ChapterTest, WithoutDockersSocketAServiceIsFoundByItsName) {
  cluster().CreateProxy({});
  ASSERT_TRUE(cluster().WaitReady(kAll));
  CreateDemo({"--endpoint-mode", "dnsrr"});
  ExpectReachesTheOthers(1, std::string(kReconfigure) + "&distribute=true");
  // A name that Docker's resolver did not know yet is asked for again after five seconds.
  ExpectServedByAll("/demo/hello", seconds(12));
  ExpectSameRoutes();
}

// A replica that is new has what the others have, from Consul.
TEST_F(ChapterTest, AReplicaThatIsScaledInLaterServesWhatIsThere) {
  cluster().CreateProxy(Socket());
  ASSERT_TRUE(cluster().WaitReady(kAll));
  CreateDemo();
  ASSERT_EQ(Call(LeaveOne(), kReconfigure).status, 200);
  cluster().Docker(0, {"service", "scale", "--detach", "proxy=3"});
  ASSERT_TRUE(cluster().WaitReady(kAll));
  ExpectServedByAll("/demo/hello", milliseconds(0));
}

// No Consul, and no name that leads to the replicas: they are not the service `other`, which
// SERVICE_NAME has them look for. Who they are Docker alone can say.
TEST_F(ChapterTest, WithNothingButDockerReplicasFindEachOtherAndANewOneCatchesUp) {
  std::vector<std::string> more = Socket();
  more.insert(more.end(), {"--env", "SERVICE_NAME=other"});
  cluster().CreateProxy(more, Sharing::kPeers);
  ASSERT_TRUE(cluster().WaitReady(kAll));
  CreateDemo();
  ExpectReachesTheOthers(2, std::string(kReconfigure) + "&distribute=true");
  ExpectServedByAll("/demo/hello");
  ExpectSameRoutes();
  const size_t left = LeaveOne();
  ASSERT_EQ(Call(left, kReconfigure + std::string("&servicePath.1=/later&port.1=8080")).status,
            200);
  cluster().Docker(left, {"service", "scale", "--detach", "proxy=3"});
  ASSERT_TRUE(cluster().WaitReady(kAll));
  ExpectServedByAll("/later/hello");
  ExpectSameRoutes();
}

}  // namespace
}  // namespace swarmgate::testing
