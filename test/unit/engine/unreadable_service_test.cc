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
  for (const ServicePtr& service : keeper.services()) ids.push_back(service->id);
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

TEST(FactsKeeper, PortsThatCannotBeFoundOutNowStayAsTheyWere) {
  FactsKeeper keeper({});
  const SteadyTime now{};
  model::DockerFacts first = ListOf({"a", "b"}, {});
  first.services[0].exposed_tcp_ports = {8080};
  (void)keeper.TakeList(first, now);
  model::DockerFacts second = ListOf({"a", "b"}, {});
  second.services[0].labels = {{"x", "y"}};
  second.ports_unknown_ids = {"a", "b"};
  const FactsKeeper::News news = keeper.TakeList(second, now);
  EXPECT_TRUE(news.list_again_in) << "it is asked again soon";
  EXPECT_EQ(keeper.FindById("a")->exposed_tcp_ports, std::vector<std::uint16_t>{8080});
  EXPECT_EQ(keeper.FindById("a")->labels.Unpack().size(), 1U) << "everything else is the newer";
  EXPECT_TRUE(keeper.FindById("b")->exposed_tcp_ports.empty());
  EXPECT_TRUE(keeper.host().ports_unknown_ids.empty());
}

}  // namespace
}  // namespace swarmgate::engine
