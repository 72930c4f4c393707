// Events are hints, lists are facts: whatever is lost, repeated or reordered, and whatever fails on
// the way, the end is what a fresh engine makes of the last list.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>
#include <string>

#include "support/rounds.h"
#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;

class World {
 public:
  World(unsigned seed, bool faults) : random_(seed), faults_(faults) {}

  void Run() {
    rig.Start();
    for (int step = 0; step < 60; ++step) {
      ChangeDocker();
      TellSomething();
      if (faults_) Misbehave();
      if (Below(3) == 0) CallApi();
      if (Below(20) == 0) {
        rig.Start();
      } else {
        rig.Advance(Duration(Below(4) == 0 ? Below(4000) : Below(60)));
      }
    }
    rig.proxy.StopFailing();
    rig.proxy.RefuseStep(0);
    rig.proxy.RejectReloads(0);
    rig.store.FailAlways(false);
    if (!rig.proxy.running()) {
      EXPECT_TRUE(rig.proxy.Start());
    }
    // Longer than marks (of a signal: ten minutes), distrust, backoffs and drains last.
    rig.Advance(Duration(800000));
  }

  Rig rig;

 private:
  // Never two of these in one expression: compilers differ in which argument they evaluate first,
  // and a seed is to mean the same world for all of them.
  int Below(int n) {
    return static_cast<int>(random_() % static_cast<std::minstd_rand::result_type>(n));
  }
  std::string Name() { return std::string(1, static_cast<char>('a' + Below(6))); }

  void ChangeDocker() {
    const std::string name = Name();
    const int what = Below(5);
    if (what == 0) {
      rig.docker.RemoveService("id-" + name);
      return;
    }
    auto tasks = Tasks(name);
    ++version_;
    switch (what) {
      case 1: {
        // Same path as another: a conflict.
        auto service = MakeService(name, "/same", std::move(tasks), version_);
        service.created_unix_ns += name[0];
        rig.docker.SetService(service);
        return;
      }
      case 2: {
        auto service = MakeService(name, "/" + name, std::move(tasks), version_);
        service.kind = model::ServiceKind::kContainer;
        rig.docker.SetService(service);
        return;
      }
      default: {
        const std::string path = "/" + name + std::to_string(Below(3));
        rig.docker.SetService(MakeService(name, path, std::move(tasks), version_));
      }
    }
  }

  std::vector<model::TaskFacts> Tasks(const std::string& name) {
    std::vector<model::TaskFacts> tasks;
    for (int i = Below(4); i > 0; --i) {
      const std::string id = name + std::to_string(Below(5));
      auto task =
          MakeTask(id + "-task-id-long", "10.0." + std::to_string(name[0]) + "." + id.substr(1));
      task.running = Below(4) != 0;
      // A task that has run does not start again.
      if (task.running) ran_.insert(task.id);
      if (!task.running) task.state = ran_.contains(task.id) ? "failed" : "starting";
      task.desired_running = Below(5) != 0;
      bool known = false;
      for (const auto& other : tasks) known = known || other.id == task.id;
      if (!known) tasks.push_back(task);
    }
    return tasks;
  }

  // Events: some never come, some come twice, some are of long ago, some are lies.
  void TellSomething() {
    static const std::vector<std::pair<const char*, const char*>> kEvents = {
        {"service", "create"},  {"service", "update"},
        {"service", "remove"},  {"container", "start"},
        {"container", "kill"},  {"container", "die"},
        {"network", "connect"}, {"container", "health_status: healthy"}};
    for (int i = Below(4); i > 0; --i) {
      const auto& [type, action] = kEvents[static_cast<std::size_t>(Below(8))];
      const std::string name = Name();
      const std::string task = "c-" + name + std::to_string(Below(5)) + "-task-id-long";
      const std::int64_t time = 1'000'000 + Below(1000);
      const bool container = std::string(type) == "container";
      for (int times = 1 + Below(2); times > 0; --times) {
        const std::string signal = Below(3) == 0 ? "1" : "15";
        rig.Hint(type, action, container ? task : "id-" + name, container ? "id-" + name : "",
                 signal, time);
      }
    }
    if (Below(6) == 0) rig.docker.FailNext(Code::kUnavailable, 1 + Below(3));
    if (Below(8) == 0) rig.Send(DockerLost{{Code::kUnavailable, "lost", ""}});
    if (Below(8) == 0) rig.Send(DockerConnected{});
  }

  void Misbehave() {
    static const std::vector<Code> kCodes = {Code::kRejected, Code::kUnavailable,
                                             Code::kDeadlineExceeded, Code::kCorrupt};
    switch (Below(12)) {
      case 0: {
        const Code code = kCodes[static_cast<std::size_t>(Below(4))];
        rig.proxy.FailNext(code, 1 + Below(4));
        return;
      }
      case 1:
        rig.proxy.FailFilesNext(Code::kUnavailable, 1 + Below(3));
        return;
      case 2:
        rig.proxy.RefuseStep(static_cast<std::size_t>(1 + Below(6)));
        return;
      case 3:
        rig.proxy.Kill();
        return;
      case 4:
        if (!rig.proxy.running()) (void)rig.proxy.Start();
        return;
      case 5:
        rig.store.FailNext(Code::kUnavailable, 1 + Below(3));
        return;
      case 6:
        rig.proxy.RejectReloads(1 + Below(2));
        return;
      default:
        return;
    }
  }

  void CallApi() {
    const std::string name = "api" + std::to_string(Below(3));
    if (Below(3) == 0) {
      (void)rig.Post(Command::Kind::kRemove, {{"serviceName", name}});
      return;
    }
    const std::string path = "/" + name + Name();
    const std::string port = std::to_string(1 + Below(3));
    (void)rig.Post(Command::Kind::kReconfigure, {{"serviceName", name},
                                                 {"servicePath", path},
                                                 {"port", port},
                                                 {"outboundHostname", "192.0.2.1"}});
  }

  std::minstd_rand random_;
  bool faults_;
  std::uint64_t version_ = 1;
  std::set<std::string> ran_;  ///< ids of tasks
};

// The same records and the same Docker, and nothing that was before.
std::map<std::string, std::vector<std::string>> FreshlyServed(const Rig& old) {
  Rig fresh;
  fresh.docker.SetFacts(old.docker.facts());
  for (const auto& [name, record] : old.store.records()) {
    EXPECT_TRUE(fresh.store.Put(record, 0));
  }
  fresh.Start();
  fresh.Advance(Duration(1000));
  return fresh.Served();
}

class PropertyTest : public ::testing::TestWithParam<bool> {};

TEST_P(PropertyTest, TheEndIsWhatAFreshEngineMakesOfTheLastList) {
  for (unsigned seed = 1; seed <= testing::Rounds(150); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed, GetParam());
    world.Run();
    ASSERT_EQ(world.rig.Served(), FreshlyServed(world.rig));
    world.rig.ExpectFilesAreTheTruth();
    EXPECT_TRUE(world.rig.proxy.held().draining.empty());
    for (const auto& [call, outcome] : world.rig.outcomes) EXPECT_NE(outcome.status, 0);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, PropertyTest, ::testing::Values(false, true),
                         [](const auto& world) {
                           return world.param ? "with_faults" : "without_faults";
                         });

}  // namespace
}  // namespace swarmgate::engine
