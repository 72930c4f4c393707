// Carrying out, against a HAProxy, a disk and a store that fail in every way.
#include <gtest/gtest.h>

#include "swarmgate/base/log.h"
#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;
using Served = std::map<std::string, std::vector<std::string>>;

model::ServiceFacts Web() { return MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}); }
model::ServiceFacts Api() { return MakeService("api", "/api", {MakeTask("bbb", "10.0.0.2")}); }

class ApplyTest : public ::testing::Test {
 protected:
  // A world in which "web" is served, and "api" has just appeared at Docker.
  void StartWithWeb() {
    rig.docker.SetService(Web());
    rig.Start();
    rig.Advance(Duration(1000));
    rig.docker.SetService(Api());
  }
  void ExpectBoth() {
    EXPECT_EQ(rig.Served(), (Served{{"/api", {"10.0.0.2:8080"}}, {"/web", {"10.0.0.1:8080"}}}));
    EXPECT_EQ(rig.State("api"), "live");
    rig.ExpectFilesAreTheTruth();
  }
  Rig rig;
};

TEST_F(ApplyTest, ANewServiceNeedsNoReload) {
  StartWithWeb();
  rig.Hint("service", "create", "id-api");
  rig.Settle();
  ExpectBoth();
  EXPECT_EQ(rig.proxy.reloads(), 0U);
  EXPECT_EQ(rig.snapshot()->counters.apply_failures, 0U);
  EXPECT_EQ(rig.snapshot()->revision, 2U);
}

TEST_F(ApplyTest, EachFailureOfACallIsOvercome) {
  for (Code code : {Code::kRejected, Code::kUnavailable, Code::kDeadlineExceeded, Code::kCorrupt,
                    Code::kCancelled}) {
    for (int calls : {1, 2, 3, 5}) {
      SCOPED_TRACE(std::string(CodeName(code)) + " x" + std::to_string(calls));
      Rig fresh;
      fresh.docker.SetService(Web());
      fresh.Start();
      fresh.Advance(Duration(1000));
      fresh.docker.SetService(Api());
      fresh.proxy.FailNext(code, calls);
      fresh.Hint("service", "create", "id-api");
      fresh.Advance(Duration(30000));
      EXPECT_EQ(fresh.Served(), (Served{{"/api", {"10.0.0.2:8080"}}, {"/web", {"10.0.0.1:8080"}}}));
      EXPECT_EQ(fresh.State("api"), "live");
      fresh.ExpectFilesAreTheTruth();
    }
  }
}

TEST_F(ApplyTest, EachStepThatIsRefusedOnceIsOvercomeWithoutAReload) {
  // Changes that together use every kind of step.
  const auto change = [](Rig& r) {
    r.docker.SetService(Api());
    r.docker.SetService(MakeService("web", "/other", {MakeTask("ccc", "10.0.0.3")}, 2));
    auto regex = MakeService("re", "/x", {MakeTask("ddd", "10.0.0.4")});
    regex.labels.Set("com.df.pathType", "path_reg");
    regex.labels.Set("com.df.servicePath", "^/x[0-9]+$");
    r.docker.SetService(regex);
    r.docker.RemoveService("id-old");
    r.Hint("node", "update", "n");
  };
  const auto start = [](Rig& r) {
    r.docker.SetService(Web());
    r.docker.SetService(MakeService("old", "/old", {MakeTask("eee", "10.0.0.5")}));
    r.Start();
    r.Advance(Duration(1000));
  };
  Rig reference;
  start(reference);
  const auto before = reference.proxy.steps();
  change(reference);
  reference.Advance(Duration(5000));
  const auto steps = reference.proxy.steps() - before;
  ASSERT_GE(steps, 8U);
  for (std::size_t n = 1; n <= steps; ++n) {
    SCOPED_TRACE("step " + std::to_string(n));
    Rig refused;
    start(refused);
    refused.proxy.RefuseStep(n);
    change(refused);
    refused.Advance(Duration(10000));
    EXPECT_EQ(refused.proxy.held(), reference.proxy.held());
    EXPECT_EQ(refused.proxy.reloads(), 0U);
    refused.ExpectFilesAreTheTruth();
  }
}

TEST_F(ApplyTest, AStepThatIsAlwaysRefusedEndsInAReload) {
  StartWithWeb();
  rig.proxy.RefuseSteps(
      [](const haproxy::Step& step) { return std::holds_alternative<haproxy::AddServer>(step); });
  rig.Hint("service", "create", "id-api");
  rig.Settle();
  ExpectBoth();
  EXPECT_EQ(rig.proxy.reloads(), 1U);
  EXPECT_EQ(rig.snapshot()->counters.reloads.at("fallback"), 1U);
}

TEST_F(ApplyTest, AHAProxyThatDiedIsServedAgainWhenItIsBack) {
  StartWithWeb();
  rig.proxy.Kill();
  rig.Hint("service", "create", "id-api");
  rig.Advance(Duration(3000));
  EXPECT_FALSE(rig.snapshot()->proxy.ok);
  EXPECT_FALSE(rig.snapshot()->ready);
  EXPECT_NE(rig.Status("api")->reason.str().find("not confirmed yet"), std::string::npos);
  EXPECT_EQ(testing::LoadImage(rig.proxy.disk()).routes.size(), 2U);  // files first
  ASSERT_TRUE(rig.proxy.Start());
  rig.Advance(Duration(1100));
  ExpectBoth();
  EXPECT_TRUE(rig.snapshot()->ready);
  EXPECT_EQ(rig.snapshot()->counters.haproxy_restarts, 1U);
}

TEST_F(ApplyTest, ARestartBetweenTwoPollsIsNoticed) {
  StartWithWeb();
  const int pid = rig.proxy.pid();
  rig.proxy.Kill();
  ASSERT_TRUE(rig.proxy.Start());
  rig.Advance(Duration(1100));
  EXPECT_EQ(rig.snapshot()->counters.haproxy_restarts, 1U);
  EXPECT_NE(rig.snapshot()->proxy_pid, pid);
  rig.Hint("service", "create", "id-api");
  rig.Settle();
  ExpectBoth();
  EXPECT_EQ(rig.proxy.reloads(), 0U);
}

TEST_F(ApplyTest, ARestartJustBeforeAChangeIsOvercome) {
  StartWithWeb();
  rig.proxy.Kill();
  ASSERT_TRUE(rig.proxy.Start());
  rig.Hint("service", "create", "id-api");
  rig.Advance(Duration(2000));
  ExpectBoth();
}

TEST_F(ApplyTest, MoreSlotsComeByAReload) {
  StartWithWeb();
  for (int i = 0; i < 9; ++i) {
    const std::string n = std::to_string(i);
    rig.docker.SetService(MakeService("s" + n, "/s" + n, {MakeTask("t" + n, "10.0.1." + n)}));
  }
  rig.Hint("node", "update", "n");
  rig.Settle();
  EXPECT_EQ(rig.Served().size(), 11U);
  EXPECT_EQ(rig.proxy.reloads(), 1U);
  EXPECT_EQ(rig.snapshot()->counters.reloads.at("slots"), 1U);
  rig.ExpectFilesAreTheTruth();
}

TEST_F(ApplyTest, AHAProxyThatCameBackJustBeforeMoreSlotsIsReloaded) {
  StartWithWeb();
  rig.proxy.Kill();
  rig.Advance(Duration(5000));  // known to be away, and looked for once a second
  ASSERT_TRUE(rig.proxy.Start());
  // Without tasks: no command would fail for want of a slot.
  for (int i = 0; i < 9; ++i) {
    const std::string n = std::to_string(i);
    rig.docker.SetService(MakeService("s" + n, "/s" + n, {}));
  }
  rig.Hint("node", "update", "n");
  rig.Settle();
  EXPECT_EQ(rig.Served().size(), 11U);
  EXPECT_EQ(rig.snapshot()->counters.reloads, (std::map<std::string, std::uint64_t>{{"slots", 1}}));
  rig.ExpectFilesAreTheTruth();
}

TEST_F(ApplyTest, AHAProxyThatMayHaveStartedOnEitherStructureIsReloaded) {
  StartWithWeb();
  rig.proxy.Kill();
  rig.Advance(Duration(5000));
  const haproxy::Files before = rig.proxy.disk();
  for (int i = 0; i < 9; ++i) {
    const std::string n = std::to_string(i);
    rig.docker.SetService(MakeService("s" + n, "/s" + n, {}));
  }
  rig.Hint("node", "update", "n");
  rig.Settle();
  // It read its files a moment before they were written.
  const haproxy::Files after = rig.proxy.disk();
  rig.proxy.SetDisk(before);
  ASSERT_TRUE(rig.proxy.Start());
  rig.proxy.SetDisk(after);
  rig.Advance(Duration(5000));
  EXPECT_EQ(rig.Served().size(), 11U);
  EXPECT_EQ(rig.proxy.reloads(), 1U);
  rig.ExpectFilesAreTheTruth();
}

TEST_F(ApplyTest, AReloadThatFailsKeepsTheOldStructureOnDiskAndEverythingElseLive) {
  StartWithWeb();
  for (int i = 0; i < 9; ++i) {
    const std::string n = std::to_string(i);
    rig.docker.SetService(MakeService("s" + n, "/s" + n, {MakeTask("t" + n, "10.0.1." + n)}));
  }
  rig.proxy.RejectReloads(2);
  rig.Hint("node", "update", "n");
  rig.Settle();
  // Those that have a slot are live, on the old structure.
  const Served served = rig.Served();
  std::size_t with_server = 0;
  for (const auto& [key, servers] : served) with_server += servers.empty() ? 0 : 1;
  EXPECT_EQ(with_server, 8U);
  EXPECT_EQ(testing::LoadImage(rig.proxy.disk()).declared, rig.proxy.held().image.declared);
  rig.Advance(Duration(60000));
  EXPECT_EQ(rig.proxy.reloads(), 1U);
  for (const auto& [key, servers] : rig.Served()) EXPECT_EQ(servers.size(), 1U) << key;
  rig.ExpectFilesAreTheTruth();
}

TEST_F(ApplyTest, AFullDiskDoesNotKeepAServerFromGoingLive) {
  StartWithWeb();
  rig.proxy.FailFilesNext(Code::kUnavailable, 1000);
  rig.Hint("service", "create", "id-api");
  rig.Settle();
  EXPECT_EQ(rig.Served().size(), 2U);
  EXPECT_EQ(rig.State("api"), "live");
  rig.Advance(Duration(1000));
  rig.proxy.StopFailing();
  rig.Advance(Duration(10000));
  ExpectBoth();
}

TEST_F(ApplyTest, AFullDiskIsToldToWhoeverChangesSomethingAndHoldsUpNothing) {
  StartWithWeb();
  rig.proxy.FailFilesNext(Code::kUnavailable, 1000);
  const Outcome outcome = rig.Reconfigure({{"serviceName", "db"},
                                           {"servicePath", "/db"},
                                           {"port", "80"},
                                           {"outboundHostname", "10.0.0.9"}});
  EXPECT_EQ(outcome.status, 200) << outcome.message;
  EXPECT_FALSE(outcome.persisted);
  EXPECT_TRUE(rig.Served().contains("/db"));
  rig.proxy.StopFailing();
  rig.Advance(Duration(10000));
  rig.ExpectFilesAreTheTruth();
}

TEST_F(ApplyTest, AServiceThatTheCheckRefusesIsQuarantinedAndTheOthersGoOn) {
  StartWithWeb();
  rig.proxy.RefuseConfigWith("/poison");
  rig.docker.SetService(MakeService("bad", "/poison", {MakeTask("ccc", "10.0.0.3")}));
  rig.Hint("node", "update", "n");
  rig.Settle();
  ExpectBoth();
  EXPECT_EQ(rig.State("bad"), "rejected");
  EXPECT_TRUE(rig.HasDiagnostic("bad", "quarantined"));
  EXPECT_EQ(rig.snapshot()->counters.quarantines, 1U);
  // With other labels it is tried again.
  rig.docker.SetService(MakeService("bad", "/good", {MakeTask("ccc", "10.0.0.3")}, 2));
  rig.Hint("service", "update", "id-bad");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.State("bad"), "live");
  rig.ExpectFilesAreTheTruth();
}

TEST_F(ApplyTest, AQuarantinedServiceThatGoesIsJudgedAnewWhenItComesBack) {
  StartWithWeb();
  rig.proxy.RefuseConfigWith("/poison");
  rig.docker.SetService(MakeService("bad", "/poison", {MakeTask("ccc", "10.0.0.3")}));
  rig.Hint("service", "create", "id-bad");
  rig.Advance(Duration(100));
  EXPECT_TRUE(rig.HasDiagnostic("bad", "quarantined"));
  rig.docker.RemoveService("id-bad");
  rig.Hint("service", "remove", "id-bad");
  rig.Advance(Duration(100));
  rig.proxy.AcceptAllConfig();
  rig.docker.SetService(MakeService("bad", "/poison", {MakeTask("ccc", "10.0.0.3")}, 2));
  rig.Hint("service", "create", "id-bad");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.State("bad"), "live");
}

TEST_F(ApplyTest, AnOffenderIsFoundAmongManyAtStart) {
  for (int i = 0; i < 20; ++i) {
    const std::string n = std::to_string(i);
    const std::string path = (i == 7 || i == 13) ? "/poison" + n : "/s" + n;
    rig.docker.SetService(MakeService("s" + n, path, {MakeTask("t" + n, "10.0.1." + n)}));
  }
  rig.proxy.RefuseConfigWith("/poison");
  rig.Start();
  EXPECT_EQ(rig.Served().size(), 18U);
  EXPECT_EQ(rig.State("s7"), "rejected");
  EXPECT_EQ(rig.State("s13"), "rejected");
  EXPECT_EQ(rig.snapshot()->counters.quarantines, 2U);
  EXPECT_TRUE(rig.snapshot()->ready);
}

TEST_F(ApplyTest, ABaseConfigurationThatIsRefusedAccusesNoService) {
  rig.docker.SetService(Web());
  rig.proxy.RefuseConfigWith("frontend services");
  rig.Start();
  EXPECT_EQ(rig.snapshot()->counters.quarantines, 0U);
  EXPECT_FALSE(rig.snapshot()->ready);
  EXPECT_FALSE(rig.snapshot()->not_ready_reason.empty());
  rig.proxy.AcceptAllConfig();
  rig.Advance(Duration(60000));
  EXPECT_EQ(rig.Served().size(), 1U);
  EXPECT_TRUE(rig.snapshot()->ready);
}

TEST_F(ApplyTest, AServerThatIsWantedAgainIsRevived) {
  rig.docker.SetService(Web());
  rig.Start();
  const haproxy::Held before = rig.proxy.held();
  const auto& [slot, servers] = *before.image.servers.begin();
  rig.proxy.SetSessions(slot, servers.front().name, 3);
  auto ending = MakeTask("aaa", "10.0.0.1");
  ending.desired_running = false;
  rig.docker.SetService(MakeService("web", "/web", {ending}));
  rig.Advance(Duration(11000));
  EXPECT_EQ(rig.proxy.held().draining.size(), 1U);
  EXPECT_TRUE(rig.Status("web")->tasks.at(0).draining);
  rig.docker.SetService(Web());
  rig.Advance(Duration(11000));
  EXPECT_EQ(rig.proxy.held(), before);
}

TEST_F(ApplyTest, ASlotWhoseTenantDrainsIsNotGivenToAnother) {
  StartWithWeb();
  const haproxy::Held before = rig.proxy.held();
  const auto& [slot, servers] = *before.image.servers.begin();
  rig.proxy.SetSessions(slot, servers.front().name, 1);
  rig.docker.RemoveService("id-web");
  rig.Hint("service", "remove", "id-web");
  rig.Hint("service", "create", "id-api");
  rig.Settle();
  rig.Advance(Duration(1000));
  EXPECT_EQ(rig.Served(), (Served{{"/api", {"10.0.0.2:8080"}}}));
  EXPECT_FALSE(rig.proxy.held().image.servers.contains(slot));
  EXPECT_TRUE(rig.proxy.held().draining.contains(slot));
  ASSERT_EQ(rig.Reconfigure({{"serviceName", "db"},
                             {"servicePath", "/db"},
                             {"port", "1"},
                             {"outboundHostname", "192.0.2.1"}})
                .status,
            200);
  EXPECT_FALSE(rig.proxy.held().image.servers.contains(slot));
  ASSERT_EQ(rig.Remove("db").status, 200);
  // Given up after a while, but still watched.
  rig.Advance(Duration(60000));
  EXPECT_TRUE(rig.proxy.held().draining.contains(slot));
  rig.proxy.SetSessions(slot, servers.front().name, 0);
  rig.Advance(Duration(11000));
  EXPECT_TRUE(rig.proxy.held().draining.empty());
}

TEST_F(ApplyTest, DiagnosticsAreToldOnceAndRecoveryToo) {
  StartWithWeb();
  auto bad = MakeService("bad", "/bad", {MakeTask("ccc", "10.0.0.3")});
  bad.labels.Set("com.df.port", "0");
  rig.docker.SetService(bad);
  const auto count = [](const std::string& id, std::uint64_t after) {
    int found = 0;
    for (const LoggedEvent& event : EventsAfter(after, SteadyTime())) {
      for (const auto& [key, value] : event.fields) {
        if (event.id == id && key == "service" && value == "bad") ++found;
      }
    }
    return found;
  };
  const auto newest = [] {
    const auto events = EventsAfter(0, SteadyTime());
    return events.empty() ? 0 : events.back().sequence;
  };
  std::uint64_t mark = newest();
  rig.Hint("service", "create", "id-bad");
  rig.Advance(Duration(100000));
  const int told = count("SERVICE_REJECTED", mark);
  EXPECT_GE(told, 1);
  rig.docker.SetService(Api());  // another change
  rig.Hint("service", "update", "id-api");
  rig.Advance(Duration(100000));
  EXPECT_EQ(count("SERVICE_REJECTED", mark), told);
  mark = newest();
  rig.docker.SetService(MakeService("bad", "/bad", {MakeTask("ccc", "10.0.0.3")}, 2));
  rig.Hint("service", "update", "id-bad");
  rig.Advance(Duration(100));
  EXPECT_EQ(count("SERVICE_RECOVERED", mark), 1);
  EXPECT_EQ(count("SERVICE_LIVE", mark), 1);
  bad.version = 3;
  rig.docker.SetService(bad);
  rig.Hint("service", "update", "id-bad");
  rig.Advance(Duration(100));
  mark = newest();
  rig.docker.RemoveService("id-bad");
  rig.Hint("service", "remove", "id-bad");
  rig.Advance(Duration(100));
  EXPECT_EQ(count("SERVICE_GONE", mark), 1);
  EXPECT_EQ(count("SERVICE_RECOVERED", mark), 0) << "it is gone, not well";
}

TEST_F(ApplyTest, TheSnapshotTellsAHAProxyThatDiedFromOneThatNeverRan) {
  rig.start_haproxy = false;
  rig.Start();
  EXPECT_FALSE(rig.snapshot()->was_ready);
  EXPECT_FALSE(rig.snapshot()->ready);
  EXPECT_FALSE(rig.snapshot()->proxy.ok);
  ASSERT_TRUE(rig.proxy.Start());
  rig.Advance(Duration(2000));
  EXPECT_TRUE(rig.snapshot()->was_ready);
  EXPECT_TRUE(rig.snapshot()->ready);
  rig.proxy.Kill();
  rig.Advance(Duration(2000));
  EXPECT_TRUE(rig.snapshot()->was_ready);
  EXPECT_FALSE(rig.snapshot()->ready);
  EXPECT_FALSE(rig.snapshot()->proxy.ok);
}

}  // namespace
}  // namespace swarmgate::engine
