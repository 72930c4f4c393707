#include "cluster/facts_feed.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "swarmgate/codec/facts_json.h"

namespace swarmgate::cluster {
namespace {

using codec::FactsList;

model::ServiceFacts Service(const std::string& id, const std::string& name) {
  model::ServiceFacts facts;
  facts.id = id;
  facts.name = name;
  facts.labels = {{"com.df.notify", "true"}};
  return facts;
}

ports::AppliedDelta Delta(std::vector<model::ServiceFacts> upserts,
                          std::vector<std::string> removals = {}) {
  ports::AppliedDelta delta;
  delta.upserts = std::move(upserts);
  delta.removals = std::move(removals);
  return delta;
}

class FactsFeedTest : public ::testing::Test {
 protected:
  void TakeHost(const std::string& node) {
    ports::AppliedDelta delta;
    delta.host.emplace();
    delta.host->node_id = node;
    feed_.Take(delta);
  }
  FactsList After(const std::string& epoch, std::uint64_t revision) {
    const auto text = feed_.After(epoch, revision, std::chrono::steady_clock::now());
    EXPECT_TRUE(text);
    auto list = codec::DecodeFacts(text ? *text : "");
    EXPECT_TRUE(list) << list.error().message;
    return list ? *list : FactsList();
  }
  static std::vector<std::string> Names(const FactsList& list) {
    std::vector<std::string> names;
    for (const auto& service : list.services) names.push_back(service.name);
    return names;
  }

  FactsFeed feed_{"run"};
};

TEST_F(FactsFeedTest, NothingIsToldBeforeAnythingIsKnown) {
  EXPECT_EQ(feed_.After("", 0, std::chrono::steady_clock::now()).error().code, Code::kUnavailable);
}

TEST_F(FactsFeedTest, TheFirstOneWhoAsksIsHeardOfOnceAndGetsWhatIsToldThen) {
  int asked = 0;
  feed_.OnFollower([&] {
    ++asked;
    TakeHost("n");
  });
  EXPECT_EQ(After("", 0).host->node_id, "n");
  EXPECT_TRUE(After("", 0).complete);
  EXPECT_EQ(asked, 1);
}

TEST_F(FactsFeedTest, WhileItsOwnDockerIsLostNobodyIsToldWhatIsOld) {
  TakeHost("n");
  feed_.SetHeard(false);
  const auto now = std::chrono::steady_clock::now();
  EXPECT_EQ(feed_.After("", 0, now).error().code, Code::kUnavailable);
  feed_.SetHeard(true);
  EXPECT_TRUE(feed_.After("", 0, now));
}

TEST_F(FactsFeedTest, WhoKnowsNothingGetsAllAndThenWhatChanges) {
  TakeHost("n");
  feed_.Take(Delta({Service("1", "web"), Service("2", "api")}));
  const FactsList all = After("", 0);
  EXPECT_TRUE(all.complete);
  EXPECT_EQ(all.host->node_id, "n");
  EXPECT_EQ(Names(all), (std::vector<std::string>{"web", "api"}));
  feed_.Take(Delta({Service("3", "db")}, {"1"}));
  const FactsList news = After(all.epoch, all.revision);
  EXPECT_FALSE(news.complete);
  EXPECT_FALSE(news.host);
  EXPECT_EQ(Names(news), (std::vector<std::string>{"db"}));
  EXPECT_EQ(news.removed, (std::vector<std::string>{"1"}));
  const FactsList none = After(news.epoch, news.revision);
  EXPECT_TRUE(none.services.empty() && none.removed.empty() && !none.host);
  EXPECT_EQ(none.revision, news.revision);
  EXPECT_TRUE(After("another run", news.revision).complete);
  EXPECT_TRUE(After(news.epoch, news.revision + 1).complete);
}

TEST_F(FactsFeedTest, WhoIsTooFarBehindGetsAll) {
  TakeHost("n");
  const FactsList start = After("", 0);
  for (std::size_t i = 0; i <= FactsFeed::kMostRemoved; ++i) {
    const std::string id = "s" + std::to_string(i);
    feed_.Take(Delta({Service(id, id)}));
    feed_.Take(Delta({}, {id}));
  }
  feed_.Take(Delta({Service("left", "left")}));
  const FactsList all = After(start.epoch, start.revision);
  EXPECT_TRUE(all.complete);
  EXPECT_EQ(Names(all), (std::vector<std::string>{"left"}));
}

TEST_F(FactsFeedTest, AQuestionWaitsForNews) {
  TakeHost("n");
  const FactsList start = After("", 0);
  std::thread later([&] { feed_.Take(Delta({Service("1", "web")})); });
  const auto text = feed_.After(start.epoch, start.revision,
                                std::chrono::steady_clock::now() + std::chrono::seconds(10));
  later.join();
  ASSERT_TRUE(text);
  EXPECT_EQ(codec::DecodeFacts(*text)->services.size(), 1U);
  feed_.Stop();
  const FactsList last = *codec::DecodeFacts(*text);
  EXPECT_TRUE(feed_.After(last.epoch, last.revision,
                          std::chrono::steady_clock::now() + std::chrono::hours(1)));
}

}  // namespace
}  // namespace swarmgate::cluster
