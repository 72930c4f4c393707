// What labels do to requests and answers, from the label's text to a request through the real
// HAProxy.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "contract/proxy_traffic.h"
#include "support/paths.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Labels = std::map<std::string, std::string>;
using Headers = std::vector<std::pair<std::string, std::string>>;

class ContentTest : public ProxyTrafficTest {
 protected:
  /// The n-th service, with these labels; it has the host "h<n>".
  model::Backend& Add(model::Desired& desired, const Labels& labels) {
    const int n = static_cast<int>(desired.backends.size());
    Labels all = labels;
    all.emplace("servicePath", "/");
    labels::ParseOptions options;
    options.allow_raw = true;
    options.upstream_ca = ca_file_;
    const auto parsed =
        labels::ParseParameters(model::ServiceName("s" + std::to_string(n)), all, options);
    EXPECT_TRUE(parsed.spec) << (parsed.diagnostics.empty() ? ""
                                                            : parsed.diagnostics[0].ToString());
    const model::DestSpec dest = parsed.spec ? parsed.spec->dests.at(0) : model::DestSpec();
    model::Backend backend = MakeBackend(n);
    // Sorted by name, however many there are.
    backend.name = model::BackendName("b" + std::to_string(100 + n));
    if (dest.policy != model::Policy()) backend.kind = model::BackendKind::kRich;
    if (parsed.spec && parsed.spec->session == model::Session::kSticky) {
      backend.kind = model::BackendKind::kSticky;
    }
    backend.policy = dest.policy;
    backend.profile = dest.profile;
    for (model::Server& server : backend.servers) server.options = dest.server;
    Route(desired, "h" + std::to_string(n) + "/", backend);
    desired.backends.push_back(backend);
    return desired.backends.back();
  }

  [[nodiscard]] HttpResponse Ask(int n, const std::string& target, Headers headers = {},
                                 const std::string& method = "GET") const {
    headers.insert(headers.begin(), {"Host", "h" + std::to_string(n)});
    return Fetch(Proxy(), {method, target, headers, ""});
  }

  std::string ca_file_ = testing::SourcePath("fixtures/tls/upstream.pem");
};

/// The value of a header that the service received, as it said in its body; "(none)".
std::string Received(const HttpResponse& response, const std::string& name) {
  for (const std::string_view line : Split(response.body, '\n')) {
    const std::string_view text = Trim(line);
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || ToLower(text.substr(0, colon)) != ToLower(name))
      continue;
    return std::string(Trim(text.substr(colon + 1)));
  }
  return "(none): " + response.Summary();
}

TEST_F(ContentTest, HeadersOfRequestsArriveAsTheLabelSays) {
  char host[256] = {};
  ASSERT_EQ(gethostname(host, sizeof host - 1), 0);
  const std::string port = std::to_string(haproxy_.port());
  struct Case {
    std::string value;  ///< of the header X-A
    std::string seen;
  };
  const std::vector<Case> cases = {
      {"plain", "plain"},
      {"a+b'c\"d&e<f#g", "a+b'c\"d&e<f#g"},
      {"\"two words; 'x'\"", "two words; 'x'"},
      {"100% of $HOME %{x", ""},  // refused, below
      {"100% of $HOME", "100% of $HOME"},
      {"%[dst_port] %[dst] %[src]", port + " 127.0.0.1 127.0.0.1"},
      {"%[ssl_fc] %[ssl_fc,iif(https,http)]", "0 http"},
      {"%[req.hdr(X-In),upper] %[hdr(X-In)]", "IN+1 in+1"},
      {"%[req.hdr(X-In),base64]", "aW4rMQ=="},
      {"%[req.hdr(X-In),url_enc]", "in%2B1"},
      {"%[env(HOSTNAME)]", host},
      {"%[method] %[path] %[query] %[url]", "GET /headers q=1 /headers?q=1"},
      {"%[base]", "h{n}/headers"},
      {"%b", "s{n}"},
      {"%fp %ci", port + " 127.0.0.1"},
      // 2.6 leaves %{+Q}[…] without quotes, later versions do not.
      {"%{+Q}ci", "\"127.0.0.1\""},
      {"on if !{ ssl_fc }", "on"},
      {"on unless { ssl_fc } or { method POST }", "on"},
      {"on if { path_beg /head } { hdr(X-In) -m found } { hdr(X-In) -m str in+1 }", "on"},
      {"on if { src 127.0.0.0/8 } METH_GET { dst_port " + port + " }", "on"},
  };
  model::Desired desired;
  std::vector<Case> served;
  for (const Case& c : cases) {
    if (c.seen.empty()) continue;
    std::string label = "X-A " + c.value;
    for (std::size_t at = 0; (at = label.find(',', at)) != std::string::npos; at += 2) {
      if (label.find('[') > at) label.insert(at, "\\");
    }
    Add(desired, {{"addReqHeader", label}});
    served.push_back(c);
  }
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  for (std::size_t i = 0; i < served.size(); ++i) {
    std::string seen = served[i].seen;
    if (const auto at = seen.find("{n}"); at != std::string::npos) {
      seen.replace(at, 3, std::to_string(i));
    }
    const HttpResponse response = Ask(static_cast<int>(i), "/headers?q=1", {{"X-In", "in+1"}});
    EXPECT_EQ(Received(response, "X-A"), seen) << served[i].value;
  }
}

TEST_F(ContentTest, HeadersAreAddedSetAndDeletedWhereTheConditionHolds) {
  model::Desired desired;
  Add(desired, {{"setReqHeader", "X-Set new,X-Tls on if { ssl_fc }"},
                {"delReqHeader", "X-Gone,X-Gone-Too"},
                {"addResHeader", "X-Res %[src] if { status 200 },X-No b if { status 404 }"},
                {"setResHeader", "Content-Type text/x,X-Type %[res.hdr(Content-Type)]"},
                {"delResHeader", "X-Echo-Host"}});
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  const HttpResponse response =
      Ask(0, "/headers", {{"X-Set", "old"}, {"X-Gone", "1"}, {"X-Gone-Too", "2"}});
  ASSERT_EQ(response.status, 200) << response.Summary();
  EXPECT_EQ(Received(response, "X-Set"), "new");
  for (const std::string gone : {"X-Gone", "X-Gone-Too", "X-Tls"}) {
    EXPECT_EQ(Received(response, gone).substr(0, 6), "(none)") << gone;
  }
  EXPECT_EQ(response.Header("X-Res"), "127.0.0.1");
  EXPECT_EQ(response.Header("X-No"), "");
  EXPECT_EQ(response.Header("Content-Type"), "text/x");
  EXPECT_EQ(response.Header("X-Type"), "text/x");
  EXPECT_EQ(response.Header("X-Echo-Host"), "");
}

TEST_F(ContentTest, ForwardedHeadersAreSetAndNeverAddedTwice) {
  model::Desired desired;
  Add(desired, {{"addReqHeader", "X-Forwarded-Port %[dst_port],X-Forwarded-Proto https"}});
  Add(desired, {{"setReqHeader", "X-Forwarded-For 1.2.3.4"}});
  Add(desired, {{"addHeader", "x-forwarded-for 1.2.3.4"}, {"users", "u:p"}});
  Add(desired, {{"setReqHeader", "X-Forwarded-For 1.2.3.4 if { ssl_fc }"}});
  Add(desired, {{"addReqHeader", "X-Other 1,X-Other 2"}});
  Add(desired, {});
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  const auto all = [&](int n, const std::string& name) {
    const HttpResponse response =
        Ask(n, "/headers", {{"X-Forwarded-For", "6.6.6.6"}, {"Authorization", "Basic dTpw"}});
    std::vector<std::string> values;
    for (const std::string_view line : Split(response.body, '\n')) {
      const std::size_t colon = line.find(':');
      if (colon != std::string_view::npos && ToLower(Trim(line.substr(0, colon))) == name) {
        values.emplace_back(Trim(line.substr(colon + 1)));
      }
    }
    return values;
  };
  using Values = std::vector<std::string>;
  EXPECT_EQ(all(0, "x-forwarded-port"), Values{std::to_string(haproxy_.port())});
  EXPECT_EQ(all(0, "x-forwarded-proto"), Values{"https"});
  EXPECT_EQ(all(1, "x-forwarded-for"), Values{"1.2.3.4"});
  EXPECT_EQ(all(2, "x-forwarded-for"), Values{"1.2.3.4"});
  for (const int n : {0, 3, 4, 5}) EXPECT_EQ(all(n, "x-forwarded-for"), Values{"127.0.0.1"}) << n;
  EXPECT_EQ(all(4, "x-other"), (Values{"1", "2"}));
}

TEST_F(ContentTest, AnswersAreCompressedForWhomTakesItAndOfTheseTypes) {
  model::Desired desired;
  Add(desired, {{"compressionAlgo", "gzip"}, {"compressionType", "text/plain text/css"}});
  Add(desired, {{"compressionAlgo", "gzip"}, {"compressionType", "text/css"}});
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  const Headers takes = {{"Accept-Encoding", "gzip"}};
  const HttpResponse small = Ask(0, "/size/5000", takes);
  EXPECT_EQ(small.Header("Content-Encoding"), "gzip");
  EXPECT_LT(small.body.size(), 500U);
  const HttpResponse untouched = Ask(0, "/size/5000");
  EXPECT_EQ(untouched.Header("Content-Encoding"), "");
  EXPECT_EQ(untouched.Header("Content-Length"), "5000");
  EXPECT_EQ(untouched.body, std::string(5000, 'x'));
  EXPECT_EQ(Ask(1, "/size/5000", takes).Header("Content-Encoding"), "");
}

TEST_F(ContentTest, TheConnectionModeSaysWhatBecomesOfConnections) {
  model::Desired desired;
  Add(desired, {{"connectionMode", "httpclose"}});
  Add(desired, {{"connectionMode", "http-server-close"}});
  Add(desired, {{"connectionMode", "http-keep-alive"}});
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  EXPECT_EQ(ToLower(Ask(0, "/").Header("Connection")), "close");
  // The number that a service counts on one connection.
  const auto serial = [](const HttpResponse& response) {
    const std::size_t at = response.body.find(" n=");
    return response.body.substr(at + 3, response.body.find(' ', at + 1) - at - 3);
  };
  for (const auto& [host, second] : std::map<std::string, std::string>{{"h1", "1"}, {"h2", "2"}}) {
    HttpConnection connection(Proxy(), seconds(10));
    const HttpRequest request{"GET", "/", {{"Host", host}}, ""};
    EXPECT_EQ(serial(connection.Exchange(request)), "1");
    EXPECT_EQ(serial(connection.Exchange(request)), second) << host;
  }
}

TEST_F(ContentTest, TheDeprecatedPairRewritesThePath) {
  model::Desired desired;
  Add(desired, {{"reqPathSearch", "^/api/(v.)"},
                {"reqPathReplace", "/\\1"},
                {"reqPathSearchReplace", "v1,one"}});
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  EXPECT_NE(Ask(0, "/api/v1/x").body.find("path=/one/x "), std::string::npos);
}

TEST_F(ContentTest, PagesOfListedOriginsMayCallAndOthersMayNot) {
  model::Desired desired;
  Add(desired, {{"corsOrigin", "https://a.example,https://b.example:8443"},
                {"corsMethods", "GET,PUT"},
                {"corsHeaders", "X-One,X-Two"},
                {"corsCredentials", "true"},
                {"corsMaxAge", "10m"},
                {"setResHeader", "Access-Control-Allow-Origin https://evil.example"}});
  Add(desired, {{"corsOrigin", "*"}}).servers.clear();
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  const auto preflight = [&](int n, const std::string& origin) {
    return Ask(n, "/x", {{"Origin", origin}, {"Access-Control-Request-Method", "PUT"}}, "OPTIONS");
  };
  const HttpResponse allowed = preflight(0, "https://b.example:8443");
  EXPECT_EQ(allowed.status, 204) << allowed.Summary();
  EXPECT_EQ(allowed.Header("Access-Control-Allow-Origin"), "https://b.example:8443");
  EXPECT_EQ(allowed.Header("Access-Control-Allow-Methods"), "GET, PUT");
  EXPECT_EQ(allowed.Header("Access-Control-Allow-Headers"), "X-One, X-Two");
  EXPECT_EQ(allowed.Header("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(allowed.Header("Access-Control-Max-Age"), "600");
  EXPECT_EQ(allowed.Header("Vary"), "Origin");
  for (const std::string evil : {"https://evil.example", "https://a.example.evil", "null"}) {
    const HttpResponse refused = preflight(0, evil);
    EXPECT_EQ(refused.status, 204);
    EXPECT_EQ(refused.Header("Access-Control-Allow-Methods"), "") << evil;
    EXPECT_EQ(refused.Header("Access-Control-Allow-Origin"), "") << evil;
    EXPECT_EQ(Ask(0, "/", {{"Origin", evil}}).Header("Access-Control-Allow-Origin"), "") << evil;
  }
  const HttpResponse answer = Ask(0, "/", {{"Origin", "https://a.example"}});
  EXPECT_EQ(answer.Header("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(answer.Header("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(answer.Header("Vary"), "Origin");
  // Without preflight OPTIONS is a request as any other.
  EXPECT_EQ(Ask(0, "/", {{"Origin", "https://a.example"}}, "OPTIONS").status, 200);
  EXPECT_EQ(preflight(1, "https://any.example").Header("Access-Control-Allow-Origin"), "*");
  const HttpResponse none = Ask(1, "/", {{"Origin", "https://any.example"}});
  EXPECT_EQ(none.status, 503);
  EXPECT_EQ(none.Header("Access-Control-Allow-Origin"), "*");
}

TEST_F(ContentTest, PagesAreToldTheMethodsThatTheServiceTakes) {
  model::Desired desired;
  Add(desired, {{"corsOrigin", "*"}, {"allowedMethods", "GET"}});
  Add(desired, {{"corsOrigin", "*"}, {"deniedMethods", "POST,PUT"}});
  Add(desired, {{"corsOrigin", "*"}, {"allowedMethods", "GET"}, {"corsMethods", "POST"}});
  Add(desired, {{"corsOrigin", "*"}});
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  const std::vector<std::string> told = {"GET", "GET, HEAD, PATCH, DELETE", "POST",
                                         "GET, HEAD, POST, PUT, PATCH, DELETE"};
  for (std::size_t n = 0; n < told.size(); ++n) {
    const HttpResponse answer =
        Ask(static_cast<int>(n), "/x",
            {{"Origin", "https://a.example"}, {"Access-Control-Request-Method", "GET"}}, "OPTIONS");
    EXPECT_EQ(answer.Header("Access-Control-Allow-Methods"), told[n]);
  }
}

TEST_F(ContentTest, PagesStandInThePlaceOfErrorsOfTheServiceAndOfTheProxy) {
  model::Desired desired;
  const Labels pages = {{"errorPage", "503:<h1>Back soon, it's \"ours\" #1</h1>,404:nothing"}};
  Add(desired, pages);
  Add(desired, pages).servers.clear();
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  for (const int n : {0, 1}) {
    const HttpResponse response = Ask(n, "/status/503");
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.body, "<h1>Back soon, it's \"ours\" #1</h1>") << n;
    EXPECT_EQ(response.Header("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(response.Header("Retry-After"), "1");
  }
  EXPECT_EQ(Ask(0, "/status/404").body, "nothing");
  EXPECT_EQ(Ask(0, "/status/404").Header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_NE(Ask(0, "/status/500").body.find("path=/status/500"), std::string::npos);
}

TEST_F(ContentTest, RawLinesStandAtTheEndOfTheBackend) {
  model::Desired desired;
  Add(desired, {{"setResHeader", "X-A first"},
                {"backendExtra",
                 "acl here src 127.0.0.1\\nhttp-response set-header X-A 'b  c' if "
                 "here"},
                {"addReqHeader", "X-Raw %[src,map_ip(/dev/null,none)] if { nbsrv gt 0 }"}});
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  const HttpResponse response = Ask(0, "/headers");
  EXPECT_EQ(response.Header("X-A"), "b  c");
  EXPECT_EQ(Received(response, "X-Raw"), "none");
}

TEST_F(ContentTest, AConditionJudgesTheRequestAsItCame) {
  const Labels labels = {{"aclCondition", "{ path_beg /api/ } { req.hdr(X-Key) -m str k }"},
                         {"setReqHeader", "X-Key k"},
                         {"reqPathSearchReplace", "^/api/,/"},
                         {"backendExtra", "http-request set-header X-Seen %[path]"}};
  model::Desired desired;
  Add(desired, labels);
  Labels sticky = labels;
  sticky["sessionType"] = "sticky-server";
  sticky["corsAllowOrigin"] = "*";
  Add(desired, sticky);
  Labels plain = labels;
  plain.erase("reqPathSearchReplace");
  Add(desired, plain);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  for (int n = 0; n < 3; ++n) {
    EXPECT_EQ(Ask(n, "/api/x").status, 403) << n << ": the key is set by the service's own label";
    EXPECT_EQ(Ask(n, "/x", {{"X-Key", "k"}}).status, 403) << n << ": the path is the client's";
    const HttpResponse let_in = Ask(n, "/api/headers", {{"X-Key", "k"}});
    EXPECT_EQ(let_in.status, 200) << n;
    if (n == 2) {
      EXPECT_NE(let_in.body.find("path=/api/headers "), std::string::npos) << let_in.Summary();
    } else {
      EXPECT_EQ(Received(let_in, "X-Seen"), "/headers") << n;
    }
  }
}

TEST_F(ContentTest, ASecondServiceOfTheSameKindComesWithoutReload) {
  const Labels labels = {{"setResHeader", "X-A b"},
                         {"balance", "leastconn"},
                         {"sslServerName", "x"},
                         {"maxconn", "9"}};
  model::Desired desired;
  Add(desired, labels);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  Add(desired, labels);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  EXPECT_EQ(Ask(1, "/").Header("X-A"), "b");
}

TEST_F(ContentTest, RequestsAreBalancedAsTheLabelSays) {
  const std::vector<std::string> ways = {"roundrobin", "leastconn", "random",     "first",
                                         "source",     "uri",       "hdr(X-User)"};
  model::Desired desired;
  for (const std::string& way : ways) Add(desired, {{"balance", way}});
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  // Three more tasks of each come at run time.
  for (auto at = desired.backends.begin(); at != desired.backends.end(); ++at) {
    model::Backend& backend = desired.backends.Edit(at);
    for (int i = 0; i < 3; ++i) {
      model::Server server = backend.servers[0];
      server.name = model::ServerName("u-" + std::to_string(i));
      server.port = ports_[static_cast<std::size_t>(20 + i)];
      backend.servers.push_back(server);
    }
  }
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  const auto ports = [&](int n, const std::string& path, const std::string& user) {
    std::set<std::string> seen;
    for (int i = 0; i < 8; ++i) {
      const HttpResponse response = Ask(n, path, {{"X-User", user}});
      EXPECT_EQ(response.status, 200) << ways[static_cast<std::size_t>(n)];
      const std::size_t at = response.body.find("port=");
      seen.insert(response.body.substr(at, response.body.find(' ', at) - at));
    }
    return seen;
  };
  EXPECT_EQ(ports(0, "/", "a").size(), 4U);
  EXPECT_EQ(ports(3, "/", "a").size(), 1U);
  EXPECT_EQ(ports(4, "/", "a"), ports(4, "/b", "b"));
  for (const int n : {5, 6}) {
    std::set<std::string> all;
    for (int i = 0; i < 24; ++i) {
      const std::string key = std::to_string(i);
      const auto same = ports(n, n == 5 ? "/" + key : "/", n == 6 ? key : "x");
      EXPECT_EQ(same.size(), 1U) << ways[static_cast<std::size_t>(n)];
      all.insert(same.begin(), same.end());
    }
    EXPECT_GT(all.size(), 1U) << ways[static_cast<std::size_t>(n)];
  }
}

TEST_F(ContentTest, ATaskGetsNoMoreRequestsAtATimeThanItWants) {
  model::Desired desired;
  Add(desired, {{"maxconn", "1"}});
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  const auto begin = std::chrono::steady_clock::now();
  std::thread other([&] { EXPECT_EQ(Ask(0, "/sleep/300").status, 200); });
  EXPECT_EQ(Ask(0, "/sleep/300").status, 200);
  other.join();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(600));
}

TEST_F(ContentTest, ATaskThatIsNotWellGetsNoRequests) {
  model::Desired desired;
  Add(desired, {{"checkPath", "/health"}, {"checkInterval", "500ms"}});
  Add(desired, {{"checkInterval", "500ms"}});
  ASSERT_NO_FATAL_FAILURE(Serve({}));
  // By command first, from the files after the reload.
  for (const bool reload : {false, true}) {
    if (reload) {
      ASSERT_TRUE(haproxy_.control().Reload(In(seconds(10))));
    }
    haproxy_.Kill();
    held_ = {};
    ASSERT_NO_FATAL_FAILURE(Serve(desired));
    ASSERT_TRUE(WaitUntil([&] { return Ask(0, "/").status == 200; }));
    Get({"127.0.0.1", ports_.back()}, "/health/bad");
    EXPECT_TRUE(WaitUntil([&] { return Ask(0, "/").status == 503; }));
    EXPECT_EQ(Ask(1, "/").status, 200);
    Get({"127.0.0.1", ports_.back()}, "/health/good");
    EXPECT_TRUE(WaitUntil([&] { return Ask(0, "/").status == 200; }));
  }
}

/// Another HAProxy in the place of tasks that speak otherwise; it answers what it saw.
class TaskOfAnotherKind {
 public:
  TaskOfAnotherKind() : dir_("origin") {
    const std::string certificate = testing::SourcePath("fixtures/tls/upstream.pem");
    const std::vector<std::string> binds = {"", " ssl crt " + certificate + " alpn h2,http/1.1",
                                            " proto h2", " accept-proxy",
                                            " ssl crt " + certificate + " accept-proxy"};
    std::ofstream file(dir_.path() + "/haproxy.cfg");
    file << "defaults\n  mode http\n  timeout client 10s\n  timeout server 10s\n"
            "  timeout connect 10s\n";
    for (std::size_t i = 0; i < binds.size(); ++i) {
      ports_.push_back(static_cast<std::uint16_t>(FreePort()));
      file << "frontend f" << i << "\n  bind 127.0.0.1:" << ports_.back() << binds[i] << "\n"
           << "  http-request return status 200 content-type text/plain lf-string "
              "\"ver=%[req.ver] tls=%[ssl_fc] sni=%[ssl_fc_sni] port=%[src_port] cport=%[req.hdr(x-"
              "port)] \"\n";
    }
    file.close();
    child_ = std::make_unique<ChildProcess>(ChildOptions{
        {"haproxy", "-db", "-f", dir_.path() + "/haproxy.cfg"}, {}, "", "", "", false});
    EXPECT_TRUE(WaitUntil([&] {
      return Get({"127.0.0.1", ports_[0]}, "/").status == 200;
    })) << child_->Tail();
  }
  enum Kind { kPlain, kTls, kH2c, kProxy, kTlsProxy };
  [[nodiscard]] std::uint16_t port(Kind kind) const { return ports_[kind]; }

 private:
  TempDir dir_;
  std::vector<std::uint16_t> ports_;
  std::unique_ptr<ChildProcess> child_;
};

TEST_F(ContentTest, TasksAreSpokenToAsTheyWant) {
  using Kind = TaskOfAnotherKind;
  TaskOfAnotherKind task;
  struct Case {
    Labels labels;
    Kind::Kind kind;
    std::string seen;  ///< empty: 503
  };
  const std::vector<Case> cases = {
      {{}, Kind::kPlain, "ver=1.1 tls=0 sni= "},
      {{{"sslVerifyNone", "true"}}, Kind::kTls, "ver=1.1 tls=1 sni= "},
      {{{"sslVerifyNone", "true"}, {"sslServerName", "x.test"}},
       Kind::kTls,
       "ver=1.1 tls=1 sni=x.test "},
      {{{"sslVerify", "true"}, {"sslServerName", "upstream.test"}},
       Kind::kTls,
       "ver=1.1 tls=1 sni=upstream.test "},
      {{{"sslVerify", "true"}, {"sslServerName", "other.test"}}, Kind::kTls, ""},
      {{{"sslVerify", "true"}}, Kind::kTls, ""},
      {{{"protocol", "h2c"}}, Kind::kH2c, "ver=2.0 tls=0 sni= "},
      {{{"protocol", "h2"}}, Kind::kTls, "ver=2.0 tls=1 sni= "},
      {{{"protocol", "https"}}, Kind::kTls, "ver=1.1 tls=1 sni= "},
      {{{"protocol", "h2"}, {"sslVerify", "true"}, {"sslServerName", "upstream.test"}},
       Kind::kTls,
       "ver=2.0 tls=1 sni=upstream.test "},
      {{{"sendProxy", "true"}}, Kind::kProxy, "ver=1.1 tls=0 sni= "},
      {{{"sendProxy", "true"}, {"sslVerifyNone", "true"}}, Kind::kTlsProxy, "ver=1.1 tls=1 sni= "},
      // Checks speak as requests do.
      {{{"sendProxy", "true"},
        {"sslVerifyNone", "true"},
        {"checkPath", "/"},
        {"checkInterval", "500ms"}},
       Kind::kTlsProxy,
       "ver=1.1 tls=1 sni= "},
      {{{"protocol", "h2c"}, {"checkPath", "/"}, {"checkInterval", "500ms"}},
       Kind::kH2c,
       "ver=2.0 tls=0 sni= "},
      {{{"protocol", "h2"}, {"checkPath", "/"}, {"checkInterval", "500ms"}},
       Kind::kTls,
       "ver=2.0 tls=1 sni= "},
      {{{"sslVerify", "true"},
        {"sslServerName", "upstream.test"},
        {"checkPath", "/"},
        {"checkInterval", "500ms"}},
       Kind::kTls,
       "ver=1.1 tls=1 sni=upstream.test "},
  };
  // From the files, and by commands: to classes that are declared already, with nobody in them.
  for (const bool by_commands : {false, true}) {
    model::Desired desired;
    std::vector<model::Server> servers;
    for (const Case& c : cases) {
      Labels labels = c.labels;
      labels["setReqHeader"] = "X-Port %[src_port]";
      model::Backend& backend = Add(desired, labels);
      backend.servers[0].port = task.port(c.kind);
      servers.push_back(backend.servers[0]);
      if (by_commands) backend.servers.clear();
    }
    haproxy_.Kill();
    held_ = {};
    ASSERT_NO_FATAL_FAILURE(Serve(desired));
    if (by_commands) {
      for (std::size_t i = 0; i < servers.size(); ++i) desired.backends[i].servers = {servers[i]};
      ASSERT_NO_FATAL_FAILURE(Serve(desired));
    }
    for (std::size_t i = 0; i < cases.size(); ++i) {
      SCOPED_TRACE("case " + std::to_string(i) + (by_commands ? " by commands" : ""));
      if (cases[i].labels.count("checkPath") != 0) {
        // Long enough for a check that fails to show.
        const auto until = std::chrono::steady_clock::now() + milliseconds(1500);
        EXPECT_FALSE(WaitUntil([&] {
                       return std::chrono::steady_clock::now() > until ||
                              Ask(static_cast<int>(i), "/").status != 200;
                     }) &&
                     std::chrono::steady_clock::now() <= until);
      }
      const HttpResponse response = Ask(static_cast<int>(i), "/");
      if (cases[i].seen.empty()) {
        EXPECT_EQ(response.status, 503) << response.Summary();
        continue;
      }
      EXPECT_EQ(response.body.substr(0, cases[i].seen.size()), cases[i].seen) << response.Summary();
      // With the PROXY protocol the task sees the client's own port.
      const std::size_t at = response.body.find("port=");
      const std::string port = response.body.substr(at + 5, response.body.find(' ', at) - at - 5);
      const std::size_t own = response.body.find("cport=");
      const std::string client =
          response.body.substr(own + 6, response.body.find(' ', own) - own - 6);
      EXPECT_EQ(port == client, cases[i].labels.count("sendProxy") != 0) << response.Summary();
    }
  }
}

TEST_F(ContentTest, ASessionStaysWithEverythingElseThatLabelsCanAskFor) {
  TaskOfAnotherKind task;
  model::Desired desired;
  model::Backend& backend = Add(desired, {{"sessionType", "sticky-server"},
                                          {"sslVerify", "true"},
                                          {"sslServerName", "upstream.test"},
                                          {"protocol", "h2"},
                                          {"maxconn", "50"},
                                          {"balance", "leastconn"},
                                          {"checkPath", "/"},
                                          {"retries", "2"},
                                          {"connectionMode", "http-keep-alive"},
                                          {"compressionAlgo", "gzip deflate"},
                                          {"corsOrigin", "https://a.example"},
                                          {"setReqHeader", "X-Port %[src_port]"},
                                          {"addResHeader", "X-Sticky yes"},
                                          {"errorPage", "503:later"},
                                          {"reqPathSearchReplace", "/a,/b"},
                                          {"timeoutServer", "5"},
                                          {"backendExtra", "http-response set-header X-Raw yes"}});
  for (model::Server& server : backend.servers) {
    server.port = task.port(TaskOfAnotherKind::kTls);
  }
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  const HttpResponse first = Ask(0, "/");
  ASSERT_EQ(first.status, 200) << first.Summary();
  EXPECT_EQ(first.Header("X-Sticky"), "yes");
  EXPECT_EQ(first.Header("X-Raw"), "yes");
  const std::string cookie = first.Header("Set-Cookie");
  EXPECT_EQ(cookie.rfind("sg_sticky.", 0), 0U) << cookie;
  EXPECT_NE(cookie.find("HttpOnly"), std::string::npos);
  EXPECT_EQ(cookie.find("Secure"), std::string::npos) << "the request came without TLS";
  const HttpResponse second = Ask(0, "/", {{"Cookie", cookie.substr(0, cookie.find(';'))}});
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.Header("Set-Cookie"), "");
}

}  // namespace
}  // namespace swarmgate::testing
