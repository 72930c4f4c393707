// Names that are resolved at run time: dead ones must not hold up the others.
#include "engine/names.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using Addresses = Result<std::vector<std::string>>;

class NamesTest : public ::testing::Test {
 protected:
  // Answers everything that is asked until `end`: "dead…" is never answered, "bad…" fails, "gone…"
  // does not exist.
  void RunUntil(SteadyTime end) {
    for (int round = 0; round < 100000; ++round) {
      names.RunDue();
      while (!sources.names.empty()) {
        const std::string name = std::move(sources.names.front());
        sources.names.pop_front();
        ++asked[name];
        if (name.starts_with("dead")) continue;
        Addresses answer = std::vector<std::string>{"192.0.2.1"};
        if (name.starts_with("bad")) answer = Fail(Code::kUnavailable, "no answer");
        if (name.starts_with("gone")) answer = Fail(Code::kNotFound, "no such name");
        (void)names.Take({name, std::move(answer)});
        names.RunDue();
      }
      if (names.Next() > end) return;
      clock.Set(std::max(clock.Now(), names.Next()));
    }
    ADD_FAILURE() << "it never rests";
  }

  testing::FakeClock clock;
  FakeSources sources;
  Names names{Duration(5000), true, sources, clock};
  std::map<std::string, int> asked;
};

TEST_F(NamesTest, DeadNamesHoldUpNobody) {
  std::vector<std::string> wanted = {"live"};
  for (int i = 0; i < 50; ++i) wanted.push_back("dead" + std::to_string(i));
  names.SetWanted({"live"});
  RunUntil(clock.Now());
  EXPECT_TRUE(names.resolved().contains("live"));
  names.SetWanted(wanted);
  RunUntil(clock.Now() + Duration(51000));
  EXPECT_GE(asked["live"], 10);
  EXPECT_TRUE(names.unanswered());
}

TEST_F(NamesTest, AFailingNameIsAskedForLessAndLess) {
  names.SetWanted({"bad", "gone", "live"});
  RunUntil(clock.Now() + Duration(600000));
  EXPECT_GE(asked["live"], 119);
  for (const char* name : {"bad", "gone"}) {
    EXPECT_GE(asked[name], 18) << name << ": it may come back";
    EXPECT_LE(asked[name], 30) << name;
  }
}

TEST_F(NamesTest, ANewNameComesBeforeThoseThatHaveFailed) {
  std::vector<std::string> wanted;
  for (int i = 0; i < 50; ++i) wanted.push_back("bad" + std::to_string(i));
  names.SetWanted(wanted);
  RunUntil(clock.Now());
  wanted.push_back("z-new");
  clock.Set(clock.Now() + Duration(60000));  // all of them are due again
  names.SetWanted(wanted);
  names.RunDue();
  ASSERT_FALSE(sources.names.empty());
  EXPECT_EQ(sources.names.front(), "z-new");
}

TEST_F(NamesTest, ANameThatIsWantedAgainWhileItIsAskedForIsAskedForOnce) {
  names.SetWanted({"dead"});
  names.RunDue();
  names.SetWanted({});
  names.SetWanted({"dead"});
  names.RunDue();
  EXPECT_EQ(sources.names.size(), 1U);
  EXPECT_TRUE(names.Take({"dead", std::vector<std::string>{"192.0.2.1"}}));
  EXPECT_FALSE(names.unanswered());
}

}  // namespace
}  // namespace swarmgate::engine
