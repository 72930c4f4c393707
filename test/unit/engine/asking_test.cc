// When Docker is asked, and of what; and tasks that are heard of before the managers know.
#include <gtest/gtest.h>

#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;
using Served = std::map<std::string, std::vector<std::string>>;

/// The task "aaa" at 10.0.0.1, in this state.
auto NotYetRunning(const std::string& state) {
  auto task = MakeTask("aaa", "10.0.0.1");
  task.running = false;
  task.state = state;
  return task;
}

class AskingTest : public ::testing::Test {
 protected:
  /// A task of `web` that is not in Docker's list any more some time after this event is no server
  /// after `patience`.
  void ExpectGoneAfter(const std::string& kind, const std::string& id, Duration patience) {
    const auto task = MakeTask("aaa", "10.0.0.1");
    rig.docker.SetService(MakeService("web", "/web", {task, MakeTask("bbb", "10.0.0.2")}));
    rig.Start();
    rig.Advance(Duration(60000));
    rig.Hint(kind, "update", id);
    rig.Advance(Duration(700));
    rig.docker.SetService(MakeService("web", "/web", {task}));
    rig.Advance(patience);
    EXPECT_EQ(rig.Served().at("/web"), std::vector<std::string>{"10.0.0.1:8080"});
  }

  Rig rig;
};

TEST_F(AskingTest, VeryManyServicesAreLookedThroughLessOften) {
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

TEST_F(AskingTest, TheFirstHintListsAtOnceAndFurtherOnesTogether) {
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

TEST_F(AskingTest, AHintDuringAListIsFollowedByAnotherList) {
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

TEST_F(AskingTest, ExecEventsOfHealthProbesCostNothing) {
  rig.Start();
  rig.Advance(Duration(1000));
  const auto before = rig.docker.lists();
  rig.Hint("container", "exec_start: /bin/probe", "c1");
  rig.Hint("container", "exec_die", "c1");
  rig.Advance(Duration(500));
  EXPECT_EQ(rig.docker.lists(), before);
}

TEST_F(AskingTest, ContainersThatAreNoneOfOursCostNothing) {
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

TEST_F(AskingTest, ATaskWhoseContainerHasStartedIsLiveSoonAfterItRuns) {
  auto starting = NotYetRunning("starting");
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

TEST_F(AskingTest, ATaskOfThisNodeIsLiveWhenItsContainerServesThoughTheManagersDoNotKnowYet) {
  auto starting = NotYetRunning("starting");
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

TEST_F(AskingTest, AContainerThatEndedBeforeItWasLookedAtIsNotServed) {
  auto starting = NotYetRunning("starting");
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

TEST_F(AskingTest, OnABareHostAnOlderListDoesNotTakeTheAddressOfAStartedTask) {
  auto starting = NotYetRunning("starting");
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

TEST_F(AskingTest, OnlyTheServiceWhoseContainerStartedIsPolledInASprint) {
  auto starting = NotYetRunning("starting");
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

TEST_F(AskingTest, ConvergingServicesArePolledQuicklyAndThenLessOften) {
  auto starting = NotYetRunning("starting");
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

TEST_F(AskingTest, ATaskThatStartsElsewhereAfterAWhileIsLiveWithinAQuarterOfASecond) {
  auto preparing = NotYetRunning("preparing");
  rig.docker.SetService(MakeService("web", "/web", {preparing}));
  rig.Start();
  rig.Advance(Duration(20000));  // no event on this node tells of the end of a pull
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Advance(Duration(200));
  EXPECT_EQ(rig.State("web"), "live");
}

// The task is not yet to be shut down when the list that the event causes is read, and nothing else
// says that the service is converging.
TEST_F(AskingTest, ATaskThatSwarmEndsAfterTheEventOfItsServiceIsGoneSoon) {
  ExpectGoneAfter("service", "id-web", Duration(400));
}

TEST_F(AskingTest, AnEventAfterWhichNothingChangesIsFollowedForSecondsOnly) {
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  rig.Start();
  rig.Advance(Duration(60000));
  rig.Hint("service", "update", "id-web");
  rig.Advance(Duration(3300));
  const auto before = rig.docker.task_lists();
  rig.Advance(Duration(40000));
  EXPECT_LE(rig.docker.task_lists() - before, 5U);
}

TEST_F(AskingTest, TasksOfANodeThatIsGoneAreGoneSoon) {
  ExpectGoneAfter("node", "some-node", Duration(1100));
}

TEST_F(AskingTest, ManyServicesThatConvergeArePolledLessAndLessOften) {
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

}  // namespace
}  // namespace swarmgate::engine
