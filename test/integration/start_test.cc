// Starting and ending: what a newcomer meets first, and what the supervisor does when things go
// wrong.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "integration/world.h"
#include "support/child_process.h"
#include "support/gate.h"
#include "support/http_client.h"
#include "support/json.h"
#include "support/load_generator.h"
#include "support/network.h"
#include "support/paths.h"
#include "support/test_root.h"
#include "support/wait.h"
#include "unit/http/scripted_server.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Environment = std::map<std::string, std::string>;

/// `swarmgate run` as a command that is expected to end by itself.
class StartTest : public ::testing::Test {
 protected:
  StartTest()
      : dir_("start"), web_(std::to_string(FreePort())), admin_(std::to_string(FreePort())) {}

  CommandResult Run(const Environment& more, milliseconds limit = seconds(40)) {
    Environment environment = {{"DATA_DIR", dir_.File("data")},
                               {"DEFAULT_PORTS", web_},
                               {"PORT", admin_},
                               {"IP", "127.0.0.1"},
                               {"DOCKER_HOST", "none"}};
    for (const auto& [name, value] : more) environment[name] = value;
    ChildOptions options;
    options.argv = {SwarmgateBinary(), "run"};
    options.environment.assign(environment.begin(), environment.end());
    const CommandResult result = RunCommand(options, limit);
    EXPECT_TRUE(ProcessesOf(dir_.path()).empty()) << "nothing is left running";
    return result;
  }

  /// A program that claims to be a HAProxy and then does as told.
  std::string FakeHaproxy(const std::string& behaviour) {
    const std::string path = dir_.File("haproxy");
    WriteFile(path,
              "#!/bin/sh\n"
              "for word in \"$@\"; do\n"
              "  case $word in\n"
              "    -v) echo 'HAProxy version 2.6.12-1+deb12u1 2023/12/16'; exit 0 ;;\n"
              "    -c) exit 0 ;;\n"
              "  esac\n"
              "done\n" +
                  behaviour + "\n");
    chmod(path.c_str(), 0755);
    return path;
  }

  TempDir dir_;
  std::string web_;
  std::string admin_;
};

TEST_F(StartTest, WrongOptionEndsWithStatus2AndOneSentence) {
  const struct {
    Environment environment;
    const char* text;
  } cases[] = {
      {{{"DEFAULT_PORTS", "eighty"}}, "DEFAULT_PORTS=eighty"},
      {{{"TIMEOUT_SERVER", "soon"}}, "TIMEOUT_SERVER=soon"},
      {{{"PORT", web_}}, "choose another PORT"},
      {{{"RUN_DIR", "/" + std::string(120, 'x')}}, "RUN_DIR"},
  };
  for (const auto& c : cases) {
    const CommandResult result = Run(c.environment);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_NE(result.output.find(c.text), std::string::npos) << result.output;
    EXPECT_EQ(result.output.find('\n'), result.output.size() - 1) << result.output;
  }
}

TEST_F(StartTest, PortOfAnotherProgramEndsItWithWhatToDo) {
  ChildOptions options;
  options.argv = {EchoServerBinary(), web_};
  ChildProcess other(options);
  ASSERT_TRUE(WaitUntil([&] { return Get({.port = std::stoi(web_)}, "/").status == 200; }));
  const CommandResult result = Run({});
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("PORT_UNAVAILABLE"), std::string::npos) << result.output;
  EXPECT_NE(result.output.find(":" + web_), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("DEFAULT_PORTS="), std::string::npos) << result.output;
}

TEST_F(StartTest, AdminPortOfAnotherProgramEndsItWithWhatToDo) {
  ChildOptions options;
  options.argv = {EchoServerBinary(), admin_};
  ChildProcess other(options);
  ASSERT_TRUE(WaitUntil([&] { return Get({.port = std::stoi(admin_)}, "/").status == 200; }));
  const CommandResult result = Run({});
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("ADMIN_PORT_UNAVAILABLE"), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("another PORT"), std::string::npos) << result.output;
}

TEST_F(StartTest, HaproxyThatIsMissingOrTooOldIsSaid) {
  CommandResult result = Run({{"HAPROXY_BINARY", dir_.File("nothing")}});
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("HAPROXY_BINARY"), std::string::npos) << result.output;
  const std::string old = dir_.File("old");
  WriteFile(old, "#!/bin/sh\necho 'HA-Proxy version 1.8.8-1 2018/04/19'\n");
  chmod(old.c_str(), 0755);
  result = Run({{"HAPROXY_BINARY", old}});
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("2.6"), std::string::npos) << result.output;
}

TEST_F(StartTest, HaproxyThatEndsAtOnceIsQuoted) {
  const CommandResult result =
      Run({{"HAPROXY_BINARY", FakeHaproxy("echo '[ALERT] no will to live' >&2; exit 1")}});
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("HAPROXY_ENDED"), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("no will to live"), std::string::npos) << result.output;
}

TEST_F(StartTest, HaproxyThatNeverAnswersIsNotWaitedForForever) {
  const CommandResult result =
      Run({{"HAPROXY_BINARY", FakeHaproxy("exec sleep 300")}, {"HAPROXY_START_TIMEOUT", "1"}});
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("HAPROXY_SILENT"), std::string::npos) << result.output;
}

TEST_F(StartTest, DataDirectoryThatHaproxyCannotReachIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  std::filesystem::permissions(dir_.path(), std::filesystem::perms::owner_all);
  const CommandResult result = Run({});
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_NE(result.output.find("chmod o+x"), std::string::npos) << result.output;
}

/// A running instance with one service of this machine.
class RunningTest : public ::testing::Test {
 protected:
  RunningTest() : gate_(GateOptions{}), port_(std::to_string(FreePort())) {
    ChildOptions options;
    options.argv = {EchoServerBinary(), port_};
    server_ = std::make_unique<ChildProcess>(options);
    gate_.options().environment["STOP_GRACE"] = "20";
    gate_.Start();
    EXPECT_EQ(gate_
                  .Admin("/v1/docker-flow-proxy/reconfigure?serviceName=web&servicePath=/&port=" +
                         port_ + "&outboundHostname=127.0.0.1")
                  .status,
              200);
    EXPECT_TRUE(gate_.WaitStatus(200, "/"));
  }
  void TearDown() override {
    if (HasFailure()) GTEST_LOG_(INFO) << gate_.Log();
  }

  Gate gate_;
  std::string port_;
  std::unique_ptr<ChildProcess> server_;
};

TEST_F(RunningTest, ControllerThatKeepsDyingCostsNoRequest) {
  LoadOptions options;
  options.endpoint = gate_.web();
  options.targets = {GetTarget("/")};
  options.threads = 2;
  options.think_time = milliseconds(2);
  LoadGenerator load(options);
  for (int i = 0; i < 4; ++i) {
    pid_t pid = 0;
    ASSERT_TRUE(WaitUntil([&] { return (pid = gate_.controller()) != 0; }, seconds(15))) << i;
    ASSERT_EQ(kill(pid, SIGKILL), 0);
    ASSERT_TRUE(WaitUntil([&] { return gate_.controller() != pid; }, seconds(5)));
  }
  EXPECT_TRUE(WaitUntil([&] { return gate_.Admin("/readyz").status == 200; }, seconds(30)));
  const LoadReport report = load.Stop();
  EXPECT_GT(report.ok, 100U);
  EXPECT_EQ(report.lost, 0U) << report.Summary();
  EXPECT_EQ(gate_.Reloads(), 0);
}

/// An empty Swarm, as far as it is asked: recorded answers, no service, no event ever.
void AnswerAsEmptySwarm(const Exchange& exchange) {
  std::string path = exchange.target.substr(0, exchange.target.find('?'));
  if (path.rfind("/v1.", 0) == 0) path.erase(0, path.find('/', 1));
  if (path == "/version" || path == "/info") {
    return exchange.Reply(200,
                          ReadFile(testing::SourcePath("fixtures/docker/20.10") + path + ".json"));
  }
  if (path == "/events") {
    exchange.BeginChunks();
    return exchange.WaitClosed();
  }
  const bool list = path == "/services" || path == "/tasks" || path == "/containers/json" ||
                    path == "/networks" || path == "/nodes";
  exchange.Reply(list ? 200 : 404, list ? "[]" : R"({"message":"no such thing"})");
}

TEST(HupTest, HupLooksAgainAndEndsNothing) {
  ScriptedServer daemon(AnswerAsEmptySwarm);
  GateOptions options;
  options.docker_socket = daemon.path();
  Gate gate(options);
  gate.Start();
  const auto lists = [&] {
    std::size_t count = 0;
    for (const std::string& target : daemon.targets()) {
      count += target.find("/services") != std::string::npos ? 1 : 0;
    }
    return count;
  };
  ASSERT_TRUE(WaitUntil([&] { return lists() > 0; }));
  const pid_t controller = gate.controller();
  const auto begin = std::chrono::steady_clock::now();
  // More often than the list that is made every half minute anyway could explain.
  for (int i = 0; i < 6; ++i) {
    const std::size_t before = lists();
    if (i % 2 == 0) {
      gate.process().Signal(SIGHUP);
    } else {
      kill(controller, SIGHUP);
    }
    EXPECT_TRUE(WaitUntil([&] { return lists() > before; }, seconds(10)))
        << (i % 2 == 0 ? "the supervisor passes it on" : "the controller");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(60));
  EXPECT_EQ(gate.Admin("/readyz").status, 200);
  EXPECT_EQ(gate.controller(), controller);
  if (::testing::Test::HasFailure()) GTEST_LOG_(INFO) << gate.Log();
}

TEST_F(RunningTest, SecondSignalEndsItWithoutPatience) {
  LoadOptions options;
  options.endpoint = gate_.web();
  options.targets = {GetTarget("/sleep/15000")};
  options.threads = 1;
  options.keep_alive = false;
  options.max_requests = 1;
  LoadGenerator load(options);
  // Its answer shows that the slow one, sent before it, is in flight.
  ASSERT_EQ(gate_.Web("/sleep/200").status, 200);
  gate_.process().Signal(SIGTERM);
  EXPECT_FALSE(gate_.process().Wait(seconds(1))) << "a request is in flight";
  gate_.process().Signal(SIGTERM);
  const auto code = gate_.process().Wait(seconds(8));
  ASSERT_TRUE(code) << "it has 20 seconds of grace, and was told not to take them";
  EXPECT_EQ(*code, 0);
  EXPECT_TRUE(WaitUntil([&] { return ProcessesOf(gate_.data_dir()).empty(); }));
  EXPECT_EQ(load.Stop().ok, 0U);
  server_->Kill();  // it would answer the slow request first
}

TEST_F(RunningTest, AnotherPortAfterARestartIsBoundAndTheOldOneLeft) {
  gate_.Stop();
  const int port = FreePort();
  gate_.options().environment["DEFAULT_PORTS"] = std::to_string(port);
  const int before = gate_.web().port;
  gate_.Start();
  EXPECT_EQ(Get({.port = port}, "/").status, 200);
  EXPECT_EQ(Get({.port = before}, "/").status, 0);
}

TEST_F(RunningTest, AdoptedHaproxyTakesANewPortByAHitlessReload) {
  gate_.process().Kill();
  ASSERT_TRUE(WaitUntil([&] { return gate_.Admin("/readyz").status == 0; }, seconds(15)));
  EXPECT_EQ(gate_.Web("/").status, 200) << "nobody but HAProxy is there";
  const int port = FreePort();
  const int before = gate_.web().port;
  gate_.options().environment["DEFAULT_PORTS"] =
      std::to_string(before) + "," + std::to_string(port);
  gate_.Start();
  EXPECT_TRUE(WaitUntil([&] { return Get({.port = port}, "/").status == 200; }, seconds(10)));
  EXPECT_EQ(gate_.Web("/").status, 200);
  EXPECT_GE(gate_.Reloads(), 1);
}

/// A HAProxy that serves two labelled services and one that the API alone has defined, whose
/// controller is killed and finds rubbish where its state was.
class LostStateTest : public SwarmTest {
 protected:
  void SetUp() override {
    SwarmTest::SetUp();
    if (IsSkipped()) return;
    ComeBackDocker();
    gate().options().docker_socket = socket();
    gate().Start();
    RunNamed("demo", Route("/demo"), 2);
    RunNamed("shop", Route("/shop"), 1);
    RunNamed("bare", {}, 1);
    ASSERT_EQ(gate()
                  .Admin("/v1/docker-flow-proxy/reconfigure?serviceName=bare&servicePath=/bare"
                         "&port=8080")
                  .status,
              200);
    for (const char* path : {"/demo", "/shop", "/bare"}) {
      ASSERT_TRUE(gate().WaitStatus(200, path)) << path;
    }
  }

  /// Its tasks say its name, so that an answer of another service is seen.
  static void RunNamed(const std::string& name, const Labels& labels, int replicas) {
    docker().CreateService({.name = name,
                            .labels = labels,
                            .networks = {kWeb},
                            .replicas = replicas,
                            .env = {"ECHO_NAME=" + name}});
    docker().WaitRunning(name, static_cast<size_t>(replicas));
  }
  [[nodiscard]] LoadOptions LoadOf(const std::vector<std::string>& names, bool keep_alive) const {
    LoadOptions options = Load("/", keep_alive);
    options.targets.clear();
    for (const std::string& name : names) {
      options.targets.push_back(GetTarget("/" + name, "host=" + name + " path=/" + name));
    }
    return options;
  }

  [[nodiscard]] std::string socket() const { return dir_.File("docker.sock"); }
  void ComeBackDocker() const { std::filesystem::create_symlink(docker().socket(), socket()); }
  void GoAwayDocker() const { std::filesystem::remove(socket()); }

  /// SIGKILL. `meanwhile`: what happens before the next controller starts.
  template <typename Meanwhile>
  void KillController(Meanwhile meanwhile) {
    const pid_t controller = gate().controller();
    ASSERT_GT(controller, 0);
    kill(controller, SIGSTOP);
    meanwhile();
    kill(controller, SIGKILL);
    ASSERT_TRUE(WaitUntil([&] {
      const pid_t next = gate().controller();
      return next > 0 && next != controller;
    }));
  }
  /// What SQLite keeps beside the file would repair it.
  void DamageState() {
    int damaged = 0;
    for (const auto& entry : std::filesystem::directory_iterator(gate().data_dir() + "/state")) {
      if (entry.path().filename().string().rfind("state.db", 0) != 0) continue;
      WriteFile(entry.path(), std::string(8192, 'x'));
      ++damaged;
    }
    ASSERT_GT(damaged, 0);
  }
  [[nodiscard]] bool WaitEvent(const std::string& id) {
    return WaitUntil([&] { return gate().Admin("/v1/events").body.find(id) != std::string::npos; });
  }
  [[nodiscard]] std::string Status(const std::string& member) {
    return JsonText(gate().Admin("/v1/status").body, member);
  }
  static void ExpectNoneLost(LoadGenerator* load) {
    const LoadReport report = load->Stop();
    EXPECT_GT(report.ok, 200U);
    EXPECT_EQ(report.lost, 0U) << report.Summary();
  }

 private:
  TempDir dir_{"docker"};
};

TEST_F(LostStateTest, ADamagedStateTakesNoLabelledServiceFromTheClients) {
  const pid_t master = gate().haproxy_master();
  LoadGenerator kept(LoadOf({"demo", "shop"}, true));
  LoadGenerator fresh(LoadOf({"demo", "shop"}, false));
  ASSERT_TRUE(fresh.WaitForAnswers(50));
  ASSERT_NO_FATAL_FAILURE(KillController([&] { DamageState(); }));
  EXPECT_TRUE(WaitEvent("STATE_LOST"));
  EXPECT_TRUE(WaitUntil([&] { return gate().Admin("/readyz").status == 200; }, seconds(30)));
  EXPECT_TRUE(WaitEvent("STORE_DAMAGED"));
  // Whoever defined it has to do it again.
  EXPECT_TRUE(gate().WaitStatus(503, "/bare"));
  RunNamed("late", Route("/late"), 1);
  EXPECT_TRUE(gate().WaitStatus(200, "/late"));
  ASSERT_TRUE(fresh.WaitForAnswers(200));
  ExpectNoneLost(&kept);
  ExpectNoneLost(&fresh);
  EXPECT_EQ(gate().haproxy_master(), master) << "HAProxy was adopted, not replaced";
}

TEST_F(LostStateTest, ADamagedStateTakesNothingFromTheClientsBeforeDockerIsBack) {
  const pid_t master = gate().haproxy_master();
  LoadGenerator kept(LoadOf({"demo", "shop"}, true));
  LoadGenerator fresh(LoadOf({"demo", "shop"}, false));
  LoadGenerator bare(LoadOf({"bare"}, false));
  ASSERT_TRUE(fresh.WaitForAnswers(50));
  GoAwayDocker();
  ASSERT_NO_FATAL_FAILURE(KillController([&] { DamageState(); }));
  // The next one finds a new file instead, and knows no more.
  for (int starts = 0; starts < 2; ++starts) {
    EXPECT_TRUE(WaitEvent("STATE_LOST")) << starts;
    EXPECT_TRUE(WaitUntil([&] {
      return Status("/reason").find("nothing is stored of an earlier run") != std::string::npos;
    })) << Status("/reason");
    EXPECT_EQ(Status("/ready"), "false");
    EXPECT_EQ(Status("/haproxy/ok"), "true");
    ASSERT_TRUE(fresh.WaitForAnswers(500));
    ASSERT_TRUE(bare.WaitForAnswers(500));
    if (starts == 0) {
      ASSERT_NO_FATAL_FAILURE(KillController([] {}));
    }
  }
  ExpectNoneLost(&bare);
  ComeBackDocker();
  EXPECT_TRUE(WaitUntil([&] { return gate().Admin("/readyz").status == 200; }, seconds(60)));
  EXPECT_TRUE(gate().WaitStatus(503, "/bare"));
  RunNamed("late", Route("/late"), 1);
  EXPECT_TRUE(gate().WaitStatus(200, "/late"));
  ExpectNoneLost(&kept);
  ExpectNoneLost(&fresh);
  EXPECT_EQ(gate().haproxy_master(), master) << "HAProxy was adopted, not replaced";
}

}  // namespace
}  // namespace swarmgate::testing
