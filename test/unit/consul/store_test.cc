// The shared store against a real Consul, and against what may answer in its place.
#include "swarmgate/consul/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <set>
#include <thread>

#include "support/certificates.h"
#include "support/consul_server.h"
#include "support/network.h"
#include "support/tcp_stub.h"
#include "support/test_root.h"
#include "support/wait.h"
#include "swarmgate/codec/consul_json.h"

namespace swarmgate::consul {
namespace {

using model::Record;
using model::ServiceName;
using ports::Changes;
using ports::SharedPosition;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ConsulServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TcpStub;

Record MakeRecord(const std::string& name, const std::string& path = "/x") {
  Record record;
  record.service = ServiceName(name);
  record.parameters = {{"serviceName", name}, {"servicePath", path}};
  record.updated_unix_ms = 5;
  return record;
}

std::vector<std::string> NamesOf(const std::vector<Record>& records) {
  std::vector<std::string> names;
  for (const Record& record : records) names.push_back(record.service.str());
  return names;
}

std::vector<std::string> NamesOf(const std::vector<ServiceName>& services) {
  std::vector<std::string> names;
  for (const ServiceName& service : services) names.push_back(service.str());
  return names;
}

class ConsulStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = ConsulServer::WhyNot(); !why.empty()) GTEST_SKIP() << why;
  }

  static std::string Prefix() {
    return ::testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  static ConsulOptions OptionsFor(std::vector<std::string> servers) {
    ConsulOptions options;
    options.servers = std::move(servers);
    options.prefix = Prefix();
    return options;
  }
  static std::unique_ptr<ports::SharedStore> Open() {
    return MakeStore(OptionsFor({server().url()}));
  }
  static ConsulServer& server() { return ConsulServer::Shared(); }

  /// What has happened, at once or within ten seconds.
  static Changes Watched(ports::SharedStore& store, const SharedPosition& after) {
    auto changes = store.Watch(after, seconds(10));
    EXPECT_TRUE(changes) << changes.error().ToString();
    return changes ? *changes : Changes();
  }
};

TEST_F(ConsulStoreTest, AWatchBeginsWithEverything) {
  const auto store = Open();
  const Changes nothing = Watched(*store, {});
  EXPECT_TRUE(nothing.complete);
  EXPECT_THAT(nothing.upserts, IsEmpty());
  ASSERT_TRUE(store->Put(MakeRecord("web"), 0));
  ASSERT_TRUE(store->Put(MakeRecord("cert:a.com"), 0));
  const Changes all = Watched(*store, {});
  EXPECT_TRUE(all.complete);
  EXPECT_EQ(all.position.revision, 2U);
  EXPECT_THAT(NamesOf(all.upserts), ElementsAre("cert:a.com", "web"));
  EXPECT_EQ(all.upserts[1].revision, 1U);
}

TEST_F(ConsulStoreTest, WhatAnotherReplicaWritesComesAtOnceAndAlone) {
  const auto here = Open();
  const auto there = Open();
  ASSERT_TRUE(there->Put(MakeRecord("old"), 0));
  const auto web = there->Put(MakeRecord("web"), 0);
  SharedPosition position = Watched(*here, {}).position;
  auto watching = std::async(std::launch::async, [&] { return Watched(*here, position); });
  const auto changed = there->Put(MakeRecord("web", "/changed"), *web);
  ASSERT_TRUE(changed);
  const auto before = std::chrono::steady_clock::now();
  ASSERT_EQ(watching.wait_for(seconds(5)), std::future_status::ready);
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(1));
  Changes changes = watching.get();
  EXPECT_FALSE(changes.complete);
  EXPECT_THAT(NamesOf(changes.upserts), ElementsAre("web"));
  EXPECT_EQ(changes.upserts[0].parameters.at("servicePath"), "/changed");
  EXPECT_EQ(changes.upserts[0].revision, *changed);
  EXPECT_EQ(changes.position.revision, *changed);
  ASSERT_TRUE(there->Delete(ServiceName("web"), *changed));
  changes = Watched(*here, changes.position);
  EXPECT_FALSE(changes.complete);
  EXPECT_THAT(changes.upserts, IsEmpty());
  EXPECT_THAT(NamesOf(changes.deletes), ElementsAre("web"));
}

TEST_F(ConsulStoreTest, AWatchEndsWhenNothingHappensOrWhenItIsCancelled) {
  const auto store = Open();
  ASSERT_TRUE(store->Put(MakeRecord("web"), 0));
  const SharedPosition position = Watched(*store, {}).position;
  const auto nothing = store->Watch(position, milliseconds(100));
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->position, position);
  EXPECT_FALSE(nothing->complete);
  EXPECT_THAT(nothing->upserts, IsEmpty());
  auto watching =
      std::async(std::launch::async, [&] { return store->Watch(position, seconds(60)); });
  store->Cancel();
  ASSERT_EQ(watching.wait_for(seconds(5)), std::future_status::ready);
  EXPECT_EQ(watching.get().error().code, Code::kCancelled);
}

TEST_F(ConsulStoreTest, WhoMissedTooMuchIsToldEverything) {
  const auto here = Open();
  const auto there = Open();
  std::uint64_t revision = *there->Put(MakeRecord("web"), 0);
  const SharedPosition position = Watched(*here, {}).position;
  for (int i = 0; i < 256; ++i) revision = *there->Put(MakeRecord("web"), revision);
  EXPECT_FALSE(Watched(*here, position).complete);
  ASSERT_TRUE(there->Put(MakeRecord("web", "/last"), revision));
  const Changes all = Watched(*here, position);
  EXPECT_TRUE(all.complete);
  ASSERT_EQ(all.upserts.size(), 1U);
  EXPECT_EQ(all.upserts[0].parameters.at("servicePath"), "/last");
}

TEST_F(ConsulStoreTest, DocumentsThatCannotBeReadAreKeptAndLeftOut) {
  const auto store = Open();
  ASSERT_TRUE(store->Put(MakeRecord("web"), 0));
  const std::string folder = Prefix() + "/services/";
  const std::string newer = R"({"format":2,"service":"new","shape":"unheard of"})";
  ASSERT_TRUE(server().PutKey(folder + "new", newer));
  ASSERT_TRUE(server().PutKey(folder + "bad", "<html>"));
  ASSERT_TRUE(server().PutKey(folder + "liar", server().Key(folder + "web")));
  ASSERT_TRUE(server().PutKey(folder + "web/notes", "of a person"));
  const Changes all = Watched(*store, {});
  EXPECT_THAT(NamesOf(all.upserts), ElementsAre("web"));
  EXPECT_THAT(NamesOf(all.unreadable), ElementsAre("bad", "liar", "new"));
  EXPECT_EQ(store->Load()->records.size(), 1U);
  EXPECT_EQ(store->Get(ServiceName("new")).error().code, Code::kRejected);
  const auto put = store->Put(MakeRecord("new"), 0);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Code::kConflict);
  EXPECT_THAT(put.error().ToString(), HasSubstr("format 2"));
  EXPECT_EQ(server().Key(folder + "new"), newer);
  EXPECT_EQ(server().Key(folder + "bad"), "<html>");
  EXPECT_EQ(server().Key(folder + "web/notes"), "of a person");
}

TEST_F(ConsulStoreTest, ADamagedDocumentIsPutRightByDefiningOrRemovingItsServiceAgain) {
  const auto store = Open();
  const auto held = store->Put(MakeRecord("web"), 0);
  ASSERT_TRUE(held);
  ASSERT_TRUE(store->Put(MakeRecord("api"), 0));
  const std::string folder = Prefix() + "/services/";
  ASSERT_TRUE(server().PutKey(folder + "web", "junk"));
  ASSERT_TRUE(server().PutKey(folder + "api", "junk"));
  ASSERT_TRUE(server().PutKey(folder + "never-known", "junk"));
  EXPECT_TRUE(store->Put(MakeRecord("web"), *held));
  EXPECT_TRUE(store->Put(MakeRecord("never-known"), 0));
  EXPECT_TRUE(store->Delete(ServiceName("api"), 2));
  const Changes all = Watched(*store, {});
  EXPECT_THAT(NamesOf(all.upserts), ElementsAre("never-known", "web"));
  EXPECT_THAT(NamesOf(all.unreadable), ElementsAre());
}

TEST_F(ConsulStoreTest, WhatForeignHandsChangeIsNoticed) {
  ConsulOptions options = OptionsFor({server().url()});
  options.check_interval = milliseconds(50);
  const auto store = MakeStore(options);
  ASSERT_TRUE(store->Put(MakeRecord("web"), 0));
  ASSERT_TRUE(store->Put(MakeRecord("api"), 0));
  const SharedPosition position = Watched(*store, {}).position;
  const std::string key = Prefix() + "/services/web";
  std::string document = server().Key(key);
  document.replace(document.find("/x"), 2, "/y");
  ASSERT_TRUE(server().PutKey(key, document));
  Changes changes = Watched(*store, position);
  EXPECT_TRUE(changes.complete);
  ASSERT_THAT(NamesOf(changes.upserts), ElementsAre("api", "web"));
  EXPECT_EQ(changes.upserts[1].parameters.at("servicePath"), "/y");
  ASSERT_TRUE(server().DeleteKey(key));
  changes = Watched(*store, position);
  EXPECT_TRUE(changes.complete);
  EXPECT_THAT(NamesOf(changes.upserts), ElementsAre("api"));
  // What has been noticed is not noticed again, and our own writes need no second look.
  ASSERT_TRUE(store->Put(MakeRecord("third"), 0));
  EXPECT_FALSE(Watched(*store, position).complete);
  const auto quiet = store->Watch({position.epoch, 3}, milliseconds(300));
  ASSERT_TRUE(quiet);
  EXPECT_FALSE(quiet->complete);
}

TEST_F(ConsulStoreTest, ALostJournalIsBegunBehindWhatIsThere) {
  const auto store = Open();
  ASSERT_TRUE(store->Put(MakeRecord("web"), 0));
  const auto second = store->Put(MakeRecord("api"), 0);
  const SharedPosition position = Watched(*store, {}).position;
  ASSERT_TRUE(server().PutKey(Prefix() + "/journal", "not ours"));
  const auto third = store->Put(MakeRecord("third"), 0);
  ASSERT_TRUE(third) << third.error().ToString();
  EXPECT_GT(*third, *second);
  const Changes changes = Watched(*store, position);
  EXPECT_TRUE(changes.complete);
  EXPECT_NE(changes.position.epoch, position.epoch);
  EXPECT_EQ(changes.upserts.size(), 3U);
}

TEST_F(ConsulStoreTest, AJournalOfANewerVersionIsNotOverwritten) {
  const auto store = Open();
  const std::string newer = R"({"format":7})";
  ASSERT_TRUE(server().PutKey(Prefix() + "/journal", newer));
  EXPECT_EQ(store->Put(MakeRecord("web"), 0).error().code, Code::kRejected);
  EXPECT_EQ(server().Key(Prefix() + "/journal"), newer);
  EXPECT_EQ(store->Watch({}, seconds(1)).error().code, Code::kRejected);
}

TEST_F(ConsulStoreTest, ReplicasThatWriteAtOnceLoseNothing) {
  constexpr int kWrites = 15;
  std::vector<std::future<std::vector<std::uint64_t>>> writers;
  for (int writer = 0; writer < 3; ++writer) {
    writers.push_back(std::async(std::launch::async, [writer] {
      const auto store = Open();
      std::vector<std::uint64_t> revisions;
      for (int i = 0; i < kWrites; ++i) {
        const auto put =
            store->Put(MakeRecord("s" + std::to_string(writer) + "-" + std::to_string(i)), 0);
        EXPECT_TRUE(put) << put.error().ToString();
        revisions.push_back(put.value_or(0));
      }
      return revisions;
    }));
  }
  std::set<std::uint64_t> given;
  for (auto& writer : writers) {
    for (const std::uint64_t revision : writer.get()) given.insert(revision);
  }
  EXPECT_EQ(given.size(), 3U * kWrites) << "a revision was given twice";
  const auto all = Open()->Load();
  ASSERT_TRUE(all);
  EXPECT_EQ(all->records.size(), 3U * kWrites);
  EXPECT_EQ(all->revision, 3U * kWrites);
}

TEST_F(ConsulStoreTest, OfTwoWritesOfOneRecordOneIsAConflict) {
  const auto base = Open()->Put(MakeRecord("web"), 0);
  std::vector<std::future<Result<std::uint64_t>>> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.push_back(std::async(std::launch::async, [&, writer] {
      return Open()->Put(MakeRecord("web", "/" + std::to_string(writer)), *base);
    }));
  }
  int written = 0;
  for (auto& writer : writers) {
    const auto put = writer.get();
    if (put) {
      ++written;
    } else {
      EXPECT_EQ(put.error().code, Code::kConflict) << put.error().ToString();
    }
  }
  EXPECT_EQ(written, 1);
}

// Whatever stands in Consul's place must not be taken for a Consul that holds nothing.
TEST_F(ConsulStoreTest, WhatIsNotConsulIsAnErrorAndNotAnEmptyStore) {
  const std::string index = "X-Consul-Index: 7\r\n";
  const struct {
    const char* what;
    std::string answer;
    Code code;
  } kCases[] = {
      {"a page", TcpStub::Http(200, "", "<html>welcome</html>"), Code::kCorrupt},
      {"an empty list", TcpStub::Http(200, "", "[]"), Code::kCorrupt},
      {"another's 404", TcpStub::Http(404, "", "not found"), Code::kCorrupt},
      {"no leader", TcpStub::Http(404, index + "X-Consul-KnownLeader: false\r\n", ""),
       Code::kUnavailable},
      {"an error", TcpStub::Http(500, index, "No cluster leader"), Code::kUnavailable},
      {"half a list", TcpStub::Http(200, index, R"([{"Key":"a)"), Code::kCorrupt},
      {"no HTTP", "hello\n", Code::kCorrupt},
      {"a refusal", TcpStub::Http(403, "", "Permission denied"), Code::kRejected},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.what);
    TcpStub stub(test.answer);
    const auto store = MakeStore(OptionsFor({stub.url()}));
    EXPECT_EQ(store->Load().error().code, test.code) << store->Load().error().ToString();
    EXPECT_EQ(store->Watch({}, seconds(1)).error().code, test.code);
    EXPECT_FALSE(store->Put(MakeRecord("web"), 0));
  }
}

// A token that may only read, in Consul's answer to a transaction.
TEST(ConsulRefusalTest, OnlyAStaleIndexIsALostRace) {
  const auto lost = codec::DecodeConsulRefusals(
      R"({"Results":null,"Errors":[{"OpIndex":1,"What":"failed to set key \"a\", index is stale"}]})");
  ASSERT_TRUE(lost) << lost.error().ToString();
  EXPECT_THAT(*lost, ElementsAre(1U));
  const auto denied = codec::DecodeConsulRefusals(
      R"({"Results":null,"Errors":[{"OpIndex":0,"What":"Permission denied"}]})");
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, Code::kRejected);
  EXPECT_THAT(denied.error().message, HasSubstr("Permission denied"));
}

TEST_F(ConsulStoreTest, TheNextServerIsAskedSoon) {
  TcpStub silent("");
  TcpStub broken(TcpStub::Http(500, "", "No cluster leader"));
  TcpStub page(TcpStub::Http(200, "", "<html>"));
  const std::string dead = "http://127.0.0.1:" + std::to_string(testing::FreePort());
  ConsulOptions options =
      OptionsFor({dead, silent.url(), broken.url(), page.url(), server().url()});
  options.request_timeout = milliseconds(300);
  const auto store = MakeStore(options);
  const auto put = store->Put(MakeRecord("web"), 0);
  ASSERT_TRUE(put) << put.error().ToString();
  EXPECT_EQ(store->Load()->records.size(), 1U);
  EXPECT_EQ(silent.asked(), 1) << "a server that failed is not asked again at once";
}

TEST_F(ConsulStoreTest, AServerThatIsBackIsPreferredAgain) {
  TcpStub broken(TcpStub::Http(500, "", "No cluster leader"));
  ConsulOptions options = OptionsFor({broken.url(), server().url()});
  options.return_after = milliseconds(20);
  const auto store = MakeStore(options);
  ASSERT_TRUE(store->Load());
  const int asked = broken.asked();
  EXPECT_TRUE(testing::WaitUntil([&] { return store->Load() && broken.asked() > asked; }));
}

TEST_F(ConsulStoreTest, AHangEndsInTime) {
  TcpStub silent("");
  ConsulOptions options = OptionsFor({silent.url()});
  options.request_timeout = milliseconds(100);
  const auto store = MakeStore(options);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(store->Put(MakeRecord("web"), 0).error().code, Code::kDeadlineExceeded);
  EXPECT_EQ(store->Get(ServiceName("web")).error().code, Code::kDeadlineExceeded);
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(3));
}

TEST_F(ConsulStoreTest, AConsulThatWasBegunAnewIsANewHistory) {
  ConsulServer own;
  const auto store = MakeStore(OptionsFor({own.url()}));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store->Put(MakeRecord("s" + std::to_string(i)), 0));
  const SharedPosition position = Watched(*store, {}).position;
  own.Kill();
  EXPECT_EQ(store->Watch(position, seconds(5)).error().code, Code::kUnavailable);
  own.Start();
  const auto same = store->Watch(position, milliseconds(1));
  ASSERT_TRUE(same) << same.error().ToString();
  EXPECT_EQ(same->position, position) << "a restart loses nothing";
  EXPECT_FALSE(same->complete);
  own.Kill();
  own.StartEmpty();
  const Changes empty = Watched(*store, position);
  EXPECT_TRUE(empty.complete);
  EXPECT_NE(empty.position.epoch, position.epoch);
}

TEST_F(ConsulStoreTest, ReplicasSeeEachOther) {
  const auto a = Open();
  const auto b = Open();
  const ports::Replica first{"a", "10.0.0.1:8080", 7, 1'700'000'000'000, "1.0"};
  ports::Replica second{"b", "", 5, 0, ""};
  ASSERT_TRUE(a->Announce(first)) << a->Announce(first).error().ToString();
  auto both = b->Announce(second);
  ASSERT_TRUE(both);
  EXPECT_THAT(*both, ElementsAre(first, second));
  second.revision = 6;
  ASSERT_TRUE(b->Announce(second));
  EXPECT_EQ(a->Announce(first)->at(1).revision, 6U);
  ASSERT_TRUE(b->Withdraw());
  EXPECT_THAT(*a->Announce(first), ElementsAre(first));
}

TEST_F(ConsulStoreTest, ATokenIsSentAndItsLackIsToldFromEmptiness) {
  ConsulServer own(
      "acl { enabled = true default_policy = \"deny\" tokens { master = \"root-token\" "
      "agent = \"root-token\" } }");
  ConsulOptions options = OptionsFor({own.url()});
  options.token = "root-token";
  const auto good = MakeStore(options);
  // Until the token is known to Consul a write is refused.
  ASSERT_TRUE(testing::WaitUntil([&] { return good->Put(MakeRecord("web"), 0).has_value(); }));
  EXPECT_EQ(good->Load()->records.size(), 1U);
  for (const char* token : {"", "wrong"}) {
    options.token = token;
    const auto bad = MakeStore(options);
    EXPECT_EQ(bad->Load().error().code, Code::kRejected) << token;
    EXPECT_EQ(bad->Watch({}, seconds(1)).error().code, Code::kRejected);
    EXPECT_EQ(bad->Put(MakeRecord("other"), 0).error().code, Code::kRejected);
  }
}

TEST_F(ConsulStoreTest, ByTlsTheServerIsVerifiedAndSeesOurCertificate) {
  const testing::TempDir dir("consul-tls");
  const auto write = [&dir](const char* name, const std::string& text) {
    testing::WriteFile(dir.File(name), text);
    return dir.File(name);
  };
  const auto ca = testing::MakeCertificate({.names = {"ca.test"}, .is_ca = true});
  const auto server = testing::MakeCertificate({.names = {"localhost"}, .ca = ca.pem()});
  const auto client = testing::MakeCertificate({.names = {"swarmgate.test"}, .ca = ca.pem()});
  const std::string authorities = write("ca.pem", ca.certificate);
  const std::string port = std::to_string(testing::FreePort());
  ConsulServer own("ports { https = " + port + " } ca_file = \"" + authorities +
                   "\" cert_file = \"" + write("server.pem", server.certificate) +
                   "\" key_file = \"" + write("server.key", server.key) +
                   "\" verify_incoming_https = true");
  ConsulOptions options = OptionsFor({"https://localhost:" + port});
  options.ca_file = authorities;
  options.cert_file = write("client.pem", client.certificate);
  options.key_file = write("client.key", client.key);
  const auto good = MakeStore(options);
  ASSERT_TRUE(testing::WaitUntil([&] { return good->Put(MakeRecord("web"), 0).has_value(); }));
  EXPECT_EQ(good->Load()->records.size(), 1U);

  ConsulOptions stranger = options;
  stranger.cert_file.clear();
  stranger.key_file.clear();
  EXPECT_FALSE(MakeStore(stranger)->Load()) << "it asks for a certificate";
  ConsulOptions doubting = options;
  doubting.ca_file = write("other.pem", testing::MakeCertificate({.is_ca = true}).certificate);
  const auto unverified = MakeStore(doubting)->Load();
  ASSERT_FALSE(unverified);
  EXPECT_THAT(unverified.error().ToString(), HasSubstr("certificate"));
}

}  // namespace
}  // namespace swarmgate::consul
