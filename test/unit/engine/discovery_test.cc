// What Docker says, and what becomes of it.
#include <gtest/gtest.h>

#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;
using Served = std::map<std::string, std::vector<std::string>>;

class DiscoveryTest : public ::testing::Test {
 protected:
  Rig rig;
};

TEST_F(DiscoveryTest, ALabelledServiceIsLiveAfterTheFirstList) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
  EXPECT_EQ(rig.State("web"), "live");
  EXPECT_TRUE(rig.snapshot()->ready);
  EXPECT_EQ(rig.files_ready_calls, 1);
  rig.ExpectFilesAreTheTruth();
}

TEST_F(DiscoveryTest, WhatDockerSaysIsToldOnlyOnceSomebodyWantsToHearIt) {
  std::vector<ports::AppliedDelta> told;
  rig.ports.facts_changed = [&](const ports::AppliedDelta& delta) { told.push_back(delta); };
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  rig.docker.SetService(MakeService("api", "/api", {MakeTask("bbb", "10.0.0.2")}));
  rig.Hint("service", "create", "id-api");
  rig.Advance(Duration(1000));
  EXPECT_TRUE(told.empty()) << "most replicas have no follower";
  rig.Send(FactsWanted{});
  rig.Send(FactsWanted{});
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].host);
  EXPECT_EQ(told[0].upserts.size(), 2U);
  rig.docker.RemoveService("id-web");
  rig.Hint("service", "remove", "id-web");
  rig.Advance(Duration(1000));
  ASSERT_GE(told.size(), 2U);
  EXPECT_FALSE(told[1].host);
  EXPECT_EQ(told[1].removals, (std::vector<std::string>{"id-web"}));
}

TEST_F(DiscoveryTest, WhoeverFollowsBeforeDockerWasListedHearsEverythingThen) {
  std::vector<ports::AppliedDelta> told;
  rig.ports.facts_changed = [&](const ports::AppliedDelta& delta) { told.push_back(delta); };
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.answer_lists = false;
  rig.Start();
  rig.Send(FactsWanted{});
  EXPECT_TRUE(told.empty());
  rig.answer_lists = true;
  rig.Settle();
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(told[0].host);
  EXPECT_EQ(told[0].upserts.size(), 1U);
}

TEST_F(DiscoveryTest, WhoeverFollowsHearsAListThatSaysWhatAnEarlierRunKnew) {
  std::vector<ports::AppliedDelta> told;
  rig.ports.facts_changed = [&](const ports::AppliedDelta& delta) { told.push_back(delta); };
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  rig.Advance(Duration(1000));
  rig.docker.FailNext(Code::kUnavailable, 1);
  rig.Start();
  rig.Send(FactsWanted{});
  EXPECT_TRUE(told.empty()) << "its Docker has not been heard yet";
  rig.Advance(Duration(5000));
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told[0].upserts.size(), 1U);
}

TEST_F(DiscoveryTest, WithoutNotifyNothingIsServedAndTheStatusSaysWhy) {
  auto service = MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")});
  service.labels.Erase("com.df.notify");
  rig.docker.SetService(service);
  rig.Start();
  EXPECT_TRUE(rig.Served().empty());
  EXPECT_EQ(rig.State("web"), "rejected");
  EXPECT_NE(rig.Status("web")->reason.str().find("com.df.notify"), std::string::npos);
}

TEST_F(DiscoveryTest, ServicesThatAreLeftToOtherInstancesAreCounted) {
  rig.options.parse.filter_instance = true;
  rig.options.parse.instance_name = "mine";
  auto web = MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")});
  rig.docker.SetService(web);
  auto silent = MakeService("silent", "/silent", {MakeTask("bbb", "10.0.0.2")});
  silent.labels.Erase("com.df.notify");
  rig.docker.SetService(silent);
  rig.Start();
  EXPECT_EQ(rig.Status("web"), nullptr);
  EXPECT_EQ(rig.snapshot()->of_other_instances, 1U);
  const auto again = [&] {
    web.version += 1;
    rig.docker.SetService(web);
    rig.Hint("service", "update", "id-web");
    rig.Advance(Duration(1000));
    return rig.snapshot()->of_other_instances;
  };
  web.labels.Set("com.df.proxyInstanceName", "other");
  EXPECT_EQ(again(), 1U);
  web.labels.Set("com.df.proxyInstanceName", "mine");
  EXPECT_EQ(again(), 0U);
  EXPECT_EQ(rig.State("web"), "live");
  web.labels.Set("com.df.proxyInstanceName", "other");
  EXPECT_EQ(again(), 1U);
  rig.docker.RemoveService("id-web");
  rig.Hint("service", "remove", "id-web");
  rig.Advance(Duration(1000));
  EXPECT_EQ(rig.snapshot()->of_other_instances, 0U);
}

TEST_F(DiscoveryTest, NothingIsWrittenOrCommandedWhenNothingChanges) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  const auto writes = rig.proxy.writes();
  const auto steps = rig.proxy.steps();
  const auto saves = rig.store.saves();
  const auto revision = rig.snapshot()->revision;
  rig.Advance(Duration(120000));
  EXPECT_GE(rig.docker.lists(), 4U);  // every 30 s
  EXPECT_EQ(rig.proxy.writes(), writes);
  EXPECT_EQ(rig.proxy.steps(), steps);
  EXPECT_EQ(rig.store.saves(), saves);
  EXPECT_EQ(rig.snapshot()->revision, revision);
}

TEST_F(DiscoveryTest, AServiceWithoutTasksKeepsItsRoute) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  rig.docker.SetService(MakeService("web", "/web", {}));
  rig.Hint("service", "update", "id-web");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.Served(), (Served{{"/web", {}}}));
  EXPECT_EQ(rig.State("web"), "no-server");
}

TEST_F(DiscoveryTest, ARemovedServiceIsGoneWhenOthersAreStillListed) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.docker.SetService(MakeService("api", "/api", {MakeTask("bbb", "10.0.0.2")}));
  rig.Start();
  rig.docker.RemoveService("id-web");
  rig.Hint("service", "remove", "id-web");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.Served(), (Served{{"/api", {"10.0.0.2:8080"}}}));
  EXPECT_EQ(rig.Status("web"), nullptr);
}

TEST_F(DiscoveryTest, AListThatLostEverythingIsBelievedWhenItIsSaidAgain) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  rig.docker.RemoveService("id-web");
  rig.Hint("node", "update", "n");
  rig.Advance(Duration(1900));
  EXPECT_EQ(rig.State("web"), "live");
  rig.Advance(Duration(300));
  EXPECT_TRUE(rig.Served().empty());
  EXPECT_EQ(rig.Status("web"), nullptr);
}

TEST_F(DiscoveryTest, AnEmptyListThatAnEventExplainsIsBelievedAtOnce) {
  auto box = MakeService("box", "/box", {MakeTask("bbb", "10.0.0.2")});
  box.kind = model::ServiceKind::kContainer;
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.docker.SetService(box);
  rig.Start();
  rig.docker.RemoveService("id-web");
  rig.docker.RemoveService("id-box");
  rig.answer_lists = false;
  rig.Hint("service", "remove", "id-web");
  rig.Hint("container", "die", "c-bbb");
  rig.answer_lists = true;
  rig.Advance(Duration(100));
  EXPECT_TRUE(rig.Served().empty());
}

TEST_F(DiscoveryTest, AnotherDaemonsListIsBelievedWhenItIsSaidAgain) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  rig.docker.RemoveService("id-web");
  rig.docker.SetService(MakeService("new", "/new", {MakeTask("bbb", "10.0.0.2")}));
  model::DockerFacts facts = rig.docker.facts();
  facts.daemon_id = "daemon-2";
  rig.docker.SetFacts(facts);
  rig.Hint("node", "update", "n");
  rig.Advance(Duration(1900));
  EXPECT_EQ(rig.Served().size(), 2U);  // what is new is served at once
  rig.Advance(Duration(300));
  EXPECT_EQ(rig.Served(), (Served{{"/new", {"10.0.0.2:8080"}}}));
}

TEST_F(DiscoveryTest, AnErrorIsNeverAnEmptyList) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  for (Code code : {Code::kUnavailable, Code::kDeadlineExceeded, Code::kCorrupt, Code::kRejected}) {
    rig.docker.FailNext(code, 3);
    rig.Hint("service", "update", "id-web");
    rig.Advance(Duration(100));
    EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
    EXPECT_FALSE(rig.snapshot()->docker.ok);
    rig.Advance(Duration(20000));  // tried again by itself
    EXPECT_TRUE(rig.snapshot()->docker.ok);
  }
}

TEST_F(DiscoveryTest, ADaemonThatStopsBeingAManagerTakesNoServiceAway) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  auto container = MakeService("box", "/box", {MakeTask("bbb", "10.0.0.2")});
  container.kind = model::ServiceKind::kContainer;
  rig.docker.SetService(container);
  rig.Start();
  model::DockerFacts facts = rig.docker.facts();
  facts.swarm_manager = false;
  facts.services.clear();
  rig.docker.SetFacts(facts);
  rig.Advance(Duration(70000));
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
}

TEST_F(DiscoveryTest, AnOlderVersionOfAServiceIsNotBelievedForAMinute) {
  rig.docker.SetService(MakeService("web", "/new", {MakeTask("aaa", "10.0.0.1")}, 20));
  rig.Start();
  rig.docker.SetService(MakeService("web", "/old", {MakeTask("aaa", "10.0.0.9")}, 10));
  rig.Advance(Duration(31000));
  EXPECT_EQ(rig.Served(), (Served{{"/new", {"10.0.0.9:8080"}}}));  // tasks have no version
  rig.Advance(Duration(90000));
  EXPECT_EQ(rig.Served(), (Served{{"/old", {"10.0.0.9:8080"}}}));
}

TEST_F(DiscoveryTest, AKilledTaskIsDrainedAtOnceAndRetiredWhenIdle) {
  rig.docker.SetService(
      MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1"), MakeTask("bbb", "10.0.0.2")}));
  rig.Start();
  const haproxy::Held before = rig.proxy.held();
  const model::SlotName slot = before.image.servers.begin()->first;
  rig.answer_lists = false;  // nothing but the event
  model::ServerName ending;
  for (const model::Server& server : before.image.servers.begin()->second) {
    if (server.address == "10.0.0.1") ending = server.name;
  }
  rig.proxy.SetSessions(slot, ending, 1);
  rig.Hint("container", "kill", "c-aaa", "id-web", "15");
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.2:8080"}}}));
  EXPECT_EQ(rig.proxy.held().draining.at(slot), (std::set<model::ServerName>{ending}));
  rig.Advance(Duration(5000));
  EXPECT_EQ(rig.proxy.held().draining.size(), 1U);  // a request is under way
  EXPECT_EQ(rig.snapshot()->draining_servers, 1U);
  rig.proxy.SetSessions(slot, ending, 0);
  rig.Advance(Duration(1500));
  EXPECT_TRUE(rig.proxy.held().draining.empty());
}

TEST_F(DiscoveryTest, AContainerThatStopsSlowlyGetsNoRequestsUntilItHasEnded) {
  auto box = MakeService("box", "/box", {MakeTask("aaa", "10.0.0.1")});
  box.kind = model::ServiceKind::kContainer;
  rig.docker.SetService(box);
  rig.Start();
  rig.Hint("container", "kill", "c-aaa", "", "15");
  for (int i = 0; i < 30; ++i) {
    rig.Advance(Duration(10000));  // Docker lists it as running, time and again
    EXPECT_EQ(rig.Served(), (Served{{"/box", {}}})) << i;
  }
  rig.Hint("container", "die", "c-aaa");
  rig.Hint("container", "start", "c-aaa");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.Served(), (Served{{"/box", {"10.0.0.1:8080"}}}));
}

TEST_F(DiscoveryTest, AContainerThatIgnoresTheSignalComesBack) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  rig.Advance(Duration(15000));  // so that no full list is due when the mark ends
  rig.Hint("container", "kill", "c-aaa", "id-web", "15");
  rig.Advance(Duration(599000));
  EXPECT_EQ(rig.Served(), (Served{{"/web", {}}}));
  rig.Advance(Duration(2000));
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
}

TEST_F(DiscoveryTest, ASignalThatDoesNotStopDrainsNothing) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  for (const char* signal : {"1", "10", "12", "SIGHUP"}) {
    rig.Hint("container", "kill", "c-aaa", "id-web", signal);
    rig.Settle();
    EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}})) << signal;
  }
}

TEST_F(DiscoveryTest, AStartEndsTheMarkAndAnOlderKillDoesNotBringItBack) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  const Served all = rig.Served();
  rig.Hint("container", "die", "c-aaa", "", "", 1000);
  rig.Settle();
  EXPECT_EQ(rig.Served(), (Served{{"/web", {}}}));
  rig.Hint("container", "start", "c-aaa", "", "", 2000);
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.Served(), all);
  rig.Hint("container", "kill", "c-aaa", "", "15", 900);
  rig.Hint("container", "die", "c-aaa", "", "", 1000);
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.Served(), all);
}

TEST_F(DiscoveryTest, ATaskThatIsToEndIsDrainedWhenAListSaysSo) {
  auto ending = MakeTask("aaa", "10.0.0.1");
  rig.docker.SetService(MakeService("web", "/web", {ending, MakeTask("bbb", "10.0.0.2")}));
  rig.Start();
  ending.desired_running = false;
  rig.docker.SetService(MakeService("web", "/web", {ending, MakeTask("bbb", "10.0.0.2")}));
  rig.Advance(Duration(11000));
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.2:8080"}}}));
}

TEST_F(DiscoveryTest, TheOlderOfTwoServicesWithOneNameIsServed) {
  auto older = MakeService("web", "/old", {MakeTask("aaa", "10.0.0.1")});
  auto younger = MakeService("web", "/young", {MakeTask("bbb", "10.0.0.2")});
  younger.id = "id-other";
  younger.kind = model::ServiceKind::kContainer;
  younger.created_unix_ns += 1000;
  rig.docker.SetService(younger);
  rig.docker.SetService(older);
  rig.Start();
  EXPECT_EQ(rig.Served(), (Served{{"/old", {"10.0.0.1:8080"}}}));
  EXPECT_TRUE(rig.HasDiagnostic("web", "duplicate-name"));
  for (const model::Diagnostic& diagnostic : rig.Status("web")->diagnostics) {
    EXPECT_EQ(diagnostic.hint.find("serviceName"), std::string::npos)
        << "that label has no effect: " << diagnostic.hint;
  }
}

TEST_F(DiscoveryTest, WhyKnowsTheLoserOfAConflict) {
  auto younger = MakeService("young", "/web", {MakeTask("bbb", "10.0.0.2")});
  younger.created_unix_ns += 1000;
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.docker.SetService(younger);
  rig.Start();
  const auto snapshot = rig.snapshot();
  const routing::Explanation why =
      routing::Explain(snapshot->desired->routes, {"a.com", "/web", 80, {}}, *snapshot->lost);
  EXPECT_EQ(why.service.str(), "web");
  ASSERT_EQ(why.candidates.size(), 2U);
  EXPECT_EQ(why.candidates[1].service.str(), "young");
  EXPECT_TRUE(why.candidates[1].matches);
  EXPECT_FALSE(why.candidates[1].wins);
  EXPECT_NE(why.candidates[1].reason.find("belongs to service web"), std::string::npos)
      << why.candidates[1].reason;
  // Nobody loses any more.
  rig.docker.RemoveService("id-young");
  rig.Hint("service", "remove", "id-young");
  rig.Advance(Duration(100));
  EXPECT_TRUE(rig.snapshot()->lost->empty());
}

TEST_F(DiscoveryTest, ABadServiceHarmsNobody) {
  auto bad = MakeService("bad", "/bad", {MakeTask("bbb", "10.0.0.2")});
  bad.labels.Set("com.df.port", "abc");
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.docker.SetService(bad);
  rig.Start();
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
  EXPECT_EQ(rig.State("bad"), "rejected");
  EXPECT_FALSE(rig.Status("bad")->diagnostics.empty());
  EXPECT_GE(rig.snapshot()->counters.diagnostics.size(), 1U);
}

TEST_F(DiscoveryTest, ASecretUnderAMistypedNameIsShownNowhere) {
  auto service = MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")});
  service.labels.Set("com.df.uzers", "admin:hunter2");
  service.labels.Set("com.df.setReqHeader", "Authorization Basic hunter2");
  service.misplaced_labels = {{"com.df.users", "admin:hunter2"}, {"com.df.pass", "hunter2"}};
  rig.docker.SetService(service);
  rig.Start();
  const ServiceStatus& status = *rig.Status("web");
  EXPECT_EQ(status.parameters.Unpack().at("uzers"), "***");
  EXPECT_EQ(status.parameters.Unpack().at("setReqHeader"), "***");
  EXPECT_EQ(status.parameters.Unpack().at("servicePath"), "/web");
  EXPECT_TRUE(rig.HasDiagnostic("web", "misplaced-label"));
  for (const model::Diagnostic& diagnostic : status.diagnostics) {
    EXPECT_EQ(diagnostic.ToString().find("hunter2"), std::string::npos) << diagnostic.ToString();
  }
}

TEST_F(DiscoveryTest, TheTasksOfAServiceWithoutARouteSayThatItHasNone) {
  auto loser = MakeService("young", "/web", {MakeTask("bbb", "10.0.0.2")});
  loser.created_unix_ns += 1000;
  rig.docker.SetService(MakeService("old", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.docker.SetService(loser);
  rig.Start();
  ASSERT_EQ(rig.State("young"), "conflict");
  ASSERT_EQ(rig.Status("young")->tasks.size(), 1U);
  EXPECT_EQ(rig.Status("young")->tasks[0].reason, "its service has no route");
}

TEST_F(DiscoveryTest, TheTasksOfAServiceOnAnotherNetworkSayThat) {
  auto service = MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")});
  service.network_ids = std::vector<std::string>{"elsewhere"};
  service.tasks[0].addresses = {{"elsewhere", "10.9.0.1"}};
  rig.docker.SetService(service);
  rig.Start();
  ASSERT_TRUE(rig.HasDiagnostic("web", "no-common-network"));
  EXPECT_EQ(rig.Status("web")->tasks.at(0).reason, "no address on a network in common");
}

TEST_F(DiscoveryTest, MisplacedLabelsAreTold) {
  auto service = MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")});
  service.misplaced_labels = {{"com.df.servicePath", "/x"}};
  rig.docker.SetService(service);
  rig.Start();
  EXPECT_TRUE(rig.HasDiagnostic("web", "misplaced-label"));
}

TEST_F(DiscoveryTest, IsNotReadyWithNothingBeforeTheFirstGoodList) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.docker.FailNext(Code::kUnavailable, 1000000);
  for (int start = 0; start < 2; ++start) {  // what the first one stored says nothing
    rig.Start();
    rig.Send(DockerLost{{Code::kUnavailable, "no daemon", ""}});
    rig.Advance(Duration(60000));
    EXPECT_FALSE(rig.snapshot()->ready);
    EXPECT_NE(rig.snapshot()->not_ready_reason.find("Docker"), std::string::npos);
    EXPECT_FALSE(rig.snapshot()->docker.ok);
  }
  rig.docker.StopFailing();
  rig.Advance(Duration(10000));
  EXPECT_TRUE(rig.snapshot()->ready);
  EXPECT_EQ(rig.State("web"), "live");
}

TEST_F(DiscoveryTest, IsReadyWithoutADockerThatNobodyCountsOnAndHearsItWhenItComes) {
  rig.options.docker_optional = true;
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.docker.FailNext(Code::kUnavailable, 1000000);
  rig.Start();
  rig.Send(DockerLost{{Code::kUnavailable, "no socket", ""}});
  rig.Advance(Duration(1000));
  EXPECT_TRUE(rig.snapshot()->ready) << rig.snapshot()->not_ready_reason;
  EXPECT_FALSE(rig.snapshot()->docker.ok);
  rig.docker.StopFailing();
  rig.Advance(Duration(10000));
  EXPECT_EQ(rig.State("web"), "live");
}

TEST_F(DiscoveryTest, EventToLiveIsMeasured) {
  rig.Start();
  rig.Advance(Duration(1000));
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Hint("service", "create", "id-web");
  rig.Settle();
  EXPECT_EQ(rig.snapshot()->counters.event_to_live.count, 1U);
}

}  // namespace
}  // namespace swarmgate::engine
