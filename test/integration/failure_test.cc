// Everything that can be killed is killed, and the clients must not notice more than they have to.
#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "integration/world.h"
#include "support/paths.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(SwarmTest, ControllerKilledUnderLoadCostsNoRequest) {
  gate().Start();
  ServiceOptions service = RunService("demo", Route("/demo"), 2);
  ASSERT_TRUE(gate().WaitServers(2, "/demo"));
  const pid_t worker = gate().haproxy_worker();
  LoadGenerator kept(Load("/demo", true));
  LoadGenerator fresh(Load("/demo", false));
  for (int round = 0; round < 3; ++round) {
    const pid_t controller = gate().controller();
    ASSERT_GT(controller, 0);
    ASSERT_TRUE(fresh.WaitForAnswers(50));
    kill(controller, SIGKILL);
    ASSERT_TRUE(WaitUntil([&] {
      const pid_t next = gate().controller();
      return next > 0 && next != controller && gate().Admin("/readyz").status == 200;
    })) << round;
  }
  EXPECT_EQ(gate().haproxy_worker(), worker) << "HAProxy was adopted, not replaced";
  // The adopted HAProxy is steered as before.
  service.labels = Route("/moved");
  RunService("late", Route("/late"));
  EXPECT_TRUE(gate().WaitStatus(200, "/late"));
  for (LoadGenerator* load : {&kept, &fresh}) {
    const LoadReport report = load->Stop();
    EXPECT_GT(report.ok, 200U);
    EXPECT_EQ(report.lost, 0U) << report.Summary();
  }
  docker().UpdateService(service);
  EXPECT_TRUE(gate().WaitStatus(200, "/moved"));
  EXPECT_TRUE(gate().WaitStatus(503, "/demo"));
}

TEST_F(SwarmTest, WhatChangedWhileTheControllerWasDeadIsCaughtUp) {
  gate().Start();
  RunService("goes", Route("/goes"));
  ServiceOptions moves = RunService("moves", Route("/moves"));
  ASSERT_TRUE(gate().WaitStatus(200, "/goes"));
  ASSERT_TRUE(gate().WaitStatus(200, "/moves"));
  const pid_t controller = gate().controller();
  // Stopped, it sees nothing; killed, it remembers nothing.
  kill(controller, SIGSTOP);
  docker().RemoveService("goes");
  moves.labels = Route("/moved");
  docker().UpdateService(moves);
  RunService("comes", Route("/comes"));
  kill(controller, SIGKILL);
  EXPECT_TRUE(gate().WaitStatus(200, "/comes", {}, seconds(20)));
  EXPECT_TRUE(gate().WaitStatus(200, "/moved"));
  EXPECT_TRUE(gate().WaitStatus(503, "/goes"));
  EXPECT_TRUE(gate().WaitStatus(503, "/moves"));
}

TEST_F(SwarmTest, KilledHaproxyIsBackWithAllItsRoutes) {
  gate().Start();
  RunService("one", Route("/one"), 2);
  RunService("two", Route("/two", {{"com.df.serviceDomain", "*.example.com"}}));
  ASSERT_TRUE(gate().WaitServers(2, "/one"));
  ASSERT_TRUE(gate().WaitStatus(200, "/two", "a.example.com"));
  for (const bool worker : {true, false}) {
    const pid_t victim = worker ? gate().haproxy_worker() : gate().haproxy_master();
    ASSERT_GT(victim, 0);
    kill(victim, SIGKILL);
    EXPECT_TRUE(WaitUntil([&] {
      const pid_t now = worker ? gate().haproxy_worker() : gate().haproxy_master();
      return now > 0 && now != victim;
    })) << (worker ? "worker" : "master");
    EXPECT_TRUE(gate().WaitServers(2, "/one", {}, seconds(5)));
    EXPECT_TRUE(gate().WaitStatus(200, "/two", "a.example.com", seconds(5)));
  }
  RunService("late", Route("/late"));
  EXPECT_TRUE(gate().WaitStatus(200, "/late"));
}

TEST_F(SwarmTest, KilledSupervisorLeavesHaproxyServingAndTheNextOneAdoptsIt) {
  gate().Start();
  RunService("demo", Route("/demo"), 2);
  ASSERT_TRUE(gate().WaitServers(2, "/demo"));
  const pid_t worker = gate().haproxy_worker();
  LoadGenerator kept(Load("/demo", true));
  LoadGenerator fresh(Load("/demo", false));
  ASSERT_TRUE(fresh.WaitForAnswers(50));
  gate().process().Kill();
  ASSERT_TRUE(fresh.WaitForAnswers(200));
  gate().Start();
  EXPECT_EQ(gate().haproxy_worker(), worker);
  RunService("late", Route("/late"));
  EXPECT_TRUE(gate().WaitStatus(200, "/late"));
  for (LoadGenerator* load : {&kept, &fresh}) {
    const LoadReport report = load->Stop();
    EXPECT_GT(report.ok, 200U);
    EXPECT_EQ(report.lost, 0U) << report.Summary();
  }
}

TEST_F(SwarmTest, AfterEverythingWasKilledAStartWithoutDockerServesWhatWasServedLast) {
  gate().Start();
  RunService("demo", Route("/demo"), 2);
  ASSERT_TRUE(gate().WaitServers(2, "/demo"));
  ASSERT_EQ(gate()
                .Admin("/v1/docker-flow-proxy/reconfigure?serviceName=manual&servicePath=/manual"
                       "&port=65500&outboundHostname=127.0.0.1")
                .status,
            200);
  ASSERT_TRUE(gate().WaitStatus(200, "/manual"));
  gate().KillEverything();
  EXPECT_EQ(gate().Web("/demo").error, "refused") << "nothing serves any more";
  gate().options().docker_socket = gate().data_dir() + "/nobody.sock";
  gate().Start();
  EXPECT_TRUE(gate().WaitServers(2, "/demo", {}, seconds(5)));
  EXPECT_EQ(gate().Web("/manual").status, 200);
}

TEST_F(HostTest, KilledDockerLosesNoRouteAndItsReturnNoChange) {
  gate().Start();
  RunService("demo", Route("/demo"), 2);
  ASSERT_TRUE(gate().WaitServers(2, "/demo"));
  LoadGenerator load(Load("/demo", true));
  ASSERT_TRUE(load.WaitForAnswers(20));
  docker().KillDaemon();
  // Long enough for reconnects and full lists to fail.
  ASSERT_TRUE(load.WaitForAnswers(1000, seconds(30)));
  EXPECT_TRUE(WaitUntil([&] { return gate().Admin("/v1/status").status == 200; }));
  // The daemon ends the tasks that outlived it when it starts, so the load stops here.
  const LoadReport report = load.Stop();
  EXPECT_EQ(report.lost, 0U) << report.Summary();
  docker().StartDaemon();
  docker().WaitRunning("demo", 2, seconds(90));
  EXPECT_TRUE(gate().WaitServers(2, "/demo", {}, seconds(30)));
  RunService("late", Route("/late"));
  EXPECT_TRUE(gate().WaitStatus(200, "/late"));
}

TEST_F(HostTest, StoppedDockerKeepsTheRoutesAndTheTasksComeBack) {
  gate().Start();
  RunService("demo", Route("/demo"));
  ASSERT_TRUE(gate().WaitStatus(200, "/demo"));
  docker().StopDaemon();
  // Its tasks went with it, the route did not.
  EXPECT_TRUE(gate().WaitStatus(503, "/demo"));
  EXPECT_EQ(gate().Admin("/v1/services/demo").status, 200);
  docker().StartDaemon();
  docker().WaitRunning("demo", 1, seconds(90));
  EXPECT_TRUE(gate().WaitStatus(200, "/demo", {}, seconds(30)));
}

TEST_F(SwarmTest, DockerThatHangsHarmsNobody) {
  gate().Start();
  RunService("demo", Route("/demo"));
  ASSERT_TRUE(gate().WaitStatus(200, "/demo"));
  LoadGenerator load(Load("/demo", true));
  docker().PauseDaemon();
  ASSERT_TRUE(load.WaitForAnswers(500, seconds(30)));
  // The API does not wait for a daemon that does not answer.
  EXPECT_EQ(gate()
                .Admin("/v1/docker-flow-proxy/reconfigure?serviceName=manual&servicePath=/manual"
                       "&port=65500&outboundHostname=127.0.0.1")
                .status,
            200);
  EXPECT_EQ(gate().Web("/manual").status, 200);
  docker().ResumeDaemon();
  RunService("late", Route("/late"));
  EXPECT_TRUE(gate().WaitStatus(200, "/late", {}, seconds(40)));
  const LoadReport report = load.Stop();
  EXPECT_EQ(report.lost, 0U) << report.Summary();
}

TEST_F(SwarmTest, AHaproxyThatDoesNotAnswerIsToldByEveryProbe) {
  gate().Start();
  const char* probes[] = {"/healthz", "/readyz", "/v1/docker-flow-proxy/ping", "/v1/proxy/ping",
                          "/v1/docker-flow-swarm-listener/ping"};
  for (const char* probe : probes) EXPECT_EQ(gate().Admin(probe).status, 200) << probe;
  const pid_t worker = gate().haproxy_worker();
  ASSERT_GT(worker, 0);
  kill(worker, SIGSTOP);
  for (const char* probe : probes) {
    EXPECT_TRUE(WaitUntil([&] { return gate().Admin(probe).status == 503; }, seconds(15))) << probe;
  }
  kill(worker, SIGCONT);
  for (const char* probe : probes) {
    EXPECT_TRUE(WaitUntil([&] { return gate().Admin(probe).status == 200; }, seconds(15))) << probe;
  }
}

TEST_F(SwarmTest, SigtermFinishesRequestsInFlightAndLeavesNothingBehind) {
  gate().Start();
  RunService("demo", Route("/sleep"));
  ASSERT_TRUE(gate().WaitStatus(200, "/sleep/1"));
  LoadOptions options = Load("/sleep/800", false);
  options.max_requests = 4;
  LoadGenerator load(options);
  // Its answer shows that the four slow ones, sent before it, are in flight.
  ASSERT_EQ(gate().Web("/sleep/200").status, 200);
  EXPECT_EQ(gate().Stop(), 0);
  const LoadReport report = load.Finish();
  EXPECT_EQ(report.ok, 4U) << report.Summary();
  EXPECT_TRUE(ProcessesOf(gate().data_dir()).empty());
  EXPECT_EQ(gate().Web("/sleep/1").error, "refused");
  gate().Start();
  EXPECT_EQ(gate().Web("/sleep/1").status, 200);
}

/// The numbers behind "Uid:" and the like in /proc/<pid>/status.
std::vector<unsigned> StatusNumbers(const std::string& status, const std::string& field) {
  const std::size_t at = status.find("\n" + field + ":");
  std::vector<unsigned> numbers;
  if (at == std::string::npos) return numbers;
  std::istringstream line(
      status.substr(at + field.size() + 2, status.find('\n', at + 1) - at - field.size() - 2));
  for (unsigned number = 0; line >> number;) numbers.push_back(number);
  return numbers;
}

/// What connecting to a unix socket gives to a process of these rights: 0, or errno.
int ConnectAs(unsigned uid, unsigned gid, const std::vector<unsigned>& groups,
              const std::string& socket_path) {
  const pid_t pid = fork();
  if (pid == 0) {
    const std::vector<gid_t> list(groups.begin(), groups.end());
    if (setgroups(list.size(), list.data()) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0) {
      _exit(255);
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    const bool connected =
        connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    _exit(connected ? 0 : errno);
  }
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

TEST_F(SwarmTest, HaproxyHasNoPrivilegesAndCannotOpenTheDockerSocket) {
  gate().Start();
  ASSERT_EQ(ConnectAs(0, 0, {0}, docker().socket()), 0) << "root can";
  for (const pid_t pid : {gate().haproxy_master(), gate().haproxy_worker()}) {
    ASSERT_GT(pid, 0);
    const std::string status = ReadFile("/proc/" + std::to_string(pid) + "/status");
    const std::vector<unsigned> uids = StatusNumbers(status, "Uid");
    const std::vector<unsigned> gids = StatusNumbers(status, "Gid");
    ASSERT_EQ(uids.size(), 4U) << status;
    ASSERT_EQ(gids.size(), 4U) << status;
    for (const unsigned uid : uids) EXPECT_NE(uid, 0U) << status;
    EXPECT_NE(status.find("NoNewPrivs:\t1"), std::string::npos) << status;
    EXPECT_EQ(ConnectAs(uids[1], gids[1], StatusNumbers(status, "Groups"), docker().socket()),
              EACCES);
    // Nor was an open one handed to it.
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
      std::error_code gone;
      const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
      EXPECT_EQ(target.find("docker"), std::string::npos) << target;
    }
    const std::string environment = ReadFile("/proc/" + std::to_string(pid) + "/environ");
    EXPECT_EQ(environment.find("DOCKER_HOST"), std::string::npos);
    EXPECT_EQ(environment.find("DATA_DIR"), std::string::npos);
  }
}

TEST_F(SwarmTest, SecondInstanceOnOneDataDirectoryIsRefused) {
  gate().Start();
  ChildOptions second;
  second.argv = {SwarmgateBinary(), "run"};
  second.network = gate().web().network;
  second.environment = {{"DATA_DIR", gate().data_dir()},
                        {"DEFAULT_PORTS", "127.0.0.1:" + std::to_string(gate().web().port)},
                        {"PORT", std::to_string(gate().admin().port)},
                        {"DOCKER_HOST", "none"}};
  const CommandResult result = RunCommand(second, seconds(10));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_NE(result.output.find(gate().data_dir()), std::string::npos) << result.output;
  EXPECT_EQ(gate().Admin("/readyz").status, 200) << "the first one goes on";
}

}  // namespace
}  // namespace swarmgate::testing
