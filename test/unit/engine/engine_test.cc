// The engine with its real threads and the machine's clock, against the fakes.
#include "swarmgate/engine/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/fake_docker.h"
#include "support/fake_proxy.h"
#include "support/fake_store.h"
#include "support/wait.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;
using testing::WaitUntil;

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    options_.proxy.version = {2, 6, 12};
    options_.proxy.binds = {{"*", 80}};
    options_.proxy.run_dir = "/run/sg";
    options_.proxy.files_dir = "/fake/live";
    options_.minimum_slots = 8;
    ports_.docker = &docker_;
    ports_.proxy = &proxy_;
    ports_.files = &proxy_;
    ports_.store = &store_;
    ports_.clock = &clock_;
    ports_.files_ready = [this] { proxy_.Start(); };
    ports_.resolve = [](const std::string&) -> Result<std::vector<std::string>> {
      return std::vector<std::string>{"192.0.2.1"};
    };
  }
  static SteadyTime Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }
  static std::map<std::string, std::string> Call(const std::string& name) {
    return {{"serviceName", name},
            {"servicePath", "/" + name},
            {"port", "9000"},
            {"outboundHostname", "far.test"}};
  }
  [[nodiscard]] std::size_t Routes() const { return proxy_.held().image.routes.size(); }

  SystemClock clock_;
  testing::FakeDocker docker_;
  testing::FakeProxy proxy_;
  testing::FakeStore store_;
  EngineOptions options_;
  Engine::Ports ports_;
};

TEST_F(EngineTest, FollowsDockerThroughEventsAndReconnects) {
  docker_.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
  Engine engine(options_, ports_);
  ASSERT_NE(engine.snapshot(), nullptr);
  engine.Start();
  ASSERT_TRUE(WaitUntil([&] { return Routes() == 1 && engine.snapshot()->ready; }));
  docker_.SetService(MakeService("api", "/api", {MakeTask("bbb", "10.0.0.2")}));
  ports::DockerEvent event;
  event.type = "service";
  event.action = "create";
  event.id = "id-api";
  event.time_ns = 1;
  docker_.Send(event);
  EXPECT_TRUE(WaitUntil([&] { return Routes() == 2; }));
  docker_.SetService(MakeService("db", "/db", {MakeTask("ccc", "10.0.0.3")}));
  docker_.Disconnect();  // its event is lost; the list after the reconnect is not
  EXPECT_TRUE(WaitUntil([&] { return Routes() == 3; }));
  EXPECT_TRUE(WaitUntil([&] { return engine.snapshot()->counters.docker_reconnects >= 1; }));
  engine.Stop();
}

TEST_F(EngineTest, AStreamThatEndsAtOnceIsAskedForLessAndLess) {
  Engine engine(options_, ports_);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) docker_.Disconnect();
  engine.Start();
  ASSERT_TRUE(WaitUntil([&] { return engine.snapshot()->counters.docker_reconnects >= 6; }));
  // 50 ms, and each pause half as long again.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, Duration(900));
  engine.Stop();
}

TEST_F(EngineTest, AnswersCallsFromManyThreads) {
  Engine engine(options_, ports_);
  engine.Start();
  std::atomic<int> good = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&, i] {
      for (int n = 0; n < 5; ++n) {
        const std::string name = "s" + std::to_string(i) + "-" + std::to_string(n);
        if (engine.Reconfigure(Call(name), Soon()).status == 200) ++good;
        (void)engine.snapshot()->services.size();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(good, 40);
  EXPECT_EQ(Routes(), 40U);
  EXPECT_EQ(engine.Validate(Call("x"), Soon()).status, 200);
  EXPECT_EQ(engine.Remove(Call("s0-0"), Soon()).status, 200);
  EXPECT_EQ(engine.Resync(Soon()).status, 200);
  EXPECT_EQ(engine.Reload(Soon()).status, 200);
  EXPECT_TRUE(engine.ConfigText(Soon()));
  EXPECT_EQ(Routes(), 39U);
  engine.Stop();
  EXPECT_EQ(engine.Reconfigure(Call("late"), Soon()).status, 503);
}

TEST_F(EngineTest, NamesThatHangDoNotHoldUpTheOthers) {
  Inbox<bool> hang;  // closed, it lets them end
  std::atomic<int> answered = 0;
  ports_.resolve = [&](const std::string& name) -> Result<std::vector<std::string>> {
    if (name.starts_with("dead")) {
      (void)hang.PopUntil(Soon());
      return Fail(Code::kUnavailable, "no answer");
    }
    ++answered;
    return std::vector<std::string>{"192.0.2.1"};
  };
  options_.resolve_interval = Duration(20);
  Engine engine(options_, ports_);
  engine.Start();
  EXPECT_EQ(engine.Reconfigure(Call("web"), Soon()).status, 200);
  std::vector<std::thread> callers;
  for (int i = 0; i < 10; ++i) {
    callers.emplace_back([&, i] {
      auto call = Call("d" + std::to_string(i));
      call["outboundHostname"] = "dead" + std::to_string(i) + ".test";
      EXPECT_EQ(engine.Reconfigure(call, Soon()).status, 200);
    });
  }
  for (std::thread& caller : callers) caller.join();
  const int before = answered;
  EXPECT_TRUE(WaitUntil([&] { return answered > before + 5; }));
  hang.Close();
  engine.Stop();
}

TEST_F(EngineTest, ACallThatIsNotConfirmedInTimeIsAnsweredWith504) {
  ports_.files_ready = [] {};  // no HAProxy comes
  Engine engine(options_, ports_);
  engine.Start();
  const Outcome outcome = engine.Reconfigure(
      Call("web"), std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
  EXPECT_EQ(outcome.status, 504);
  EXPECT_FALSE(outcome.message.empty());
  proxy_.Start();
  EXPECT_TRUE(WaitUntil([&] { return Routes() == 1; }));
  engine.Stop();
}

TEST_F(EngineTest, StopsWhileDockerIsAwayAndCallsAreWaiting) {
  docker_.WatchFails(true);
  docker_.FailNext(Code::kUnavailable, 1000);
  ports_.files_ready = [] {};
  Engine engine(options_, ports_);
  engine.Start();
  ASSERT_TRUE(WaitUntil([&] { return !engine.snapshot()->docker.detail.empty(); }));
  std::thread caller([&] {
    (void)engine.Reconfigure(Call("web"), std::chrono::steady_clock::now() + Duration(200));
  });
  engine.Stop();
  caller.join();
}

TEST_F(EngineTest, EndsWhenItIsDestroyedWithoutStop) {
  auto engine = std::make_unique<Engine>(options_, ports_);
  engine->Start();
  engine.reset();
  Engine never_started(options_, ports_);
}

}  // namespace
}  // namespace swarmgate::engine
