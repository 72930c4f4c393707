// What every store of records keeps to: SQLite, Consul, and the fakes of both that the engine's
// tests use. And what a replica's own store keeps besides.
#include <gtest/gtest.h>

#include <barrier>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/sharing.h"
#include "support/consul_server.h"
#include "support/fake_shared_store.h"
#include "support/fake_store.h"
#include "support/test_root.h"
#include "swarmgate/cluster/cluster.h"
#include "swarmgate/consul/store.h"
#include "swarmgate/ports/shared_store.h"
#include "swarmgate/ports/state_store.h"
#include "swarmgate/sqlite/peer_log.h"
#include "swarmgate/sqlite/store.h"

namespace swarmgate {
namespace {

using model::Record;
using model::ServiceName;
using ports::AppliedDelta;
using ports::AppliedState;

Record MakeRecord(const std::string& name, const std::string& path) {
  Record record;
  record.service = ServiceName(name);
  record.parameters = {{"serviceName", name}, {"servicePath", path}, {"odd \"\n\\", "\xc3\xa4 %["}};
  record.updated_unix_ms = 1'700'000'000'123;
  record.created_unix_ms = 1'600'000'000'456;
  return record;
}

// Later than any clock.
constexpr std::int64_t kFarAhead = 9'000'000'000'000;

/// The store of a replica that has no peers, on its disk.
class Alone final : public ports::SharedStore {
 public:
  explicit Alone(const std::string& path)
      : log_(sqlite::MakePeerLog(path)), cluster_(Options(), {}, log_.get(), clock_) {
    cluster_.Start();
  }
  ~Alone() override { cluster_.Stop(); }

  Result<ports::StoredRecords> Load() override { return store().Load(); }
  Result<std::uint64_t> Put(const Record& record, std::uint64_t expected) override {
    return store().Put(record, expected);
  }
  Result<std::uint64_t> DeleteAt(const ServiceName& service, std::uint64_t expected,
                                 std::int64_t made_unix_ms) override {
    return store().DeleteAt(service, expected, made_unix_ms);
  }
  Result<ports::SharedRecord> Get(const ServiceName& service) override {
    return store().Get(service);
  }
  Result<ports::Changes> Watch(const ports::SharedPosition& after, Duration wait) override {
    return store().Watch(after, wait);
  }
  Result<std::vector<ports::Replica>> Announce(const ports::Replica& self) override {
    return store().Announce(self);
  }
  Status Withdraw() override { return store().Withdraw(); }
  void Cancel() override { store().Cancel(); }

 private:
  static cluster::ClusterOptions Options() {
    cluster::ClusterOptions options;
    options.self.instance = "one";
    options.self.run = "run";
    return options;
  }
  ports::SharedStore& store() { return *cluster_.store(); }

  SystemClock clock_;
  std::unique_ptr<ports::PeerLog> log_;
  cluster::Cluster cluster_;
};

model::ServiceFacts MakeFacts(const std::string& id, const std::string& name) {
  model::ServiceFacts facts;
  facts.kind = model::ServiceKind::kCompose;
  facts.id = id;
  facts.name = name;
  facts.version = 18'446'744'073'709'551'615ULL;
  facts.created_unix_ns = -5;
  facts.stack = "stack";
  facts.labels = {{"com.df.notify", "true"}, {"com.df.servicePath", "/\"quoted\""}};
  facts.misplaced_labels = {{"com.df.port", "80"}};
  facts.network_ids = std::vector<std::string>{"n2", "n1"};
  facts.global = true;
  facts.replicas = 3;
  facts.exposed_tcp_ports = {80, 65535};
  facts.published = {{80, 8080, true, false}, {53, 53, false, true}};
  facts.update_state = "updating";
  model::TaskFacts task;
  task.id = "t1";
  task.container_id = "c1";
  task.node_id = "node";
  task.on_this_node = true;
  task.state = "starting";
  task.running = true;
  task.desired_running = false;
  task.health = model::Health::kUnhealthy;
  task.message = "oops \x01";
  task.addresses = {{"n1", "10.0.0.1"}, {"n2", "fd00::1"}};
  task.published = {{80, 30080, true, false}};
  task.node_address = "192.0.2.1";
  facts.tasks = {task, model::TaskFacts{}};
  return facts;
}

/// A replica's own store. `shares`: there is a shared one beside it.
class StoreContract : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { Open(); }

  // As a new process would see it.
  void Open(bool shares = false) {
    if (GetParam() == "fake") {
      if (!fake_) fake_ = std::make_unique<testing::FakeStore>();
      fake_->SetShares(shares);
    } else {
      real_ = sqlite::MakeStore(directory_.path() + "/state.db", shares);
    }
  }
  ports::StateStore& store() {
    return GetParam() == "fake" ? static_cast<ports::StateStore&>(*fake_) : *real_;
  }
  AppliedState Applied() {
    Result<std::optional<AppliedState>> state = store().LoadApplied();
    EXPECT_TRUE(state && *state);
    return state && *state ? **state : AppliedState();
  }
  ports::SharedState Shared() {
    const Result<ports::SharedState> state = store().LoadShared();
    EXPECT_TRUE(state);
    return state ? *state : ports::SharedState();
  }

  testing::TempDir directory_;
  std::unique_ptr<testing::FakeStore> fake_;
  std::unique_ptr<ports::StateStore> real_;
};

class RecordContract : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "consul") {
      if (const std::string why = testing::ConsulServer::WhyNot(); !why.empty()) {
        GTEST_SKIP() << why;
      }
    }
    Open();
  }

  void Open() {
    if (GetParam() == "sqlite") {
      store_ = sqlite::MakeStore(directory_.path() + "/state.db");
    } else if (GetParam() == "peers") {
      store_.reset();
      store_ = std::make_unique<Alone>(directory_.path() + "/peers.db");
    } else if (GetParam() == "consul") {
      consul::ConsulOptions options;
      options.servers = {testing::ConsulServer::Shared().url()};
      options.prefix = ::testing::UnitTest::GetInstance()->current_test_info()->name();
      store_ = consul::MakeStore(options);
    } else if (store_ == nullptr && GetParam() == "fake") {
      store_ = std::make_unique<testing::FakeStore>();
    } else if (store_ == nullptr) {
      store_ = std::make_unique<testing::FakeSharedStore>();
    }
  }
  ports::RecordStore& store() { return *store_; }
  std::vector<Record> Records() {
    Result<ports::StoredRecords> stored = store().Load();
    EXPECT_TRUE(stored) << stored.error().ToString();
    return stored ? stored->records : std::vector<Record>();
  }

  testing::TempDir directory_;
  std::unique_ptr<ports::RecordStore> store_;
};

TEST_P(RecordContract, IsEmptyAtFirst) { EXPECT_TRUE(Records().empty()); }

TEST_P(StoreContract, HasNothingAtFirst) {
  Result<std::optional<AppliedState>> state = store().LoadApplied();
  ASSERT_TRUE(state);
  EXPECT_FALSE(*state);
  EXPECT_EQ(Shared(), ports::SharedState());
}

TEST_P(RecordContract, KeepsRecordsWithEveryField) {
  Record web = MakeRecord("web", "/web");
  Record gone = MakeRecord("api", "/api");
  gone.kind = Record::Kind::kWithdrawn;
  gone.origin = model::Origin::kStatic;
  gone.labels_hash = "cafe";
  Record certificate;
  certificate.kind = Record::Kind::kCertificate;
  certificate.service = model::CertificateRecordName("a.com");
  certificate.parameters = {{model::kPemParameter, "line\nline\n"}};
  Result<std::uint64_t> first = store().Put(web, 0);
  Result<std::uint64_t> second = store().Put(gone, 0);
  Result<std::uint64_t> third = store().Put(certificate, 0);
  ASSERT_TRUE(first && second && third);
  EXPECT_GT(*second, *first);
  Open();
  web.revision = *first;
  gone.revision = *second;
  certificate.revision = *third;
  EXPECT_EQ(Records(), (std::vector<Record>{gone, certificate, web}));  // sorted by name
  EXPECT_EQ(store().Load()->revision, *third);
}

TEST_P(RecordContract, WritesOnlyOverTheRevisionThatIsExpected) {
  const Record record = MakeRecord("web", "/web");
  Result<std::uint64_t> first = store().Put(record, 0);
  ASSERT_TRUE(first);
  EXPECT_EQ(store().Put(record, 0).error().code, Code::kConflict);
  EXPECT_EQ(store().Put(record, *first + 7).error().code, Code::kConflict);
  EXPECT_EQ(store().Put(MakeRecord("new", "/"), 3).error().code, Code::kConflict);
  Result<std::uint64_t> second = store().Put(MakeRecord("web", "/changed"), *first);
  ASSERT_TRUE(second);
  EXPECT_GT(*second, *first);
  EXPECT_EQ(store().Delete(ServiceName("web"), *first).error().code, Code::kConflict);
  EXPECT_EQ(store().Delete(ServiceName("none"), 1).error().code, Code::kNotFound);
  ASSERT_EQ(Records().size(), 1U);
  EXPECT_EQ(Records()[0].parameters.at("servicePath"), "/changed");
  Result<std::uint64_t> third = store().Delete(ServiceName("web"), *second);
  ASSERT_TRUE(third);
  EXPECT_GT(*third, *second);
  EXPECT_TRUE(Records().empty());
  // A revision is never given twice, not even to a record that was deleted in between.
  Record later = record;
  later.updated_unix_ms = kFarAhead;
  Result<std::uint64_t> fourth = store().Put(later, 0);
  ASSERT_TRUE(fourth);
  EXPECT_GT(*fourth, *third);
}

TEST_P(StoreContract, KeepsTheAppliedStateByDifference) {
  AppliedDelta first;
  first.upserts = {MakeFacts("id2", "b"), MakeFacts("id1", "a")};
  model::DockerFacts host;
  host.daemon_id = "daemon";
  host.api_version = "1.41";
  host.swarm_manager = true;
  host.node_id = "node";
  host.networks = {{"n1", "web", "overlay", true, true}};
  host.own_network_ids = {"n1"};
  host.on_host = true;
  host.gateway_addresses = {{"c1", "172.18.0.3"}};
  first.host = host;
  first.slots_set = {{model::BackendName("a-be80_0"), model::SlotName("sg_plain_00001")},
                     {model::BackendName("b-be80_0"), model::SlotName("sg_sticky_00001")}};
  first.declared = {{model::BackendClass("plain"), {64, "", ""}},
                    {model::BackendClass("sticky"), {128, "", ""}}};
  first.names = {{"db.local", {"10.1.1.1", "10.1.1.2"}}, {"none", {}}};
  first.structure = std::pair(std::string("beef"), 4711);
  first.revision = 1ULL << 40U;
  ASSERT_TRUE(store().SaveApplied(first));
  Open();

  AppliedState expected;
  expected.facts = host;
  expected.facts.services = {MakeFacts("id1", "a"), MakeFacts("id2", "b")};
  expected.slots.assigned = {first.slots_set.begin(), first.slots_set.end()};
  expected.slots.declared = *first.declared;
  expected.names = *first.names;
  expected.structure = "beef";
  expected.proxy_pid = 4711;
  expected.revision = 1ULL << 40U;
  EXPECT_EQ(Applied(), expected);

  AppliedDelta second;
  second.removals = {"id1", "unknown"};
  second.upserts = {MakeFacts("id3", "c")};
  second.slots_removed = {model::BackendName("a-be80_0")};
  second.slots_set = {{model::BackendName("b-be80_0"), model::SlotName("sg_plain_00002")}};
  ASSERT_TRUE(store().SaveApplied(second));
  Open();
  expected.facts.services = {MakeFacts("id2", "b"), MakeFacts("id3", "c")};
  expected.slots.assigned = {second.slots_set.begin(), second.slots_set.end()};
  EXPECT_EQ(Applied(), expected);
}

TEST_P(StoreContract, AnEmptyDifferenceStillMeansThatSomethingWasApplied) {
  ASSERT_TRUE(store().SaveApplied({}));
  Open();
  EXPECT_EQ(Applied(), AppliedState());
}

TEST_P(StoreContract, WhatIsWrittenWaitsForTheSharedStoreIfThereIsOne) {
  ASSERT_TRUE(store().Put(MakeRecord("alone", "/"), 0));
  EXPECT_TRUE(Shared().waiting.empty());
  Open(true);
  const auto put = store().Put(MakeRecord("web", "/web"), 0);
  const auto gone = store().Put(MakeRecord("gone", "/gone"), 0);
  ASSERT_TRUE(put && gone);
  const auto removed = store().Delete(ServiceName("gone"), *gone);
  ASSERT_TRUE(removed);
  Open(true);
  std::map<ServiceName, std::uint64_t> waiting;
  for (const auto& [name, one] : Shared().waiting) waiting[name] = one.revision;
  EXPECT_EQ(waiting, (std::map<ServiceName, std::uint64_t>{{ServiceName("gone"), *removed},
                                                           {ServiceName("web"), *put}}));
}

TEST_P(StoreContract, WhatIsWrittenInARunWithoutTheSharedStoreWaitsForALaterOne) {
  Open(true);
  ports::SharedDelta seen;
  seen.position = ports::SharedPosition{"e", 3};
  ASSERT_TRUE(store().SaveShared(seen));
  Open(false);
  const auto put = store().Put(MakeRecord("web", "/web"), 0);
  ASSERT_TRUE(put);
  EXPECT_EQ(Shared().waiting.at(ServiceName("web")).revision, *put);
}

TEST_P(StoreContract, KeepsWhatIsKnownOfTheSharedStore) {
  Open(true);
  ASSERT_TRUE(store().Put(MakeRecord("mine", "/mine"), 0));
  ASSERT_TRUE(store().Put(MakeRecord("gone", "/gone"), 0));
  ports::SharedDelta first;
  first.upserts = {MakeRecord("theirs", "/theirs")};
  first.deletes = {ServiceName("gone"), ServiceName("never")};
  first.revisions = {{ServiceName("theirs"), 1ULL << 40U}, {ServiceName("mine"), 7}};
  first.settled = {ServiceName("mine"), ServiceName("gone")};
  first.waiting = {{ServiceName("lost"), {3, 4}}};
  first.position = ports::SharedPosition{"epoch", 1ULL << 41U};
  first.latest_unix_ms = kFarAhead;
  const auto saved = store().SaveShared(first);
  ASSERT_TRUE(saved) << saved.error().ToString();
  Open(true);
  ports::SharedState expected;
  expected.position = *first.position;
  expected.revisions = first.revisions;
  expected.waiting = first.waiting;
  expected.latest_unix_ms = kFarAhead;
  EXPECT_EQ(Shared(), expected);
  const auto records = store().Load();
  ASSERT_TRUE(records);
  ASSERT_EQ(records->records.size(), 2U);
  EXPECT_EQ(records->records[0].service.str(), "mine");
  EXPECT_EQ(records->records[1].service.str(), "theirs");
  // It can be changed here from there.
  EXPECT_EQ(records->records[1].revision, *saved);
  EXPECT_TRUE(store().Put(MakeRecord("theirs", "/ours"), *saved));

  ports::SharedDelta second;
  second.revisions = {{ServiceName("mine"), 0}};
  ASSERT_TRUE(store().SaveShared(second));
  EXPECT_EQ(Shared().revisions.size(), 1U);
  EXPECT_EQ(Shared().position, *first.position);
  EXPECT_EQ(Shared().latest_unix_ms, kFarAhead);
}

/// What replicas share, whichever way.
class SharedContract : public RecordContract {
 protected:
  ports::SharedStore& shared() { return dynamic_cast<ports::SharedStore&>(store()); }
  ports::Changes Watch(const ports::SharedPosition& after) {
    auto changes = shared().Watch(after, Duration(0));
    EXPECT_TRUE(changes) << changes.error().ToString();
    return changes ? *changes : ports::Changes();
  }
};

TEST_P(SharedContract, TellsWhatHasHappenedSinceAPosition) {
  const ports::Changes all = Watch({});
  EXPECT_TRUE(all.complete);
  const auto web = shared().Put(MakeRecord("web", "/web"), 0);
  ASSERT_TRUE(web);
  const ports::Changes first = Watch(all.position);
  ASSERT_EQ(first.upserts.size(), 1U);
  EXPECT_EQ(first.upserts[0].revision, *web);
  const ports::Changes none = Watch(first.position);
  EXPECT_FALSE(none.complete);
  EXPECT_TRUE(none.upserts.empty() && none.deletes.empty());
  EXPECT_EQ(none.position, first.position);
  ASSERT_TRUE(shared().DeleteAt(ServiceName("web"), *web, kFarAhead));
  const ports::Changes second = Watch(first.position);
  EXPECT_EQ(second.deletes, std::vector{ServiceName("web")});
  EXPECT_EQ(second.deleted_unix_ms.at(ServiceName("web")), kFarAhead);
}

TEST_P(SharedContract, RemembersWhenWhatWasDeleted) {
  const auto web = shared().Put(MakeRecord("web", "/web"), 0);
  ASSERT_TRUE(web);
  EXPECT_EQ(shared().Get(ServiceName("web"))->record->revision, *web);
  ASSERT_TRUE(shared().DeleteAt(ServiceName("web"), *web, kFarAhead));
  const auto held = shared().Get(ServiceName("web"));
  ASSERT_TRUE(held);
  EXPECT_FALSE(held->record);
  EXPECT_EQ(held->deleted_unix_ms, kFarAhead);
  // One who did not hear of it does not bring it back; one who defines it anew does.
  EXPECT_EQ(shared().Put(MakeRecord("web", "/web"), 0).error().code, Code::kConflict);
  Record later = MakeRecord("web", "/new");
  later.updated_unix_ms = kFarAhead + 1;
  EXPECT_TRUE(shared().Put(later, 0));
  EXPECT_EQ(shared().Get(ServiceName("web"))->deleted_unix_ms, 0);
}

TEST_P(SharedContract, ADeletionOfWhatIsNotThereIsToldToThoseWhoMayHaveIt) {
  EXPECT_EQ(shared().Delete(ServiceName("web"), 0).error().code, Code::kNotFound);
  const ports::Changes before = Watch({});
  ASSERT_TRUE(shared().DeleteAt(ServiceName("web"), 0, kFarAhead));
  EXPECT_EQ(shared().DeleteAt(ServiceName("web"), 0, kFarAhead).error().code, Code::kNotFound);
  EXPECT_EQ(Watch(before.position).deleted_unix_ms.at(ServiceName("web")), kFarAhead);
  EXPECT_EQ(Watch({}).deleted_unix_ms.at(ServiceName("web")), kFarAhead);
  EXPECT_EQ(shared().Put(MakeRecord("web", "/web"), 0).error().code, Code::kConflict);
}

TEST_P(SharedContract, RemembersADeletionForLongerThanChangesAreTold) {
  ASSERT_TRUE(shared().DeleteAt(ServiceName("web"), 0, kFarAhead));
  std::uint64_t revision = 0;
  for (int i = 0; i < 300; ++i) {
    const auto put = shared().Put(MakeRecord("busy", "/" + std::to_string(i)), revision);
    ASSERT_TRUE(put) << put.error().ToString();
    revision = *put;
  }
  EXPECT_EQ(shared().Get(ServiceName("web"))->deleted_unix_ms, kFarAhead);
  EXPECT_EQ(shared().Put(MakeRecord("web", "/web"), 0).error().code, Code::kConflict);
}

// Two replicas write at the same moment, and neither has heard of the other.
TEST(ConsulRace, ALaterRemovalStandsAgainstADefinitionThatIsWrittenAtOnce) {
  if (const std::string why = testing::ConsulServer::WhyNot(); !why.empty()) GTEST_SKIP() << why;
  consul::ConsulOptions options;
  options.servers = {testing::ConsulServer::Shared().url()};
  options.prefix = "ConsulRace";
  const auto one = consul::MakeStore(options);
  const auto other = consul::MakeStore(options);
  const auto share = [](ports::SharedStore& store, const engine::ShareRequest& request) {
    for (int attempt = 0; attempt < 20; ++attempt) {
      if (engine::ShareOne(store, request)) return true;
    }
    return false;
  };
  for (int round = 0; round < 200; ++round) {
    engine::ShareRequest definition;
    definition.name = ServiceName("s" + std::to_string(round));
    definition.record = MakeRecord(definition.name.str(), "/s");
    definition.waiting = {1, definition.record->updated_unix_ms};
    engine::ShareRequest removal;
    removal.name = definition.name;
    removal.waiting = {1, definition.waiting.since_unix_ms + 1000};
    std::barrier both(2);
    bool removed = false;
    std::thread remover([&] {
      both.arrive_and_wait();
      // Questions that move the start, so that the writes cross each other in every way.
      for (int i = 0; i < round % 5; ++i) (void)one->Get(ServiceName("nobody"));
      removed = share(*one, removal);
    });
    both.arrive_and_wait();
    const bool defined = share(*other, definition);
    remover.join();
    ASSERT_TRUE(removed && defined);
    const auto held = one->Get(definition.name);
    ASSERT_TRUE(held);
    EXPECT_FALSE(held->record) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, SharedContract, ::testing::Values("fakeshared", "consul", "peers"),
                         [](const auto& store) { return store.param; });
INSTANTIATE_TEST_SUITE_P(Stores, RecordContract,
                         ::testing::Values("fake", "sqlite", "fakeshared", "consul", "peers"),
                         [](const auto& store) { return store.param; });
INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, ::testing::Values("fake", "sqlite"),
                         [](const auto& store) { return store.param; });

}  // namespace
}  // namespace swarmgate
