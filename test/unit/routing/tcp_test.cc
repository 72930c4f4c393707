// Services that do not speak HTTP: whose port it is, and where its connections go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "routing_fixture.h"

namespace swarmgate::routing {
namespace {

using model::HostMatch;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

ServiceInput Tcp(const std::string& name, std::uint16_t src_port, std::int64_t created,
                 const std::string& group = "") {
  Service service(name);
  service.Dest("/").SrcPort(src_port).Created(created);
  service.last().paths.clear();
  service.last().mode = model::ReqMode::kTcp;
  service.last().tcp.Edit().group = group;
  service.last().outbound_hostname = name;
  return service;
}

ServiceInput Sni(const std::string& name, std::uint16_t src_port, std::int64_t created,
                 std::vector<model::HostMatch> names) {
  ServiceInput input = Tcp(name, src_port, created);
  input.spec.Edit().dests[0].mode = model::ReqMode::kSni;
  input.spec.Edit().dests[0].tcp.Edit().names = std::move(names);
  return input;
}

BuiltAll BuildAll(const std::vector<ServiceInput>& services, bool tls = true) {
  BuildContext context;
  for (const ServiceInput& service : services) {
    const std::string name = service.spec->name.str();
    context.names[name] = {"10.0.0." + std::to_string(name.back() - 'a' + 1)};
  }
  context.bound_ports = {80, 443};
  context.reserved_ports = {8080};
  context.tls = tls;
  return BuildAll(services, context);
}

std::vector<std::string> Shown(const Built& built) {
  std::vector<std::string> shown;
  for (const model::TcpRoute& route : built.desired.tcp_routes) {
    shown.push_back(std::to_string(route.port) + " " + route.name.text + " " + route.service.str() +
                    " " + route.backend.str());
  }
  return shown;
}

TEST(TcpTest, APortLeadsToItsService) {
  const BuiltAll built = BuildAll({Tcp("b", 6380, 1), Tcp("a", 6379, 2)});
  EXPECT_THAT(Shown(built), ElementsAre("6379  a a-be8080_0", "6380  b b-be8080_0"));
  EXPECT_THAT(built.desired.tcp_listeners, SizeIs(2));
  EXPECT_THAT(built.desired.routes, IsEmpty());
  ASSERT_THAT(built.desired.backends, SizeIs(2));
  EXPECT_EQ(built.desired.backends[0].kind, model::BackendKind::kTcp);
  EXPECT_THAT(built.diagnostics, IsEmpty());
}

TEST(TcpTest, TheOlderServiceKeepsThePort) {
  for (const bool turned : {false, true}) {
    std::vector<ServiceInput> services = {Tcp("a", 6379, 2), Tcp("b", 6379, 1)};
    if (turned) std::swap(services[0], services[1]);
    const BuiltAll built = BuildAll(services);
    EXPECT_THAT(Shown(built), ElementsAre("6379  b b-be8080_0"));
    EXPECT_THAT(Codes(built.diagnostics), ElementsAre("conflict a com.df.srcPort"));
  }
}

TEST(TcpTest, AGroupIsOneBackend) {
  const BuiltAll built =
      BuildAll({Tcp("a", 6379, 2, "db"), Tcp("b", 6379, 1, "db"), Tcp("c", 6379, 3, "other")});
  EXPECT_THAT(Shown(built), ElementsAre("6379  b tcpListen_db_6379", "6379  a tcpListen_db_6379"));
  ASSERT_THAT(built.desired.backends, SizeIs(1));
  EXPECT_THAT(built.desired.backends[0].servers, SizeIs(2));
  EXPECT_THAT(Codes(built.diagnostics), ElementsAre("conflict c com.df.srcPort"));
}

TEST(TcpTest, SniNamesBelongToTheOlderService) {
  const BuiltAll built =
      BuildAll({Sni("a", 9443, 2, {Host("a.com"), Host("*.b.com")}),
                Sni("b", 9443, 1, {Host("a.com"), Host("c.com")}), Tcp("c", 9443, 3)});
  EXPECT_THAT(Shown(built), ElementsAre("9443 a.com b b-be8080_0", "9443 c.com b b-be8080_0",
                                        "9443 .b.com a a-be8080_0"));
  EXPECT_THAT(Codes(built.diagnostics),
              ElementsAre("conflict a com.df.servicePath", "conflict c com.df.srcPort"));
  ASSERT_THAT(built.desired.tcp_listeners, SizeIs(1));
  EXPECT_TRUE(built.desired.tcp_listeners[0].sni);
}

TEST(TcpTest, PortsOfTheProxyItselfAreRefused) {
  const BuiltAll built = BuildAll({Tcp("a", 443, 1), Tcp("b", 8080, 2), Tcp("c", 6379, 3)});
  EXPECT_THAT(Shown(built), ElementsAre("6379  c c-be8080_0"));
  EXPECT_THAT(Codes(built.diagnostics),
              ElementsAre("port-taken a com.df.srcPort", "port-taken b com.df.srcPort"));
}

TEST(TcpTest, WhatOneOfAGroupRestrictsNoneOpens) {
  ServiceInput first = Tcp("a", 6379, 1, "db");
  first.spec.Edit().dests[0].profile.Edit().allow_from = {"10.0.0.0/8"};
  ServiceInput same = Tcp("b", 6379, 2, "db");
  same.spec.Edit().dests[0].profile.Edit().allow_from = {"10.0.0.0/8"};
  ServiceInput tls = same;
  tls.spec.Edit().name = model::ServiceName("d");
  tls.spec.Edit().acl_name = "d";
  tls.spec.Edit().dests[0].tcp.Edit().tls = true;
  const BuiltAll built = BuildAll({first, same, Tcp("c", 6379, 3, "db"), tls});
  EXPECT_THAT(Shown(built), ElementsAre("6379  a tcpListen_db_6379", "6379  b tcpListen_db_6379"));
  EXPECT_THAT(Codes(built.diagnostics),
              ElementsAre("conflict c com.df.serviceGroup", "conflict d com.df.srcTls"));
  ASSERT_THAT(built.desired.backends, SizeIs(1));
  EXPECT_THAT(built.desired.backends[0].profile->allow_from, ElementsAre("10.0.0.0/8"));
}

TEST(TcpTest, TlsCanOnlyBeEndedWhereThereAreCertificates) {
  ServiceInput db = Tcp("a", 6379, 1);
  db.spec.Edit().dests[0].tcp.Edit().tls = true;
  ASSERT_THAT(BuildAll({db}).desired.tcp_listeners, SizeIs(1));
  EXPECT_TRUE(BuildAll({db}).desired.tcp_listeners[0].tls);
  const BuiltAll without = BuildAll({db}, false);
  EXPECT_THAT(without.desired.tcp_listeners, IsEmpty());
  EXPECT_THAT(Codes(without.diagnostics), ElementsAre("no-tls a com.df.srcTls"));
}

TEST(TcpTest, HttpDestinationsOfTheSameServiceGoOn) {
  Service both("a");
  both.Dest("/demo").Dest("/").SrcPort(6379).Default();
  both.last().paths.clear();
  both.last().mode = model::ReqMode::kTcp;
  for (model::DestSpec& dest : both.input().spec.Edit().dests) dest.outbound_hostname = "a";
  const BuiltAll built = BuildAll({both});
  EXPECT_THAT(Shown(built), ElementsAre("6379  a a-be8080_1"));
  ASSERT_THAT(built.desired.routes, SizeIs(2));
  EXPECT_EQ(built.desired.routes[1]->backend.str(), "a-be8080_0");
}

TEST(TcpTest, WhySaysWhoseTheConnectionsOfAPortAre) {
  const auto host = [](HostMatch::Kind kind, const std::string& text) {
    return HostMatch{kind, text, text};
  };
  const model::Desired desired =
      BuildAll(
          {Tcp("a", 6379, 1, "db"), Tcp("b", 6379, 2, "db"),
           Sni("c", 8443, 3,
               {host(HostMatch::Kind::kExact, "x.a.com"),
                host(HostMatch::Kind::kWildcard, ".b.com")}),
           Sni("d", 8443, 4,
               {host(HostMatch::Kind::kWildcard, ".a.com"), host(HostMatch::Kind::kRegex, "x.")})})
          .desired;
  const auto why = [&desired](const std::string& name, std::uint16_t port) {
    return Explain(desired, {name, "/", port, {}});
  };
  EXPECT_EQ(why("any", 6379).backend.str(), "tcpListen_db_6379");
  EXPECT_THAT(why("any", 6379).candidates, SizeIs(2));
  EXPECT_THAT(why("any", 6379).reason, testing::HasSubstr("does not speak HTTP"));
  EXPECT_EQ(why("X.a.com", 8443).service.str(), "c");
  EXPECT_EQ(why("y.a.com", 8443).service.str(), "d");
  EXPECT_EQ(why("x.b.com", 8443).service.str(), "d") << "a beginning comes before a parent";
  EXPECT_EQ(why("y.b.com", 8443).service.str(), "c");
  EXPECT_FALSE(why("c.com", 8443).winner);
  EXPECT_THAT(why("c.com", 8443).reason, testing::HasSubstr("nobody has c.com"));
}

TEST(TcpTest, WhyNamesServicesThatDecideByTheirTemplate) {
  Service web("web");
  web.Dest("/");
  ServiceInput own = Tcp("own", 6379, 1);
  own.spec.Edit().raw.Edit().frontend = {"use_backend own:be if { path /x }"};
  own.spec.Edit().raw.Edit().backends = {{"own:be", {"server a 10.0.0.1:80"}}};
  const model::Desired desired = BuildAll({web, own}).desired;
  const Explanation explanation = Explain(desired, {"a.com", "/x", 80, {}});
  EXPECT_EQ(explanation.service.str(), "web");
  EXPECT_THAT(explanation.reason, testing::HasSubstr("the template of own"));
  ASSERT_THAT(explanation.candidates, SizeIs(2));
  EXPECT_EQ(explanation.candidates[0].service.str(), "own");
}

}  // namespace
}  // namespace swarmgate::routing
