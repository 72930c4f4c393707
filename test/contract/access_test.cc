// Who may send what: parameters as an owner writes them, and what a client then gets from a real
// HAProxy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "contract/proxy_traffic.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::testing {
namespace {

using Parameters = std::map<std::string, std::string>;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Base64(const std::string& text) {
  constexpr const char* kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8U | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += i + j > text.size() ? '=' : kDigits[group >> (18U - 6U * j) & 63U];
    }
  }
  return out;
}

class AccessTest : public ProxyTrafficTest {
 protected:
  /// The n-th of them is reached by the host "h<n>".
  void ServeParameters(const std::vector<Parameters>& services) {
    model::Desired desired;
    for (std::size_t i = 0; i < services.size(); ++i) {
      Parameters parameters = services[i];
      parameters["serviceDomain"] = "h" + std::to_string(i);
      const auto parsed = labels::ParseParameters(model::ServiceName("s" + std::to_string(i)),
                                                  parameters, options_);
      ASSERT_TRUE(parsed.spec) << (parsed.diagnostics.empty()
                                       ? ""
                                       : parsed.diagnostics.front().ToString());
      const model::DestSpec& dest = parsed.spec->dests.at(0);
      const bool rich = dest.policy != model::Policy();
      model::Backend backend = MakeBackend(
          static_cast<int>(i), rich ? model::BackendKind::kRich : model::BackendKind::kPlain);
      backend.policy = dest.policy;
      backend.profile = dest.profile;
      Route(desired, "h" + std::to_string(i) + "/", backend);
      desired.backends.push_back(std::move(backend));
    }
    desired.backends.Sort([](const auto& a, const auto& b) { return a.name < b.name; });
    ASSERT_NO_FATAL_FAILURE(Serve(desired));
  }

  using Headers = std::vector<std::pair<std::string, std::string>>;
  HttpResponse Ask(std::size_t n, Headers headers = {}, const std::string& method = "GET",
                   const std::string& target = "/headers") {
    headers.emplace_back("Host", "h" + std::to_string(n));
    return Fetch(Proxy(), {method, target, std::move(headers), ""});
  }
  HttpResponse AskAs(std::size_t n, const std::string& user_and_password) {
    return Ask(n, {{"Authorization", "Basic " + Base64(user_and_password)}});
  }

  labels::ParseOptions options_;
};

// --- users --------------------------------------------------------------------------------------

TEST_F(AccessTest, OnlyUsersWithTheirPasswordComeIn) {
  options_.users.secrets = {{"team", "ann:a1\nbob:b2"}};
  ASSERT_NO_FATAL_FAILURE(ServeParameters({
      {{"users", R"(u:p,v:a:b&c<d>+"e'f  g\,h\i%|;#,ü:ßø$)"}},
      {{"users", "u:other"}},
      {{"usersSecret", "team"}},
      {},
  }));
  for (const std::string good : {"u:p", R"(v:a:b&c<d>+"e'f  g,h\i%|;#)", "ü:ßø$"}) {
    const HttpResponse response = AskAs(0, good);
    EXPECT_EQ(response.status, 200) << good << ": " << response.Summary();
    EXPECT_THAT(ToLower(response.body), Not(HasSubstr("authorization")));
  }
  for (const std::string bad : {"u:other", "u:", "u", ":p", ":", "", "U:p", "u:p ", "v:p", "u:P"}) {
    EXPECT_EQ(AskAs(0, bad).status, 401) << bad;
  }
  EXPECT_EQ(AskAs(1, "u:other").status, 200);
  EXPECT_EQ(AskAs(1, "u:p").status, 401);
  EXPECT_EQ(AskAs(2, "bob:b2").status, 200);
  EXPECT_EQ(AskAs(2, "bob:a1").status, 401);
  EXPECT_EQ(Ask(0, {{"Authorization", "Bearer x"}}).status, 401);
  EXPECT_EQ(Ask(3).status, 200);
  const HttpResponse asked = Ask(0);
  EXPECT_EQ(asked.status, 401);
  EXPECT_EQ(asked.Header("WWW-Authenticate"), "Basic realm=\"s0Realm\"");
  // Users that are asked for and not found: nobody is served, instead of everybody.
  for (const Parameters& missing : {Parameters{{"usersSecret", "none"}}, {{"users", "ghost"}}}) {
    Parameters parameters = missing;
    parameters["servicePath"] = "/";
    EXPECT_FALSE(labels::ParseParameters(model::ServiceName("s"), parameters, options_).spec);
  }
}

TEST_F(AccessTest, ANewPasswordHoldsAtOnceAndTheOldOneNoLonger) {
  ASSERT_NO_FATAL_FAILURE(ServeParameters({{{"users", "u:old"}}}));
  EXPECT_EQ(AskAs(0, "u:old").status, 200);
  ASSERT_NO_FATAL_FAILURE(ServeParameters({{{"users", "u:new,v:w"}}}));
  EXPECT_EQ(AskAs(0, "u:old").status, 401);
  EXPECT_EQ(AskAs(0, "u:new").status, 200);
  EXPECT_EQ(AskAs(0, "v:w").status, 200);
}

TEST_F(AccessTest, HashesOfCryptAreUnderstood) {
  const std::string six =
      "$6$saltsalt$rdj0GYIlDQxhF1ulEW5UMDYjia4ZslucS."
      "obK5RLGqJ9ZWrm3ayExSoXy6KbLsshmVHPIUowoMzsCSkKnlZjY1";
  const std::string five = "$5$s$cumoj7otDfWfuo5zQpidEUuzZVsHJ1pnHqxJiaYmn72";
  const std::string one = "$1$abc$yanRBEaFy9zDFX/8EAAJe.";
  ASSERT_NO_FATAL_FAILURE(ServeParameters({
      {{"users", "six:" + six + ",five five:" + five + ",it's:" + one},
       {"usersPassEncrypted", "true"}},
      // Another list, and the same list with another profile and another kind of backend.
      {{"users", "six:" + one}, {"usersPassEncrypted", "true"}},
      {{"users", "six:" + one}, {"usersPassEncrypted", "true"}, {"denyFrom", "10.0.0.0/8"}},
      {{"users", "six:" + one}, {"usersPassEncrypted", "true"}, {"deniedMethods", "PUT"}},
  }));
  for (const std::string good : {"six:hash,ed", "five five:zwei", "it's:drei"}) {
    const HttpResponse response = AskAs(0, good);
    EXPECT_EQ(response.status, 200) << good << ": " << response.Summary();
    EXPECT_THAT(ToLower(response.body), Not(HasSubstr("authorization")));
  }
  for (const std::string& bad : {std::string("six:drei"), "six:" + six, std::string("x:drei")}) {
    EXPECT_EQ(AskAs(0, bad).status, 401) << bad;
  }
  EXPECT_EQ(Ask(0).Header("WWW-Authenticate"), "Basic realm=\"s0Realm\"");
  for (std::size_t n = 1; n < 4; ++n) {
    EXPECT_EQ(AskAs(n, "six:drei").status, 200) << n;
    EXPECT_EQ(AskAs(n, "six:hash,ed").status, 401) << n;
    EXPECT_EQ(AskAs(n, "it's:drei").status, 401) << n;
  }
}

// --- methods and transport ----------------------------------------------------------------------

TEST_F(AccessTest, MethodsThatAreNotAllowedAreAnswered405WithThoseThatAre) {
  ASSERT_NO_FATAL_FAILURE(ServeParameters({
      {{"allowedMethods", "GET,PURGE"}},
      {{"deniedMethods", "PUT,DELETE"}},
      {{"allowedMethods", "GET,PUT"}, {"deniedMethods", "PUT"}},
  }));
  const std::vector<std::vector<std::string>> allowed = {
      {"GET", "PURGE"}, {"GET", "POST", "PURGE", "HEAD"}, {"GET"}};
  const std::vector<std::string> headers = {"GET,PURGE", "GET,HEAD,OPTIONS,PATCH,POST", "GET"};
  for (std::size_t n = 0; n < allowed.size(); ++n) {
    for (const std::string method : {"GET", "POST", "PURGE", "HEAD", "PUT", "DELETE", "delete"}) {
      const bool good = std::find(allowed[n].begin(), allowed[n].end(), method) != allowed[n].end();
      const HttpResponse response = Ask(n, {}, method);
      EXPECT_EQ(response.status, good ? 200 : 405) << n << " " << method;
      EXPECT_EQ(response.Header("Allow"), good ? "" : headers[n]) << n << " " << method;
    }
  }
}

TEST_F(AccessTest, RequestsWithoutTlsAreRefusedOrSentToHttps) {
  std::vector<Parameters> services = {
      {{"denyHttp", "true"}},
      {{"verifyClientSsl", "true"}},
      {{"httpsOnly", "true"}},
      {{"httpsOnly", "true"}, {"denyHttp", "true"}, {"users", "u:p"}},
      {{"redirectWhenHttpProto", "true"}},
      {{"redirectUnlessHttpsProto", "true"}},
      {{"hsts", "true"}},
  };
  const std::size_t fixed = services.size();
  const std::vector<std::string> codes = {"301", "302", "303", "307", "308"};
  for (const std::string& code : codes) {
    services.push_back({{"httpsOnly", "true"}, {"httpsRedirectCode", code}});
  }
  ASSERT_NO_FATAL_FAILURE(ServeParameters(services));
  EXPECT_EQ(Ask(0).status, 403);
  EXPECT_EQ(Ask(1).status, 403);
  for (const std::size_t n : {2U, 3U}) {
    const HttpResponse response = Ask(n, {}, "GET", "/a%20b?c=/d");
    EXPECT_EQ(response.status, 302);
    EXPECT_EQ(response.Header("Location"), "https://h" + std::to_string(n) + "/a%20b?c=/d");
  }
  const auto with_proto = [this](std::size_t n, const std::string& proto) {
    return Ask(n, {{"X-Forwarded-Proto", proto}}).status;
  };
  EXPECT_EQ(Ask(4).status, 200);
  EXPECT_EQ(with_proto(4, "http"), 302);
  EXPECT_EQ(with_proto(4, "HTTP"), 302);
  EXPECT_EQ(with_proto(4, "https"), 200);
  EXPECT_EQ(with_proto(4, "https,http"), 200);
  EXPECT_EQ(Ask(5).status, 302);
  EXPECT_EQ(with_proto(5, "http"), 302);
  EXPECT_EQ(with_proto(5, "https"), 200);
  // Whoever is not trusted cannot say that he came by TLS.
  for (const std::size_t n : {0U, 1U}) EXPECT_EQ(with_proto(n, "https"), 403);
  EXPECT_EQ(with_proto(2, "https"), 302);
  EXPECT_EQ(Ask(6).status, 200);
  EXPECT_EQ(Ask(6).Header("Strict-Transport-Security"), "");
  for (std::size_t i = 0; i < codes.size(); ++i) {
    EXPECT_EQ(std::to_string(Ask(fixed + i).status), codes[i]);
  }
}

TEST_F(AccessTest, APreflightNeedsNoPasswordAndReachesNoTask) {
  ASSERT_NO_FATAL_FAILURE(ServeParameters({
      {{"users", "u:p"}, {"allowedMethods", "GET"}, {"corsOrigin", "https://a.example"}},
      {{"users", "u:p"}},
  }));
  const Headers preflight = {{"Origin", "https://a.example"},
                             {"Access-Control-Request-Method", "GET"}};
  const HttpResponse answer = Ask(0, preflight, "OPTIONS");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.Header("Access-Control-Allow-Origin"), "https://a.example");
  const Headers stranger = {{"Origin", "https://evil.example"},
                            {"Access-Control-Request-Method", "GET"}};
  EXPECT_EQ(Ask(0, stranger, "OPTIONS").Header("Access-Control-Allow-Origin"), "");
  EXPECT_EQ(Ask(0).status, 401);
  EXPECT_EQ(Ask(0, {{"Origin", "https://a.example"}}, "OPTIONS").status, 405);
  EXPECT_EQ(Ask(0, preflight, "GET").status, 401);
  EXPECT_EQ(Ask(1, preflight, "OPTIONS").status, 401);
}

// --- addresses, rates, maintenance --------------------------------------------------------------

TEST_F(AccessTest, AddressesAreKeptOutByListsOfAnyLength) {
  std::string many = "10.0.0.0/8";
  for (int i = 0; i < 62; ++i) many += ",192.0." + std::to_string(i) + ".0/24";
  ASSERT_NO_FATAL_FAILURE(ServeParameters({
      {{"allowFrom", "127.0.0.0/8"}},
      {{"allowFrom", "10.0.0.0/8,2001:db8::/32"}},
      {{"denyFrom", "127.0.0.1"}},
      {{"denyFrom", "10.0.0.0/8"}},
      {{"allowFrom", "127.0.0.0/8"}, {"denyFrom", "127.0.0.1"}},
      {{"allowFrom", many + ",127.0.0.0/8"}},
      {{"denyFrom", many + ",127.0.0.0/8"}, {"allowedMethods", "GET"}},
      {{"allowFrom", many}},
      {{"allowFrom", "10.0.0.0/8"}, {"deniedMethods", "PUT"}},
  }));
  const std::vector<int> expected = {200, 403, 403, 200, 403, 200, 403, 403, 403};
  for (std::size_t n = 0; n < expected.size(); ++n) EXPECT_EQ(Ask(n).status, expected[n]) << n;
}

TEST_F(AccessTest, WhoAsksTooOftenIsTold429ByThatServiceAlone) {
  ASSERT_NO_FATAL_FAILURE(ServeParameters({
      {{"rateLimit", "3/1h"}},
      {{"rateLimit", "5/1m"}},
      {{"rateLimit", "5/10s"}},
      {{"rateLimit", "3/1h"}},
      {{"rateLimit", "1000/1s"}},
  }));
  const std::vector<int> limits = {3, 5, 5};
  const std::vector<std::string> waits = {"3600", "60", "10"};
  for (std::size_t n = 0; n < limits.size(); ++n) {
    for (int i = 0; i < limits[n]; ++i) EXPECT_EQ(Ask(n).status, 200) << n << " " << i;
    const HttpResponse response = Ask(n);
    EXPECT_EQ(response.status, 429) << n;
    EXPECT_EQ(response.Header("Retry-After"), waits[n]);
  }
  EXPECT_EQ(Ask(3).status, 200);
  EXPECT_EQ(Ask(4).status, 200);
  // A higher limit holds at once.
  ASSERT_NO_FATAL_FAILURE(ServeParameters({{{"rateLimit", "100/1h"}}}));
  EXPECT_EQ(Ask(0).status, 200);
}

TEST_F(AccessTest, TheSecondBringsBackWhoWaited) {
  ASSERT_NO_FATAL_FAILURE(ServeParameters({{{"rateLimit", "2/1s"}}}));
  ASSERT_TRUE(WaitUntil([this] { return Ask(0).status == 429; }));
  // Refused requests count too, so whoever goes on asking stays out; whoever pauses does not.
  const auto until = In(std::chrono::milliseconds(2100));
  ASSERT_TRUE(WaitUntil([until] { return std::chrono::steady_clock::now() >= until; }));
  EXPECT_EQ(Ask(0).status, 200);
}

TEST_F(AccessTest, InMaintenanceEveryRequestIsAnswered503WithTheText) {
  const std::string text = "Back at 5 %[src] | \"soon\"; it's; #1 \\n 100%, ü + a?b";
  ASSERT_NO_FATAL_FAILURE(ServeParameters({
      {{"maintenance", "true"}},
      {{"maintenance", text}, {"retryAfter", "10m"}, {"users", "u:p"}},
      {{"maintenance", "false"}},
  }));
  const HttpResponse standing = Ask(0);
  EXPECT_EQ(standing.status, 503);
  EXPECT_EQ(standing.body, "down for maintenance\n");
  EXPECT_EQ(standing.Header("Retry-After"), "30");
  const HttpResponse own = Ask(1, {}, "POST");
  EXPECT_EQ(own.status, 503);
  EXPECT_EQ(own.body, text + "\n");
  EXPECT_EQ(own.Header("Retry-After"), "600");
  EXPECT_EQ(Ask(2).status, 200);
  ASSERT_NO_FATAL_FAILURE(ServeParameters({{}, {{"users", "u:p"}}, {{"maintenance", "now"}}}));
  EXPECT_EQ(Ask(0).status, 200);
  EXPECT_EQ(AskAs(1, "u:p").status, 200);
  EXPECT_EQ(Ask(2).body, "now\n");
}

TEST_F(AccessTest, APolicyThatCannotBeCarriedOutRefusesAll) {
  model::Desired desired;
  std::vector<model::Policy> policies(4);
  policies[0].allowed_methods = {"GET", std::string(5000, 'X')};
  policies[1].users = {{"u", "$6$x$y", true}};
  policies[2].rate_limit = model::RateLimit{5, std::chrono::seconds(7)};
  policies[3].https_only = true;
  policies[3].redirect_code = 299;
  for (std::size_t i = 0; i < policies.size(); ++i) {
    desired.backends.push_back(MakeBackend(static_cast<int>(i), model::BackendKind::kRich));
    desired.backends.back().policy = policies[i];
    Route(desired, "h" + std::to_string(i) + "/", desired.backends.back());
  }
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  for (std::size_t i = 0; i < policies.size(); ++i) EXPECT_EQ(Ask(i).status, 403) << i;
}

}  // namespace
}  // namespace swarmgate::testing
