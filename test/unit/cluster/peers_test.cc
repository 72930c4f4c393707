// Ways to find other replicas, and what is made of them.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "cluster/directory.h"
#include "support/fake_peers.h"
#include "support/wait.h"
#include "swarmgate/cluster/resolved_peers.h"

namespace swarmgate::cluster {
namespace {

using Addresses = std::vector<std::string>;

TEST(ResolvedPeers, NamesBecomeAddressesAndOneThatDoesNotExistIsNone) {
  std::map<std::string, Result<std::vector<std::string>>> dns;
  dns["tasks.proxy"] = std::vector<std::string>{"10.0.0.4", "10.0.0.3"};
  dns["v6"] = std::vector<std::string>{"fd00::1"};
  dns["gone"] = Fail(Code::kNotFound, "no such name");
  const auto resolve = [&](const std::string& name) { return dns.at(name); };
  const auto names = *ParseHostPorts("tasks.proxy, v6:81,gone,10.0.0.3,[::1]:82", 8080);
  const auto peers = MakeResolvedPeers([names] { return names; }, resolve);
  const auto found = peers->Find({});
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (Addresses{"10.0.0.3:8080", "10.0.0.4:8080", "[::1]:82", "[fd00::1]:81"}));
  // Not to be asked is not to have none: neither the others are lost, nor what it was.
  dns["gone"] = Fail(Code::kUnavailable, "the name server is away");
  EXPECT_EQ(*peers->Find({}), *found);
  dns["v6"] = Fail(Code::kUnavailable, "the name server is away");
  EXPECT_EQ(*peers->Find({}), *found);
  const auto only = MakeResolvedPeers([] { return std::vector<HostPort>{{"v6", 81}}; }, resolve);
  EXPECT_EQ(only->Find({}).error().code, Code::kUnavailable);
  peers->Cancel();
  EXPECT_EQ(peers->Find({}).error().code, Code::kCancelled);
}

TEST(Directory, EveryWayCountsAndOneThatFailsKeepsWhatItSaid) {
  testing::FakePeers one({"10.0.0.3:8080", "10.0.0.4:8080"});
  testing::FakePeers two({"10.0.0.4:8080", "[fd00::1]:8080"});
  Directory directory({&one, &two}, Duration(5));
  EXPECT_FALSE(directory.asked());
  directory.Start();
  ASSERT_TRUE(testing::WaitUntil([&] { return directory.asked(); }));
  EXPECT_EQ(directory.Addresses(), (Addresses{"10.0.0.3:8080", "10.0.0.4:8080", "[fd00::1]:8080"}));
  EXPECT_TRUE(directory.IsHostOfPeer("10.0.0.3"));
  EXPECT_TRUE(directory.IsHostOfPeer("::ffff:10.0.0.3"));
  EXPECT_TRUE(directory.IsHostOfPeer("fd00::1"));
  EXPECT_FALSE(directory.IsHostOfPeer("10.0.0.30"));
  EXPECT_FALSE(directory.IsHostOfPeer(""));
  two.SetDown(Code::kUnavailable);
  one.Set({"10.0.0.9:8080"});
  ASSERT_TRUE(testing::WaitUntil([&] { return directory.IsHostOfPeer("10.0.0.9"); }));
  EXPECT_EQ(directory.Addresses(), (Addresses{"10.0.0.4:8080", "10.0.0.9:8080", "[fd00::1]:8080"}));
  directory.Stop();
}

TEST(Directory, WhoIsKnownAMomentAfterTheStartIsFoundSoon) {
  testing::FakePeers late;
  Directory directory({&late}, std::chrono::hours(1));
  directory.Start();
  ASSERT_TRUE(testing::WaitUntil([&] { return directory.asked(); }));
  EXPECT_TRUE(directory.Addresses().empty());
  late.Set({"10.0.0.3:8080"});
  EXPECT_TRUE(testing::WaitUntil([&] { return directory.IsHostOfPeer("10.0.0.3"); }));
  directory.Stop();
}

}  // namespace
}  // namespace swarmgate::cluster
