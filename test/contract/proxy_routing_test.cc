// Each request goes where the lookup table says: random services, random requests, a real HAProxy.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <random>

#include "contract/proxy_traffic.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::testing {
namespace {

using model::HostMatch;
using model::PathMatch;
using std::chrono::seconds;

using ProxyRoutingTest = ProxyTrafficTest;

/// Services by chance, of few hosts and nested paths, so that all rules of precedence meet.
class Services {
 public:
  Services(std::uint64_t seed, std::vector<std::uint16_t> upstreams,
           std::vector<std::uint16_t> binds)
      : random_(seed), upstreams_(std::move(upstreams)), binds_(std::move(binds)) {}

  std::vector<routing::ServiceInput> Make() {
    std::vector<routing::ServiceInput> services;
    for (std::size_t i = 0; i < upstreams_.size(); ++i) {
      if (Pick(5) == 0) continue;
      routing::ServiceInput input;
      input.spec.Edit().name = model::ServiceName("s" + std::to_string(i));
      input.spec.Edit().acl_name = input.spec.Edit().name.str();
      if (Pick(4) == 0) {
        input.spec.Edit().acl_name = std::to_string(Pick(30)) + "-s" + std::to_string(i);
        input.spec.Edit().acl_name_given = true;
      }
      input.spec.Edit().default_backend = Pick(20) == 0;
      input.created_unix_ns = 1 + Pick(50);
      model::DestSpec dest;
      dest.port = upstreams_[i];
      dest.outbound_hostname = "127.0.0.1";
      if (Pick(4) == 0) dest.src_port = binds_[static_cast<std::size_t>(Pick(3))];
      for (int k = 0, n = 1 + Pick(2); k < n; ++k) dest.paths.push_back(Path());
      if (Pick(4) == 0) dest.path_excludes.push_back(Path());
      for (int k = 0, n = Pick(3); k < n; ++k) dest.hosts.push_back(Host());
      if (Pick(5) == 0) dest.headers = {{"x-version", std::to_string(Pick(3))}};
      if (Pick(12) == 0) dest.headers.push_back({"x-zone", "eu (1)"});
      if (Pick(8) == 0) dest.user_agents = {"amiga", "curl/8"};
      if (Pick(6) == 0) dest.weight = model::Weight{false, static_cast<std::uint32_t>(Pick(3))};
      if (Pick(10) == 0) dest.priority = static_cast<std::uint32_t>(1 + Pick(5));
      input.spec.Edit().dests = {dest};
      services.push_back(std::move(input));
    }
    return services;
  }

  routing::Question Ask() {
    static const char* const kHosts[] = {
        "a.com",           "A.com.",    "b.a.com", "c.b.a.com",      "x.c.b.a.com",
        "z.y.x.c.b.a.com", "other.org", "h1.x",    "a.com.evil.org", "com"};
    static const char* const kPaths[] = {"/",
                                         "/demo",
                                         "/demo/",
                                         "/demolition",
                                         "/demo/v1",
                                         "/demo/v1/x",
                                         "/demo/v10",
                                         "/x.js",
                                         "/api",
                                         "/demo/7",
                                         "/demo/77/y",
                                         "/.well-known/acme",
                                         "/api/v2/x.js",
                                         "//demo"};
    routing::Question question{
        kHosts[Pick(10)], kPaths[Pick(14)], binds_[static_cast<std::size_t>(Pick(3))], {}};
    static const char* const kVersions[] = {"0", "1", "2", "0,1", "5, 2 ,x", "10"};
    if (Pick(2) == 0) question.headers.emplace_back("X-Version", kVersions[Pick(6)]);
    if (Pick(4) == 0) question.headers.emplace_back("X-ZONE", Pick(2) == 0 ? "eu (1)" : "eu 1");
    if (Pick(3) == 0) question.headers.emplace_back("User-Agent", Pick(2) == 0 ? "AMIGA" : "curl");
    return question;
  }

 private:
  int Pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  PathMatch Path() {
    static const char* const kPaths[] = {"/",    "/demo",  "/demo/v1",         "/demo/v1/x",
                                         "/api", "/demo/", "/.well-known/acme"};
    // As labels write them: they match the whole path.
    static const char* const kRegexes[] = {"^/demo/[0-9]+.*$", "^.*\\.js$", "^/(?:api|demo)/v1.*$",
                                           "^(?i:/DEMO)$"};
    PathMatch path;
    switch (Pick(8)) {
      case 0:
        path.kind = PathMatch::Kind::kRegex;
        path.text = kRegexes[Pick(4)];
        break;
      case 1:
        path.kind = PathMatch::Kind::kExact;
        path.text = kPaths[Pick(7)];
        break;
      case 2:
      case 3:
        path.kind = PathMatch::Kind::kSegment;
        path.text = kPaths[Pick(7)];
        break;
      default:
        path.text = kPaths[Pick(7)];
    }
    path.original = path.text;
    return path;
  }

  HostMatch Host() {
    static const char* const kExact[] = {"a.com", "b.a.com", "h1.x", "com"};
    static const char* const kWild[] = {".a.com", ".b.a.com", ".com"};
    HostMatch host;
    switch (Pick(6)) {
      case 0:
        host.kind = HostMatch::Kind::kRegex;
        host.text = Pick(2) == 0 ? "^h[0-9]\\.x$" : "^[^/|]*a\\.com$";
        break;
      case 1:
      case 2:
        host.kind = HostMatch::Kind::kWildcard;
        host.text = kWild[Pick(3)];
        break;
      default:
        host.kind = HostMatch::Kind::kExact;
        host.text = kExact[Pick(4)];
    }
    host.original = host.text;
    return host;
  }

  std::mt19937_64 random_;
  std::vector<std::uint16_t> upstreams_;
  std::vector<std::uint16_t> binds_;
};

/// What the answer is to contain, one of these.
std::vector<std::string> Wanted(const model::Desired& desired,
                                const std::optional<model::MatchCandidate>& expected) {
  if (!expected) return {"no route"};
  std::vector<std::string> wanted;
  for (const auto& backend : desired.backends) {
    const auto& shares = expected->shares;
    const bool shared = std::any_of(shares.begin(), shares.end(), [&](const model::Share& share) {
      return share.backend == backend.name && share.thousandths > 0;
    });
    if (!shared && (!shares.empty() || backend.name != expected->backend)) continue;
    wanted.push_back("port=" + std::to_string(backend.servers.at(0).port) + " ");
  }
  return wanted;
}

/// What went wrong first; empty when HAProxy answered everything as the table says.
std::string AskMany(const model::Desired& desired, Services& services,
                    std::atomic<std::size_t>& found) {
  std::map<int, std::unique_ptr<HttpConnection>> connections;
  for (int i = 0; i < 30; ++i) {
    const routing::Question question = services.Ask();
    const auto expected = routing::Lookup(desired.matches, question);
    auto& connection = connections[question.port];
    if (!connection) {
      connection =
          std::make_unique<HttpConnection>(Endpoint{"127.0.0.1", question.port}, seconds(60));
    }
    HttpRequest request{"GET", question.path, {{"Host", question.host}}, ""};
    for (const auto& [name, value] : question.headers) request.headers.push_back({name, value});
    const HttpResponse response = connection->Exchange(request);
    const std::vector<std::string> wanted = Wanted(desired, expected);
    if (expected) ++found;
    const bool good = std::any_of(wanted.begin(), wanted.end(), [&](const std::string& want) {
      return response.body.find(want) != std::string::npos;
    });
    if (response.status != (expected ? 200 : 503) || !good) {
      return question.host + question.path + " on port " + std::to_string(question.port) +
             ": wanted " + wanted.front() + ", got " + response.Summary();
    }
  }
  return "";
}

TEST_F(ProxyRoutingTest, RoutesEachRequestAsTheLookupTableSays) {
  std::vector<std::uint16_t> binds;
  for (const auto& bind : haproxy_.settings().binds) binds.push_back(bind.port);
  Services services(7, ports_, binds);
  routing::BuildContext context;
  context.bound_ports = binds;
  std::atomic<std::size_t> found{0};
  std::size_t regexes = 0;
  std::size_t conditions = 0;
  for (int round = 0; round < 12; ++round) {
    const routing::Built built = routing::Build(routing::MakeInputs(services.Make()), context);
    ASSERT_NO_FATAL_FAILURE(Serve(built.desired));
    regexes += held_.image.regexes.size() + held_.image.host_regexes.size();
    conditions += held_.image.conditions.size();
    // Side by side: on a busy machine each answer waits for its turn.
    std::vector<std::future<std::string>> askers;
    for (std::uint64_t asker = 0; asker < 10; ++asker) {
      Services questions(100 * static_cast<std::uint64_t>(round) + asker, ports_, binds);
      askers.push_back(std::async(std::launch::async, [&built, &found, questions]() mutable {
        return AskMany(built.desired, questions, found);
      }));
    }
    for (auto& asker : askers) EXPECT_EQ(asker.get(), "") << "round " << round;
    ASSERT_FALSE(HasFailure());
    // Slots become free again.
    std::vector<haproxy::Step> retire;
    for (const auto& [slot, servers] : held_.draining) {
      for (const auto& server : servers) retire.emplace_back(haproxy::RetireServer{slot, server});
    }
    ASSERT_TRUE(haproxy_.control().Execute(retire, In(seconds(5))));
    for (const auto& step : retire) ApplyStep(held_, step);
  }
  EXPECT_GT(found, 1000U);
  EXPECT_GT(regexes, 20U);
  EXPECT_GT(conditions, 20U);
}

}  // namespace
}  // namespace swarmgate::testing
