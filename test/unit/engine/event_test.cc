// What is asked of Docker when something happens to some of very many services, and that this tells
// of them what listing everything would.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/rounds.h"
#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;

class EventTest : public ::testing::Test {
 protected:
  /// Many services, and nothing that is still wanted.
  void SetUp() override {
    for (int i = 0; i < 50; ++i) SetOther(i, "/other");
    rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
    rig.Start();
    rig.Advance(Duration(1000));
    lists = rig.docker.lists();
    asked = rig.docker.service_lists();
  }
  void SetOther(int i, const std::string& path) {
    const std::string n = std::to_string(i);
    rig.docker.SetService(
        MakeService("other" + n, path + n, {MakeTask("o" + n, "10.0.1." + n)}, ++version));
  }
  [[nodiscard]] bool IsServed(const std::string& path) const { return rig.Served().contains(path); }
  void ExpectNoFullList() { EXPECT_EQ(rig.docker.lists(), lists); }
  void ExpectFullList() { EXPECT_EQ(rig.docker.lists(), lists + 1); }

  Rig rig;
  std::uint64_t version = 10;
  std::uint64_t lists = 0;  ///< before the test
  std::uint64_t asked = 0;
};

TEST_F(EventTest, AServiceThatComesChangesAndGoesIsFollowedWithoutAListOfAll) {
  rig.docker.SetService(MakeService("new", "/new", {MakeTask("nnn", "10.0.0.9")}));
  rig.Hint("service", "create", "id-new");
  rig.Settle();
  EXPECT_EQ(rig.Served().at("/new"), std::vector<std::string>{"10.0.0.9:8080"});
  EXPECT_EQ(rig.docker.service_lists(), asked + 1);
  rig.docker.SetService(MakeService("new", "/newer", {MakeTask("nn2", "10.0.0.8")}, 2));
  rig.Hint("service", "update", "id-new");
  rig.Advance(Duration(60));
  EXPECT_FALSE(IsServed("/new"));
  EXPECT_EQ(rig.Served().at("/newer"), std::vector<std::string>{"10.0.0.8:8080"});
  rig.docker.RemoveService("id-new");
  rig.Hint("service", "remove", "id-new");
  rig.Advance(Duration(60));
  EXPECT_FALSE(IsServed("/newer"));
  EXPECT_EQ(rig.State("new"), "");
  EXPECT_TRUE(IsServed("/web"));
  ExpectNoFullList();
}

TEST_F(EventTest, AServiceThatIsNotOursCostsOneLookAtIt) {
  auto foreign = MakeService("foreign", "/foreign", {});
  foreign.labels = {};
  rig.docker.SetUnlabelled(foreign);
  rig.Hint("service", "update", foreign.id);
  rig.Advance(Duration(1000));
  EXPECT_EQ(rig.docker.service_lists(), asked + 1);
  ExpectNoFullList();
}

TEST_F(EventTest, AServiceThatLosesItsLabelIsNotServedAnyMore) {
  auto web = MakeService("web", "/web", {}, 2);
  web.labels = {};
  rig.docker.RemoveService(web.id);
  rig.docker.SetUnlabelled(web);
  rig.Hint("service", "update", web.id);
  rig.Settle();
  EXPECT_FALSE(IsServed("/web"));
  ExpectNoFullList();
}

TEST_F(EventTest, FurtherEventsAreTakenTogether) {
  rig.Hint("service", "update", "id-web");
  rig.Settle();
  EXPECT_EQ(rig.docker.service_lists(), asked + 1) << "the first one at once";
  for (int i = 0; i < 9; ++i) {
    rig.Hint("service", "update", "id-other" + std::to_string(i));
    rig.Advance(Duration(1));
  }
  EXPECT_EQ(rig.docker.service_lists(), asked + 1);
  rig.Advance(Duration(10));
  EXPECT_EQ(rig.docker.service_lists(), asked + 2);
  rig.Advance(Duration(500));
  EXPECT_EQ(rig.docker.service_lists(), asked + 2);
  ExpectNoFullList();
}

TEST_F(EventTest, VeryManyAtOnceAreListedWithEverything) {
  rig.Hint("service", "update", "id-web");
  rig.Settle();
  for (int i = 0; i < 45; ++i) {
    SetOther(i, "/changed");
    rig.Hint("service", "update", "id-other" + std::to_string(i));
  }
  rig.Advance(Duration(100));
  EXPECT_TRUE(IsServed("/changed0"));
  EXPECT_TRUE(IsServed("/changed44"));
  EXPECT_EQ(rig.docker.service_lists(), asked + 2) << "the first one, and those after the 41st";
  ExpectFullList();
}

TEST_F(EventTest, WhatIsNoServicesEventListsEverything) {
  for (const char* type : {"node", "network", "secret", "config"}) {
    rig.Hint(type, "update", "x");
    rig.Advance(Duration(100));
    EXPECT_EQ(rig.docker.lists(), ++lists) << type;
  }
}

TEST_F(EventTest, ALookThatFailsTakesNothingAwayAndIsMadeUpForByAListOfAll) {
  rig.docker.SetService(MakeService("web", "/changed", {MakeTask("aaa", "10.0.0.1")}, 2));
  rig.docker.FailNext(Code::kUnavailable);
  rig.answer_lists = false;
  rig.Hint("service", "update", "id-web");
  rig.Hint("service", "remove", "id-other1");
  ASSERT_EQ(rig.sources.services.size(), 1U);
  rig.answer_lists = true;
  rig.Advance(Duration(100));
  EXPECT_FALSE(IsServed("/web"));
  EXPECT_TRUE(IsServed("/changed"));
  EXPECT_TRUE(IsServed("/other1")) << "it was not removed";
  ExpectFullList();
}

TEST_F(EventTest, WhileEverythingIsListedNothingElseIsAsked) {
  rig.answer_lists = false;
  rig.Hint("node", "update", "n");
  ASSERT_EQ(rig.sources.lists.size(), 1U);
  SetOther(1, "/changed");
  rig.Hint("service", "update", "id-other1");
  rig.Advance(Duration(200));
  EXPECT_TRUE(rig.sources.services.empty());
  rig.answer_lists = true;
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.docker.service_lists(), asked + 1);
  EXPECT_TRUE(IsServed("/changed1"));
}

TEST_F(EventTest, AfterTheStreamOfEventsWasLostEverythingIsListedFirst) {
  rig.docker.FailNext(Code::kUnavailable, 3);
  rig.Send(DockerLost{{Code::kUnavailable, "gone", ""}});
  rig.Send(DockerConnected{});
  rig.Hint("service", "update", "id-web");
  rig.Settle();
  rig.Advance(Duration(50));
  EXPECT_FALSE(rig.snapshot()->docker.ok);
  rig.Advance(Duration(5000));
  EXPECT_TRUE(rig.snapshot()->docker.ok);
  EXPECT_EQ(rig.docker.service_lists(), asked) << "it may be another daemon";
}

TEST_F(EventTest, AServiceOnANetworkThatIsNotKnownIsListedWithTheNetworks) {
  model::DockerFacts facts = rig.docker.facts();
  facts.networks.push_back({"net3", "fresh", "overlay", true, false});
  facts.own_network_ids.emplace_back("net3");
  rig.docker.SetFacts(facts);
  auto fresh = MakeService("fresh", "/fresh", {MakeTask("fff", "10.0.3.1")});
  fresh.network_ids = std::vector<std::string>{"net3"};
  fresh.tasks[0].addresses = {{"net3", "10.0.3.1"}};
  rig.docker.SetService(fresh);
  rig.Hint("service", "create", fresh.id);
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.State("fresh"), "live");
  ExpectFullList();
}

TEST_F(EventTest, ANetworkThatDockerNeverListsCostsOneListOnly) {
  auto strange = MakeService("strange", "/strange", {MakeTask("sss", "10.0.0.7")});
  strange.network_ids = std::vector<std::string>{"host", "net1"};
  rig.docker.SetService(strange);
  rig.Hint("service", "create", strange.id);
  rig.Advance(Duration(100));
  ExpectFullList();
  for (int i = 0; i < 5; ++i) {
    strange.version++;
    rig.docker.SetService(strange);
    rig.Hint("service", "update", strange.id);
    rig.Advance(Duration(100));
  }
  ExpectFullList();
}

TEST_F(EventTest, AServiceThatIsNotFoundIsGoneOnlyWhenAnEventOrAListOfAllSaysSo) {
  rig.docker.RemoveService("id-web");
  rig.answer_lists = false;
  rig.Hint("service", "update", "id-web");
  rig.sources.services.clear();
  rig.Send(ServicesListed{{"id-web"}, *rig.docker.ListServices({"id-web"}, {})});
  rig.Advance(Duration(100));
  EXPECT_TRUE(IsServed("/web"));
  ASSERT_EQ(rig.sources.lists.size(), 1U);
  rig.answer_lists = true;
  rig.Advance(Duration(100));
  EXPECT_FALSE(IsServed("/web"));
}

TEST_F(EventTest, AnOlderVersionOfAServiceIsNotBelievedForAMinute) {
  rig.docker.SetService(MakeService("web", "/new", {MakeTask("aaa", "10.0.0.1")}, 20));
  rig.Hint("service", "update", "id-web");
  rig.Advance(Duration(60));
  EXPECT_TRUE(IsServed("/new"));
  rig.docker.SetService(MakeService("web", "/old", {MakeTask("aaa", "10.0.0.9")}, 19));
  rig.Hint("service", "update", "id-web");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.Served().at("/new"), std::vector<std::string>{"10.0.0.9:8080"});
  ExpectNoFullList();
  rig.Advance(Duration(100'000));
  EXPECT_TRUE(IsServed("/old"));
}

TEST_F(EventTest, WhatADaemonSaysOfOneServiceIsNotBelievedBeforeItHasConfirmedThatItIsAnother) {
  model::DockerFacts facts = rig.docker.facts();
  facts.daemon_id = "daemon-2";
  facts.services.clear();
  rig.docker.SetFacts(facts);
  rig.Hint("node", "update", "n");
  rig.Advance(Duration(100));
  ASSERT_TRUE(IsServed("/web")) << "not yet confirmed";
  rig.Hint("service", "remove", "id-web");
  rig.Advance(Duration(100));
  EXPECT_TRUE(IsServed("/web"));
}

TEST_F(EventTest, TasksThatJoinAndLeaveNetworksOnThisNodeListNothing) {
  DockerHint created;
  created.event = {"container", "create", "c-new", "", "id-web", "", "", 1'800'000'000'000'000'000};
  rig.Send(created);
  DockerHint connected;
  connected.event = {"network", "connect", "net1", "web", "", "", "c-new", 1};
  rig.Send(connected);
  rig.Hint("container", "die", "c-old", "id-foreign");
  DockerHint left;
  left.event = {"network", "disconnect", "net1", "web", "", "", "c-old", 1};
  rig.Send(left);
  rig.Advance(Duration(200));
  ExpectNoFullList();
  // The proxy's own container began before the proxy.
  rig.Send(DockerHint{{"container", "create", "c-own", "", "id-proxy", "", "", 1}});
  rig.Send(DockerHint{{"network", "connect", "net1", "web", "", "", "c-own", 2}});
  rig.Advance(Duration(100));
  ExpectFullList();
}

TEST_F(EventTest, OnABareHostATaskWhoseAddressIsNotKnownIsAskedForWithItsServiceOnly) {
  auto web = MakeService("web", "/web", {}, 2);
  model::DockerFacts facts = rig.docker.facts();
  facts.on_host = true;
  facts.own_network_ids.clear();
  rig.docker.SetFacts(facts);
  rig.docker.SetService(web);
  rig.Hint("node", "update", "n");
  rig.Advance(Duration(1000));
  lists = rig.docker.lists();
  web.tasks = {MakeTask("new", "10.0.0.9")};
  rig.docker.SetService(web);
  facts = rig.docker.facts();
  facts.gateway_addresses["c-new"] = "172.18.0.9";
  rig.docker.SetFacts(facts);
  rig.Hint("container", "health_status: starting", "c-new", "id-web");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.Served().at("/web"), std::vector<std::string>{"172.18.0.9:8080"});
  ExpectNoFullList();
}

TEST_F(EventTest, AContainerThatStaysListedAfterItEndedIsAskedForWithItsServiceOnly) {
  rig.Hint("container", "die", "c-aaa", "id-web");
  rig.Advance(Duration(29'000));
  lists = rig.docker.lists();
  asked = rig.docker.service_lists();
  EXPECT_EQ(rig.State("web"), "no-server");
  rig.Advance(Duration(1100));
  EXPECT_EQ(rig.State("web"), "live");
  EXPECT_EQ(rig.docker.service_lists(), asked + 1);
}

// --- a look tells what a list would --------------------------------------------------------------

/// Two keepers of one Docker: one is told by looks at what changed, the other by lists of all.
class Looks {
 public:
  explicit Looks(unsigned seed) : random_(seed) {
    model::DockerFacts facts = docker_.facts();
    facts.on_host = true;
    docker_.SetFacts(facts);
    // That all are lost needs lists of all to be believed.
    docker_.SetService(MakeService("stays", "/stays", {}));
    (void)by_looks_.TakeList(*docker_.List({}), now_);
    (void)by_lists_.TakeList(*docker_.List({}), now_);
  }

  void Step() {
    now_ += Duration(Below(3000));
    std::vector<std::string> ids;
    for (int i = Below(3); i >= 0; --i) ids.push_back(Change());
    // More is asked for than has changed.
    if (Below(3) == 0) ids.push_back("id-" + Name());
    if (Below(5) == 0) ids.emplace_back("id-nobody");
    const auto news = by_looks_.TakeServices(ids, *docker_.ListServices(ids, {}), now_);
    if (news.list_again_in == Duration(0)) {
      ++lists;
      (void)by_looks_.TakeList(*docker_.List({}), now_);
    }
    (void)by_lists_.TakeList(*docker_.List({}), now_);
  }

  void ExpectTheSame() const {
    ASSERT_EQ(by_looks_.services().size(), by_lists_.services().size());
    auto other = by_lists_.services().begin();
    for (const ServicePtr& service : by_looks_.services()) {
      EXPECT_EQ(*service, **other) << service->name.str();
      ++other;
    }
    EXPECT_EQ(by_looks_.host().gateway_addresses, by_lists_.host().gateway_addresses);
    EXPECT_TRUE(by_looks_.host() == by_lists_.host());
  }
  /// What is saved of both, all together.
  void ExpectTheSameSaved() {
    ports::AppliedDelta looks;
    ports::AppliedDelta lists_delta;
    by_looks_.MoveChangesTo(looks);
    by_lists_.MoveChangesTo(lists_delta);
    EXPECT_EQ(looks.removals, lists_delta.removals);
    EXPECT_EQ(looks.upserts, lists_delta.upserts);
  }

  int lists = 0;

 private:
  int Below(int n) {
    return static_cast<int>(random_() % static_cast<std::minstd_rand::result_type>(n));
  }
  std::string Name() { return std::string(1, static_cast<char>('a' + Below(6))); }

  /// Of one service; its id.
  std::string Change() {
    const std::string name = Name();
    const std::string id = "id-" + name;
    switch (Below(6)) {
      case 0:
        Tell("service", "remove", id);
        docker_.RemoveService(id);
        break;
      case 1:  // an event that was lost
        docker_.RemoveService(id);
        break;
      case 2: {
        const std::string task = name + std::to_string(Below(4));
        Tell("container", Below(2) == 0 ? "die" : "start", "c-" + task);
        break;
      }
      default:
        SetService(name);
    }
    ForgetAddresses();
    return id;
  }

  void SetService(const std::string& name) {
    model::DockerFacts facts = docker_.facts();
    std::vector<model::TaskFacts> tasks;
    for (int i = 0; i < 4; ++i) {
      if (Below(2) == 0) continue;
      const std::string n = std::to_string(i);
      auto task = MakeTask(name + n, "10.0." + std::to_string(name[0]) + "." + n);
      task.running = Below(3) != 0;
      if (!task.running) task.state = Below(2) == 0 ? "starting" : "failed";
      if (!task.running && Below(2) == 0) task.container_id = Text();
      if (!task.container_id.empty()) facts.gateway_addresses[task.container_id] = "172.18.0." + n;
      tasks.push_back(task);
    }
    docker_.SetFacts(facts);
    // Now and then a manager that is behind.
    version_ += Below(5) == 0 ? -1 : 1;
    auto service = MakeService(name, "/" + name + std::to_string(Below(3)), std::move(tasks),
                               static_cast<std::uint64_t>(version_));
    if (Below(8) == 0)
      service.network_ids = std::vector<std::string>{"net1", "net" + std::to_string(Below(5))};
    docker_.SetService(service);
    facts = docker_.facts();
    facts.ports_unknown_ids.clear();
    if (Below(6) == 0) facts.ports_unknown_ids.push_back(service.id);
    docker_.SetFacts(facts);
  }

  // As an adapter lists them: of the tasks that there are.
  void ForgetAddresses() {
    model::DockerFacts facts = docker_.facts();
    std::set<std::string> containers;
    for (const auto& service : facts.services) {
      for (const auto& task : service.tasks) containers.insert(task.container_id);
    }
    std::erase_if(facts.gateway_addresses,
                  [&](const auto& address) { return !containers.contains(address.first); });
    docker_.SetFacts(facts);
  }

  void Tell(const std::string& type, const std::string& action, const std::string& id) {
    ports::DockerEvent event;
    event.type = type;
    event.action = action;
    event.id = id;
    event.time_ns = ++time_ns_;
    (void)by_looks_.TakeEvent(event, now_);
    (void)by_lists_.TakeEvent(event, now_);
  }

  std::minstd_rand random_;
  SteadyTime now_;
  std::int64_t time_ns_ = 0;
  std::int64_t version_ = 100;
  testing::FakeDocker docker_;
  FactsKeeper by_looks_{FactsKeeper::Options{}};
  FactsKeeper by_lists_{FactsKeeper::Options{}};
};

TEST(FactsKeeper, LooksAtWhatChangedTellWhatListsOfAllTell) {
  int lists = 0;
  int steps = 0;
  for (unsigned seed = 1; seed <= testing::Rounds(300); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Looks looks(seed);
    for (int step = 0; step < 40; ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      looks.Step();
      looks.ExpectTheSame();
      if (HasFailure()) return;
    }
    looks.ExpectTheSameSaved();
    lists += looks.lists;
    steps += 40;
    if (HasFailure()) return;
  }
  EXPECT_LT(lists, steps / 3) << "most of it is told by looks alone";
}

}  // namespace
}  // namespace swarmgate::engine
