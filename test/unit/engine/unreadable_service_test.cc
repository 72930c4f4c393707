#include <gtest/gtest.h>

#include "engine/facts_keeper.h"

namespace swarmgate::engine {
namespace {

model::DockerFacts ListOf(std::vector<std::string> ids, std::vector<std::string> unreadable) {
  model::DockerFacts facts;
  facts.daemon_id = "d";
  facts.swarm_manager = true;
  for (const std::string& id : ids) {
    model::ServiceFacts service;
    service.id = id;
    service.name = id;
    service.version = 7;
    facts.services.push_back(service);
  }
  facts.unreadable_service_ids = std::move(unreadable);
  return facts;
}

std::vector<std::string> Ids(const FactsKeeper& keeper) {
  std::vector<std::string> ids;
  for (const model::ServiceFacts& service : keeper.facts().services) ids.push_back(service.id);
  return ids;
}

TEST(FactsKeeper, AServiceThatDockerDescribesUnreadablyStaysAsItWas) {
  FactsKeeper keeper({});
  const SteadyTime now{};
  (void)keeper.TakeList(ListOf({"a", "b"}, {}), now);
  EXPECT_FALSE(keeper.TakeList(ListOf({"a"}, {"b"}), now).changed);
  EXPECT_EQ(Ids(keeper), (std::vector<std::string>{"a", "b"}));
  // One that was never understood is not there, and one that is gone is gone.
  EXPECT_TRUE(keeper.TakeList(ListOf({"a"}, {"c"}), now).changed);
  EXPECT_EQ(Ids(keeper), std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace swarmgate::engine
