// Starting, starting again, and being killed at the worst moment.
#include <gtest/gtest.h>

#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;
using Served = std::map<std::string, std::vector<std::string>>;

model::ServiceFacts Web() { return MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}); }

Rig::Parameters Call(const std::string& name, const std::string& path) {
  return {{"serviceName", name},
          {"servicePath", path},
          {"port", "9000"},
          {"outboundHostname", "192.0.2.7"}};
}

class StartTest : public ::testing::Test {
 protected:
  Rig rig;
};

TEST_F(StartTest, WithoutDockerServesWhatWasServedLast) {
  rig.docker.SetService(Web());
  rig.Start();
  ASSERT_EQ(rig.Reconfigure(Call("db", "/db")).status, 200);
  const haproxy::Held before = rig.proxy.held();
  rig.proxy.Kill();  // kill -9 of everything
  rig.docker.FailNext(Code::kUnavailable, 1000000);
  rig.Start();
  rig.Advance(Duration(1000));
  EXPECT_EQ(rig.proxy.held(), before);
  EXPECT_TRUE(rig.snapshot()->ready);
  EXPECT_EQ(rig.State("web"), "live");
  EXPECT_EQ(rig.State("db"), "live");
}

TEST_F(StartTest, ResolvedNamesAreKeptToo) {
  rig.dns.emplace("far.test", std::vector<std::string>{"192.0.2.50"});
  rig.Start();
  auto call = Call("db", "/db");
  call["outboundHostname"] = "far.test";
  ASSERT_EQ(rig.Reconfigure(call).status, 200);
  rig.dns.clear();
  rig.proxy.Kill();
  rig.Start();
  rig.Advance(Duration(500));
  EXPECT_EQ(rig.Served(), (Served{{"/db", {"192.0.2.50:9000"}}}));
}

TEST_F(StartTest, ARunningHAProxyIsAdoptedWithoutAReloadOrACommand) {
  rig.docker.SetService(Web());
  rig.Start();
  ASSERT_EQ(rig.Reconfigure(Call("db", "/db")).status, 200);
  const int pid = rig.proxy.pid();
  const auto steps = rig.proxy.steps();
  const auto writes = rig.proxy.writes();
  rig.Start();
  EXPECT_EQ(rig.proxy.reloads(), 0U);
  EXPECT_EQ(rig.proxy.steps(), steps);
  EXPECT_EQ(rig.proxy.writes(), writes);
  EXPECT_EQ(rig.proxy.pid(), pid);
  EXPECT_TRUE(rig.snapshot()->ready);
  EXPECT_EQ(rig.files_ready_calls, 2);
  EXPECT_EQ(rig.Reconfigure(Call("db2", "/db2")).status, 200);
  EXPECT_EQ(rig.proxy.reloads(), 0U);
}

TEST_F(StartTest, TheRevisionNeverGoesBack) {
  rig.docker.SetService(Web());
  rig.Start();
  const std::uint64_t told = rig.Reconfigure(Call("db", "/db")).revision;
  ASSERT_GT(told, 0U);
  rig.Start();
  const std::uint64_t found = rig.snapshot()->revision;
  EXPECT_GT(found, told);
  EXPECT_GT(rig.Reconfigure(Call("db2", "/db2")).revision, found);
  // Killed after a change was told, and before it was saved.
  rig.store.FailAlways(true);
  const std::uint64_t unsaved = rig.Reconfigure(Call("db3", "/db3")).revision;
  rig.store.FailAlways(false);
  rig.Start();
  EXPECT_GE(rig.snapshot()->revision, unsaved);
}

TEST_F(StartTest, WhatChangedMeanwhileIsCaughtUpWithByCommands) {
  rig.docker.SetService(Web());
  rig.Start();
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("bbb", "10.0.0.2")}, 2));
  rig.Start();
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.2:8080"}}}));
  EXPECT_EQ(rig.proxy.reloads(), 0U);
  rig.ExpectFilesAreTheTruth();
}

TEST_F(StartTest, OtherSettingsReloadAnAdoptedHAProxyOnce) {
  rig.docker.SetService(Web());
  rig.Start();
  rig.options.proxy.binds = {{"*", 80}, {"*", 8081}};
  rig.Start();
  EXPECT_EQ(rig.proxy.reloads(), 1U);
  EXPECT_EQ(rig.snapshot()->counters.reloads.at("settings"), 1U);
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
  rig.ExpectFilesAreTheTruth();
  rig.Start();
  EXPECT_EQ(rig.proxy.reloads(), 1U);
}

TEST_F(StartTest, AHAProxyOfUnknownStructureIsReloadedRatherThanTrusted) {
  rig.docker.SetService(Web());
  rig.Start();
  rig.store = testing::FakeStore();  // the data directory's store was lost
  rig.store.SetFrozen([this] { return rig.proxy.frozen(); });
  rig.Start();
  EXPECT_EQ(rig.proxy.reloads(), 1U);
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
}

TEST_F(StartTest, AStateThatIsLostTakesNothingFromAHAProxyThatServes) {
  rig.docker.SetService(Web());
  rig.Start();
  rig.store = testing::FakeStore();
  rig.store.SetFrozen([this] { return rig.proxy.frozen(); });
  rig.docker.FailNext(Code::kUnavailable, 1000000);
  for (int starts = 0; starts < 2; ++starts) {
    rig.Start();
    rig.Advance(Duration(20000));
    EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
    EXPECT_EQ(rig.proxy.reloads(), 0U);
    EXPECT_TRUE(rig.snapshot()->proxy.ok);
    EXPECT_FALSE(rig.snapshot()->ready);
  }
  rig.docker.SetService(MakeService("api", "/api", {MakeTask("bbb", "10.0.0.2")}));
  rig.docker.StopFailing();
  rig.Advance(Duration(10000));
  EXPECT_EQ(rig.Served(), (Served{{"/api", {"10.0.0.2:8080"}}, {"/web", {"10.0.0.1:8080"}}}));
  EXPECT_TRUE(rig.snapshot()->ready);
  rig.ExpectFilesAreTheTruth();
}

TEST_F(StartTest, AStateThatIsLostLeavesTheFilesForHAProxyToStartWith) {
  rig.docker.SetService(Web());
  rig.Start();
  rig.proxy.Kill();
  rig.store = testing::FakeStore();
  rig.store.SetFrozen([this] { return rig.proxy.frozen(); });
  rig.docker.FailNext(Code::kUnavailable, 1000000);
  rig.Start();
  EXPECT_EQ(rig.files_ready_calls, 2);
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
  rig.docker.StopFailing();
  rig.Advance(Duration(10000));
  EXPECT_TRUE(rig.snapshot()->ready);
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
}

TEST_F(StartTest, SettingsThatHAProxyCannotRunLeaveTheOldOnesServing) {
  rig.docker.SetService(Web());
  rig.Start();
  rig.options.proxy.binds = {{"*", 80}, {"*", 8081}};
  rig.proxy.RejectReloads(1000);  // the new port is in use
  rig.Start();
  rig.docker.SetService(MakeService("api", "/api", {MakeTask("bbb", "10.0.0.2")}));
  rig.Hint("service", "create", "id-api");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.Served(), (Served{{"/api", {"10.0.0.2:8080"}}, {"/web", {"10.0.0.1:8080"}}}));
  rig.proxy.RejectReloads(0);
  rig.Advance(Duration(120000));
  EXPECT_EQ(rig.proxy.reloads(), 1U);
  EXPECT_EQ(rig.Served().size(), 2U);
  rig.ExpectFilesAreTheTruth();
}

TEST_F(StartTest, MoreSlotsThanTheFirstFilesHadComeByOneReloadAndNoFailedCommand) {
  for (int i = 0; i < 9; ++i) {
    const std::string n = std::to_string(i);
    rig.docker.SetService(MakeService("s" + n, "/s" + n, {MakeTask("t" + n, "10.0.1." + n)}));
  }
  // Something to serve before Docker has answered: so HAProxy starts, and is not looked at yet.
  Rig other;
  other.Start();
  ASSERT_EQ(other.Reconfigure(Call("db", "/db")).status, 200);
  for (const auto& [name, record] : other.store.records()) ASSERT_TRUE(rig.store.Put(record, 0));
  rig.Start();
  rig.Advance(Duration(60000));
  EXPECT_EQ(rig.Served().size(), 10U);
  EXPECT_EQ(rig.snapshot()->counters.apply_failures, 0U);
  EXPECT_EQ(rig.snapshot()->counters.reloads, (std::map<std::string, std::uint64_t>{{"slots", 1}}));
  rig.ExpectFilesAreTheTruth();
}

TEST_F(StartTest, StaleFilesAreReplacedBeforeHAProxyStarts) {
  rig.proxy.SetDisk({{"conf/00-base.cfg", "stale"}, {"maps/old.map", "/x y\n"}});
  rig.docker.SetService(Web());
  rig.Start();
  EXPECT_FALSE(rig.proxy.disk().contains("maps/old.map"));
  EXPECT_EQ(rig.Served().size(), 1U);
  rig.ExpectFilesAreTheTruth();
}

TEST_F(StartTest, FilesThatCannotBeWrittenAreTriedAgainBeforeHAProxyIsStarted) {
  rig.docker.SetService(Web());
  rig.proxy.FailFilesNext(Code::kUnavailable, 1000000);
  rig.Start();
  rig.Advance(Duration(2000));
  EXPECT_EQ(rig.files_ready_calls, 0);
  EXPECT_FALSE(rig.snapshot()->ready);
  rig.proxy.StopFailing();
  rig.Advance(Duration(10000));
  EXPECT_EQ(rig.files_ready_calls, 1);
  EXPECT_EQ(rig.Served().size(), 1U);
}

TEST_F(StartTest, ANewReplicaStartsHAProxyWithAllThatThereIs) {
  testing::FakeSharedStore shared;
  Rig other;
  other.shared = &shared;
  other.Start();
  ASSERT_EQ(other.Reconfigure(Call("db", "/db")).status, 200);
  rig.shared = &shared;
  rig.docker.SetService(Web());
  rig.answer_lists = rig.answer_news = false;
  rig.Start();
  EXPECT_EQ(rig.files_ready_calls, 0) << "before it knows anything it would answer 503";
  rig.answer_lists = true;
  rig.Settle();
  EXPECT_EQ(rig.files_ready_calls, 0) << "what the others share is not known yet";
  rig.answer_news = true;
  haproxy::MapEntries found;
  rig.ports.files_ready = [&] {
    ++rig.files_ready_calls;
    found = testing::LoadImage(rig.proxy.disk()).routes;
    rig.proxy.Start();
  };
  rig.Settle();
  EXPECT_EQ(rig.files_ready_calls, 1);
  EXPECT_TRUE(found.contains("/web") && found.contains("/db")) << "as HAProxy found it";
  rig.Advance(Duration(200));
  EXPECT_TRUE(rig.snapshot()->ready);
}

TEST_F(StartTest, AFirstStartWithManyServicesNeedsNoReload) {
  for (int i = 0; i < 100; ++i) {
    const std::string name = "web" + std::to_string(i);
    rig.docker.SetService(MakeService(name, "/" + name, {MakeTask(name, "10.0.0.1")}));
  }
  rig.answer_lists = false;
  rig.Start();
  ASSERT_EQ(rig.files_ready_calls, 0);
  ASSERT_GT(rig.proxy.writes(), 0U) << "files with the fewest slots, before anything is known";
  rig.answer_lists = true;
  rig.Advance(Duration(1000));
  EXPECT_EQ(rig.files_ready_calls, 1);
  EXPECT_EQ(rig.Served().size(), 100U);
  EXPECT_TRUE(rig.snapshot()->ready);
  EXPECT_EQ(rig.proxy.reloads(), 0U);
}

TEST_F(StartTest, ANewReplicaStartsHAProxyWhereNobodyCanBeAsked) {
  rig.docker.FailNext(Code::kUnavailable, 1000000);
  rig.Start();
  EXPECT_EQ(rig.files_ready_calls, 1) << "a Docker that is away is not waited for";
  Rig hung;
  hung.answer_lists = false;
  hung.Start();
  hung.Advance(Duration(4900));
  EXPECT_EQ(hung.files_ready_calls, 0);
  hung.Advance(Duration(200));
  EXPECT_EQ(hung.files_ready_calls, 1) << "nor one that does not answer, for ever";
}

TEST_F(StartTest, AReplicaThatServedBeforeStartsHAProxyAtOnce) {
  rig.docker.SetService(Web());
  rig.Start();
  rig.proxy.Kill();
  rig.answer_lists = false;
  rig.Start();
  EXPECT_EQ(rig.files_ready_calls, 2);
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
}

// --- killed between each two steps of an apply -----------------------------------------------

// A life of changes that uses every kind of file, step and reload.
struct Life {
  const char* name;
  std::function<void(Rig&)> before;
  std::function<void(Rig&)> change;
};

std::vector<Life> Lives() {
  const auto start = [](Rig& rig) {
    rig.docker.SetService(Web());
    rig.docker.SetService(MakeService("old", "/old", {MakeTask("eee", "10.0.0.5")}));
    rig.Start();
    rig.Advance(Duration(1000));
  };
  return {
      {"first start", [](Rig& rig) { rig.docker.SetService(Web()); },
       [](Rig& rig) {
         rig.Start();
         rig.Advance(Duration(1000));
       }},
      {"services change", start,
       [](Rig& rig) {
         rig.docker.SetService(MakeService("api", "/api", {MakeTask("bbb", "10.0.0.2")}));
         rig.docker.SetService(MakeService("web", "/other", {MakeTask("ccc", "10.0.0.3")}, 2));
         auto regex = MakeService("re", "/x", {MakeTask("ddd", "10.0.0.4")});
         regex.labels.Set("com.df.pathType", "path_reg");
         regex.labels.Set("com.df.servicePath", "^/x[0-9]+$");
         rig.docker.SetService(regex);
         rig.docker.RemoveService("id-old");
         rig.Hint("node", "update", "n");
         rig.Advance(Duration(5000));
       }},
      {"slots grow", start,
       [](Rig& rig) {
         for (int i = 0; i < 9; ++i) {
           const std::string n = std::to_string(i);
           rig.docker.SetService(
               MakeService("s" + n, "/s" + n, {MakeTask("t" + n, "10.0.1." + n)}));
         }
         rig.Hint("node", "update", "n");
         rig.Advance(Duration(5000));
       }},
      {"other settings", start,
       [](Rig& rig) {
         rig.options.proxy.binds = {{"*", 80}, {"*", 8081}};
         rig.Start();
         rig.Advance(Duration(5000));
       }},
      {"a call", start,
       [](Rig& rig) {
         (void)rig.Reconfigure(Call("web", "/mine"));
         (void)rig.Remove("old");
         rig.Advance(Duration(5000));
       }},
  };
}

TEST_F(StartTest, KilledAnywhereTheNextControllerEndsInTheSameState) {
  for (const Life& life : Lives()) {
    // What a controller that is started at the end of an undisturbed life serves.
    Rig undisturbed;
    life.before(undisturbed);
    life.change(undisturbed);
    undisturbed.Start();
    undisturbed.Advance(Duration(5000));
    const bool by_call = std::string(life.name) == "a call";
    for (std::size_t k = 0;; ++k) {
      for (bool proxy_dies : {false, true}) {
        SCOPED_TRACE(std::string(life.name) + ", killed after change " + std::to_string(k) +
                     (proxy_dies ? ", HAProxy too" : ""));
        Rig rig2;
        life.before(rig2);
        rig2.proxy.FreezeAfter(k);
        life.change(rig2);
        const bool was_frozen = rig2.proxy.frozen();
        rig2.proxy.Thaw();
        if (proxy_dies) rig2.proxy.Kill();
        rig2.Start();
        rig2.Advance(Duration(60000));
        EXPECT_TRUE(rig2.snapshot()->ready);
        rig2.ExpectFilesAreTheTruth();
        EXPECT_EQ(testing::LoadImage(rig2.proxy.disk()).base,
                  testing::LoadImage(undisturbed.proxy.disk()).base);
        // A call that was never answered may or may not have happened; Docker's word counts.
        if (!by_call) {
          EXPECT_EQ(rig2.Served(), undisturbed.Served());
        }
        if (!was_frozen && proxy_dies) goto next_life;
      }
    }
  next_life:;
  }
}

}  // namespace
}  // namespace swarmgate::engine
