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

TEST_F(DiscoveryTest, VeryManyServicesAreLookedThroughLessOften) {
  const auto lists_in_ten_minutes = [this](int services) {
    model::DockerFacts facts = rig.docker.List({}).value();
    for (int i = static_cast<int>(facts.services.size()); i < services; ++i) {
      facts.services.push_back(MakeService("s" + std::to_string(i), "/" + std::to_string(i), {}));
    }
    std::sort(facts.services.begin(), facts.services.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    rig.docker.SetFacts(std::move(facts));
    rig.Start();
    rig.Advance(Duration(1000));
    const auto before = rig.docker.lists();
    rig.Advance(Duration(600'000));
    return rig.docker.lists() - before;
  };
  EXPECT_GE(lists_in_ten_minutes(200), 55U);
  EXPECT_LE(lists_in_ten_minutes(8000), 32U);
}

TEST_F(DiscoveryTest, TheFirstHintListsAtOnceAndFurtherOnesTogether) {
  rig.Start();
  rig.Advance(Duration(1000));
  const auto before = rig.docker.lists();
  rig.Hint("node", "update", "n1");
  rig.Settle();
  EXPECT_EQ(rig.docker.lists(), before + 1);
  for (int i = 0; i < 20; ++i) {
    rig.Hint("node", "update", "n1");
    rig.Advance(Duration(1));
  }
  EXPECT_EQ(rig.docker.lists(), before + 1);
  rig.Advance(Duration(50));
  EXPECT_EQ(rig.docker.lists(), before + 2);
  rig.Advance(Duration(500));
  EXPECT_EQ(rig.docker.lists(), before + 2);
}

TEST_F(DiscoveryTest, AHintDuringAListIsFollowedByAnotherList) {
  rig.Start();
  rig.Advance(Duration(1000));
  rig.answer_lists = false;
  rig.Hint("node", "update", "n1");
  ASSERT_EQ(rig.sources.lists.size(), 1U);
  rig.Hint("node", "update", "n2");
  rig.Advance(Duration(200));
  EXPECT_EQ(rig.sources.lists.size(), 1U);  // never two at a time
  rig.answer_lists = true;
  const auto before = rig.docker.lists();
  rig.Settle();
  EXPECT_EQ(rig.docker.lists(), before + 1);
  rig.Advance(Duration(200));
  EXPECT_EQ(rig.docker.lists(), before + 2);
}

TEST_F(DiscoveryTest, ExecEventsOfHealthProbesCostNothing) {
  rig.Start();
  rig.Advance(Duration(1000));
  const auto before = rig.docker.lists();
  rig.Hint("container", "exec_start: /bin/probe", "c1");
  rig.Hint("container", "exec_die", "c1");
  rig.Advance(Duration(500));
  EXPECT_EQ(rig.docker.lists(), before);
}

TEST_F(DiscoveryTest, ContainersThatAreNoneOfOursCostNothing) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  rig.Advance(Duration(1000));
  const auto before = rig.docker.lists() + rig.docker.task_lists();
  for (const char* action : {"kill", "die", "stop", "destroy", "create"}) {
    rig.Hint("container", action, "foreign");
    rig.Hint("container", action, "foreign", "id-foreign-service");
    rig.Advance(Duration(100));
  }
  rig.Hint("container", "start", "foreign", "id-foreign-service");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.docker.lists() + rig.docker.task_lists(), before);
  rig.Hint("container", "start", "may-be-labelled");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.docker.lists() + rig.docker.task_lists(), before + 1);
}

TEST_F(DiscoveryTest, ATaskWhoseContainerHasStartedIsLiveSoonAfterItRuns) {
  auto starting = MakeTask("aaa", "10.0.0.1");
  starting.running = false;
  starting.state = "starting";
  rig.docker.SetService(MakeService("web", "/web", {starting}));
  rig.Start();
  rig.Advance(Duration(20000));  // polls have become slow
  rig.Hint("container", "start", "c-aaa", "id-web");
  rig.Advance(Duration(150));
  EXPECT_EQ(rig.State("web"), "no-server");
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Advance(Duration(13));
  EXPECT_EQ(rig.State("web"), "live");
}

TEST_F(DiscoveryTest, ATaskOfThisNodeIsLiveWhenItsContainerServesThoughTheManagersDoNotKnowYet) {
  auto starting = MakeTask("aaa", "10.0.0.1");
  starting.running = false;
  starting.state = "starting";
  starting.container_id = Text();
  rig.docker.SetService(MakeService("web", "/web", {starting}));
  rig.Start();
  rig.Advance(Duration(20000));
  rig.docker.SetStarted({"aaa", "c-aaa", std::nullopt});
  rig.Hint("container", "start", "c-aaa", "id-web");
  rig.Settle();
  EXPECT_EQ(rig.State("web"), "live");
  EXPECT_EQ(rig.Served().at("/web"), std::vector<std::string>{"10.0.0.1:8080"});

  // Lists that are behind take nothing away …
  rig.Hint("service", "update", "id-web");
  rig.Advance(Duration(3000));
  EXPECT_EQ(rig.State("web"), "live");
  // … and one that says that it has failed does.
  starting.state = "failed";
  rig.docker.SetService(MakeService("web", "/web", {starting}));
  rig.Hint("service", "update", "id-web");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.State("web"), "no-server");
}

TEST_F(DiscoveryTest, AContainerThatEndedBeforeItWasLookedAtIsNotServed) {
  auto starting = MakeTask("aaa", "10.0.0.1");
  starting.running = false;
  starting.state = "starting";
  starting.container_id = Text();
  rig.docker.SetService(MakeService("web", "/web", {starting}));
  rig.Start();
  rig.Advance(Duration(1000));
  rig.docker.SetStarted({"aaa", "c-aaa", std::nullopt});
  rig.answer_lists = false;
  rig.Hint("container", "start", "c-aaa", "id-web");
  rig.Hint("container", "die", "c-aaa", "id-web");
  rig.answer_lists = true;
  rig.Settle();
  EXPECT_EQ(rig.State("web"), "no-server");
}

TEST_F(DiscoveryTest, OnABareHostAnOlderListDoesNotTakeTheAddressOfAStartedTask) {
  auto starting = MakeTask("aaa", "10.0.0.1");
  starting.running = false;
  starting.state = "starting";
  starting.container_id = Text();
  model::DockerFacts facts = rig.docker.facts();
  facts.on_host = true;
  facts.own_network_ids.clear();
  rig.docker.SetFacts(facts);
  rig.docker.SetService(MakeService("web", "/web", {starting}));
  rig.Start();
  rig.Advance(Duration(1000));
  rig.docker.SetStarted({"aaa", "c-aaa", "172.18.0.3"});
  rig.Hint("container", "start", "c-aaa", "id-web");
  rig.Settle();
  EXPECT_EQ(rig.Served().at("/web"), std::vector<std::string>{"172.18.0.3:8080"});
  rig.Hint("service", "update", "id-web");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.Served().at("/web"), std::vector<std::string>{"172.18.0.3:8080"});
}

TEST_F(DiscoveryTest, OnlyTheServiceWhoseContainerStartedIsPolledInASprint) {
  auto starting = MakeTask("aaa", "10.0.0.1");
  starting.running = false;
  starting.state = "starting";
  auto stuck = starting;
  stuck.id = "bbb";
  rig.docker.SetService(MakeService("web", "/web", {starting}));
  rig.docker.SetService(MakeService("stuck", "/stuck", {stuck}));
  rig.Start();
  rig.Advance(Duration(20000));
  rig.Hint("container", "start", "c-aaa", "id-web");
  rig.answer_lists = false;  // answered here, to see what is asked
  int polls = 0;
  int polls_of_stuck = 0;
  const auto answer = [&] {
    while (!rig.sources.tasks.empty()) {
      const std::vector<std::string> ids = rig.sources.tasks.front();
      rig.sources.tasks.pop_front();
      polls += static_cast<int>(std::count(ids.begin(), ids.end(), "id-web"));
      polls_of_stuck += static_cast<int>(std::count(ids.begin(), ids.end(), "id-stuck"));
      rig.Send(TasksListed{rig.clock.Now(), ids, rig.docker.ListTasks(ids, {})});
    }
  };
  for (int ms = 0; ms < 1000; ++ms) {
    rig.Advance(Duration(1));
    answer();
  }
  EXPECT_GE(polls, 60);
  EXPECT_LE(polls_of_stuck, 10);
  polls = 0;
  for (int ms = 0; ms < 1000; ++ms) {
    rig.Advance(Duration(1));
    answer();
  }
  EXPECT_LE(polls, 10) << "the sprint is over";
}

TEST_F(DiscoveryTest, ConvergingServicesArePolledQuicklyAndThenLessOften) {
  auto starting = MakeTask("aaa", "10.0.0.1");
  starting.running = false;
  starting.state = "starting";
  rig.docker.SetService(MakeService("web", "/web", {starting}));
  rig.Start();
  EXPECT_EQ(rig.State("web"), "no-server");
  EXPECT_NE(rig.Status("web")->reason.str().find("starting"), std::string::npos);
  const auto before = rig.docker.task_lists();
  rig.Advance(Duration(1000));
  const auto quick = rig.docker.task_lists() - before;
  EXPECT_GE(quick, 4U);
  rig.Advance(Duration(58000));
  const auto young = rig.docker.task_lists();
  rig.Advance(Duration(1000));
  EXPECT_GE(rig.docker.task_lists() - young, 6U) << "it may be an image that is pulled";
  rig.Advance(Duration(10000));
  const auto middle = rig.docker.task_lists();
  rig.Advance(Duration(20000));
  const auto slow = rig.docker.task_lists() - middle;
  EXPECT_LE(slow, 13U);  // every 2 s, and all every 10 s
  EXPECT_GE(slow, 9U);

  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Advance(Duration(2000));
  EXPECT_EQ(rig.State("web"), "live");
  const auto after = rig.docker.task_lists();
  rig.Advance(Duration(20000));
  EXPECT_LE(rig.docker.task_lists() - after, 3U);
}

TEST_F(DiscoveryTest, ATaskThatStartsElsewhereAfterAWhileIsLiveWithinAQuarterOfASecond) {
  auto preparing = MakeTask("aaa", "10.0.0.1");
  preparing.running = false;
  preparing.state = "preparing";
  rig.docker.SetService(MakeService("web", "/web", {preparing}));
  rig.Start();
  rig.Advance(Duration(20000));  // no event on this node tells of the end of a pull
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Advance(Duration(200));
  EXPECT_EQ(rig.State("web"), "live");
}

// The task is not yet to be shut down when the list that the event causes is read, and nothing else
// says that the service is converging.
TEST_F(DiscoveryTest, ATaskThatSwarmEndsAfterTheEventOfItsServiceIsGoneSoon) {
  const auto task = MakeTask("aaa", "10.0.0.1");
  rig.docker.SetService(MakeService("web", "/web", {task, MakeTask("bbb", "10.0.0.2")}));
  rig.Start();
  rig.Advance(Duration(60000));
  rig.Hint("service", "update", "id-web");
  rig.Advance(Duration(700));
  rig.docker.SetService(MakeService("web", "/web", {task}));
  rig.Advance(Duration(400));
  EXPECT_EQ(rig.Served().at("/web"), std::vector<std::string>{"10.0.0.1:8080"});
}

TEST_F(DiscoveryTest, AnEventAfterWhichNothingChangesIsFollowedForSecondsOnly) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  rig.Advance(Duration(60000));
  rig.Hint("service", "update", "id-web");
  rig.Advance(Duration(3300));
  const auto before = rig.docker.task_lists();
  rig.Advance(Duration(40000));
  EXPECT_LE(rig.docker.task_lists() - before, 5U);
}

TEST_F(DiscoveryTest, TasksOfANodeThatIsGoneAreGoneSoon) {
  const auto task = MakeTask("aaa", "10.0.0.1");
  rig.docker.SetService(MakeService("web", "/web", {task, MakeTask("bbb", "10.0.0.2")}));
  rig.Start();
  rig.Advance(Duration(60000));
  rig.Hint("node", "update", "some-node");
  rig.Advance(Duration(700));
  rig.docker.SetService(MakeService("web", "/web", {task}));
  rig.Advance(Duration(1100));
  EXPECT_EQ(rig.Served().at("/web"), std::vector<std::string>{"10.0.0.1:8080"});
}

TEST_F(DiscoveryTest, ManyServicesThatConvergeArePolledLessAndLessOften) {
  for (int i = 0; i < 17; ++i) {
    const std::string name = "web-" + std::to_string(i);
    auto preparing = MakeTask("task-" + std::to_string(i), "10.0.0.1");
    preparing.running = false;
    preparing.state = "preparing";
    rig.docker.SetService(MakeService(name, "/" + name, {preparing}));
  }
  rig.Start();
  rig.Advance(Duration(20000));
  const auto before = rig.docker.task_lists();
  rig.Advance(Duration(10000));
  EXPECT_LE(rig.docker.task_lists() - before, 7U);
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
