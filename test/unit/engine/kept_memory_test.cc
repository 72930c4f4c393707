// What is known of very many services is kept once where they say the same, and of a list that has
// been taken nothing stays.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/facts_keeper.h"
#include "support/fake_docker.h"
#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;

model::DockerFacts List() {
  model::DockerFacts facts;
  facts.daemon_id = "d";
  facts.swarm_manager = true;
  facts.services = {MakeService("a", "/a", {MakeTask("a1", "10.0.0.1")}),
                    MakeService("b", "/b", {MakeTask("b1", "10.0.0.2")})};
  return facts;
}

TEST(KeptMemoryTest, OfAListNoRoomForItsServicesStays) {
  FactsKeeper keeper({});
  (void)keeper.TakeList(List(), SteadyTime());
  EXPECT_EQ(keeper.services().size(), 2U);
  EXPECT_EQ(keeper.host().services.capacity(), 0U);
  FactsKeeper restored({});
  restored.Restore(List());
  EXPECT_EQ(restored.services().size(), 2U);
  EXPECT_EQ(restored.host().services.capacity(), 0U);
}

TEST(KeptMemoryTest, ServicesShareWhatTheySayAlike) {
  FactsKeeper keeper({});
  (void)keeper.TakeList(List(), SteadyTime());
  const model::ServiceFacts& a = *keeper.FindById("id-a");
  const model::ServiceFacts& b = *keeper.FindById("id-b");
  EXPECT_EQ(&*a.network_ids, &*b.network_ids);
  const auto same = [](const Text& one, const Text& other) {
    return one.str().data() == other.str().data();
  };
  EXPECT_TRUE(same(a.tasks[0].state, b.tasks[0].state));
  EXPECT_TRUE(same(a.tasks[0].node_id, b.tasks[0].node_id));
  EXPECT_TRUE(same(a.tasks[0].addresses.begin()->first, b.tasks[0].addresses.begin()->first));
}

TEST(KeptMemoryTest, WhatIsSaidAnewOfAServiceKeepsTheNameThatOthersShare) {
  FactsKeeper keeper({});
  (void)keeper.TakeList(List(), SteadyTime());
  const ServicePtr before = FindByName(keeper.services(), "a");
  model::DockerFacts list = List();
  list.services[0].tasks[0].running = false;
  (void)keeper.TakeList(std::move(list), SteadyTime(Duration(1)));
  const ServicePtr now = FindByName(keeper.services(), "a");
  ASSERT_NE(*before, *now);
  EXPECT_EQ(before->id.str().data(), now->id.str().data());
  EXPECT_EQ(before->name.str().data(), now->name.str().data());
}

TEST(KeptMemoryTest, StatusesShareTheirReasons) {
  Rig rig;
  const model::DockerFacts list = List();
  for (const model::ServiceFacts& service : list.services) rig.docker.SetService(service);
  rig.Start();
  const ServiceStatus* a = rig.Status("a");
  const ServiceStatus* b = rig.Status("b");
  ASSERT_NE(a, nullptr);
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(a->reason, "1 route to 1 server");
  EXPECT_EQ(a->reason.str().data(), b->reason.str().data());
}

}  // namespace
}  // namespace swarmgate::engine
