// A Router that is told of changes one by one holds what it would hold if it were told all at once.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "random_services.h"
#include "routing_fixture.h"
#include "support/rounds.h"

namespace swarmgate::routing {
namespace {

/// Services that come, change and go.
class World {
 public:
  World(std::uint32_t seed, Mood mood, std::vector<std::string> paths,
        std::vector<std::string> hosts)
      : dice_(seed), mood_(mood), paths_(std::move(paths)), hosts_(std::move(hosts)) {
    context_.own_network_ids = {"ov1"};
    context_.bound_ports = {80, 443};
    context_.names = {{"n0", {"10.9.0.1"}}, {"n1", {}}};
  }

  void Change() {
    const std::size_t changes = 1 + dice_.Below(3);
    for (std::size_t i = 0; i < changes; ++i) {
      const std::string name = "s" + std::to_string(dice_.Below(mood_.services));
      if (dice_.Chance(25)) {
        services_.erase(name);
      } else {
        services_[name] = Random(name);
      }
    }
    if (dice_.Chance(10)) {
      context_.names["n" + std::to_string(dice_.Below(3))] = {"10.9.0." +
                                                              std::to_string(1 + dice_.Below(3))};
    }
    if (dice_.Chance(10)) context_.names.erase("n" + std::to_string(dice_.Below(3)));
    if (dice_.Chance(10)) {
      context_.reserved_ports = {static_cast<std::uint16_t>(6000 + dice_.Below(4))};
    }
    if (dice_.Chance(3)) context_.bound_ports.push_back(8443);
    Share();
  }

  [[nodiscard]] const Inputs& inputs() const { return inputs_; }
  [[nodiscard]] const BuildContext& context() const { return context_; }

 private:
  ServiceInput Random(const std::string& name) {
    ServiceInput input = RandomService(dice_, mood_, 0);
    input.spec.Edit().name = model::ServiceName(name);
    if (!input.spec.Edit().acl_name_given) input.spec.Edit().acl_name = name;
    if (dice_.Chance(10)) {
      input.spec.Edit().acl_name =
          (dice_.Chance(20) ? "https-s" : "s") + std::to_string(dice_.Below(4));
    }
    for (model::DestSpec& dest : input.spec.Edit().dests) {
      if (!paths_.empty()) dest.paths = {Path(dice_.Of(paths_))};
      if (!hosts_.empty()) dest.hosts = {Host(dice_.Of(hosts_))};
      if (dice_.Chance(10)) dest.outbound_hostname = "n" + std::to_string(dice_.Below(3));
      if (dice_.Chance(5)) dest.port.reset();
      if (dice_.Chance(5)) dest.https_port = 8444;
      if (dice_.Chance(5) && !dest.hosts.empty()) dest.redirect_from = {Host("old.com")};
      if (dice_.Chance(4)) {
        dest.mode = model::ReqMode::kTcp;
        dest.src_port = static_cast<std::uint16_t>(6000 + dice_.Below(3));
        if (dice_.Chance(50)) dest.tcp.Edit().group = "g";
      }
    }
    if (dice_.Chance(3)) input.spec.Edit().raw.Edit().backends.emplace_back();
    if (dice_.Chance(70)) {
      model::ServiceFacts facts;
      facts.name = name;
      if (!dice_.Chance(5)) facts.network_ids = std::vector<std::string>{"ov1"};
      const std::size_t tasks = dice_.Below(3);
      facts.replicas = 2;
      for (std::size_t i = 0; i < tasks; ++i) {
        model::TaskFacts task;
        task.id = "t" + std::to_string(i);
        task.running = task.desired_running = true;
        task.addresses = {{"ov1", "10.0.0." + std::to_string(1 + dice_.Below(5))}};
        facts.tasks.push_back(std::move(task));
      }
      input.facts = Shared<model::ServiceFacts>(std::move(facts));
    }
    return input;
  }

  /// What has not changed is the same object as before.
  void Share() {
    Inputs next = inputs_;
    for (auto at = next.begin(); at != next.end();) {
      at = services_.contains((*at)->spec->name.str()) ? std::next(at) : next.erase(at);
    }
    for (const auto& [name, service] : services_) {
      const auto at = next.PartitionPoint(
          [&name = name](const auto& input) { return input->spec->name.str() < name; });
      auto made = std::make_shared<const ServiceInput>(service);
      if (at == next.end() || (*at)->spec->name.str() != name) {
        next.insert(at, std::move(made));
      } else if (Differs(**at, service)) {
        next.Edit(at) = std::move(made);
      }
    }
    inputs_ = std::move(next);
  }

  static bool Differs(const ServiceInput& a, const ServiceInput& b) {
    return !(a.spec == b.spec) || a.created_unix_ns != b.created_unix_ns || !(a.facts == b.facts);
  }

  Dice dice_;
  Mood mood_;
  std::vector<std::string> paths_;
  std::vector<std::string> hosts_;
  std::map<std::string, ServiceInput> services_;
  Inputs inputs_;
  BuildContext context_;
};

std::string Keys(const model::MatchTable& table) {
  std::string text;
  for (const model::MatchEntry& entry : table.entries) {
    text += entry.key + ":";
    for (const auto& candidate : entry.candidates) {
      text += " " + candidate.route.str();
      for (const model::Share& share : candidate.shares) {
        text += "+" + share.route.str() + "=" + std::to_string(share.thousandths);
      }
    }
    text += "\n";
  }
  for (const model::HostRegexEntry& entry : table.host_regexes) {
    text += entry.regex + " " + entry.candidate.route.str() + " " + entry.candidate.header_regex;
    for (const model::Share& share : entry.candidate.shares) {
      text += "+" + share.route.str() + "=" + std::to_string(share.thousandths);
    }
    text += "\n";
  }
  return text;
}

std::string Names(const Chunked<model::Backend>& backends) {
  std::string text;
  for (const model::Backend& backend : backends) {
    text += backend.name.str() + " of " + backend.service.str();
    for (const model::Server& server : backend.servers) text += " " + server.address;
    text += "\n";
  }
  return text;
}

std::string Ids(const Chunked<Cow<model::Route>>& routes) {
  std::string text;
  for (const model::Route& route : routes) text += route.id.str() + " ";
  return text;
}

/// How often everything was made anew.
std::size_t ExpectTheSame(World world, std::size_t steps, std::uint32_t seed) {
  Router router;
  for (std::size_t step = 0; step < steps; ++step) {
    world.Change();
    const Built& got = router.Update(world.inputs(), world.context());
    const Built wanted = Build(world.inputs(), world.context());
    const std::string where = "seed " + std::to_string(seed) + ", step " + std::to_string(step);
    EXPECT_EQ(Ids(got.desired.routes), Ids(wanted.desired.routes)) << where;
    EXPECT_EQ(Keys(got.desired.matches), Keys(wanted.desired.matches)) << where;
    EXPECT_EQ(Names(got.desired.backends), Names(wanted.desired.backends)) << where;
    EXPECT_TRUE(got.desired.routes == wanted.desired.routes) << where;
    EXPECT_TRUE(got.desired.matches == wanted.desired.matches) << where;
    EXPECT_TRUE(got.desired.backends == wanted.desired.backends) << where;
    EXPECT_TRUE(got.desired.raw == wanted.desired.raw) << where;
    EXPECT_TRUE(got.desired.tcp_routes == wanted.desired.tcp_routes) << where;
    EXPECT_TRUE(got.desired == wanted.desired) << where;
    EXPECT_TRUE(got.services == wanted.services) << where;
    EXPECT_TRUE(got.lost == wanted.lost) << where;
    EXPECT_EQ(got.names_wanted, wanted.names_wanted) << where;
    EXPECT_EQ(got.converging, wanted.converging) << where;
    if (::testing::Test::HasFailure()) break;
  }
  return router.rebuilds();
}

TEST(RouterTest, OrdinaryChangesEndInWhatARebuildMakes) {
  const std::vector<std::string> paths = {"/",    "/a", "/a/b", "/a/b/c", "/ab",   "/a/",
                                          "/b",   "/c", "=/a",  "=/a/b",  "/a/~",  "/c/d",
                                          "/a//", "/~", "/d",   "/e/f",   "^/a.*$"};
  std::size_t rebuilds = 0;
  std::size_t steps = 0;
  for (std::uint32_t seed = 0; seed < swarmgate::testing::Rounds(150); ++seed) {
    const Mood mood{0, 15, 25, 5, 24, 10, 10};
    rebuilds += ExpectTheSame(
        World(seed, mood, paths, {"", "", "a.com", "b.a.com", "c.org", "*.a.com"}), 40, seed);
    steps += 40;
    if (HasFailure()) break;
  }
  // Else nothing was tested.
  EXPECT_LT(rebuilds, steps / 5);
}

TEST(RouterTest, ATaskThatComesOrGoesCostsItsServiceAloneWhateverItsRoutes) {
  const auto with_task = [](Service service, const std::string& address) {
    ServiceInput input = service;
    model::ServiceFacts facts;
    facts.name = input.spec->name.str();
    facts.network_ids = std::vector<std::string>{"ov1"};
    model::TaskFacts task;
    task.id = "t";
    task.running = task.desired_running = true;
    task.addresses = {{"ov1", address}};
    facts.tasks.push_back(std::move(task));
    input.facts = Shared<model::ServiceFacts>(std::move(facts));
    return input;
  };
  for (const Service& service :
       {Service("ranked").Dest("/x").Acl("00"), Service("all").Dest("/").Default(),
        Service("acme").Dest("/.well-known/acme"), Service("regex").Dest("/", "^.*\\.org$")}) {
    std::vector<ServiceInput> services;
    for (int i = 0; i < 300; ++i) {
      const std::string number = std::to_string(i);
      services.push_back(Service("s" + number).Dest("/p" + number, "h" + number + ".com"));
    }
    services.push_back(with_task(service, "10.0.0.1"));
    Inputs inputs = MakeInputs(services);
    BuildContext context;
    context.own_network_ids = {"ov1"};
    Router router;
    const Chunked<Cow<model::Route>> routes = router.Update(inputs, context).desired.routes;
    const model::ServiceName& name = services.back().spec.Edit().name;
    const auto at =
        inputs.PartitionPoint([&name](const auto& input) { return input->spec->name < name; });
    inputs.Edit(at) = std::make_shared<const ServiceInput>(with_task(service, "10.0.0.2"));
    const Built& built = router.Update(inputs, context);
    EXPECT_EQ(router.rebuilds(), 1U) << name.str();
    EXPECT_TRUE(built.desired == Build(inputs, context).desired) << name.str();
  }
}

TEST(RouterTest, APortThatIsTakenCostsOnlyThosePortsThatAreNone) {
  const Inputs inputs = MakeInputs({Service("a").Dest("/a"), Service("b").Dest("/b")});
  BuildContext context;
  Router router;
  static_cast<void>(router.Update(inputs, context));
  context.reserved_ports = {7000};
  static_cast<void>(router.Update(inputs, context));
  EXPECT_EQ(router.rebuilds(), 1U);
}

TEST(RouterTest, OrdinaryChangesBesideSpecialRoutesEndInWhatARebuildMakes) {
  std::size_t rebuilds = 0;
  std::size_t steps = 0;
  for (std::uint32_t seed = 100000; seed < 100000 + swarmgate::testing::Rounds(150); ++seed) {
    const Mood mood{4, 15, 20, 5, 24, 5, 15};
    const std::vector<std::string> paths = {
        "/", "/a", "/a/b", "/.well-known/acme", "/b", "/c", "=/a/b", "/a/~", "/d", "/e"};
    ExpectTheSame(
        World(seed, mood, paths,
              {"", "", "a.com", "b.a.com", "c.org", "d.org", "*.a.com", "^[^/|]*\\.org$"}),
        40, seed);
    steps += 40;
    if (HasFailure()) break;
  }
  EXPECT_LT(rebuilds, steps * 3 / 4);
}

TEST(RouterTest, WildChangesEndInWhatARebuildMakes) {
  for (std::uint32_t seed = 200000; seed < 200000 + swarmgate::testing::Rounds(100); ++seed) {
    ExpectTheSame(World(seed, Mood{20, 25, 30, 10, 12, 20, 20}, {}, {}), 30, seed);
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace swarmgate::routing
