// Calls of the API: what is answered, what is stored, and who wins.
#include <gtest/gtest.h>

#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;
using Served = std::map<std::string, std::vector<std::string>>;
using Parameters = Rig::Parameters;

Parameters Call(const std::string& name, const std::string& path) {
  return {{"serviceName", name},
          {"servicePath", path},
          {"port", "9000"},
          {"outboundHostname", "192.0.2.7"}};
}

model::ServiceFacts Web() { return MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}); }

class CommandTest : public ::testing::Test {
 protected:
  Rig rig;
};

TEST_F(CommandTest, ReconfigureIsAnsweredWhenHAProxyHasConfirmed) {
  rig.Start();
  const Outcome outcome = rig.Reconfigure(Call("db", "/db"));
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(outcome.message, "");
  ASSERT_TRUE(outcome.spec);
  EXPECT_EQ(outcome.spec->name.str(), "db");
  EXPECT_TRUE(outcome.persisted);
  EXPECT_EQ(outcome.revision, rig.snapshot()->revision);
  EXPECT_EQ(rig.Served(), (Served{{"/db", {"192.0.2.7:9000"}}}));
  EXPECT_EQ(rig.State("db"), "live");
  EXPECT_EQ(rig.store.records().size(), 1U);
  EXPECT_EQ(rig.snapshot()->counters.api_to_live.count, 1U);
  rig.ExpectFilesAreTheTruth();
}

TEST_F(CommandTest, WrongCallsAreRefusedWithTheWordsThatUsersKnow) {
  rig.docker.SetService(Web());
  rig.Start();
  const auto writes = rig.proxy.writes();
  struct Case {
    Parameters parameters;
    int status;
    std::string message;
  };
  const std::string no_path = "When using reqMode http, servicePath or serviceDomain are mandatory";
  const std::string no_port =
      "When MODE is set to \"service\" or \"swarm\", the port query is mandatory";
  for (const Case& c : {Case{{}, 400, "serviceName parameter is mandatory."},
                        Case{{{"serviceName", ""}}, 400, "serviceName parameter is mandatory."},
                        Case{{{"serviceName", "x"}}, 409, no_path},
                        Case{{{"serviceName", "x"}, {"port", "80"}}, 409, no_path},
                        Case{{{"serviceName", "x"}, {"servicePath", "/x"}}, 400, no_port}}) {
    for (Command::Kind kind : {Command::Kind::kReconfigure, Command::Kind::kValidate}) {
      const Outcome outcome = rig.Call(kind, c.parameters);
      EXPECT_EQ(outcome.status, c.status);
      EXPECT_EQ(outcome.message, c.message);
    }
  }
  for (const char* port : {"0", "65536", "08", "-1", "abc"}) {
    Parameters parameters = Call("x", "/x");
    parameters["port"] = port;
    const Outcome outcome = rig.Reconfigure(parameters);
    EXPECT_EQ(outcome.status, 400) << port;
    EXPECT_FALSE(outcome.message.empty());
    EXPECT_FALSE(outcome.diagnostics.empty());
  }
  EXPECT_EQ(rig.Remove("").message, "The serviceName query is mandatory");
  EXPECT_EQ(rig.Remove("").status, 400);
  EXPECT_EQ(rig.proxy.writes(), writes);
  EXPECT_TRUE(rig.store.records().empty());
  EXPECT_EQ(rig.snapshot()->services.size(), 1U);
}

TEST_F(CommandTest, AClaimThatAnOlderServiceHoldsIsRefusedAndNothingIsStored) {
  rig.docker.SetService(Web());
  rig.Start();
  const Outcome outcome = rig.Reconfigure(Call("thief", "/web"));
  EXPECT_EQ(outcome.status, 409);
  EXPECT_NE(outcome.message.find("web"), std::string::npos);
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
  EXPECT_TRUE(rig.store.records().empty());
  EXPECT_EQ(rig.Status("thief"), nullptr);
}

TEST_F(CommandTest, ARefusedChangeLeavesTheFormerRecord) {
  rig.docker.SetService(Web());
  rig.Start();
  ASSERT_EQ(rig.Reconfigure(Call("db", "/db")).status, 200);
  EXPECT_EQ(rig.Reconfigure(Call("db", "/web")).status, 409);
  EXPECT_EQ(rig.Served(), (Served{{"/db", {"192.0.2.7:9000"}}, {"/web", {"10.0.0.1:8080"}}}));
  EXPECT_EQ(rig.store.records().at(model::ServiceName("db")).parameters.at("servicePath"), "/db");
}

TEST_F(CommandTest, ManualOverridesLabelsUntilItIsRemoved) {
  rig.docker.SetService(Web());
  rig.Start();
  ASSERT_EQ(
      rig.Reconfigure({{"serviceName", "web"}, {"servicePath", "/mine"}, {"port", "81"}}).status,
      200);
  EXPECT_EQ(rig.Served(), (Served{{"/mine", {"10.0.0.1:81"}}}));  // Docker's tasks
  EXPECT_TRUE(rig.Status("web")->overrides_labels);
  EXPECT_EQ(rig.Status("web")->origin, model::Origin::kManual);

  // The labels change: the override stays.
  rig.docker.SetService(MakeService("web", "/web2", {MakeTask("aaa", "10.0.0.1")}, 2));
  rig.Hint("service", "update", "id-web");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.Served(), (Served{{"/mine", {"10.0.0.1:81"}}}));

  const Outcome removed = rig.Remove("web");
  EXPECT_EQ(removed.status, 200);
  EXPECT_NE(removed.message.find("labels count again"), std::string::npos);
  EXPECT_EQ(rig.Served(), (Served{{"/web2", {"10.0.0.1:8080"}}}));
  EXPECT_TRUE(rig.store.records().empty());
}

TEST_F(CommandTest, ALabelledServiceIsWithdrawnUntilItsLabelsChange) {
  rig.docker.SetService(Web());
  rig.Start();
  const Outcome removed = rig.Remove("web");
  EXPECT_EQ(removed.status, 200);
  EXPECT_NE(removed.message.find("until its labels change"), std::string::npos);
  EXPECT_TRUE(rig.Served().empty());
  EXPECT_EQ(rig.State("web"), "withdrawn");
  // Other tasks, or a newer version of the same labels: still withdrawn; also for the next start.
  rig.docker.SetService(MakeService("web", "/web", {MakeTask("bbb", "10.0.0.2")}, 5));
  rig.Hint("service", "update", "id-web");
  rig.Advance(Duration(100));
  rig.Start();
  EXPECT_TRUE(rig.Served().empty());
  rig.docker.SetService(MakeService("web", "/changed", {MakeTask("bbb", "10.0.0.2")}, 6));
  rig.Hint("service", "update", "id-web");
  rig.Advance(Duration(100));
  EXPECT_EQ(rig.Served(), (Served{{"/changed", {"10.0.0.2:8080"}}}));
  EXPECT_TRUE(rig.store.records().empty());
}

TEST_F(CommandTest, ARemovalThatComesBeforeTheFirstListIsOfWhatTheListSays) {
  rig.docker.SetService(Web());
  rig.answer_lists = false;
  rig.Start();
  const std::size_t call = rig.Post(Command::Kind::kRemove, {{"serviceName", "web"}});
  rig.Settle();
  EXPECT_FALSE(rig.outcomes.contains(call));
  rig.answer_lists = true;
  rig.Advance(Duration(100));
  ASSERT_TRUE(rig.outcomes.contains(call));
  EXPECT_EQ(rig.outcomes[call].status, 200);
  EXPECT_EQ(rig.State("web"), "withdrawn");
  EXPECT_TRUE(rig.Served().empty());
}

TEST_F(CommandTest, ARemovalIsAnsweredWhenDockerCannotBeListed) {
  rig.docker.FailNext(Code::kUnavailable);
  rig.Restart();
  const std::size_t call = rig.Post(Command::Kind::kRemove, {{"serviceName", "web"}});
  rig.Settle();
  rig.Advance(Duration(5000));
  ASSERT_TRUE(rig.outcomes.contains(call));
  EXPECT_EQ(rig.outcomes[call].status, 200);
}

TEST_F(CommandTest, RemovingWhatIsNotThereIsSaidAndHarmless) {
  rig.Start();
  const Outcome outcome = rig.Remove("nobody");
  EXPECT_EQ(outcome.status, 200);
  EXPECT_NE(outcome.message.find("nothing was removed"), std::string::npos);
  EXPECT_TRUE(rig.store.records().empty());
}

TEST_F(CommandTest, ReplicasZeroRemoves) {
  rig.Start();
  ASSERT_EQ(rig.Reconfigure(Call("db", "/db")).status, 200);
  Parameters none = Call("db", "/db");
  none["replicas"] = "0";
  EXPECT_EQ(rig.Reconfigure(none).status, 200);
  EXPECT_TRUE(rig.Served().empty());
  EXPECT_EQ(rig.Reconfigure(none).status, 200);
}

TEST_F(CommandTest, ACallForAnotherInstanceDoesNothing) {
  rig.options.parse.filter_instance = true;
  rig.options.parse.instance_name = "mine";
  rig.Start();
  Parameters other = Call("db", "/db");
  other["proxyInstanceName"] = "other";
  EXPECT_EQ(rig.Reconfigure(other).status, 200);
  EXPECT_TRUE(rig.Served().empty());
  EXPECT_EQ(rig.Status("db"), nullptr);
  other["proxyInstanceName"] = "MINE";
  EXPECT_EQ(rig.Reconfigure(other).status, 200);
  EXPECT_EQ(rig.Served().size(), 1U);
}

TEST_F(CommandTest, StaticServicesAreServedAndOverrideLabels) {
  rig.docker.SetService(Web());
  rig.options.static_services = {{{"serviceName", "fixed"},
                                  {"servicePath", "/fixed"},
                                  {"port", "1"},
                                  {"outboundHostname", "192.0.2.1"}},
                                 {{"serviceName", "web"}, {"servicePath", "/s"}, {"port", "2"}}};
  rig.Start();
  EXPECT_EQ(rig.Served(), (Served{{"/fixed", {"192.0.2.1:1"}}, {"/s", {"10.0.0.1:2"}}}));
  EXPECT_EQ(rig.Status("web")->origin, model::Origin::kStatic);
  // Withdrawn, a static service stays away as long as its variables are the same.
  EXPECT_EQ(rig.Remove("fixed").status, 200);
  EXPECT_EQ(rig.Served().size(), 1U);
  rig.Start();
  EXPECT_EQ(rig.State("fixed"), "withdrawn");
}

TEST_F(CommandTest, ANameThatDockerKnowsWithoutLabelsGetsItsTasksAndItsOnlyPort) {
  auto plain = MakeService("plain", "/", {MakeTask("ccc", "10.0.0.3")});
  plain.labels = {};
  plain.exposed_tcp_ports = {7777};
  rig.docker.SetUnlabelled(plain);
  rig.Start();
  const Outcome outcome = rig.Reconfigure({{"serviceName", "plain"}, {"servicePath", "/plain"}});
  EXPECT_EQ(outcome.status, 200) << outcome.message;
  EXPECT_EQ(rig.Served(), (Served{{"/plain", {"10.0.0.3:7777"}}}));
  rig.Advance(Duration(60000));
  EXPECT_EQ(rig.Served(), (Served{{"/plain", {"10.0.0.3:7777"}}}));
}

TEST_F(CommandTest, ANameThatDockerDoesNotKnowIsResolvedBeforeTheAnswer) {
  rig.dns.emplace("elsewhere.test", std::vector<std::string>{"192.0.2.9", "192.0.2.8"});
  rig.Start();
  Parameters call = Call("db", "/db");
  call["outboundHostname"] = "elsewhere.test";
  EXPECT_EQ(rig.Reconfigure(call).status, 200);
  EXPECT_EQ(rig.Served(), (Served{{"/db", {"192.0.2.8:9000", "192.0.2.9:9000"}}}));
  // An address that changes is followed; a failing name server changes nothing.
  rig.dns.insert_or_assign("elsewhere.test", std::vector<std::string>{"192.0.2.10"});
  rig.Advance(Duration(6000));
  EXPECT_EQ(rig.Served(), (Served{{"/db", {"192.0.2.10:9000"}}}));
  rig.dns.insert_or_assign("elsewhere.test",
                           Result<std::vector<std::string>>(Fail(Code::kUnavailable, "no answer")));
  rig.Advance(Duration(60000));
  EXPECT_EQ(rig.Served(), (Served{{"/db", {"192.0.2.10:9000"}}}));
  rig.dns.insert_or_assign("elsewhere.test", std::vector<std::string>{"192.0.2.10"});
  rig.Advance(Duration(40000));
  rig.dns.erase("elsewhere.test");  // does not exist: believed at the third time
  rig.Advance(Duration(6000));
  EXPECT_EQ(rig.Served(), (Served{{"/db", {"192.0.2.10:9000"}}}));
  rig.Advance(Duration(15000));
  EXPECT_EQ(rig.Served(), (Served{{"/db", {}}}));
}

TEST_F(CommandTest, ANameThatDoesNotResolveIsAnsweredNevertheless) {
  rig.Start();
  Parameters call = Call("db", "/db");
  call["outboundHostname"] = "nowhere.test";
  EXPECT_EQ(rig.Reconfigure(call).status, 200);
  EXPECT_EQ(rig.State("db"), "no-server");
}

TEST_F(CommandTest, ManyCallsAreAnsweredEach) {
  rig.Start();
  std::vector<std::size_t> calls;
  for (int i = 0; i < 100; ++i) {
    const std::string n = std::to_string(i);
    calls.push_back(rig.Post(Command::Kind::kReconfigure, Call("s" + n, "/s" + n)));
    if (i % 10 == 9) calls.push_back(rig.Post(Command::Kind::kReconfigure, Call("bad" + n, "/s0")));
  }
  rig.Settle();
  int good = 0;
  int refused = 0;
  for (std::size_t call : calls) {
    good += rig.outcomes[call].status == 200 ? 1 : 0;
    refused += rig.outcomes[call].status == 409 ? 1 : 0;
  }
  EXPECT_EQ(good, 100);
  EXPECT_EQ(refused, 10);
  EXPECT_EQ(rig.Served().size(), 100U);
  EXPECT_EQ(rig.store.records().size(), 100U);
}

TEST_F(CommandTest, TwoCallsForOneNameAtOnceLeaveTheLater) {
  rig.Start();
  const auto first = rig.Post(Command::Kind::kReconfigure, Call("db", "/one"));
  const auto second = rig.Post(Command::Kind::kReconfigure, Call("db", "/two"));
  rig.Settle();
  EXPECT_EQ(rig.outcomes[first].status, 200);
  EXPECT_EQ(rig.outcomes[second].status, 200);
  EXPECT_EQ(rig.Served().size(), 1U);
  EXPECT_TRUE(rig.Served().contains("/two"));
}

TEST_F(CommandTest, WithoutHAProxyACallIsAnsweredOnlyWhenItIsBack) {
  rig.Start();
  rig.proxy.Kill();
  rig.Advance(Duration(2000));
  const auto call = rig.Post(Command::Kind::kReconfigure, Call("db", "/db"));
  rig.Advance(Duration(5000));
  EXPECT_FALSE(rig.outcomes.contains(call));
  EXPECT_EQ(rig.store.records().size(), 1U);  // it stays asked for
  ASSERT_TRUE(rig.proxy.Start());
  rig.Advance(Duration(2000));
  EXPECT_EQ(rig.outcomes[call].status, 200);
  EXPECT_EQ(rig.Served().size(), 1U);
}

TEST_F(CommandTest, AStoreThatFailsIsToldAndCaughtUpWith) {
  rig.Start();
  rig.store.FailAlways(true);
  const Outcome outcome = rig.Reconfigure(Call("db", "/db"));
  EXPECT_EQ(outcome.status, 200);
  EXPECT_FALSE(outcome.persisted);
  EXPECT_EQ(rig.Served().size(), 1U);
  EXPECT_FALSE(rig.snapshot()->store.ok);
  rig.Advance(Duration(5000));
  EXPECT_TRUE(rig.store.records().empty());
  rig.store.FailAlways(false);
  rig.Advance(Duration(40000));
  EXPECT_EQ(rig.store.records().size(), 1U);
  EXPECT_TRUE(rig.snapshot()->store.ok);
  EXPECT_EQ(rig.store.applied()->slots.assigned.size(), 1U);
  EXPECT_TRUE(rig.Reconfigure(Call("db", "/db2")).persisted);
}

TEST_F(CommandTest, ARecordThatTheStoreRefusedOnceIsStoredWithoutAnotherCall) {
  rig.Start();
  rig.Advance(Duration(1000));
  // The record is refused; the applied state, saved right after, is taken.
  rig.store.FailNext(Code::kUnavailable);
  EXPECT_FALSE(rig.Reconfigure(Call("db", "/db")).persisted);
  EXPECT_FALSE(rig.snapshot()->store.ok);
  rig.Advance(Duration(2000));
  EXPECT_EQ(rig.store.records().size(), 1U);
  EXPECT_TRUE(rig.snapshot()->store.ok);
}

TEST_F(CommandTest, ACallIsNotForgottenWhenTheStoreIsReadAgain) {
  rig.Start();
  ASSERT_TRUE(rig.Reconfigure(Call("db", "/db")).persisted);
  rig.store.FailNext(Code::kUnavailable);
  ASSERT_FALSE(rig.Reconfigure(Call("api", "/api")).persisted);
  // The call comes when the store is due, and the store holds something else than we think.
  rig.clock.Set(rig.clock.Now() + Duration(1000));
  rig.store.FailNext(Code::kConflict);
  EXPECT_EQ(rig.Reconfigure(Call("db", "/new")).status, 200);
  EXPECT_TRUE(rig.Served().contains("/new"));
}

TEST_F(CommandTest, AStoreThatLostEverythingGetsItBack) {
  rig.docker.SetService(Web());
  rig.Start();
  ASSERT_EQ(rig.Reconfigure(Call("db", "/db")).status, 200);
  rig.store.FailNext(Code::kCorrupt);
  const Outcome outcome = rig.Reconfigure(Call("db2", "/db2"));
  EXPECT_EQ(outcome.status, 200);
  EXPECT_TRUE(outcome.persisted);
  rig.Advance(Duration(40000));
  EXPECT_EQ(rig.store.records().size(), 2U);
  ASSERT_TRUE(rig.Reconfigure(Call("db3", "/db3")).persisted);
  ASSERT_TRUE(rig.store.applied());
  EXPECT_EQ(rig.store.applied()->slots.assigned.size(), 4U);
}

TEST_F(CommandTest, AStoreThatCannotBeReadAtStartIsReadLater) {
  rig.Start();
  ASSERT_EQ(rig.Reconfigure(Call("db", "/db")).status, 200);
  ASSERT_EQ(rig.Reconfigure(Call("db2", "/db2")).status, 200);
  rig.store.FailAlways(true);
  rig.Start();
  Parameters newer = Call("db", "/newer");
  EXPECT_EQ(rig.Reconfigure(newer).status, 200);
  rig.store.FailAlways(false);
  rig.Advance(Duration(40000));
  EXPECT_EQ(rig.Served().size(), 2U);
  EXPECT_TRUE(rig.Served().contains("/newer"));
  EXPECT_TRUE(rig.Served().contains("/db2"));
  EXPECT_EQ(rig.store.records().at(model::ServiceName("db")).parameters.at("servicePath"),
            "/newer");
}

TEST_F(CommandTest, ReloadWritesEverythingAnewAndReloads) {
  rig.docker.SetService(Web());
  rig.Start();
  haproxy::Files disk = rig.proxy.disk();
  disk["maps/routes.map"] = "vandalised nonsense\n";
  disk["conf/99-foreign.cfg"] = "# foreign\n";
  rig.proxy.SetDisk(disk);
  const Outcome outcome = rig.Call(Command::Kind::kReload);
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(rig.proxy.reloads(), 1U);
  EXPECT_FALSE(rig.proxy.disk().contains("conf/99-foreign.cfg"));
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
  EXPECT_EQ(rig.snapshot()->counters.reloads.at("manual"), 1U);
  rig.ExpectFilesAreTheTruth();
}

TEST_F(CommandTest, AReloadThatFailsIsAnsweredWithHAProxysWords) {
  rig.docker.SetService(Web());
  rig.Start();
  rig.proxy.RejectReloads(1);
  const Outcome outcome = rig.Call(Command::Kind::kReload);
  EXPECT_EQ(outcome.status, 500);
  EXPECT_NE(outcome.message.find("refused as the test asked"), std::string::npos);
  EXPECT_EQ(rig.Served(), (Served{{"/web", {"10.0.0.1:8080"}}}));
  EXPECT_EQ(rig.Reconfigure(Call("db", "/db")).status, 200);
  EXPECT_EQ(rig.Served().size(), 2U);
}

TEST_F(CommandTest, ResyncIsAnsweredWhenTheListIsApplied) {
  rig.Start();
  rig.Advance(Duration(1000));
  rig.docker.SetService(Web());
  const auto before = rig.docker.lists();
  EXPECT_EQ(rig.Call(Command::Kind::kResync).status, 200);
  EXPECT_EQ(rig.docker.lists(), before + 1);
  EXPECT_EQ(rig.Served().size(), 1U);
  rig.docker.FailNext(Code::kUnavailable);
  EXPECT_EQ(rig.Call(Command::Kind::kResync).status, 500);
}

TEST_F(CommandTest, WorksWithoutDocker) {
  rig.with_docker = false;
  rig.Start();
  rig.Advance(Duration(100));
  EXPECT_TRUE(rig.snapshot()->ready);
  EXPECT_EQ(rig.Reconfigure(Call("db", "/db")).status, 200);
  EXPECT_EQ(rig.Served().size(), 1U);
  EXPECT_EQ(rig.Call(Command::Kind::kResync).status, 200);
}

TEST_F(CommandTest, ValidateChangesNothing) {
  rig.docker.SetService(Web());
  rig.Start();
  const auto writes = rig.proxy.writes();
  EXPECT_EQ(rig.Call(Command::Kind::kValidate, Call("db", "/db")).status, 200);
  EXPECT_EQ(rig.Call(Command::Kind::kValidate, Call("db", "/web")).status, 409);
  EXPECT_EQ(rig.proxy.writes(), writes);
  EXPECT_TRUE(rig.store.records().empty());
  EXPECT_EQ(rig.Status("db"), nullptr);
}

TEST_F(CommandTest, ConfigTextShowsTheFilesWithoutSecrets) {
  rig.Start();
  const Outcome outcome = rig.Call(Command::Kind::kConfigText);
  EXPECT_EQ(outcome.status, 200);
  EXPECT_NE(outcome.message.find("frontend services"), std::string::npos);
  EXPECT_EQ(outcome.message.find(rig.options.proxy.cookie_key), std::string::npos);
}

TEST_F(CommandTest, SecretsAreRedactedInTheStatus) {
  auto service = Web();
  service.labels.Set("com.df.users", "admin:hunter2");
  service.labels.Set("com.df.users.1", "admin:hunter2");
  service.labels.Set("com.df.serviceCert", "-----BEGIN hunter2");
  rig.docker.SetService(service);
  rig.Start();
  const ServiceStatus* status = rig.Status("web");
  ASSERT_NE(status, nullptr);
  for (const char* name : {"users", "users.1", "serviceCert"}) {
    EXPECT_EQ(status->parameters.Unpack().at(name), "***") << name;
  }
  for (const model::Diagnostic& diagnostic : status->diagnostics) {
    EXPECT_EQ(diagnostic.ToString().find("hunter2"), std::string::npos) << diagnostic.ToString();
  }
}

}  // namespace
}  // namespace swarmgate::engine
