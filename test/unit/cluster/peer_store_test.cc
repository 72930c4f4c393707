// Whole replicas but for engine and HAProxy, in one process: records that find their way between
// them, disks that fail, and a start that waits for what others know.
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/fake_clock.h"
#include "support/fake_peer_log.h"
#include "support/fake_peers.h"
#include "support/network.h"
#include "support/relay.h"
#include "support/wait.h"
#include "swarmgate/admin/server.h"
#include "swarmgate/cluster/cluster.h"
#include "unit/admin/fake_backend.h"

namespace swarmgate::cluster {
namespace {

using model::Record;
using model::ServiceName;
using testing::Relay;
using testing::WaitUntil;

// About what the clocks of these replicas say.
constexpr std::int64_t kNow = 1'700'000'001'000;

Record Make(const std::string& name, const std::string& path, std::int64_t updated) {
  Record record;
  record.service = ServiceName(name);
  record.parameters = {{"serviceName", name}, {"servicePath", path}};
  record.updated_unix_ms = record.created_unix_ms = updated;
  return record;
}

/// A replica's disk outlives it, and so does its address.
class Replica {
 public:
  explicit Replica(std::string name, std::string token = {})
      : name_(std::move(name)),
        token_(std::move(token)),
        log("epoch of " + name_),
        port_(testing::FreePort()) {}
  ~Replica() { Stop(); }

  void Start() {
    ClusterOptions options;
    options.self.cluster = "docker-flow";
    options.self.service = "proxy";
    options.self.instance = name_;
    options.self.run = name_ + std::to_string(++runs_);
    options.self.token = token_;
    options.find_every = Duration(20);
    options.poll = poll;
    options.catch_up = catch_up;
    peers_ = std::make_unique<testing::FakePeers>(known);
    cluster_ =
        std::make_unique<Cluster>(options, std::vector<ports::Peers*>{peers_.get()}, &log, clock);
    admin::AdminOptions admin_options;
    admin_options.port = static_cast<std::uint16_t>(port_);
    admin_options.token = token_;
    server_ = std::make_unique<admin::AdminServer>(admin_options, backend_, cluster_.get());
    ASSERT_TRUE(server_->Bind());
    cluster_->Start();
    server_->Start();
  }
  void Stop() {
    if (server_) server_->Stop();
    if (cluster_) cluster_->Stop();
    server_.reset();
    cluster_.reset();
  }

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] const admin::FakeBackend& backend() const { return backend_; }
  ports::SharedStore& store() { return *cluster_->store(); }
  Cluster& cluster() { return *cluster_; }
  std::string PathOf(const std::string& name) {
    const auto held = store().Get(ServiceName(name));
    return held && held->record ? held->record->parameters.at("servicePath") : "";
  }
  [[nodiscard]] bool WaitPath(const std::string& name, const std::string& path) {
    return WaitUntil([&] { return PathOf(name) == path; });
  }

 private:
  std::string name_;
  std::string token_;

 public:
  testing::FakePeerLog log;
  testing::FakeClock clock;
  std::vector<std::string> known;
  Duration catch_up{3000};
  Duration poll{200};

 private:
  int port_;
  int runs_ = 0;
  admin::FakeBackend backend_;
  std::unique_ptr<testing::FakePeers> peers_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<admin::AdminServer> server_;
};

class PeerStoreTest : public ::testing::Test {
 protected:
  void Introduce(std::vector<Replica*> replicas) {
    for (Replica* one : replicas) {
      for (const Replica* other : replicas) one->known.push_back(other->address());
    }
  }
  static ports::Replica Self(const std::string& name) { return {name, "", 0, 0, ""}; }
  /// As the engine does: everything, then what is new.
  static ports::Changes First(Replica& replica) {
    auto changes = replica.store().Watch({}, Duration(0));
    EXPECT_TRUE(changes) << changes.error().ToString();
    return changes ? *changes : ports::Changes();
  }
};

TEST_F(PeerStoreTest, AChangeIsFetchedAsSoonAsItIsMade) {
  Replica a("a", "a token in common");
  Replica b("b", "a token in common");
  Introduce({&a, &b});
  a.poll = b.poll = std::chrono::hours(1);  // whoever changes something says so
  a.Start();
  b.Start();
  ASSERT_TRUE(WaitUntil([&] {
    return a.store().Announce(Self("a"))->size() == 2 && b.store().Announce(Self("b"))->size() == 2;
  }));
  const ports::SharedPosition before = First(b).position;
  ASSERT_TRUE(a.store().Put(Make("web", "/web", kNow + 5), 0));
  const auto news = b.store().Watch(before, Duration(10000));
  ASSERT_TRUE(news);
  ASSERT_EQ(news->upserts.size(), 1U);
  ASSERT_TRUE(b.store().DeleteAt(ServiceName("web"), news->upserts[0].revision, kNow + 9));
  EXPECT_TRUE(a.WaitPath("web", ""));
  EXPECT_EQ(a.store().Get(ServiceName("web"))->deleted_unix_ms, kNow + 9);
  // Both show one revision when they know the same, and each other.
  EXPECT_TRUE(WaitUntil([&] { return a.store().Load()->revision == b.store().Load()->revision; }));
}

TEST_F(PeerStoreTest, BeforeAReplicaEndsTheOthersHaveWhatItAccepted) {
  Replica a("a");
  Replica b("b");
  Introduce({&a, &b});
  a.known.push_back("127.0.0.1:" + std::to_string(testing::FreePort()));  // nobody
  a.poll = b.poll = std::chrono::hours(1);
  a.Start();
  b.Start();
  ASSERT_TRUE(WaitUntil([&] { return a.store().Announce(Self("a"))->size() == 2; }));
  // Right after each other: a peer is not asked more often than ten times a second.
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(a.store().Put(Make("s" + std::to_string(i), "/last", kNow), 0));
  }
  EXPECT_TRUE(a.cluster().AwaitPeers(Duration(10000)));
  a.Stop();
  EXPECT_EQ(b.PathOf("s0"), "/last");
  EXPECT_EQ(b.PathOf("s2"), "/last");
  // Nobody who is not there is waited for.
  ASSERT_TRUE(b.store().Put(Make("alone", "/alone", kNow), 0));
  EXPECT_TRUE(WaitUntil([&] { return b.cluster().AwaitPeers(Duration(0)); }));
}

TEST_F(PeerStoreTest, AStartWaitsForOnePeerThatCanBeReachedAndForNobodyElse) {
  Replica a("a");
  Replica b("b");
  Introduce({&a, &b});
  b.known.push_back("127.0.0.1:" + std::to_string(testing::FreePort()));  // nobody
  a.Start();
  EXPECT_TRUE(First(a).upserts.empty()) << "alone it need not wait long";
  ASSERT_TRUE(a.store().Put(Make("web", "/web", kNow + 5), 0));
  b.Start();
  const ports::Changes all = First(b);
  EXPECT_TRUE(all.complete);
  EXPECT_EQ(all.upserts.size(), 1U);
}

TEST_F(PeerStoreTest, AnOldDiskDoesNotBringBackWhatWasDeletedSince) {
  Replica a("a");
  Replica b("b");
  Introduce({&a, &b});
  a.Start();
  b.Start();
  ASSERT_TRUE(a.store().Put(Make("web", "/web", kNow + 5), 0));
  ASSERT_TRUE(b.WaitPath("web", "/web"));
  b.Stop();
  const std::uint64_t revision = a.store().Get(ServiceName("web"))->record->revision;
  ASSERT_TRUE(a.store().DeleteAt(ServiceName("web"), revision, kNow + 7));
  b.Start();
  const ports::Changes all = First(b);
  EXPECT_TRUE(all.upserts.empty());
  EXPECT_EQ(all.deleted_unix_ms.at(ServiceName("web")), kNow + 7);
  EXPECT_EQ(a.PathOf("web"), "");
}

TEST_F(PeerStoreTest, WhatWasChangedOnAnOldDiskIsFetchedAsSoonAsAnyOtherChange) {
  Replica a("a");
  Replica b("b");
  Introduce({&a, &b});
  a.Start();
  b.Start();
  ASSERT_TRUE(b.store().Put(Make("web", "/web", kNow + 1), 0));
  ports::PeerLogState old = *b.log.Load();
  for (int i = 0; i < 5; ++i) {
    const std::string name = "s" + std::to_string(i);
    ASSERT_TRUE(b.store().Put(Make(name, "/" + name, kNow + 2), 0));
  }
  ASSERT_TRUE(a.WaitPath("s4", "/s4"));
  // Restored, and changed before anybody asks it: by then its history is further than a has seen
  // it, yet not the one that a has seen.
  b.Stop();
  for (const char* name : {"x", "y"}) {
    Record record = Make(name, std::string("/") + name, kNow + 3);
    record.revision = ++old.revision;
    old.documents.push_back({record.service, record, record.updated_unix_ms, record.revision});
  }
  old.revision += 10;
  b.log.Replace(old);
  b.Start();
  EXPECT_TRUE(WaitUntil([&] { return a.PathOf("x") == "/x" && a.PathOf("y") == "/y"; },
                        std::chrono::seconds(4)));
}

TEST_F(PeerStoreTest, AFullDiskKeepsNothingFromTheOthersAndIsCaughtUpWith) {
  Replica a("a");
  Replica b("b");
  Introduce({&a, &b});
  a.Start();
  b.Start();
  (void)First(a);
  a.log.SetDown(Code::kUnavailable);
  ASSERT_TRUE(a.store().Put(Make("web", "/web", kNow + 5), 0));
  EXPECT_TRUE(b.WaitPath("web", "/web"));
  ASSERT_TRUE(b.store().Put(Make("api", "/api", kNow + 6), 0));
  EXPECT_TRUE(a.WaitPath("api", "/api"));
  EXPECT_TRUE(a.log.documents().empty());
  a.log.SetDown(std::nullopt);
  EXPECT_TRUE(WaitUntil([&] { return a.log.documents().size() == 2; }));
}

TEST_F(PeerStoreTest, ADamagedDiskIsANewHistoryWithEverythingInIt) {
  Replica a("a");
  a.Start();
  const ports::SharedPosition before = First(a).position;
  ASSERT_TRUE(a.store().Put(Make("web", "/web", kNow + 5), 0));
  a.log.SetDown(Code::kCorrupt);
  ASSERT_TRUE(a.store().Put(Make("api", "/api", kNow + 6), 0));
  const auto changes = a.store().Watch(before, Duration(0));
  ASSERT_TRUE(changes);
  EXPECT_TRUE(changes->complete);
  EXPECT_NE(changes->position.epoch, before.epoch);
  EXPECT_EQ(changes->upserts.size(), 2U);
  EXPECT_EQ(a.log.documents().size(), 2U);
}

TEST_F(PeerStoreTest, ADiskThatCannotBeReadIsNoEmptyOne) {
  Replica a("a");
  a.log.SetDown(Code::kUnavailable);
  a.Start();
  EXPECT_EQ(a.store().Watch({}, Duration(0)).error().code, Code::kUnavailable);
  EXPECT_EQ(a.store().Put(Make("web", "/web", kNow + 5), 0).error().code, Code::kUnavailable);
  a.log.SetDown(std::nullopt);
  EXPECT_TRUE(WaitUntil([&] { return a.store().Watch({}, Duration(0)).has_value(); }));
}

TEST_F(PeerStoreTest, WhatIsAskedEverySecondDoesNotGrowWithTheNumberOfRecords) {
  Replica a("a");
  a.Start();
  (void)First(a);
  const auto size = [&] { return a.cluster().Identify("nonce", "b", "", true).body.size(); };
  ASSERT_TRUE(a.store().Put(Make("first", "/first", kNow), 0));
  const std::size_t with_one = size();
  for (int i = 0; i < 2000; ++i) {
    const std::string name = "s" + std::to_string(i);
    ASSERT_TRUE(a.store().Put(Make(name, "/" + name, kNow), 0));
  }
  EXPECT_LT(size(), with_one + 16);
  EXPECT_LT(size(), 400U);
}

TEST_F(PeerStoreTest, CancelEndsAWaitAtOnce) {
  Replica a("a");
  a.Start();
  const ports::SharedPosition position = First(a).position;
  std::thread cancel([&] { a.store().Cancel(); });
  EXPECT_EQ(a.store().Watch(position, std::chrono::hours(1)).error().code, Code::kCancelled);
  cancel.join();
  EXPECT_EQ(a.store().Load().error().code, Code::kCancelled);
}

TEST_F(PeerStoreTest, WhoStandsBetweenReplicasReadsNoPrivateKey) {
  const std::string pem = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";
  Replica a("a", "a token in common");
  Replica b("b", "a token in common");
  Relay relay(b.port());
  a.known = {relay.address()};
  b.Start();
  Record record = Make("certificate", "/", kNow + 5);
  record.parameters["pem"] = pem;
  ASSERT_TRUE(b.store().Put(record, 0));
  a.Start();
  // The records of the one …
  ASSERT_TRUE(WaitUntil([&] {
    const auto held = a.store().Get(ServiceName("certificate"));
    return held && held->record && held->record->parameters.at("pem") == pem;
  }));
  // … and a call of the other.
  model::PeerCall call;
  call.method = "PUT";
  call.path = "/v1/docker-flow-proxy/cert";
  call.query = {{"certName", "a.pem"}};
  call.body = pem + std::string(60'000, ' ');
  const auto answers = a.cluster().Send(call);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].status, 200) << answers[0].message;
  ASSERT_FALSE(b.backend().calls.empty());
  EXPECT_EQ(b.backend().calls.back().second.at("pem"), call.body);
  const std::string text = relay.text();
  EXPECT_NE(text.find("/v1/replica/records"), std::string::npos);
  EXPECT_NE(text.find("/cert"), std::string::npos);
  EXPECT_EQ(text.find("PRIVATE KEY"), std::string::npos);
}

TEST_F(PeerStoreTest, TheFirstListOfAReplicaWithoutASocketWaitsForWhoTells) {
  Replica a("a");
  Replica b("b");
  Introduce({&a, &b});
  ports::AppliedDelta facts;
  facts.host.emplace();
  facts.upserts.emplace_back().id = "web";
  a.Start();
  a.cluster().TakeFacts(facts);
  b.Start();
  ASSERT_TRUE(WaitUntil([&] { return b.cluster().IsHostOfPeer("127.0.0.1"); }));
  const auto docker = b.cluster().MakeDocker();
  std::thread watch([&] {
    (void)docker->Watch(
        0, [] {}, [](const ports::DockerEvent&) {});
  });
  const auto listed = docker->List(std::chrono::steady_clock::now() + std::chrono::seconds(10));
  docker->Cancel();
  watch.join();
  ASSERT_TRUE(listed) << listed.error().ToString();
  EXPECT_EQ(listed->services.size(), 1U);
  // Nobody is waited for by one who ends.
  const auto other = b.cluster().MakeDocker();
  other->Cancel();
  EXPECT_EQ(other->List(SteadyTime::max()).error().code, Code::kCancelled);
}

TEST_F(PeerStoreTest, WhoFollowsHearsOfAServiceAndOfAllElseThatChangedWithIt) {
  Replica a("a");
  Replica b("b");
  Introduce({&a, &b});
  ports::AppliedDelta facts;
  facts.host.emplace();
  facts.upserts.emplace_back().id = "web";
  facts.upserts.emplace_back().id = "other";
  a.Start();
  a.cluster().TakeFacts(facts);
  b.Start();
  ASSERT_TRUE(WaitUntil([&] { return b.cluster().IsHostOfPeer("127.0.0.1"); }));
  const auto docker = b.cluster().MakeDocker();
  std::mutex mutex;
  std::vector<std::string> heard;  // ids of the events since
  std::thread watch([&] {
    (void)docker->Watch(
        0, [] {},
        [&](const ports::DockerEvent& event) {
          const std::lock_guard lock(mutex);
          heard.push_back(event.id);
        });
  });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  ASSERT_TRUE(docker->List(deadline));
  ASSERT_TRUE(WaitUntil([&] {
    const std::lock_guard lock(mutex);
    return heard.size() == 2;
  }));
  {
    const std::lock_guard lock(mutex);
    heard.clear();
  }
  ports::AppliedDelta change;
  change.host.emplace();
  change.host->networks.push_back({"net1", "web", "overlay", true, false});
  change.host->gateway_addresses["c1"] = "172.18.0.3";
  change.upserts.emplace_back().id = "web";
  change.upserts[0].network_ids = std::vector<std::string>{"net1"};
  a.cluster().TakeFacts(change);
  EXPECT_TRUE(WaitUntil([&] {
    const std::lock_guard lock(mutex);
    return heard == std::vector<std::string>{"web", ""};
  }));
  const auto some = docker->ListServices({"web", "nobody"}, deadline);
  docker->Cancel();
  watch.join();
  ASSERT_TRUE(some) << some.error().ToString();
  EXPECT_EQ(some->services, change.upserts);
  EXPECT_EQ(some->gateway_addresses, change.host->gateway_addresses);
  EXPECT_TRUE(some->unlabelled_ids.empty());
}

TEST_F(PeerStoreTest, ACallReachesEachReplicaOnceHoweverManyAddressesItHas) {
  Replica a("a");
  Replica b("b");
  Introduce({&a, &b});
  a.known.push_back("[::ffff:127.0.0.1]:" + a.address().substr(10));
  a.known.push_back("[::ffff:127.0.0.1]:" + b.address().substr(10));
  a.Start();
  b.Start();
  testing::FakePeers peers(a.known);
  ClusterOptions options;
  options.self.cluster = "docker-flow";
  options.self.service = "proxy";
  options.self.instance = "c";
  options.self.run = "c";
  testing::FakeClock clock;
  Cluster c(options, {&peers}, nullptr, clock);
  c.Start();
  model::PeerCall call;
  call.path = "/readyz";
  ASSERT_TRUE(WaitUntil([&] { return c.Send(call).size() == 2; }));
  for (const model::PeerAnswer& answer : c.Send(call)) EXPECT_EQ(answer.status, 503);
  // Members of another cluster are not spoken of.
  options.self.cluster = "another";
  options.self.run = "d";
  Cluster stranger(options, {&peers}, nullptr, clock);
  stranger.Start();
  ASSERT_TRUE(WaitUntil([&] { return stranger.IsHostOfPeer("127.0.0.1"); }));
  EXPECT_TRUE(stranger.Send(call).empty());

  stranger.Stop();
  c.Stop();
}

}  // namespace
}  // namespace swarmgate::cluster
