#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/fake_proxy.h"
#include "support/random_desired.h"
#include "swarmgate/haproxy/plan.h"
#include "unit/haproxy/golden.h"

namespace swarmgate::haproxy {
namespace {

using model::Backend;
using model::BackendKind;
using model::MatchCandidate;

Settings GoldenSettings() {
  Settings settings = swarmgate::testing::TestSettings("/data", 80);
  settings.binds = {{"*", 80}, {"fd00::1", 8080}};
  settings.max_connections = 0;
  settings.threads = 0;
  return settings;
}

Backend MakeBackend(const std::string& name, BackendKind kind = BackendKind::kPlain) {
  Backend backend;
  backend.name = model::BackendName(name + "-be8080_0");
  backend.service = model::ServiceName(name);
  backend.kind = kind;
  return backend;
}

MatchCandidate To(const Backend& backend, int ordinal = 0) {
  MatchCandidate candidate;
  candidate.backend = backend.name;
  candidate.service = backend.service;
  candidate.route = model::RouteId(backend.service.str() + "/0/" + std::to_string(ordinal));
  return candidate;
}

model::Server MakeServer(const std::string& name, const std::string& address, std::uint16_t port) {
  model::Server server;
  server.name = model::ServerName(name);
  server.address = address;
  server.port = port;
  server.task_id = "not for HAProxy";
  return server;
}

/// One of each.
model::Desired GoldenDesired() {
  model::Desired desired;
  Backend plain = MakeBackend("api");
  plain.servers = {MakeServer("t-0123456789ab", "10.0.1.5", 8080),
                   MakeServer("t-ba9876543210", "fd00:0:0::5", 8080)};
  Backend rich = MakeBackend("shop", BackendKind::kRich);
  rich.policy.Edit().timeout_server = std::chrono::milliseconds(60000);
  rich.policy.Edit().path_rewrites = {{"^/shop", ""}, {"/(\\d+) x$", "/item/\\1"}};
  Backend sticky = MakeBackend("wiki", BackendKind::kSticky);
  sticky.servers = {MakeServer("t-1", "10.0.1.7", 80)};
  desired.backends = {plain, rich, sticky};

  MatchCandidate on_port = To(plain, 1);
  on_port.port = 8080;
  MatchCandidate by_regex = To(sticky, 1);
  by_regex.path_regex = "\\.(?:js|css)$";
  desired.matches.entries = {{".a.com/", {To(sticky)}},
                             {"/", {To(plain)}},
                             {"/private", {}},
                             {"a.com/demo/", {on_port, To(rich)}},
                             {"a.com/x", {by_regex, on_port, To(plain)}}};
  desired.matches.host_regexes = {{"^h[0-9]\\.x\\|[0-9]+\\|/", To(rich, 2)}};
  return desired;
}

TEST(RenderTest, TheWholeConfigurationIsAsTheGoldenFilesSay) {
  SlotMap slots;
  slots.assigned = {{model::BackendName("api-be8080_0"), model::SlotName("sg_plain_00001")},
                    {model::BackendName("shop-be8080_0"), model::SlotName("sg_rich_00001")},
                    {model::BackendName("wiki-be8080_0"), model::SlotName("sg_sticky_00002")}};
  slots.declared = {{model::BackendClass("plain"), {2, "", ""}},
                    {model::BackendClass("rich"), {1, "", ""}},
                    {model::BackendClass("sticky"), {2, "", ""}}};
  const Image image = Render(GoldenDesired(), slots, GoldenSettings());
  const Files files = RenderFiles(image);
  std::string names;
  for (const auto& [path, text] : files) {
    names += path + "\n";
    std::string name = path;
    std::replace(name.begin(), name.end(), '/', '_');
    ExpectGolden("full_" + name, text);
  }
  EXPECT_EQ(names,
            "conf/00-base.cfg\nconf/10-plain-0001.cfg\nconf/20-rich-0001.cfg\n"
            "conf/30-sticky-0001.cfg\nmaps/conditions.map\nmaps/host_regexes.map\n"
            "maps/policies.map\nmaps/regexes.map\nmaps/rewrites.map\nmaps/routes.map\n");
  ExpectGolden("full_config_text.txt", ConfigText(files));
}

TEST(RenderTest, LimitsOfTheOperatorStandInTheBase) {
  Settings settings = GoldenSettings();
  settings.max_connections = 5000;
  settings.threads = 4;
  settings.unknown_route_status = 404;
  const std::string base = Render({}, {}, settings).base;
  for (const char* line : {"  maxconn 5000\n", "  nbthread 4\n", "return status 404 "}) {
    EXPECT_NE(base.find(line), std::string::npos) << line;
  }
}

TEST(RenderTest, TheCookieKeyIsNotShown) {
  const Settings settings = GoldenSettings();
  const Files files = RenderFiles(Render({}, {}, settings));
  EXPECT_NE(files.at("conf/00-base.cfg").find(settings.cookie_key), std::string::npos);
  EXPECT_EQ(ConfigText(files).find(settings.cookie_key), std::string::npos);
  EXPECT_NE(ConfigText(files).find("dynamic-cookie-key ********"), std::string::npos);
}

TEST(RenderTest, SlotsStandInFilesOf64) {
  Image image;
  image.declared = {{model::BackendClass("plain"), {129, "", ""}}};
  const Files files = RenderFiles(image);
  EXPECT_EQ(files.count("conf/10-plain-0003.cfg"), 1U);
  EXPECT_EQ(files.count("conf/10-plain-0004.cfg"), 0U);
  EXPECT_NE(files.at("conf/10-plain-0001.cfg").find("backend sg_plain_00064 "), std::string::npos);
  EXPECT_NE(files.at("conf/10-plain-0002.cfg").find("backend sg_plain_00065 "), std::string::npos);
  EXPECT_NE(files.at("conf/10-plain-0003.cfg").find("backend sg_plain_00129 "), std::string::npos);
  EXPECT_EQ(files.at("conf/10-plain-0003.cfg").find("backend sg_plain_00130 "), std::string::npos);
}

TEST(RenderTest, PartialFilesAreThoseOfTheWhole) {
  std::mt19937_64 random(3);
  const model::Desired desired = swarmgate::testing::RandomDesired(random, 20);
  const Image image = Render(desired, AssignSlots({}, desired.backends, {}, 64), GoldenSettings());
  const Files all = RenderFiles(image);
  for (const auto& [path, text] : all) {
    EXPECT_EQ(RenderFiles(image, {path}), (Files{{path, text}}));
  }
  EXPECT_EQ(RenderFiles(image, {"conf/99-nothing.cfg"}), Files{});
}

TEST(RenderTest, WhatIsLoadedFromTheFilesIsTheImage) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 50; ++round) {
    const model::Desired desired = swarmgate::testing::RandomDesired(random, 30);
    const Image image = Render(desired, AssignSlots({}, desired.backends, {}, 8), GoldenSettings());
    EXPECT_EQ(swarmgate::testing::LoadImage(RenderFiles(image)), image);
  }
}

TEST(RenderTest, ARestartedContainerUnderAnotherAddressIsAnotherServer) {
  const model::Server before = WireServer(MakeServer("t-1", "10.0.0.1", 80));
  EXPECT_EQ(before, WireServer(MakeServer("t-1", "10.0.0.1", 80)));
  EXPECT_NE(before.name, WireServer(MakeServer("t-1", "10.0.0.2", 80)).name);
  EXPECT_NE(before.name, WireServer(MakeServer("t-1", "10.0.0.1", 81)).name);
  EXPECT_EQ(before.name.str().rfind("t-1-", 0), 0U);
  EXPECT_EQ(before.task_id, "");
  EXPECT_EQ(WireServer(MakeServer("t-1", "fd00:0:0::0001", 80)).address, "fd00::1");
  EXPECT_EQ(WireServer(MakeServer("a b;c\n\"{}", "10.0.0.1", 80)).name.str().substr(0, 10),
            "a_b_c____-");
}

TEST(RenderTest, ValuesThatCouldBeMoreThanValuesAreLeftOut) {
  const std::vector<std::string> hostile = {
      "/x y",   "/x\ny sg_plain_00001", "/x\ty", std::string("/x\0y", 4), "#comment", "",
      "/x\x7f", std::string(5000, '/')};
  for (const std::string& key : hostile) {
    model::Desired desired;
    desired.backends = {MakeBackend("good")};
    desired.matches.entries = {{key, {To(desired.backends[0])}}};
    const Image image = Render(desired, AssignSlots({}, desired.backends, {}, 1), GoldenSettings());
    EXPECT_TRUE(image.routes.empty()) << key;
  }
  for (const std::string& address :
       {std::string("10.0.0.1 backup"), std::string("10.0.0.1\nserver x"),
        std::string("example.com"), std::string(""), std::string("10.0.0.1\0;", 10),
        std::string("1;shutdown")}) {
    model::Desired desired;
    desired.backends = {MakeBackend("good")};
    desired.backends[0].servers = {MakeServer("t-1", address, 80)};
    const Image image = Render(desired, AssignSlots({}, desired.backends, {}, 1), GoldenSettings());
    EXPECT_TRUE(image.servers.empty()) << address;
  }
}

TEST(RenderTest, NamesCannotBreakOutOfARecord) {
  model::Desired desired;
  desired.backends = {MakeBackend("x|evil\nadd map ;%[src]{{\"")};
  desired.matches.entries = {{"/", {To(desired.backends[0])}}};
  const Image image = Render(desired, AssignSlots({}, desired.backends, {}, 1), GoldenSettings());
  EXPECT_EQ(image.routes.at("/"),
            "sg_plain_00001|x_evil_add_map____src____|x_evil_add_map____src____/0/0");
}

TEST(RenderTest, AnEntryThatNobodyMayHaveIsAnExclusion) {
  model::Desired desired;
  desired.matches.entries = {{"/private", {}}};
  EXPECT_EQ(Render(desired, {}, GoldenSettings()).routes.at("/private"), "-");
}

TEST(RenderTest, EqualGroupsShareTheirEntriesAndChangedOnesGetANewName) {
  model::Desired desired;
  desired.backends = {MakeBackend("a"), MakeBackend("b")};
  MatchCandidate conditional = To(desired.backends[0]);
  conditional.port = 8080;
  desired.matches.entries = {{"/x", {conditional, To(desired.backends[1])}},
                             {"/y", {conditional, To(desired.backends[1])}}};
  const SlotMap slots = AssignSlots({}, desired.backends, {}, 2);
  const Image before = Render(desired, slots, GoldenSettings());
  EXPECT_EQ(before.routes.at("/x"), before.routes.at("/y"));
  EXPECT_EQ(before.conditions.size(), 2U);
  desired.matches.entries[0].candidates[0].port = 8081;
  const Image after = Render(desired, slots, GoldenSettings());
  EXPECT_NE(after.routes.at("/x"), after.routes.at("/y"));
  EXPECT_EQ(after.routes.at("/y"), before.routes.at("/y"));
}

TEST(RenderTest, HundredsOfRewritesOfOneKindAreOneList) {
  model::Desired desired;
  for (int i = 0; i < 300; ++i) {
    Backend backend = MakeBackend("s" + std::to_string(i), BackendKind::kRich);
    backend.policy.Edit().path_rewrites = {{"^/api", ""}};
    desired.backends.push_back(backend);
  }
  desired.backends.Sort([](const auto& a, const auto& b) { return a.name < b.name; });
  const Image image = Render(desired, AssignSlots({}, desired.backends, {}, 64), GoldenSettings());
  EXPECT_EQ(image.rewrites.size(), 1U);
}

TEST(RewriteTest, WhatCannotBeCarriedOutIsNamed) {
  struct Case {
    const char* search;
    const char* replace;
    const char* objection;  ///< part of it; empty: fine
  };
  const Case cases[] = {
      {"/api", "/", ""},
      {"^/(a)(b)(c)(d)(e)(f)$", "\\6\\0", ""},
      {"^/(a)(b)(c)(d)(e)(f)(g)$", "", "more than 6 groups"},
      {"[(]{7}[[:alpha:](]", "x", ""},
      {"(?:a)(?=b)(?!c)(?<=d)(?<!e)(?>f)(?i)(?i-s:g)", "x", ""},
      {"(?<name>a)", "x", "named groups"},
      {"(?P<name>a)", "x", "named groups"},
      {"a(?R)?b", "x", "recursion"},
      {"(a)?(?(1)b)", "x", "conditions"},
      {"(?#comment)", "x", "comments"},
      {"(?x)a # b", "x", "flags"},
      {"(*ACCEPT)", "x", "verbs"},
      {"\\Qa", "x", "\\Q cannot be used"},
      {"[\\Qa]", "x", "\\Q cannot be used"},
      {"a\\Z", "x", "write $"},
      {"(a)\\12", "x", "two digits"},
      {"\\07", "x", "octal"},
      {"a\\", "x", "ends with a backslash"},
      {"a", "b\\", "ends with a backslash"},
      {"a", "b c", "a space"},
      {"a", "\\1", "no group"},
      {"a", "\\x0a", "\\x cannot"},
      {"a", "b\nc", "control byte"},
      {"a\nb", "c", "control byte"},
      {"", "x", "empty"},
  };
  for (const Case& c : cases) {
    const std::string objection = WhyNotRewritable({c.search, c.replace});
    if (*c.objection == '\0') {
      EXPECT_EQ(objection, "") << c.search;
    } else {
      EXPECT_NE(objection.find(c.objection), std::string::npos) << c.search << ": " << objection;
    }
  }
  EXPECT_NE(WhyNotRewritable({std::string(6000, 'a'), ""}), "");
}

TEST(RewriteTest, WhatCannotStandInAListIsLeftOutOfIt) {
  EXPECT_EQ(WhyNotMappable("^/demo/[0-9]+$"), "");
  EXPECT_EQ(WhyNotMappable("^/demo\\z"), "");
  EXPECT_EQ(WhyNotMappable(""), "");
  for (const char* regex : {"\\Q/x", "(*UCP)/x", "(?x)a#", "\\A/x", "a\nb", "(a)\\1"}) {
    EXPECT_NE(WhyNotMappable(regex), "") << regex;
    model::Desired desired;
    desired.backends = {MakeBackend("a")};
    MatchCandidate candidate = To(desired.backends[0]);
    candidate.path_regex = regex;
    desired.matches.entries = {{"/", {candidate}}};
    desired.matches.host_regexes = {{std::string(regex) + "(?#", candidate}};
    const Image image = Render(desired, AssignSlots({}, desired.backends, {}, 1), GoldenSettings());
    EXPECT_EQ(image.routes.at("/"), "-") << regex;
    EXPECT_TRUE(image.regexes.empty()) << regex;
    EXPECT_TRUE(image.host_regexes.empty()) << regex;
  }
}

TEST(VersionTest, IsReadFromTheFirstLine) {
  const auto version =
      ParseVersion("HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/\n");
  ASSERT_TRUE(version);
  EXPECT_EQ(*version, (Version{2, 6, 12}));
  EXPECT_EQ(ParseVersion("HAProxy version 3.0.11-1+deb13u4 2026/01/01").value(),
            (Version{3, 0, 11}));
  EXPECT_EQ(ParseVersion("HAProxy version 3.1-dev5-abc 2026/01/01").value(), (Version{3, 1, 0}));
  EXPECT_EQ(ParseVersion("HAProxy version 2.6.3").value(), (Version{2, 6, 3}));
  for (const char* old : {"HAProxy version 2.6.2 x", "HA-Proxy version 1.8.30 2020/01/01"}) {
    const auto result = ParseVersion(old);
    ASSERT_FALSE(result) << old;
    EXPECT_EQ(result.error().code, Code::kRejected) << old;
  }
  for (const char* garbage : {"", "nginx version 1.2.3", "HAProxy version", "HAProxy version x.y",
                              "HAProxy version 99999999999.1.1"}) {
    const auto result = ParseVersion(garbage);
    ASSERT_FALSE(result) << garbage;
    EXPECT_EQ(result.error().code, Code::kCorrupt) << garbage;
  }
}

}  // namespace
}  // namespace swarmgate::haproxy
