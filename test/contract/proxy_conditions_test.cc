// Conditions on headers, weights, redirects between domains and httpsPort: labels in, requests
// through the real HAProxy.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "contract/label_traffic.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::testing {
namespace {

class ProxyConditionsTest : public LabelTrafficTest {
 protected:
  /// One service by its labels; its requests go to the n-th port of the web server.
  routing::ServiceInput Parsed(const std::string& name, int n, Labels labels) {
    labels.emplace("port", Upstream(n));
    return LabelTrafficTest::Parsed(name, std::move(labels));
  }
  void ServeAll(const std::vector<routing::ServiceInput>& services) {
    built_ = routing::Build(routing::MakeInputs(services), {});
    ASSERT_NO_FATAL_FAILURE(Serve(built_.desired));
  }
  using Headers = std::vector<std::pair<std::string, std::string>>;
  HttpResponse Send(const std::string& path, const Headers& headers, std::uint16_t port = 0) {
    HttpConnection connection({"127.0.0.1", port == 0 ? haproxy_.port() : port},
                              std::chrono::seconds(20));
    return connection.Exchange({"GET", path, headers, ""});
  }
  routing::Built built_;
};

TEST_F(ProxyConditionsTest, HeadersDecideHoweverLargeTheRequestIs) {
  ASSERT_NO_FATAL_FAILURE(ServeAll(
      {Parsed("web", 0, {{"serviceDomain", "a.com"}}),
       Parsed("v3", 1,
              {{"serviceDomain", "a.com"}, {"serviceHeader", "X-Version:3,X-Url:http://x"}}),
       Parsed("old", 2, {{"serviceDomain", "a.com"}, {"userAgent", "Amiga,Ams (1)"}}),
       Parsed("js", 3,
              {{"serviceDomain", "a.com"},
               {"servicePath", "\\.js$"},
               {"pathType", "path_reg"},
               {"serviceHeader", "X-Js:1"}}),
       Parsed("host", 4,
              {{"serviceDomain", "^h[0-9]\\.x$"},
               {"serviceDomainAlgo", "hdr_reg(host)"},
               {"serviceHeader", "X-Version:3"}}),
       Parsed("hosts", 5, {{"serviceDomain", "^h.*$"}, {"serviceDomainAlgo", "hdr_reg(host)"}}),
       Parsed("rest", 6, {{"servicePath", "/"}})}));
  struct Case {
    std::string path;
    Headers headers;
    int who;
  };
  const std::string big(14'000, 'a');
  const std::vector<Case> cases = {
      {"/", {{"Host", "a.com"}}, 0},
      {"/", {{"Host", "a.com"}, {"X-Version", "3"}}, 0},
      {"/", {{"Host", "a.com"}, {"X-Version", "3"}, {"x-url", "http://x"}}, 1},
      {"/", {{"Host", "a.com"}, {"X-Big", big}, {"X-Version", "2, 3"}, {"x-url", "http://x"}}, 1},
      {"/", {{"X-Version", "3"}, {"x-url", "http://x"}, {"X-Big", big}, {"Host", "a.com"}}, 1},
      {"/", {{"Host", "a.com"}, {"User-Agent", "x AMS (1"}}, 0},
      {"/", {{"Host", "a.com"}, {"User-Agent", "x AMS (1)"}}, 2},
      {"/x.js", {{"Host", "a.com"}, {"X-Js", "1"}, {"X-Big", big}}, 3},
      {"/x.js", {{"Host", "a.com"}}, 0},
      {"/", {{"Host", "h1.x"}, {"X-Version", "3"}, {"X-Big", big}}, 4},
      {"/", {{"Host", "h1.x"}}, 5},
      {"/", {{"Host", "hx.x"}, {"X-Version", "3"}}, 5},
      {"/", {{"Host", "b.org"}, {"X-Version", "3"}, {"X-Evil", "h1.x|80|/"}}, 6},
      // Many lines that nearly match cost no more than others.
      {"/", {{"Host", "a.com"}, {"X-Version", std::string(14'000, ',')}}, 0},
      {"/", {{"Host", "a.com"}, {"X-Version", std::string(14'000, ' ') + "x"}}, 0},
  };
  for (const Case& c : cases) {
    const HttpResponse response = Send(c.path, c.headers);
    routing::Question question;
    question.path = c.path;
    question.port = static_cast<std::uint16_t>(haproxy_.port());
    for (const auto& [name, value] : c.headers) {
      if (name == "Host") question.host = value;
      if (name != "Host") question.headers.emplace_back(name, value);
    }
    const auto expected = routing::Explain(built_.desired.routes, question);

    EXPECT_EQ(Who(response), c.who)
        << c.path << " " << expected.service.str() << " " << response.Summary();
    EXPECT_EQ(routing::Lookup(built_.desired.matches, question)->route, expected.winner);
  }
}

TEST_F(ProxyConditionsTest, WeightsDivideTheRequestsAndChangeWithoutAReload) {
  const auto serve = [this](const char* blue, const char* green) {
    ServeAll({Parsed("blue", 0, {{"servicePath", "/demo"}, {"weight", blue}}),
              Parsed("green", 1, {{"servicePath", "/demo"}, {"weight", green}})});
  };
  const auto count = [this](int requests) {
    std::map<int, int> counts;
    HttpConnection connection(Proxy(), std::chrono::seconds(20));
    for (int i = 0; i < requests; ++i) {
      ++counts[Who(connection.Exchange({"GET", "/demo", {{"Host", "a.com"}}, ""}))];
    }
    return counts;
  };
  ASSERT_NO_FATAL_FAILURE(serve("100", "0"));
  EXPECT_EQ(count(50), (std::map<int, int>{{0, 50}}));
  ASSERT_NO_FATAL_FAILURE(serve("70", "30"));
  std::map<int, int> counts = count(1000);
  EXPECT_EQ(counts[0] + counts[1], 1000);
  // Five standard deviations.
  EXPECT_GT(counts[1], 300 - 73);
  EXPECT_LT(counts[1], 300 + 73);
  ASSERT_NO_FATAL_FAILURE(serve("0%", "100%"));
  EXPECT_EQ(count(50), (std::map<int, int>{{1, 50}}));
  ASSERT_NO_FATAL_FAILURE(
      ServeAll({Parsed("blue", 0, {{"servicePath", "/demo"}, {"weight", "1"}})}));
  EXPECT_EQ(count(50), (std::map<int, int>{{0, 50}}));
}

TEST_F(ProxyConditionsTest, WeightsDivideWhatConditionsLeave) {
  ASSERT_NO_FATAL_FAILURE(ServeAll(
      {Parsed("web", 0, {{"servicePath", "/demo"}}),
       Parsed("b1", 1, {{"servicePath", "/demo"}, {"serviceHeader", "X-Beta:1"}}),
       Parsed("b2", 2,
              {{"servicePath", "/demo"}, {"serviceHeader", "X-Beta:1"}, {"weight", "50%"}})}));
  std::map<int, int> counts;
  for (int i = 0; i < 60; ++i) ++counts[Who(Send("/demo", {{"Host", "a"}, {"X-Beta", "1"}}))];
  EXPECT_EQ(counts[1] + counts[2], 60);
  EXPECT_GT(counts[1], 0);
  EXPECT_GT(counts[2], 0);
  EXPECT_EQ(Who(Send("/demo", {{"Host", "a"}})), 0);
}

TEST_F(ProxyConditionsTest, OtherDomainsAreRedirectedWithAllElseAsItWas) {
  ASSERT_NO_FATAL_FAILURE(ServeAll({Parsed("web", 0,
                                           {{"serviceDomain", "a.com"},
                                            {"servicePath", "/demo"},
                                            {"redirectFromDomain", "www.a.com,*.a.org"}})}));
  const auto location = [this](const std::string& path, const Headers& headers) {
    const HttpResponse response = Send(path, headers);
    const std::string head = ToLower(response.head);
    const std::size_t at = head.find("\r\nlocation: ");
    if (at == std::string::npos) return std::to_string(response.status);
    const std::size_t begin = at + 12;
    return std::to_string(response.status) + " " +
           response.head.substr(begin, response.head.find('\r', begin) - begin);
  };
  EXPECT_EQ(location("/demo/X?a=1&b=%20", {{"Host", "www.a.com"}}),
            "301 http://a.com/demo/X?a=1&b=%20");
  EXPECT_EQ(location("/demo", {{"Host", "WWW.A.com:8080"}}), "301 http://a.com:8080/demo");
  EXPECT_EQ(location("/demo//evil.org", {{"Host", "x.a.org"}, {"X-Forwarded-Proto", "https"}}),
            "301 https://a.com/demo//evil.org");
  EXPECT_EQ(location("/demo", {{"Host", "a.com"}}), "200");
  EXPECT_EQ(location("/other", {{"Host", "www.a.com"}}), "503");
  EXPECT_EQ(location("/demo", {{"Host", "www.a.com:8080@evil.org"}}).find("evil"),
            std::string::npos);
}

TEST_F(ProxyConditionsTest, RedirectsGoToADomainThatIsComparedOtherwiseThanByEquality) {
  for (const std::string algo :
       {"hdr_beg(host)", "hdr_end(host)", "hdr_dom(host)", "hdr_sub(host)"}) {
    ASSERT_NO_FATAL_FAILURE(ServeAll({Parsed("web", 0,
                                             {{"serviceDomain", "acme.com"},
                                              {"serviceDomainAlgo", algo},
                                              {"redirectFromDomain", "www.acme.com"}})}));
    const HttpResponse other = Send("/demo", {{"Host", "www.acme.com"}});
    EXPECT_EQ(other.status, 301) << algo;
    EXPECT_EQ(other.Header("Location"), "http://acme.com/demo") << algo;
    EXPECT_EQ(Send("/demo", {{"Host", "acme.com"}}).status, 200) << algo;
  }
}

TEST_F(ProxyConditionsTest, HttpsPortGetsWhatCameInByItsPort) {
  const std::string tls_port = std::to_string(haproxy_.settings().binds.at(1).port);
  ASSERT_NO_FATAL_FAILURE(ServeAll({Parsed("web", 0,
                                           {{"servicePath", "/demo"},
                                            {"srcPort", std::to_string(haproxy_.port())},
                                            {"srcHttpsPort", tls_port},
                                            {"httpsPort", std::to_string(ports_[1])}})}));
  const Headers host{{"Host", "a.com"}};
  EXPECT_EQ(Who(Send("/demo", host)), 0);
  EXPECT_EQ(Who(Send("/demo", host, haproxy_.settings().binds.at(1).port)), 1);
  EXPECT_EQ(Send("/demo", host, haproxy_.settings().binds.at(2).port).status, 503);
}

}  // namespace
}  // namespace swarmgate::testing
