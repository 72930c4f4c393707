// A Docker that comes and goes: what is logged, and that nothing floods.
#include <gtest/gtest.h>

#include "swarmgate/base/log.h"
#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

class DockerHealthTest : public ::testing::Test {
 protected:
  DockerHealthTest() {
    const auto known = EventsAfter(0, SteadyTime());
    if (!known.empty()) before_ = known.back().sequence;
  }
  /// Lines with this id since the test began.
  [[nodiscard]] int Lines(const std::string& id) const {
    int lines = 0;
    for (const LoggedEvent& event : EventsAfter(before_, SteadyTime())) lines += event.id == id;
    return lines;
  }

  Rig rig;
  std::uint64_t before_ = 0;
};

TEST_F(DockerHealthTest, AStreamThatEndsAtOnceAgainAndAgainIsToldOnce) {
  rig.Start();
  rig.Advance(Duration(1000));
  for (int i = 0; i < 200; ++i) {
    rig.Send(DockerConnected{});
    rig.Send(DockerLost{{Code::kUnavailable, "the daemon ended the stream", ""}});
    rig.Advance(Duration(100));
    EXPECT_TRUE(rig.snapshot()->docker.ok) << "lists are answered";
  }
  EXPECT_EQ(Lines("DOCKER_LOST"), 0);
  EXPECT_EQ(Lines("DOCKER_CONNECTED"), 1);
  EXPECT_EQ(Lines("DOCKER_EVENTS_LOST"), 1);
  rig.Send(DockerConnected{});
  rig.Advance(Duration(6000));
  EXPECT_EQ(Lines("DOCKER_EVENTS_BACK"), 1);
}

TEST_F(DockerHealthTest, ListsThatFailEveryOtherTimeDoNotFloodTheLog) {
  rig.Start();
  for (int i = 0; i < 200; ++i) {
    rig.docker.FailNext(Code::kUnavailable);
    rig.Hint("node", "update", "n");
    rig.Advance(Duration(300));
  }
  EXPECT_LE(Lines("DOCKER_LOST") + Lines("DOCKER_CONNECTED"), 14) << "a minute";
  EXPECT_GE(Lines("DOCKER_LOST"), 1);
}

TEST_F(DockerHealthTest, AnOutageIsToldAtItsBeginningAndItsEnd) {
  rig.Start();
  rig.Advance(Duration(10000));
  rig.docker.FailNext(Code::kUnavailable, 20);
  rig.Send(DockerLost{{Code::kUnavailable, "connection refused", ""}});
  rig.Settle();
  EXPECT_EQ(Lines("DOCKER_LOST"), 1);
  EXPECT_FALSE(rig.snapshot()->docker.ok);
  rig.Advance(Duration(120000));
  EXPECT_TRUE(rig.snapshot()->docker.ok);
  EXPECT_EQ(Lines("DOCKER_LOST"), 1);
  EXPECT_EQ(Lines("DOCKER_CONNECTED"), 2) << "at the start, and now";
}

TEST_F(DockerHealthTest, TheNewestErrorIsShown) {
  rig.docker.FailNext(Code::kUnavailable, 1000);
  rig.Start();
  const auto listed = [&] {
    rig.Hint("node", "update", "n");
    rig.Advance(Duration(20000));
    return rig.snapshot();
  };
  const std::string first = listed()->docker.detail;
  EXPECT_NE(listed()->not_ready_reason.find(first), std::string::npos);
  rig.docker.StopFailing();
  rig.docker.FailNext(Code::kCorrupt, 1000);
  const auto shown = listed();
  EXPECT_FALSE(shown->docker.ok);
  EXPECT_NE(shown->docker.detail, first);
  EXPECT_NE(shown->not_ready_reason.find(shown->docker.detail), std::string::npos)
      << shown->not_ready_reason;
}

}  // namespace
}  // namespace swarmgate::engine
