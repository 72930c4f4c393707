// One suite against FakeProxy and the real HAProxy: what the engine may rely on.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/fake_proxy.h"
#include "support/paths.h"
#include "support/random_desired.h"
#include "support/real_haproxy.h"

namespace swarmgate::testing {
namespace {

using haproxy::Held;
using haproxy::Image;
using haproxy::MapId;
using haproxy::Step;
using std::chrono::seconds;

/// What both have in common.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual ports::ProxyControl& control() = 0;
  virtual ports::ConfigFiles& files() = 0;
  virtual bool Start() = 0;
  virtual void Kill() = 0;
  virtual haproxy::Settings settings() = 0;
};

class FakeSubject final : public Subject {
 public:
  FakeSubject() { fake_.RefuseConfigWith("no such keyword"); }
  ports::ProxyControl& control() override { return fake_; }
  ports::ConfigFiles& files() override { return fake_; }
  bool Start() override { return fake_.Start(); }
  void Kill() override { fake_.Kill(); }
  haproxy::Settings settings() override { return TestSettings("/fake", 80); }

 private:
  FakeProxy fake_;
};

class RealSubject final : public Subject {
 public:
  ports::ProxyControl& control() override { return real_.control(); }
  ports::ConfigFiles& files() override { return real_.files(); }
  bool Start() override { return real_.Start(); }
  void Kill() override { real_.Kill(); }
  haproxy::Settings settings() override { return real_.settings(); }

 private:
  RealHaproxy real_;
};

class ProxyContractTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::string(GetParam()) == "fake") {
      subject_ = std::make_unique<FakeSubject>();
    } else {
      if (!RealHaproxy::Available()) GTEST_SKIP() << "no haproxy on this machine";
      subject_ = std::make_unique<RealSubject>();
    }
  }

  Image RandomImage(int size) {
    const model::Desired desired = RandomDesired(random_, size);
    slots_ = AssignSlots(slots_, desired.backends, {}, 8);
    slots_.declared = DeclareAll(64);
    return Render(desired, slots_, subject_->settings());
  }

  Image EmptyImage() {
    slots_ = AssignSlots(slots_, {}, {}, 8);
    return Render({}, slots_, subject_->settings());
  }

  void StartWith(const Image& image) {
    const Status written = subject_->files().Write(RenderFiles(image), {});
    ASSERT_TRUE(written) << written.error().ToString();
    ASSERT_TRUE(subject_->Start());
  }

  Held ReadBack(const Image& assumed) {
    const auto held = subject_->control().ReadBack(assumed, In(seconds(5)));
    EXPECT_TRUE(held) << held.error().ToString();
    return held ? *held : Held{};
  }

  Status Execute(const std::vector<Step>& steps) {
    const auto done = subject_->control().Execute(steps, In(seconds(10)));
    if (!done) return Forward(done.error());
    EXPECT_EQ(*done, steps.size());
    return Ok();
  }

  std::mt19937_64 random_{20260131};
  haproxy::SlotMap slots_;
  std::unique_ptr<Subject> subject_;
};

const model::SlotName kPlain1("sg_plain_00001");
const model::SlotName kSticky2("sg_sticky_00002");

model::Server MakeServer(const std::string& name, const std::string& address = "127.0.0.1",
                         std::uint16_t port = 9) {
  model::Server server;
  server.name = model::ServerName(name);
  server.address = address;
  server.port = port;
  return haproxy::WireServer(server);
}

TEST_P(ProxyContractTest, NothingAnswersBeforeTheStart) {
  const auto pid = subject_->control().Pid(In(seconds(1)));
  ASSERT_FALSE(pid);
  EXPECT_EQ(pid.error().code, Code::kUnavailable);
  const auto steps = subject_->control().Execute({}, In(seconds(1)));
  ASSERT_FALSE(steps);
  EXPECT_EQ(steps.error().code, Code::kUnavailable);
  const auto reload = subject_->control().Reload(In(seconds(1)));
  ASSERT_FALSE(reload);
  EXPECT_EQ(reload.error().code, Code::kUnavailable);
}

TEST_P(ProxyContractTest, HoldsWhatTheFilesSay) {
  for (int round = 0; round < 3; ++round) {
    const Image image = RandomImage(12);
    StartWith(image);
    EXPECT_EQ(ReadBack(image), (Held{image, {}}));
    subject_->Kill();
  }
}

TEST_P(ProxyContractTest, ReturnsTheFilesThatWereWritten) {
  const auto none = subject_->files().Load();
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
  const haproxy::Files files = RenderFiles(RandomImage(12));
  ASSERT_TRUE(subject_->files().Write(files, {}));
  auto loaded = subject_->files().Load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(*loaded, files);
  ASSERT_TRUE(subject_->files().Write({{"maps/routes.map", "x y\n"}}, {"conf/10-plain-0001.cfg"}));
  loaded = subject_->files().Load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->at("maps/routes.map"), "x y\n");
  EXPECT_EQ(loaded->count("conf/10-plain-0001.cfg"), 0U);
  EXPECT_EQ(loaded->size(), files.size() - 1);
}

TEST_P(ProxyContractTest, CarriesOutAPlanFromAnyImageToAnyOther) {
  Image now = RandomImage(12);
  StartWith(now);
  Held held{now, {}};
  for (int round = 0; round < 12; ++round) {
    const Image next = RandomImage(12);
    const haproxy::Plan plan = MakePlan(held, next);
    ASSERT_EQ(plan.reload_reason, "");
    ASSERT_TRUE(subject_->files().Write(RenderFiles(next, plan.files), {}));
    const Status done = Execute(plan.steps);
    ASSERT_TRUE(done) << "round " << round << ": " << done.error().ToString();
    for (const Step& step : plan.steps) ApplyStep(held, step);
    EXPECT_EQ(held.image, next);
    EXPECT_EQ(ReadBack(next), held);

    const auto disk = subject_->files().Load();
    ASSERT_TRUE(disk);
    EXPECT_EQ(*disk, RenderFiles(next));

    std::vector<Step> retire;
    for (const auto& [slot, servers] : held.draining) {
      for (const auto& server : servers) {
        if (round % 2 == 0) retire.emplace_back(haproxy::RetireServer{slot, server});
      }
    }
    const Status retired = Execute(retire);
    ASSERT_TRUE(retired) << retired.error().ToString();
    for (const Step& step : retire) ApplyStep(held, step);
    EXPECT_EQ(ReadBack(next), held);
    now = next;
  }
  const auto reloaded = subject_->control().Reload(In(seconds(10)));
  ASSERT_TRUE(reloaded) << reloaded.error().ToString();
  EXPECT_EQ(ReadBack(now), (Held{now, {}}));
}

TEST_P(ProxyContractTest, ReplacesLargeMapsAtOnce) {
  const Image image = EmptyImage();
  StartWith(image);
  for (const MapId id : {MapId::kRoutes, MapId::kRegexes}) {
    haproxy::ReplaceMap replace{id, {}};
    for (int i = 0; i < 5000; ++i) {
      replace.entries.emplace_back("h" + std::to_string(100000 + i) + ".com/\\x20{a};'" + "\"",
                                   "sg_plain_00001|s|r");
    }
    const Status done = Execute({replace});
    ASSERT_TRUE(done) << done.error().ToString();
    Held expected{image, {}};
    ApplyStep(expected, replace);
    EXPECT_EQ(ReadBack(image), expected);
    ASSERT_TRUE(Execute({haproxy::ReplaceMap{id, {}}}));
    EXPECT_EQ(ReadBack(image), (Held{image, {}}));
  }
}

TEST_P(ProxyContractTest, CarriesOutThousandsOfSteps) {
  const Image image = EmptyImage();
  StartWith(image);
  std::vector<Step> steps;
  steps.reserve(3000);
  for (int i = 0; i < 3000; ++i) {
    steps.emplace_back(haproxy::SetMapEntry{MapId::kRoutes, "h" + std::to_string(i) + "/",
                                            "sg_plain_00001|service|service/0/0", true});
  }
  const Status done = Execute(steps);
  ASSERT_TRUE(done) << done.error().ToString();
  EXPECT_EQ(ReadBack(image).image.routes.size(), 3000U);
}

TEST_P(ProxyContractTest, AServerDrainsIsRevivedAndGoes) {
  const Image image = EmptyImage();
  StartWith(image);
  const model::Server six = MakeServer("t-6", "fd00::9", 65535);
  for (const auto& [slot, server] : {std::pair{kPlain1, MakeServer("t-1")}, std::pair{kPlain1, six},
                                     std::pair{kSticky2, MakeServer("t-2")}}) {
    Held held{image, {}};
    const auto step = [&, s = slot](const Step& what) {
      const Status done = Execute({what});
      ASSERT_TRUE(done) << s.str() << ": " << done.error().ToString();
      ApplyStep(held, what);
      EXPECT_EQ(ReadBack(image), held);
    };
    step(haproxy::AddServer{slot, server, slot == kSticky2});
    step(haproxy::DrainServer{slot, server.name});
    step(haproxy::ReviveServer{slot, server});
    step(haproxy::DrainServer{slot, server.name});
    const auto sessions = subject_->control().Sessions(slot, In(seconds(5)));
    ASSERT_TRUE(sessions) << sessions.error().ToString();
    EXPECT_EQ(sessions->at(server.name), 0U);
    step(haproxy::RetireServer{slot, server.name});
    const auto after = subject_->control().Sessions(slot, In(seconds(5)));
    ASSERT_TRUE(after) << after.error().ToString();
    EXPECT_EQ(after->count(server.name), 0U);
  }
}

TEST_P(ProxyContractTest, RefusesWhatCannotBe) {
  Image image = EmptyImage();
  const model::Server there = MakeServer("t-1");
  image.servers[kPlain1] = {there};
  image.routes["a.com/"] = "sg_plain_00001|s|r";
  image.regexes = {{"^~1\\.x", "sg_plain_00001|s|r"}};
  StartWith(image);
  const model::SlotName missing("sg_plain_09999");
  const model::ServerName nobody("t-0");
  const std::vector<std::pair<const char*, Step>> cases = {
      {"server is there", haproxy::AddServer{kPlain1, there, false}},
      {"no slot", haproxy::AddServer{missing, there, false}},
      {"drain nobody", haproxy::DrainServer{kPlain1, nobody}},
      {"revive nobody", haproxy::ReviveServer{kPlain1, MakeServer("t-0")}},
      {"retire nobody", haproxy::RetireServer{kPlain1, nobody}},
      {"set what is not there", haproxy::SetMapEntry{MapId::kRoutes, "b.com/", "v", false}},
      {"add what is there", haproxy::SetMapEntry{MapId::kRoutes, "a.com/", "other", true}},
      {"delete what is not there", haproxy::DeleteMapEntry{MapId::kRoutes, "b.com/"}},
      {"set a missing regex", haproxy::SetMapEntry{MapId::kRegexes, "^~2", "v", false}},
      {"delete a missing regex", haproxy::DeleteMapEntry{MapId::kRegexes, "^~1"}},
  };
  for (const auto& [name, step] : cases) {
    const auto done = subject_->control().Execute({step}, In(seconds(5)));
    ASSERT_FALSE(done) << name;
    EXPECT_EQ(done.error().code, Code::kRejected) << name << ": " << done.error().ToString();
  }
}

TEST_P(ProxyContractTest, AReloadIsANewProcessOnTheFiles) {
  const Image first = RandomImage(8);
  StartWith(first);
  const Image second = RandomImage(8);
  ASSERT_TRUE(subject_->files().Write(RenderFiles(second), {}));
  const auto before = subject_->control().Pid(In(seconds(5)));
  ASSERT_TRUE(before);
  const auto outcome = subject_->control().Reload(In(seconds(10)));
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  EXPECT_EQ(outcome->old_pid, *before);
  EXPECT_NE(outcome->new_pid, *before);
  const auto after = subject_->control().Pid(In(seconds(5)));
  ASSERT_TRUE(after);
  EXPECT_EQ(*after, outcome->new_pid);
  EXPECT_EQ(ReadBack(second), (Held{second, {}}));
}

TEST_P(ProxyContractTest, ABrokenConfigurationIsRefusedAndTheOldProcessStays) {
  const Image image = RandomImage(8);
  StartWith(image);
  const auto before = subject_->control().Pid(In(seconds(5)));
  ASSERT_TRUE(before);
  Image broken = image;
  broken.base += "\nno such keyword\n";
  haproxy::Files files = RenderFiles(broken);

  const auto staged = subject_->files().Stage(files);
  ASSERT_TRUE(staged) << staged.error().ToString();
  const Status refused = subject_->control().CheckFiles(*staged, In(seconds(10)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRejected);
  EXPECT_NE(refused.error().message.find("00-base.cfg"), std::string::npos)
      << refused.error().message;

  ASSERT_TRUE(subject_->files().Write(files, {}));
  const auto outcome = subject_->control().Reload(In(seconds(10)));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kRejected) << outcome.error().ToString();
  const auto after = subject_->control().Pid(In(seconds(5)));
  ASSERT_TRUE(after) << after.error().ToString();
  EXPECT_EQ(*after, *before);
  EXPECT_EQ(ReadBack(image), (Held{image, {}}));

  ASSERT_TRUE(subject_->files().Write(RenderFiles(image), {}));
  const auto again = subject_->control().Reload(In(seconds(10)));
  ASSERT_TRUE(again) << again.error().ToString();
}

TEST_P(ProxyContractTest, AStagedSetIsAcceptedAndLeavesTheFilesAlone) {
  const Image image = RandomImage(12);
  ASSERT_TRUE(subject_->files().Write(RenderFiles(image), {}));
  for (int round = 0; round < 3; ++round) {
    const auto staged = subject_->files().Stage(RenderFiles(RandomImage(12)));
    ASSERT_TRUE(staged) << staged.error().ToString();
    const Status checked = subject_->control().CheckFiles(*staged, In(seconds(10)));
    EXPECT_TRUE(checked) << checked.error().ToString();
  }
  const auto disk = subject_->files().Load();
  ASSERT_TRUE(disk);
  EXPECT_EQ(*disk, RenderFiles(image));
}

TEST_P(ProxyContractTest, TheGoldenFilesAreAccepted) {
  haproxy::Files files;
  for (const std::string name :
       {"conf/00-base.cfg", "conf/10-plain-0001.cfg", "conf/20-rich-0001.cfg",
        "conf/30-sticky-0001.cfg", "maps/conditions.map", "maps/host_regexes.map",
        "maps/policies.map", "maps/regexes.map", "maps/rewrites.map", "maps/routes.map"}) {
    std::string flat = name;
    std::replace(flat.begin(), flat.end(), '/', '_');
    files[name] = ReadFile(testing::SourcePath("fixtures/haproxy/full_") + flat);
    EXPECT_NE(files[name], "") << name;
  }
  const auto staged = subject_->files().Stage(files);
  ASSERT_TRUE(staged) << staged.error().ToString();
  const Status checked = subject_->control().CheckFiles(*staged, In(seconds(10)));
  EXPECT_TRUE(checked) << checked.error().ToString();
}

TEST_P(ProxyContractTest, ARestartForgetsWhatStandsInNoFile) {
  const Image image = EmptyImage();
  StartWith(image);
  ASSERT_TRUE(
      Execute({haproxy::AddServer{kPlain1, MakeServer("t-1"), false},
               haproxy::SetMapEntry{MapId::kRoutes, "a.com/", "sg_plain_00001|s|r", true}}));
  subject_->Kill();
  EXPECT_FALSE(subject_->control().Pid(In(seconds(1))));
  ASSERT_TRUE(subject_->Start());
  EXPECT_EQ(ReadBack(image), (Held{image, {}}));
}

INSTANTIATE_TEST_SUITE_P(Proxies, ProxyContractTest, ::testing::Values("fake", "real"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace swarmgate::testing
