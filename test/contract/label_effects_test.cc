// Labels whose effect is seen only by who asks: silence, who gets what no route takes, names, users
// of the operator, checks. From the label's text to a request through the real HAProxy.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contract/label_traffic.h"
#include "support/raw_exchange.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/proxy/stats.h"

namespace swarmgate::testing {
namespace {

class LabelEffectsTest : public LabelTrafficTest {
 protected:
  /// A service whose task is the n-th port of the web server.
  routing::ServiceInput Served(const std::string& name, int n, Labels labels) {
    labels.emplace("port", Upstream(n));
    return Parsed(name, std::move(labels));
  }
  [[nodiscard]] HttpResponse Ask(const std::string& host, const std::string& path = "/",
                                 const std::string& authorization = "") const {
    std::vector<std::pair<std::string, std::string>> headers = {{"Host", host}};
    if (!authorization.empty()) headers.emplace_back("Authorization", authorization);
    return Fetch(Proxy(), {"GET", path, headers, ""});
  }
  [[nodiscard]] int WhoGets(const std::string& host, const std::string& path = "/") const {
    return Who(Ask(host, path));
  }
  /// Makes a stream of it in which every byte comes back.
  static bool Upgrade(RawConnection& connection, const std::string& host) {
    return connection.Send("GET / HTTP/1.1\r\nHost: " + host +
                           "\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n") &&
           connection.ReadUntil("\r\n\r\n").rfind("HTTP/1.1 101", 0) == 0;
  }
  static bool ComesBack(RawConnection& connection, const std::string& text) {
    return connection.Send(text) && connection.ReadUntil(text).find(text) != std::string::npos;
  }
  /// Waits until the proxy closes it; false when it does not.
  static bool IsClosed(RawConnection& connection) {
    (void)connection.ReadUntil([](const std::string&) { return false; });
    return !connection.Send("x");
  }
  /// How the last check of the task on this port went, in HAProxy's words; "" without one,
  /// "(none)" where there is no such task.
  std::string CheckOf(const std::string& port) {
    const auto csv = stats_.Read(In(std::chrono::seconds(5)));
    if (!csv) return csv.error().ToString();
    const std::vector<std::string_view> lines = Split(**csv, '\n');
    const std::vector<std::string_view> names = Split(lines.at(0), ',');
    const auto field = [&](const std::vector<std::string_view>& row, std::string_view name) {
      const auto at = std::find(names.begin(), names.end(), name) - names.begin();
      return static_cast<std::size_t>(at) < row.size() ? row[static_cast<std::size_t>(at)] : "";
    };
    for (const std::string_view line : lines) {
      const std::vector<std::string_view> row = Split(line, ',');
      if (field(row, "addr") != "127.0.0.1:" + port) continue;
      const std::string_view status = field(row, "check_status");
      return std::string(status.starts_with("* ") ? status.substr(2) : status);
    }
    return "(none)";
  }
  /// Whether the kernel sends keep-alive packets for the connections of clients to this port:
  /// one letter for each connection (proc(5), /proc/net/tcp: timer_active is 2).
  static std::string KeepAlives(int port) {
    std::ifstream table("/proc/net/tcp");
    std::ostringstream local;
    local << ':' << std::hex << std::uppercase << port;
    std::string line;
    std::string found;
    while (std::getline(table, line)) {
      std::istringstream words(line);
      std::string slot, here, there, state, queues, timer;
      words >> slot >> here >> there >> state >> queues >> timer;
      if (state == "01" && here.ends_with(local.str()))
        found += timer.starts_with("02") ? 'k' : '-';
    }
    return found;
  }

 private:
  proxy::StatsReader stats_{haproxy_.settings().run_dir};
};

// --- time ---------------------------------------------------------------------------------------

TEST_F(LabelEffectsTest, AStreamThatIsSilentIsClosedAfterTheServicesTunnelTimeout) {
  const int port = FreePort();
  ASSERT_EQ(Change({Served("short", 0, {{"serviceDomain", "short"}, {"timeoutTunnel", "300ms"}}),
                    Served("long", 1, {{"serviceDomain", "long"}, {"timeoutTunnel", "1h"}}),
                    Served("tcp", 2,
                           {{"reqMode", "tcp"},
                            {"srcPort", std::to_string(port)},
                            {"timeoutTunnel", "300ms"}})}),
            "start");
  RawConnection lasting(Proxy());
  ASSERT_TRUE(Upgrade(lasting, "long"));
  for (const Endpoint& endpoint : {Proxy(), Endpoint{"127.0.0.1", port}}) {
    RawConnection silent(endpoint);
    ASSERT_TRUE(Upgrade(silent, "short"));
    EXPECT_TRUE(ComesBack(silent, "hello"));
    EXPECT_TRUE(IsClosed(silent)) << "port " << endpoint.port;
  }
  EXPECT_TRUE(ComesBack(lasting, "still here"));
}

TEST_F(LabelEffectsTest, ARequestIsGivenUpAfterTheServicesOwnTimeout) {
  ASSERT_EQ(Change({Served("hasty", 0, {{"serviceDomain", "hasty"}, {"timeoutServer", "200ms"}}),
                    Served("calm", 1, {{"serviceDomain", "calm"}, {"timeoutServer", "20"}})}),
            "start");
  EXPECT_EQ(Ask("hasty", "/sleep/1500").status, 504);
  EXPECT_EQ(Ask("calm", "/sleep/400").status, 200);
}

// --- who gets it --------------------------------------------------------------------------------

TEST_F(LabelEffectsTest, WhatNoRouteTakesGoesToTheOldestDefaultBackend) {
  const Labels by_default = {{"isDefaultBackend", "true"}};
  const auto service = [&](const std::string& name, int n, Labels labels) {
    labels["serviceDomain"] = name;
    routing::ServiceInput input = Served(name, n, std::move(labels));
    input.created_unix_ns = 100 - n;
    return input;
  };
  ASSERT_EQ(Change({service("young", 0, by_default), service("old", 1, by_default),
                    service("plain", 2, {})}),
            "start");
  EXPECT_EQ(WhoGets("nobody", "/x"), 1);
  EXPECT_EQ(WhoGets("plain", "/x"), 2) << "what has a route goes there";
  EXPECT_EQ(Change({service("young", 0, by_default), service("plain", 2, {})}), "");
  EXPECT_EQ(WhoGets("nobody", "/x"), 0);
  EXPECT_EQ(Change({service("young", 0, {}), service("plain", 2, {})}), "");
  EXPECT_EQ(Ask("nobody", "/x").status, 503);
}

TEST_F(LabelEffectsTest, TheMoreSpecificPathWinsWhateverTheServicesAreCalled) {
  ASSERT_EQ(Change({Served("a", 0, {{"servicePath", "/api"}}),
                    Served("b", 1, {{"servicePath", "/api/v2,/other"}}),
                    Served("c", 2, {{"serviceDomain", "c.com"}})}),
            "start");
  EXPECT_EQ(WhoGets("x", "/api/v1"), 0);
  EXPECT_EQ(WhoGets("x", "/api/v2/y"), 1);
  EXPECT_EQ(WhoGets("x", "/other"), 1);
  EXPECT_EQ(WhoGets("c.com", "/api/v2"), 2) << "a domain alone means all paths";
  EXPECT_EQ(Ask("x", "/").status, 503);
}

TEST_F(LabelEffectsTest, ExcludedPathsDoNotReachTheService) {
  ASSERT_EQ(Change({Served("demo", 0,
                           {{"serviceDomain", "a"},
                            {"servicePath", "/demo"},
                            {"servicePathExclude", "/demo/private,/demo/x.js"}}),
                    Served("js", 1,
                           {{"serviceDomain", "b"},
                            {"servicePath", ".js"},
                            {"servicePathExclude", ".min.js"},
                            {"pathType", "path_end"}}),
                    Served("rest", 2, {{"serviceDomain", "a"}})}),
            "start");
  EXPECT_EQ(WhoGets("a", "/demo/y"), 0);
  EXPECT_EQ(WhoGets("a", "/demo/private/y"), 2);
  EXPECT_EQ(WhoGets("a", "/demo/x.js"), 2);
  EXPECT_EQ(WhoGets("b", "/y.js"), 1);
  EXPECT_EQ(Ask("b", "/y.min.js").status, 503);
}

TEST_F(LabelEffectsTest, WithMatchAllADomainTakesAllHostsThatContainIt) {
  ASSERT_EQ(
      Change({Served("all", 0, {{"serviceDomain", "a.com"}, {"serviceDomainMatchAll", "true"}}),
              Served("one", 1, {{"serviceDomain", "b.com"}, {"serviceDomainMatchAll", "false"}})}),
      "start");
  for (const char* host : {"a.com", "www.a.com", "A.com.example", "x.a.com.y:80"}) {
    EXPECT_EQ(WhoGets(host), 0) << host;
  }
  EXPECT_EQ(Ask("xa.com").status, 503);
  EXPECT_EQ(WhoGets("b.com"), 1);
  EXPECT_EQ(Ask("www.b.com").status, 503);
}

TEST_F(LabelEffectsTest, TasksAreFoundByDnsWhereTheLabelSaysSo) {
  const auto known = [this](const std::string& name, Labels labels) {
    labels["serviceDomain"] = name;
    labels["setResHeader"] = "X-Server %s";
    routing::ServiceInput input = Served(name, 0, std::move(labels));
    for (auto& dest : input.spec.Edit().dests) dest.outbound_hostname = Text();
    // A service of which Docker tells no task.
    model::ServiceFacts facts;
    facts.name = Text(name);
    facts.network_ids = Cow<std::vector<std::string>>({"net"});
    input.facts = Shared<model::ServiceFacts>(std::move(facts));
    return input;
  };
  model::NetworkFacts network;
  network.id = network.name = "net";
  network.swarm_scope = true;
  context_.networks = {network};
  context_.own_network_ids = {"net"};
  const auto services = {known("dns", {{"discoveryType", "DNS"}}), known("listed", {}),
                         Served("other", 1, {{"serviceDomain", "other"}})};
  ASSERT_EQ(Change(services), "start");
  EXPECT_EQ(Ask("dns").status, 503) << "it does not resolve yet";
  EXPECT_EQ(WhoGets("other"), 1) << "which harms nobody else";
  context_.names = {{"tasks.dns", {"127.0.0.1", "127.0.0.2"}}, {"tasks.listed", {"127.0.0.1"}}};
  EXPECT_EQ(Change(services), "");
  std::set<std::string> servers;
  for (int i = 0; i < 6; ++i) {
    const HttpResponse response = Ask("dns");
    EXPECT_EQ(response.status, 200);
    servers.insert(response.Header("X-Server"));
  }
  EXPECT_EQ(servers.size(), 2U) << "every task gets requests";
  EXPECT_EQ(Ask("listed").status, 503) << "Docker's list is what counts without the label";
}

// --- users of the operator ----------------------------------------------------------------------

TEST_F(LabelEffectsTest, TheOperatorsUsersComeInWhereTheServiceTakesThem) {
  options_.users.global = {{"root", "toor", false}};
  const std::string root = "Basic cm9vdDp0b29y";
  const std::string ann = "Basic YW5uOmEx";  // ann:a1
  ASSERT_EQ(
      Change({Served("both", 0,
                     {{"serviceDomain", "both"}, {"users", "ann:a1"}, {"useGlobalUsers", "true"}}),
              Served("own", 1, {{"serviceDomain", "own"}, {"users", "ann:a1"}}),
              Served("none", 2, {{"serviceDomain", "none"}})}),
      "start");
  const std::vector<std::pair<std::string, std::pair<int, int>>> cases = {
      {"both", {200, 200}}, {"own", {200, 401}}, {"none", {401, 200}}};
  for (const auto& [host, expected] : cases) {
    EXPECT_EQ(Ask(host, "/", ann).status, expected.first) << host;
    EXPECT_EQ(Ask(host, "/", root).status, expected.second) << host;
    EXPECT_EQ(Ask(host).status, 401) << host;
  }
}

TEST_F(LabelEffectsTest, NobodyIsAskedWhereADestinationIgnoresAuthorization) {
  options_.users.global = {{"root", "toor", false}};
  ASSERT_EQ(Change({Parsed("web", {{"servicePath.1", "/"},
                                   {"port.1", Upstream(0)},
                                   {"servicePath.2", "/public"},
                                   {"port.2", Upstream(1)},
                                   {"users", "ann:a1"},
                                   {"ignoreAuthorization.2", "true"}}),
                    Served("free", 2, {{"serviceDomain", "free"}, {"ignoreAuthorization", "1"}})}),
            "start");
  EXPECT_EQ(Ask("x", "/").status, 401);
  EXPECT_EQ(WhoGets("x", "/public/y"), 1);
  EXPECT_EQ(WhoGets("free"), 2) << "not even for the operator's users";
}

// --- connections that are not HTTP --------------------------------------------------------------

TEST_F(LabelEffectsTest, TheProxyItselfChecksWhetherTasksTakeConnections) {
  const auto service = [this](const std::string& name, const std::string& port, Labels labels) {
    labels["reqMode"] = "tcp";
    labels["srcPort"] = std::to_string(FreePort());
    labels["port"] = port;
    return Parsed(name, std::move(labels));
  };
  const std::string nobody = std::to_string(FreePort());
  ASSERT_EQ(Change({service("well", Upstream(0), {{"checkTcp", "true"}}),
                    service("dead", nobody, {{"checkTcp", "true"}}),
                    service("left-alone", Upstream(1), {})}),
            "start");
  // No client has come: HAProxy has asked of itself.
  EXPECT_TRUE(WaitUntil([&] {
    return CheckOf(Upstream(0)).starts_with("L4OK") && CheckOf(nobody).starts_with("L4CON");
  })) << CheckOf(Upstream(0))
      << " " << CheckOf(nobody);
  EXPECT_EQ(CheckOf(Upstream(1)), "");
}

TEST_F(LabelEffectsTest, ATcpPortStaysWithItsOlderServiceAndThoseOfTheProxyWithIt) {
  const int port = FreePort();
  const auto service = [&](const std::string& name, int n, int at, const std::string& group) {
    Labels labels = {{"reqMode", "tcp"}, {"srcPort", std::to_string(at)}};
    if (!group.empty()) labels["serviceGroup"] = group;
    routing::ServiceInput input = Served(name, n, std::move(labels));
    input.created_unix_ns = 100 + n;
    return input;
  };
  const auto web = Served("web", 3, {{"servicePath", "/"}});
  ASSERT_EQ(Change({web, service("young", 1, port, ""), service("old", 0, port, ""),
                    service("thief", 2, haproxy_.port(), "")}),
            "start");
  for (int i = 0; i < 6; ++i) EXPECT_EQ(Who(port), 0);
  EXPECT_EQ(WhoGets("a"), 3) << "the proxy's own port cannot be had";
  EXPECT_EQ(Change({web, service("young", 1, port, "db"), service("old", 0, port, "db")}), "");
  std::set<int> seen;
  for (int i = 0; i < 20; ++i) seen.insert(Who(port));
  EXPECT_EQ(seen, (std::set<int>{0, 1})) << "one group shares it";
}

TEST_F(LabelEffectsTest, ClientsThatAreSilentAreKeptAliveByPackets) {
  const int kept = FreePort();
  const int plain = FreePort();
  const auto service = [this](const std::string& name, int port, Labels labels) {
    labels["reqMode"] = "tcp";
    labels["srcPort"] = std::to_string(port);
    return Served(name, 0, std::move(labels));
  };
  ASSERT_EQ(Change({service("a", kept, {{"clitcpka", "true"}}), service("b", plain, {})}), "start");
  RawConnection first({"127.0.0.1", kept});
  RawConnection second({"127.0.0.1", plain});
  // Once it answers, HAProxy has taken the connection and set what it sets.
  ASSERT_TRUE(Upgrade(first, "a"));
  ASSERT_TRUE(Upgrade(second, "b"));
  EXPECT_TRUE(WaitUntil([&] { return KeepAlives(kept) == "k"; })) << KeepAlives(kept);
  EXPECT_TRUE(WaitUntil([&] { return KeepAlives(plain) == "-"; })) << KeepAlives(plain);
}

}  // namespace
}  // namespace swarmgate::testing
