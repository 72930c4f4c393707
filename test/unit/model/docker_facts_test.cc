#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "swarmgate/model/docker.h"

namespace swarmgate::model {
namespace {

TEST(AddressesTest, HoldWhatASortedMapWouldWhateverTheOrder) {
  for (const std::string order : {"", "a", "ab", "ba", "bac", "cba", "aab", "cabcb"}) {
    Addresses addresses;
    std::map<std::string, std::string> map;
    for (const char letter : order) {
      const std::string network(1, letter);
      const std::string address = "10.0.0." + std::to_string(map.size());
      EXPECT_EQ(addresses.emplace(network, address), map.emplace(network, address).second);
    }
    ASSERT_EQ(addresses.size(), map.size()) << order;
    EXPECT_EQ(addresses.empty(), map.empty()) << order;
    auto expected = map.begin();
    for (const auto& [network, address] : addresses) {
      EXPECT_EQ(network, expected->first) << order;
      EXPECT_EQ(address, expected->second) << order;
      EXPECT_EQ(addresses.at(network.str()), address) << order;
      ++expected;
    }
    EXPECT_EQ(addresses.find("d"), addresses.end()) << order;
    EXPECT_EQ(addresses.find(""), addresses.end()) << order;
  }
}

TEST(AddressesTest, OneWithoutANetworkIsNone) {
  Addresses addresses;
  EXPECT_FALSE(addresses.emplace("", "1"));
  EXPECT_TRUE(addresses.empty());
  EXPECT_TRUE(addresses.emplace("a", "1"));
  EXPECT_FALSE(addresses.emplace("", "1"));
  EXPECT_EQ(addresses, (Addresses{{"a", "1"}}));
}

TEST(AddressesTest, AreEqualByWhatTheyHold) {
  const Addresses two{{"a", "1"}, {"b", "2"}};
  EXPECT_EQ(two, (Addresses{{"b", "2"}, {"a", "1"}}));
  EXPECT_NE(two, (Addresses{{"a", "1"}}));
  EXPECT_NE(two, (Addresses{{"a", "1"}, {"b", "3"}}));
  EXPECT_NE(Addresses(), (Addresses{{"a", "1"}}));
  Addresses copy = two;
  EXPECT_TRUE(copy.emplace("c", "3"));
  EXPECT_EQ(two.size(), 2U) << "a copy is another";
}

}  // namespace
}  // namespace swarmgate::model
