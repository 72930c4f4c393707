// The tools of the tests, tested: a tool that reports success when there was
// none would make every other test worthless.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "support/child_process.h"
#include "support/http_client.h"
#include "support/json.h"
#include "support/load_generator.h"
#include "support/network.h"
#include "support/paths.h"
#include "support/test_root.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ChildOptions Shell(const std::string& script) {
  ChildOptions options;
  options.argv = {"sh", "-c", script};
  return options;
}

class EchoServer {
 public:
  explicit EchoServer(const std::string& stop = "graceful") {
    endpoint_.port = FreePort();
    ChildOptions options;
    options.argv = {EchoServerBinary(), std::to_string(endpoint_.port)};
    options.environment = {{"ECHO_NAME", "unit"}, {"ECHO_STOP", stop}};
    process_ = std::make_unique<ChildProcess>(options);
    EXPECT_TRUE(WaitUntil([&] { return Get(endpoint_, "/").status == 200; }));
  }
  ChildProcess& process() { return *process_; }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }

 private:
  Endpoint endpoint_;
  std::unique_ptr<ChildProcess> process_;
};

TEST(WaitUntil, ReturnsWhatTheConditionSaidLast) {
  int calls = 0;
  EXPECT_TRUE(WaitUntil([&] { return ++calls == 3; }, seconds(5), milliseconds(1)));
  EXPECT_FALSE(WaitUntil([] { return false; }, milliseconds(10)));
  EXPECT_TRUE(WaitUntil([] { return true; }, milliseconds(0)));
}

TEST(FreePort, NeverGivesAPortTwice) { EXPECT_NE(FreePort(), FreePort()); }

TEST(TempDirTest, IsRemovedWithItsContent) {
  std::string path;
  {
    const TempDir dir("unit");
    path = dir.path();
    WriteFile(dir.File("x"), "content");
    EXPECT_EQ(ReadFile(dir.File("x")), "content");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ChildProcessTest, ReportsExitCodeOutputAndSignal) {
  EXPECT_EQ(RunCommand(Shell("echo out; echo err >&2; exit 3")).exit_code, 3);
  EXPECT_EQ(RunCommand(Shell("echo out; echo err >&2; exit 3")).output, "out\nerr\n");
  EXPECT_EQ(RunCommand(Shell("kill -9 $$")).exit_code, 128 + SIGKILL);
  EXPECT_EQ(RunCommand(Shell("sleep 60"), milliseconds(50)).exit_code, 128 + SIGKILL);
  ChildOptions missing;
  missing.argv = {"/does/not/exist"};
  EXPECT_EQ(RunCommand(missing).exit_code, 127);
}

TEST(ChildProcessTest, TerminateKillsAChildThatIgnoresTheSignal) {
  ChildProcess child(Shell("trap '' TERM; echo ready; while :; do sleep 0.05; done"));
  ASSERT_TRUE(child.WaitForOutput("ready", seconds(5)));
  EXPECT_EQ(child.Terminate(milliseconds(50)), 128 + SIGKILL);
  EXPECT_FALSE(child.Running());
}

TEST(ChildProcessTest, WritesToItsInputAndEndsIt) {
  ChildOptions options;
  options.argv = {"head", "-n", "1"};
  options.input_pipe = true;
  ChildProcess child(options);
  EXPECT_TRUE(child.Write("hello\n"));
  EXPECT_EQ(child.Wait(seconds(5)), 0);
  EXPECT_EQ(child.Output(), "hello\n");
}

TEST(TestRootTest, FindsProcessesThatWereReparented) {
  const TempDir dir("orphan");
  // The inner shell outlives the outer one; its command line names the folder.
  RunCommand(Shell("setsid sh -c 'while :; do sleep 0.05; done' " + dir.path() + "/x &"));
  ASSERT_TRUE(WaitUntil([&] { return ProcessesOf(dir.path()).size() == 1; }));
  KillProcessesOf(dir.path());
  EXPECT_TRUE(ProcessesOf(dir.path()).empty());
}

TEST(TestRootTest, CleansUpAfterAProgramThatWasKilled) {
  // Another copy of this program leaves a folder and an orphan, and is killed.
  ChildOptions options;
  options.argv = {std::filesystem::read_symlink("/proc/self/exe"),
                  "--gtest_also_run_disabled_tests", "--gtest_filter=*LeavesThingsBehindAndWaits"};
  ChildProcess crashing(options);
  ASSERT_TRUE(crashing.WaitForOutput("left:", seconds(20)));
  const std::string dir = std::filesystem::path(ProgramDir()).parent_path().string() + "/" +
                          std::to_string(crashing.pid());
  ASSERT_TRUE(std::filesystem::exists(dir + "/owner"));
  crashing.Kill();
  ASSERT_FALSE(ProcessesOf(dir).empty());
  // A third copy, which does nothing but start.
  options.argv.back() = "--gtest_filter=TempDirTest.*";
  EXPECT_EQ(RunCommand(options).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(dir));
  EXPECT_TRUE(ProcessesOf(dir).empty());
}

TEST(TestRootTest, DISABLED_LeavesThingsBehindAndWaits) {
  RunCommand(Shell("setsid sh -c 'while :; do sleep 0.05; done' &"));
  WaitUntil([] { return !ProcessesOf(ProgramDir()).empty(); });
  printf("left: %s\n", ProgramDir().c_str());
  fflush(stdout);
  WaitUntil([] { return false; }, seconds(60));
}

TEST(Json, FindsByPointer) {
  const std::string text = R"({"a":[{"b":"x\"y"},{"n":7}],"c/d":true})";
  EXPECT_EQ(JsonText(text, "/a/0/b"), "x\"y");
  EXPECT_EQ(JsonText(text, "/a/1"), "{\"n\":7}");
  EXPECT_EQ(JsonText(text, JsonStep("c/d")), "true");
  EXPECT_EQ(JsonCount(text, "/a"), 2U);
  EXPECT_FALSE(JsonAt(text, "/nothing").has_value());
  EXPECT_FALSE(JsonAt("{", "").has_value());
  EXPECT_EQ(JsonQuote("a\"\n"), "\"a\\\"\\n\"");
}

TEST(HttpClient, ReadsAnswersOnOneConnection) {
  EchoServer server;
  HttpConnection connection(server.endpoint(), seconds(5));
  HttpRequest request;
  request.target = "/a?b";
  EXPECT_NE(connection.Exchange(request).body.find("host=unit path=/a?b"), std::string::npos);
  EXPECT_NE(connection.Exchange(request).body.find(" n=2 "), std::string::npos);
  request = {"POST", "/headers", {{"X-Mine", "1"}}, "12345"};
  const HttpResponse response = connection.Exchange(request);
  EXPECT_NE(response.body.find("len=5"), std::string::npos);
  EXPECT_NE(response.body.find("X-Mine: 1"), std::string::npos);
  EXPECT_EQ(response.Header("x-echo-host"), "unit");
  EXPECT_EQ(Get(server.endpoint(), "/status/418").status, 418);
  EXPECT_EQ(Get(server.endpoint(), "/size/100000").body.size(), 100000U);
}

TEST(HttpClient, NamesWhatWentWrong) {
  Endpoint nobody;
  nobody.port = FreePort();
  EXPECT_EQ(Get(nobody, "/").error, "refused");
  EchoServer server;
  HttpRequest slow;
  slow.target = "/sleep/500";
  EXPECT_EQ(Fetch(server.endpoint(), slow, milliseconds(50)).error, "timeout");
}

TEST(EchoServerTest, FinishesRequestsInFlightOnSigterm) {
  EchoServer server;
  LoadOptions options;
  options.endpoint = server.endpoint();
  options.targets = {GetTarget("/sleep/300")};
  options.threads = 4;
  options.max_requests = 4;
  LoadGenerator load(options);
  // The fifth request comes after all four were accepted.
  EXPECT_EQ(Get(server.endpoint(), "/sleep/50").status, 200);
  EXPECT_EQ(server.process().Terminate(), 0);
  const LoadReport report = load.Finish();
  EXPECT_EQ(report.ok, 4U) << report.Summary();
  EXPECT_EQ(report.lost, 0U) << report.Summary();
}

TEST(EchoServerTest, HealthFollowsRequests) {
  EchoServer server;
  ChildOptions check;
  check.argv = {EchoServerBinary(), "--check", std::to_string(server.endpoint().port)};
  EXPECT_EQ(RunCommand(check).exit_code, 0);
  Get(server.endpoint(), "/health/bad");
  EXPECT_EQ(RunCommand(check).exit_code, 1);
}

TEST(LoadGeneratorTest, CountsWhatIsLostAndWhy) {
  EchoServer server;
  LoadOptions options;
  options.endpoint = server.endpoint();
  options.targets = {GetTarget("/x"), GetTarget("/status/503"), GetTarget("/x", "not there")};
  options.threads = 3;
  options.max_requests = 300;
  const LoadReport report = LoadGenerator(options).Finish();
  EXPECT_EQ(report.ok + report.lost, 300U);
  EXPECT_GT(report.ok, 0U);
  EXPECT_GT(report.reasons.at("status 503"), 0U);
  EXPECT_GT(report.reasons.at("body"), 0U);
  EXPECT_GT(report.Quantile(0.5).count(), 0);
}

TEST(LoadGeneratorTest, SeesAServerThatDies) {
  for (const bool keep_alive : {true, false}) {
    EchoServer server("abrupt");
    LoadOptions options;
    options.endpoint = server.endpoint();
    options.targets = {GetTarget("/x")};
    options.keep_alive = keep_alive;
    LoadGenerator load(options);
    ASSERT_TRUE(load.WaitForAnswers(100));
    server.process().Kill();
    ASSERT_TRUE(load.WaitForAnswers(20));
    const LoadReport report = load.Stop();
    EXPECT_GT(report.lost, 0U);
    EXPECT_GT(report.reasons.at("refused"), 0U) << report.Summary();
  }
}

}  // namespace
}  // namespace swarmgate::testing
