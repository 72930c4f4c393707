// Whatever happens to replicas and to what they share, in any order: once everything is there
// again, all of them serve the same, and it is what the shared store holds.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/sharing.h"
#include "support/rounds.h"
#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

class World {
 public:
  /// `loses`: the shared store may lose everything, and disks may fail before a restart.
  World(unsigned seed, bool loses) : random_(seed), loses_(loses) {
    for (int i = 0; i < 3; ++i) {
      rigs_.push_back(std::make_unique<Rig>());
      Rig& rig = *rigs_.back();
      rig.shared = &shared_;
      rig.with_docker = false;
      rig.options.sharing.self.id = "replica-" + std::to_string(i);
      rig.clock.Advance(Duration(i * 7));
      rig.Start();
    }
  }

  void Step() {
    Rig& rig = *rigs_[Below(rigs_.size())];
    switch (Below(14)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Reconfigure(rig);
      case 4:
      case 5:
        return Remove(rig);
      case 6:
        return shared_.SetDown(Below(2) == 0 ? Code::kUnavailable : Code::kDeadlineExceeded);
      case 7:
        return shared_.SetDown(std::nullopt);
      case 8:
        rig.proxy.Kill();
        return rig.Restart();
      case 9:
        if (loses_ && Below(4) == 0) shared_.Lose();
        return;
      case 10:
        return Toggle(rig.answer_shares);
      case 11:
        return Toggle(rig.answer_news);
      case 12:
        if (!loses_) return;
        return rig.store.FailNext(Code::kUnavailable, static_cast<int>(Below(3)));
      default:
        for (const auto& each : rigs_) each->clock.Advance(Duration(Below(3000)));
        return rig.Settle();
    }
  }

  /// Everything is there again, and time passes.
  void Calm() {
    shared_.SetDown(std::nullopt);
    for (const auto& rig : rigs_) {
      rig->answer_shares = rig->answer_news = true;
    }
    for (int i = 0; i < 6; ++i) {
      for (const auto& rig : rigs_) rig->Advance(Duration(11000));
    }
  }

  /// Of each service the call that was made last is what stands. One that was never answered may
  /// have been accepted, at a time that nobody knows.
  void ExpectLastCallsStand() {
    for (const auto& [name, sent] : calls_) {
      std::int64_t latest = 0;
      std::set<std::string> may_stand = {""};
      for (const Sent& call : sent) {
        const auto outcome = call.rig->outcomes.find(call.index);
        if (outcome == call.rig->outcomes.end()) continue;
        if (outcome->second.status != 200 || outcome->second.made_unix_ms < latest) continue;
        if (outcome->second.made_unix_ms > latest) may_stand.clear();
        latest = outcome->second.made_unix_ms;
        may_stand.insert(call.path);
      }
      for (const Sent& call : sent) {
        if (!call.rig->outcomes.contains(call.index)) may_stand.insert(call.path);
      }
      const auto truth = shared_.records();
      const auto record = truth.find(model::ServiceName(name));
      const std::string path =
          record == truth.end() ? "" : record->second.parameters.at("servicePath");
      EXPECT_TRUE(may_stand.contains(path))
          << name << " is at '" << path << "', and was to be at '" << *may_stand.begin() << "'";
    }
  }

  void ExpectAgreement() {
    const auto truth = shared_.records();
    for (const auto& rig : rigs_) {
      SCOPED_TRACE(rig->options.sharing.self.id);
      const auto snapshot = rig->snapshot();
      EXPECT_TRUE(snapshot->shared.store.ok);
      EXPECT_EQ(snapshot->shared.waiting, 0U);
      EXPECT_TRUE(rig->store.shared().waiting.empty());
      EXPECT_EQ(snapshot->shared.revision, shared_.position().revision);
      std::vector<std::string> expected;
      std::vector<std::string> served;
      for (const auto& [name, record] : truth) expected.push_back(name.str());
      for (const auto& service : snapshot->services) served.push_back(service->name.str());
      EXPECT_EQ(served, expected);
      // What is on the disk is the same.
      ASSERT_EQ(rig->store.records().size(), truth.size());
      for (const auto& [name, record] : rig->store.records()) {
        ASSERT_TRUE(truth.contains(name)) << name.str();
        EXPECT_TRUE(SameContent(record, truth.at(name))) << name.str();
        EXPECT_EQ(rig->store.shared().revisions.at(name), truth.at(name).revision);
      }
      EXPECT_EQ(rig->Served(), rigs_[0]->Served());
    }
  }

 private:
  std::size_t Below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }
  std::string Name() { return "s" + std::to_string(Below(4)); }
  static void Toggle(bool& flag) { flag = !flag; }
  void Reconfigure(Rig& rig) {
    // Never twice the same path, so that no call is refused for another service's sake.
    const std::string name = Name();
    const std::string path = "/" + name + "-" + std::to_string(++paths_);
    const std::size_t index =
        rig.Post(Command::Kind::kReconfigure, {{"serviceName", name},
                                               {"servicePath", path},
                                               {"port", "9000"},
                                               {"outboundHostname", "192.0.2.7"}});
    calls_[name].push_back({&rig, index, path});
  }
  void Remove(Rig& rig) {
    const std::string name = Name();
    const std::size_t index = rig.Post(Command::Kind::kRemove, {{"serviceName", name}});
    calls_[name].push_back({&rig, index, ""});
  }

  struct Sent {
    Rig* rig = nullptr;
    std::size_t index = 0;
    std::string path;  ///< "": a removal
  };

  std::mt19937 random_;
  testing::FakeSharedStore shared_;
  std::vector<std::unique_ptr<Rig>> rigs_;
  bool loses_;
  int paths_ = 0;
  std::map<std::string, std::vector<Sent>> calls_;
};

class SharingProperty : public ::testing::TestWithParam<unsigned> {
 protected:
  static void Run(bool loses) {
    for (unsigned i = 0; i < testing::Rounds(30) && !HasFailure(); ++i) {
      const unsigned seed = GetParam() * 1000 + i;
      SCOPED_TRACE("seed " + std::to_string(seed));
      World world(seed, loses);
      for (int round = 0; round < 3 && !HasFailure(); ++round) {
        for (int step = 0; step < 40; ++step) world.Step();
        world.Calm();
        world.ExpectAgreement();
        if (!loses) world.ExpectLastCallsStand();
      }
    }
  }
};

TEST_P(SharingProperty, ReplicasAgreeWhateverHappened) { Run(true); }

TEST_P(SharingProperty, WhereNothingIsLostTheLastCallStands) { Run(false); }

INSTANTIATE_TEST_SUITE_P(Worlds, SharingProperty, ::testing::Values(1U, 2U, 3U, 5U));

}  // namespace
}  // namespace swarmgate::engine
