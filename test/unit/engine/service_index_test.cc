#include "engine/service_index.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace swarmgate::engine {
namespace {

using Found = std::vector<const model::ServiceFacts*>;

Found Under(const ServiceIndex& index, const std::string& key) {
  Found found;
  index.Each(key, [&](const model::ServiceFacts& service) { found.push_back(&service); });
  return found;
}

TEST(ServiceIndexTest, FindsAllThatWereAddedUnderAKey) {
  const model::ServiceFacts a;
  const model::ServiceFacts b;
  ServiceIndex index;
  index.Add("one", &a);
  index.Add("one", &b);
  index.Add("two", &b);
  EXPECT_EQ(Under(index, "one").size(), 2U);
  EXPECT_EQ(Under(index, "two"), Found{&b});
  EXPECT_EQ(Under(index, "three"), Found{});
}

TEST(ServiceIndexTest, AnEntryThatGoesLeavesTheOthers) {
  const model::ServiceFacts a;
  const model::ServiceFacts b;
  ServiceIndex index;
  // Two of its tasks may say that they live in one container.
  index.Add("one", &a);
  index.Add("one", &a);
  index.Add("one", &b);
  index.Erase("one", &a);
  EXPECT_EQ(Under(index, "one").size(), 2U);
  index.Erase("one", &a);
  EXPECT_EQ(Under(index, "one"), Found{&b});
  index.Erase("one", &b);
  EXPECT_EQ(Under(index, "one"), Found{});
}

TEST(ServiceIndexTest, FindsEachOfVeryMany) {
  const std::vector<model::ServiceFacts> services(500);
  ServiceIndex index;
  for (std::size_t i = 0; i < services.size(); ++i) index.Add(std::to_string(i), &services[i]);
  for (std::size_t i = 0; i < services.size(); ++i) {
    EXPECT_EQ(Under(index, std::to_string(i)), Found{&services[i]}) << i;
  }
}

}  // namespace
}  // namespace swarmgate::engine
