#include "swarmgate/haproxy/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "support/fake_proxy.h"
#include "support/random_desired.h"
#include "support/rounds.h"

namespace swarmgate::haproxy {
namespace {

using model::BackendKind;
using swarmgate::testing::RandomDesired;
using swarmgate::testing::TestSettings;

const model::SlotName kSlot("sg_plain_00001");
const model::SlotName kSticky("sg_sticky_00001");

model::Server MakeServer(const std::string& name, std::uint16_t port = 80) {
  model::Server server;
  server.name = model::ServerName(name);
  server.address = "10.0.0.1";
  server.port = port;
  return server;
}

/// As Render gives it: the same settings and slots for all, so that no reload comes between.
class Images {
 public:
  explicit Images(std::uint64_t seed) : random_(seed) {}

  Image Next(const std::vector<model::SlotName>& busy = {}) {
    const model::Desired desired = RandomDesired(random_, 15);
    slots_ = AssignSlots(slots_, desired.backends, busy, 64);
    slots_.declared = declared_;
    Settings settings = TestSettings("/data", 80);
    settings.binds.push_back({"127.0.0.1", 443, true});
    return Render(desired, slots_, settings);
  }

 private:
  std::mt19937_64 random_;
  const Declared declared_ = swarmgate::testing::DeclareAll(640);
  SlotMap slots_;
};

TEST(PlanTest, NothingToDoIsAnEmptyPlan) {
  Images images(1);
  for (unsigned round = 0; round < testing::Rounds(100); ++round) {
    const Image image = images.Next();
    EXPECT_TRUE(MakePlan({image, {}}, image).empty());
  }
}

TEST(PlanTest, ExecutingItTurnsOneImageIntoTheOther) {
  Images images(2);
  for (unsigned round = 0; round < testing::Rounds(300); ++round) {
    const Image from = images.Next();
    const Image to = images.Next();
    Held held{from, {}};
    const Plan plan = MakePlan(held, to);
    ASSERT_EQ(plan.reload_reason, "");
    for (const Step& step : plan.steps) ApplyStep(held, step);
    EXPECT_EQ(held.image, to);
    EXPECT_TRUE(MakePlan(held, to).empty());

    Files disk = RenderFiles(from);
    for (const std::string& path : plan.files) disk.erase(path);
    for (auto& [path, text] : RenderFiles(to, plan.files)) disk[path] = text;
    EXPECT_EQ(disk, RenderFiles(to));
  }
}

TEST(PlanTest, FilesNamesExactlyThoseThatChange) {
  Images images(3);
  for (unsigned round = 0; round < testing::Rounds(100); ++round) {
    const Image from = images.Next();
    const Image to = images.Next();
    const Files before = RenderFiles(from);
    const Files after = RenderFiles(to);
    std::set<std::string> changed;
    for (const auto& [path, text] : after) {
      if (before.count(path) == 0 || before.at(path) != text) changed.insert(path);
    }
    for (const auto& [path, text] : before) {
      if (after.count(path) == 0) changed.insert(path);
    }
    EXPECT_EQ(MakePlan({from, {}}, to).files, changed);
  }
}

/// Whatever a request meets at any moment between two images is one of them: the looked-up value
/// leads on, and the slot behind it has its servers.
TEST(PlanTest, AtNoMomentDoesARouteLeadNowhere) {
  Images images(4);
  for (unsigned round = 0; round < testing::Rounds(200); ++round) {
    const Image from = images.Next();
    const Image to = images.Next();
    Held held{from, {}};
    for (const Step& step : MakePlan(held, to).steps) {
      ApplyStep(held, step);
      for (const auto& [key, value] : held.image.routes) {
        const bool condition = value[0] == '@';
        const bool regex = value[0] == '~';
        if (condition) {
          const auto found = held.image.conditions.lower_bound(value + ":");
          ASSERT_TRUE(found != held.image.conditions.end() &&
                      found->first.rfind(value + ":", 0) == 0)
              << key << " → " << value;
        }
        if (regex) {
          ASSERT_TRUE(std::any_of(
              held.image.regexes.begin(), held.image.regexes.end(),
              [v = value](const auto& e) { return e.first.rfind("^" + v + ":", 0) == 0; }))
              << key << " → " << value;
        }
        if (value.rfind("sg_", 0) != 0) continue;
        const model::SlotName slot(value.substr(0, value.find('|')));
        const bool was = from.routes.count(key) != 0 && from.routes.at(key) == value &&
                         from.servers.count(slot) != 0;
        const bool will =
            to.routes.count(key) != 0 && to.routes.at(key) == value && to.servers.count(slot) != 0;
        if (was && will) {
          EXPECT_EQ(held.image.servers.count(slot), 1U) << key << " → " << value;
        }
        const std::size_t id = value.rfind('|');
        if (std::count(value.begin(), value.end(), '|') == 6) {
          const std::string wanted = value.substr(id + 1) + "\\.";
          EXPECT_TRUE(
              std::any_of(held.image.rewrites.begin(), held.image.rewrites.end(),
                          [&](const auto& e) { return e.first.find(wanted) != std::string::npos; }))
              << key << " → " << value;
        }
      }
      // A key that both have is never missing.
      for (const auto& [key, value] : from.routes) {
        if (to.routes.count(key) != 0) {
          ASSERT_EQ(held.image.routes.count(key), 1U) << key;
        }
      }
    }
  }
}

TEST(PlanTest, ServersComeFirstAndGoLast) {
  Image from;
  from.declared = {{model::BackendClass("plain"), {64, "", ""}}};
  Image to = from;
  from.servers[kSlot] = {MakeServer("old")};
  from.routes = {{"/gone", "v"}, {"/x", "1"}};
  to.servers[kSlot] = {MakeServer("new")};
  to.routes = {{"/new", "v"}, {"/x", "2"}};
  const Plan plan = MakePlan({from, {}}, to);
  const std::vector<Step> expected = {
      AddServer{kSlot, MakeServer("new"), false}, SetMapEntry{MapId::kRoutes, "/new", "v", true},
      SetMapEntry{MapId::kRoutes, "/x", "2", false}, DeleteMapEntry{MapId::kRoutes, "/gone"},
      DrainServer{kSlot, model::ServerName("old")}};
  EXPECT_EQ(plan.steps, expected);
  EXPECT_EQ(plan.files, (std::set<std::string>{"conf/10-plain-0001.cfg", "maps/routes.map"}));
}

TEST(PlanTest, ADrainingServerThatIsWantedAgainIsRevived) {
  Image image;
  image.declared = {{model::BackendClass("sticky"), {64, "", ""}}};
  Held held{image, {{kSticky, {model::ServerName("s")}}}};
  image.servers[kSticky] = {MakeServer("s"), MakeServer("t")};
  const Plan plan = MakePlan(held, image);
  const std::vector<Step> expected = {ReviveServer{kSticky, MakeServer("s")},
                                      AddServer{kSticky, MakeServer("t"), true}};
  EXPECT_EQ(plan.steps, expected);
  for (const Step& step : plan.steps) ApplyStep(held, step);
  EXPECT_EQ(held, (Held{image, {}}));
}

TEST(PlanTest, DrainingServersAreNobodysBusinessUntilTheyAreRetired) {
  Image image;
  Held held{image, {{kSlot, {model::ServerName("s")}}}};
  EXPECT_TRUE(MakePlan(held, image).empty());
  ApplyStep(held, RetireServer{kSlot, model::ServerName("s")});
  EXPECT_EQ(held, (Held{image, {}}));
}

TEST(PlanTest, AServerThatIsReadBackWithoutItsTaskIsTheSame) {
  Image held;
  held.servers[kSlot] = {MakeServer("s")};
  Image desired = held;
  desired.servers[kSlot][0].task_id = "abc";
  EXPECT_TRUE(MakePlan({held, {}}, desired).empty());
}

TEST(PlanTest, ReloadsHaveAReason) {
  Image image;
  image.base = "base";
  image.declared = {{model::BackendClass("plain"), {64, "", ""}},
                    {model::BackendClass("rich"), {64, "", ""}},
                    {model::BackendClass("sticky"), {64, "", ""}}};

  Image other = image;
  other.base = "other";
  EXPECT_EQ(MakePlan({image, {}}, other).reload_reason, "base configuration changed");
  EXPECT_EQ(MakePlan({image, {}}, other).files.count("conf/00-base.cfg"), 1U);

  other = image;
  other.declared[model::BackendClass("rich")].count = 128;
  other.routes["/x"] = "v";
  const Plan grown = MakePlan({image, {}}, other);
  EXPECT_EQ(grown.reload_reason, "slots of class rich grow from 64 to 128");
  EXPECT_EQ(grown.files, (std::set<std::string>{"conf/20-rich-0002.cfg", "maps/routes.map"}));
  EXPECT_TRUE(grown.steps.empty());

  other = image;
  image.servers[kSlot] = {MakeServer("s", 80)};
  other.servers[kSlot] = {MakeServer("s", 81)};
  EXPECT_EQ(MakePlan({image, {}}, other).reload_reason, "server s of sg_plain_00001 moves");

  EXPECT_EQ(MakePlan({}, other).files.size(), 1U + 6U + 3U);
}

TEST(PlanTest, AListIsReplacedOnlyWhenItsOrderChanges) {
  Image from;
  from.regexes = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
  Image to = from;
  to.regexes = {{"a", "1"}, {"c", "4"}, {"d", "5"}};
  const std::vector<Step> in_order = {SetMapEntry{MapId::kRegexes, "c", "4", false},
                                      SetMapEntry{MapId::kRegexes, "d", "5", true},
                                      DeleteMapEntry{MapId::kRegexes, "b"}};
  EXPECT_EQ(MakePlan({from, {}}, to).steps, in_order);

  to.regexes = {{"c", "3"}, {"a", "1"}};
  const std::vector<Step> other_order = {
      ReplaceMap{MapId::kRegexes, {{"c", "3"}, {"a", "1"}, {"b", "2"}}},
      DeleteMapEntry{MapId::kRegexes, "b"}};
  EXPECT_EQ(MakePlan({from, {}}, to).steps, other_order);
}

TEST(PlanTest, AListWithForeignDoublesIsReplaced) {
  Image from;
  from.rewrites = {{"a", "1"}, {"a", "2"}};
  Image to;
  to.rewrites = {{"a", "1"}};
  const std::vector<Step> expected = {ReplaceMap{MapId::kRewrites, {{"a", "1"}}}};
  EXPECT_EQ(MakePlan({from, {}}, to).steps, expected);
}

TEST(PlanTest, ManyChangesOfALargeMapAreOneReplacement) {
  Image from;
  Image to;
  for (int i = 0; i < 10000; ++i) {
    from.routes["/" + std::to_string(i)] = "a";
    to.routes["/" + std::to_string(i)] = i < 5000 ? "b" : "a";
  }
  const Plan plan = MakePlan({from, {}}, to);
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<ReplaceMap>(plan.steps[0]));
  to = from;
  to.routes["/0"] = "b";
  EXPECT_EQ(MakePlan({from, {}}, to).steps.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<SetMapEntry>(MakePlan({from, {}}, to).steps[0]));
}

// --- slots ---------------------------------------------------------------------------------------

model::Backend MakeBackend(const std::string& name, BackendKind kind = BackendKind::kPlain) {
  model::Backend backend;
  backend.name = model::BackendName(name);
  backend.kind = kind;
  return backend;
}

std::string SlotOf(const SlotMap& slots, const std::string& name) {
  const auto found = slots.assigned.find(model::BackendName(name));
  return found == slots.assigned.end() ? "" : std::string(found->second.str());
}

TEST(SlotsTest, EachBackendGetsTheLowestFreeSlotOfItsClass) {
  const SlotMap slots = AssignSlots(
      {}, {MakeBackend("b"), MakeBackend("a"), MakeBackend("r", BackendKind::kRich)}, {}, 4);
  EXPECT_EQ(SlotOf(slots, "a"), "sg_plain_00001");
  EXPECT_EQ(SlotOf(slots, "b"), "sg_plain_00002");
  EXPECT_EQ(SlotOf(slots, "r"), "sg_rich_00001");
  EXPECT_EQ(slots.declared.at(model::BackendClass("plain")).count, 4U);
  EXPECT_EQ(slots.declared.at(model::BackendClass("sticky")).count, 4U);
}

TEST(SlotsTest, AnAssignmentIsKeptAndAFreedSlotWaits) {
  const SlotMap first = AssignSlots({}, {MakeBackend("a"), MakeBackend("b")}, {}, 4);
  // "a" goes: its slot is not given out in the same change, nor while it drains.
  const SlotMap second = AssignSlots(first, {MakeBackend("b"), MakeBackend("c")}, {}, 4);
  EXPECT_EQ(SlotOf(second, "b"), "sg_plain_00002");
  EXPECT_EQ(SlotOf(second, "c"), "sg_plain_00003");
  const SlotMap third = AssignSlots(second, {MakeBackend("b"), MakeBackend("c"), MakeBackend("d")},
                                    {model::SlotName("sg_plain_00001")}, 4);
  EXPECT_EQ(SlotOf(third, "d"), "sg_plain_00004");
  const SlotMap fourth =
      AssignSlots(second, {MakeBackend("b"), MakeBackend("c"), MakeBackend("d")}, {}, 4);
  EXPECT_EQ(SlotOf(fourth, "d"), "sg_plain_00001");
}

TEST(SlotsTest, AnotherClassIsAnotherSlot) {
  const SlotMap first = AssignSlots({}, {MakeBackend("a")}, {}, 4);
  const SlotMap second = AssignSlots(first, {MakeBackend("a", BackendKind::kSticky)}, {}, 4);
  EXPECT_EQ(SlotOf(second, "a"), "sg_sticky_00001");
}

TEST(SlotsTest, GrowsByDoublingAndNeverShrinks) {
  std::vector<model::Backend> backends;
  SlotMap slots;
  std::set<std::uint32_t> sizes;
  for (int i = 0; i < 10000; i += 100) {
    for (int k = 0; k < 100; ++k) backends.push_back(MakeBackend(std::to_string(100000 + i + k)));
    slots = AssignSlots(slots, backends, {}, 64);
    sizes.insert(slots.declared.at(model::BackendClass("plain")).count);
  }
  EXPECT_EQ(sizes, (std::set<std::uint32_t>{128, 256, 512, 1024, 2048, 4096, 8192, 12288}));
  EXPECT_EQ(AssignSlots(slots, {}, {}, 64).declared, slots.declared);
}

TEST(SlotsTest, DoesNotDependOnTheOrderOfBackends) {
  std::mt19937_64 random(5);
  std::vector<model::Backend> backends;
  backends.reserve(200);
  for (int i = 0; i < 200; ++i) {
    backends.push_back(MakeBackend(std::to_string(i), static_cast<BackendKind>(i % 3)));
  }
  const SlotMap expected = AssignSlots({}, backends, {}, 4);
  for (int round = 0; round < 10; ++round) {
    std::shuffle(backends.begin(), backends.end(), random);
    EXPECT_EQ(AssignSlots({}, backends, {}, 4), expected);
  }
}

TEST(SlotsTest, StoredNonsenseIsNotKept) {
  SlotMap stored;
  stored.declared = {{model::BackendClass("plain"), {2, "", ""}}};
  stored.assigned = {{model::BackendName("a"), model::SlotName("nonsense")},
                     {model::BackendName("b"), model::SlotName("sg_plain_00009")},
                     {model::BackendName("c"), model::SlotName("sg_plain_00002")},
                     {model::BackendName("d"), model::SlotName("sg_plain_00002")}};
  const SlotMap slots = AssignSlots(
      stored, {MakeBackend("a"), MakeBackend("b"), MakeBackend("c"), MakeBackend("d")}, {}, 2);
  std::set<model::SlotName> used;
  for (const auto& [name, slot] : slots.assigned)
    EXPECT_TRUE(used.insert(slot).second) << slot.str();
  EXPECT_EQ(slots.assigned.size(), 4U);
  EXPECT_EQ(SlotOf(slots, "c"), "sg_plain_00002");
}

Image WithCertificates(const std::string& fallback,
                       const std::map<std::string, std::string>& pems) {
  Settings settings = TestSettings("/data", 80);
  settings.binds.push_back({"*", 443, true});
  model::Desired desired;
  desired.tls.default_pem = model::Secret(fallback);
  desired.tls.default_print = fallback;
  for (const auto& [name, pem] : pems) {
    desired.tls.entries.push_back({name, {name + ".com"}, model::Secret(pem)});
  }
  return Render(desired, {}, settings);
}

TEST(CertificatePlanTest, ARenewedOneComesInBeforeTheOldOneGoes) {
  const Image before = WithCertificates("d", {{"a", "old"}, {"b", "same"}});
  const Image after = WithCertificates("d", {{"a", "new"}, {"b", "same"}});
  const Plan plan = MakePlan({before, {}}, after);
  EXPECT_EQ(plan.reload_reason, "");
  ASSERT_EQ(plan.steps.size(), 2U);
  ASSERT_TRUE(std::holds_alternative<AddCertificate>(plan.steps[0]));
  EXPECT_EQ(std::get<AddCertificate>(plan.steps[0]).pem.reveal(), "new");
  EXPECT_TRUE(std::holds_alternative<DropCertificate>(plan.steps[1]));
  EXPECT_EQ(plan.files.size(), 3U);  // the new file, the old one that goes, the list
}

TEST(CertificatePlanTest, AnotherDefaultIsAnotherContentOfTheSameFile) {
  const Plan plan = MakePlan({WithCertificates("d", {}), {}}, WithCertificates("e", {}));
  EXPECT_EQ(plan.reload_reason, "");
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<SetDefaultCertificate>(plan.steps[0]));
  EXPECT_EQ(plan.files, std::set<std::string>{kDefaultCertificate});
}

TEST(CertificatePlanTest, WhatNoCommandCanHoldIsReloadedWithTheReason) {
  const Image after = WithCertificates("d", {{"big", std::string(12'001, 'x')}});
  const Plan plan = MakePlan({WithCertificates("d", {}), {}}, after);
  EXPECT_NE(plan.reload_reason.find("larger than a command may be"), std::string::npos);
  EXPECT_EQ(plan.reload_reason.find("xxx"), std::string::npos);
}

TEST(CertificatePlanTest, WhatIsReadBackTakesThePemsThatItsNamesSay) {
  const Image image = WithCertificates("d", {{"a", "pem"}});
  Image read_back = image;
  for (auto& [file, certificate] : read_back.certificates) certificate.pem = {};
  read_back.default_pem = {};
  TakePems(read_back, image);
  EXPECT_EQ(read_back, image);
  read_back.default_pem = {};
  read_back.default_print = "another";
  TakePems(read_back, image);
  EXPECT_EQ(MakePlan({read_back, {}}, image).steps.size(), 1U);
}

TEST(CertificatePlanTest, NoKeyIsShownInTheConfigurationsText) {
  const std::string text = ConfigText(RenderFiles(WithCertificates("hunter1", {{"a", "hunter2"}})));
  EXPECT_EQ(text.find("hunter"), std::string::npos);
  EXPECT_NE(text.find("a.com"), std::string::npos);
  EXPECT_NE(text.find("bind *:443 ssl crt-list certs/crt-list.txt alpn h2,http/1.1"),
            std::string::npos);
}

}  // namespace
}  // namespace swarmgate::haproxy
