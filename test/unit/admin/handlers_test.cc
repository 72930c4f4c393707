#include "admin/handlers.h"

#include <gtest/gtest.h>

#include "swarmgate/base/log.h"
#include "swarmgate/codec/json.h"
#include "unit/admin/fake_backend.h"

namespace swarmgate::admin {
namespace {

using codec::JsonValue;

class HandlersTest : public ::testing::Test {
 protected:
  HandlersTest() {
    backend_.snapshot = SampleSnapshot();
    context_.backend = &backend_;
    context_.version = "1.2.3";
  }

  Response Call(const std::string& path, std::map<std::string, std::string> query = {}) {
    Request request;
    request.path = path;
    request.query = std::move(query);
    request.remote_address = "127.0.0.1";
    return Handle(request, context_);
  }
  static JsonValue Json(const Response& response) {
    auto json = JsonValue::Parse(response.body);
    EXPECT_TRUE(json) << response.body;
    return json ? *json : JsonValue();
  }

  FakeBackend backend_;
  HandlerContext context_;
};

TEST_F(HandlersTest, ReconfigureAnswersWithThePredecessorsFields) {
  backend_.outcome.spec = *backend_.snapshot.services[2]->spec;
  backend_.outcome.revision = 8;
  const Response response =
      Call("/v1/docker-flow-proxy/reconfigure",
           {{"serviceName", "web"}, {"servicePath", "/demo"}, {"port", "8080"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  const JsonValue json = Json(response);
  EXPECT_EQ(json["Status"].StringOr(), "OK");
  EXPECT_EQ(json["Message"].StringOr("-"), "");
  EXPECT_EQ(json["ServiceName"].StringOr(), "web");
  EXPECT_EQ(json["Revision"].AsUint64(), 8U);
  EXPECT_EQ(json["Persisted"].AsBool(), true);
  const JsonValue& dest = json["ServiceDest"].items().at(0);
  EXPECT_EQ(dest["Port"].StringOr(), "8080");
  EXPECT_EQ(dest["PathType"].StringOr(), "path_beg");
  EXPECT_EQ(dest["ServicePath"].items().at(0).StringOr(), "/demo");
  EXPECT_EQ(dest["ServiceDomain"].items().at(0).StringOr(), "A.com");
  EXPECT_EQ(dest["TimeoutServer"].StringOr(), "60");
  ASSERT_EQ(backend_.calls.size(), 1U);
  EXPECT_EQ(backend_.calls[0].first, "reconfigure");
  EXPECT_EQ(backend_.calls[0].second.at("servicePath"), "/demo");
}

TEST_F(HandlersTest, RefusalsKeepTheEnginesStatusAndMessage) {
  backend_.outcome.status = 409;
  backend_.outcome.message = "When using reqMode http, servicePath or serviceDomain are mandatory";
  const Response response = Call("/v1/docker-flow-proxy/reconfigure", {{"serviceName", "x"}});
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(Json(response)["Status"].StringOr(), "NOK");
  EXPECT_EQ(Json(response)["Message"].StringOr(), backend_.outcome.message);
  EXPECT_EQ(Json(response)["ServiceName"].StringOr(), "x");
  EXPECT_EQ(Json(response).Find("Persisted"), nullptr) << "nothing was to be stored";
}

TEST_F(HandlersTest, EveryChangingPathReachesItsCall) {
  const std::pair<const char*, const char*> cases[] = {
      {"/v1/docker-flow-proxy/remove", "remove"},
      {"/v1/proxy/remove/", "remove"},
      {"/v1/proxy/reconfigure", "reconfigure"},
      {"/v1/docker-flow-proxy/reload", "reload"},
      {"/v1/docker-flow-swarm-listener/notify-services", "resync"},
      {"/v1/validate", "validate"},
  };
  for (const auto& [path, call] : cases) {
    backend_.calls.clear();
    EXPECT_EQ(Call(path, {{"serviceName", "web"}}).status, 200) << path;
    ASSERT_EQ(backend_.calls.size(), 1U) << path;
    EXPECT_EQ(backend_.calls[0].first, call) << path;
  }
  backend_.calls.clear();
  EXPECT_EQ(Call("/v1/docker-flow-proxy/reload", {{"fromListener", "true"}}).status, 200);
  EXPECT_EQ(backend_.calls.at(0).first, "resync");
}

TEST_F(HandlersTest, WhatMakesTheEngineWorkIsRefusedWithoutTheToken) {
  context_.guard.token = "open-sesame";
  for (const char* path : {"/v1/proxy/reconfigure", "/v1/proxy/remove", "/v1/proxy/reload",
                           "/v1/docker-flow-swarm-listener/notify-services", "/v1/validate"}) {
    EXPECT_EQ(Call(path, {{"serviceName", "web"}}).status, 401) << path;
  }
  EXPECT_TRUE(backend_.calls.empty());
}

TEST_F(HandlersTest, StatusCountsServicesAndListsProblems) {
  const JsonValue json = Json(Call("/v1/status"));
  EXPECT_EQ(json["version"].StringOr(), "1.2.3");
  EXPECT_EQ(json["ready"].AsBool(), true);
  EXPECT_EQ(json["revision"].AsUint64(), 7U);
  EXPECT_EQ(json["haproxyPid"].AsInt64(), 42);
  EXPECT_EQ(json["services"]["live"].AsUint64(), 1U);
  EXPECT_EQ(json["services"]["rejected"].AsUint64(), 1U);
  EXPECT_EQ(json["counters"]["reloads"]["slots"].AsUint64(), 2U);
  ASSERT_EQ(json["diagnostics"].items().size(), 1U);
  EXPECT_EQ(json["diagnostics"].items()[0]["code"].StringOr(), "bad-port");
}

TEST_F(HandlersTest, ServicesAreListedAndShownInFull) {
  const JsonValue list = Json(Call("/v1/services"));
  ASSERT_EQ(list["services"].items().size(), 3U);
  const JsonValue& web = list["services"].items()[2];
  EXPECT_EQ(web["name"].StringOr(), "web");
  EXPECT_EQ(web["serving"].AsUint64(), 1U);
  EXPECT_EQ(web["tasks"].AsUint64(), 2U);
  EXPECT_EQ(web["routes"].AsUint64(), 1U);
  const JsonValue one = Json(Call("/v1/services/web"));
  EXPECT_EQ(one["taskList"].items().at(1)["reason"].StringOr(), "starting");
  EXPECT_EQ(one["backends"].items().at(0)["slot"].StringOr(), "sg_plain_00001");
  EXPECT_EQ(one["routes"].items().at(0)["path"].StringOr(), "path_beg /demo");
  EXPECT_EQ(one["parameters"]["port"].StringOr(), "8080");
  const Response missing = Call("/v1/services/wbe");
  EXPECT_EQ(missing.status, 404);
  EXPECT_NE(missing.body.find("did you mean web"), std::string::npos) << missing.body;
}

TEST_F(HandlersTest, WhyExplainsAndNamesTheServers) {
  const JsonValue json = Json(Call("/v1/why", {{"url", "http://a.com:8081/demo/x?y=1"}}));
  EXPECT_EQ(json["question"]["host"].StringOr(), "a.com");
  EXPECT_EQ(json["question"]["port"].AsInt64(), 8081);
  EXPECT_EQ(json["question"]["path"].StringOr(), "/demo/x");
  EXPECT_EQ(json["winner"].StringOr(), "web/0/0");
  EXPECT_EQ(json["serviceState"].StringOr(), "live");
  EXPECT_EQ(json["servers"].items().at(0).StringOr(), "10.0.1.3:8080");
  EXPECT_EQ(Json(Call("/v1/why", {{"url", "b.com/demo"}}))["winner"].StringOr("-"), "");
  EXPECT_EQ(Json(Call("/v1/why", {{"host", "a.com"}, {"path", "/demo"}}))["winner"].StringOr(),
            "web/0/0");
  // What a client would send besides, a line each.
  const Response asked = Call(
      "/v1/why",
      {{"url", "a.com/demo"}, {"header", "X-Version: 3\n\nUser-Agent: a browser of great renown"}});
  EXPECT_EQ(asked.status, 200) << asked.body;
  EXPECT_EQ(Json(asked)["winner"].StringOr(), "web/0/0");
  EXPECT_NE(asked.body.find("a browser of great renown"), std::string::npos) << asked.body;
  EXPECT_EQ(Call("/v1/why").status, 400);
  EXPECT_EQ(Call("/v1/why", {{"url", "ftp://a.com/"}}).status, 400);
  EXPECT_EQ(Call("/v1/why", {{"url", "http://a.com:0/"}}).status, 400);
  EXPECT_EQ(Call("/v1/why", {{"path", "/"}, {"port", "65536"}}).status, 400);
}

TEST_F(HandlersTest, AQuestionThatNoClientCouldAskIsRefusedWithWhatToWrite) {
  using Query = std::map<std::string, std::string>;
  const struct {
    Query query;
    const char* said;
  } cases[] = {
      {{{"url", "zz zz"}}, "write for example a.com"},
      {{{"url", std::string(1, '\0')}}, "write for example a.com"},
      {{{"url", "http://a.com/a b"}}, "write for example /demo"},
      {{{"url", "http://[a.com]/"}}, "write for example a.com"},
      {{{"host", "a b"}, {"path", "/x"}}, "write for example a.com"},
      {{{"host", "a.com:x"}}, "write for example a.com"},
      {{{"host", "a.com/x"}}, "write for example a.com"},
      {{{"host", "a.com"}, {"path", "x"}}, "write for example /demo"},
      {{{"host", "a.com"}, {"path", ""}}, "write for example /demo"},
      {{{"host", "a.com"}, {"path", "/x?y=1"}}, "write for example /demo"},
      {{{"url", "http://a.com"}, {"port", "abc"}}, "write all in the url"},
      {{{"url", "http://a.com"}, {"host", "b.com"}}, "write all in the url"},
      {{{"url", "http://a.com"}, {"header", ": 3"}}, "write for example X-Version: 3"},
      {{{"url", "http://a.com"}, {"header", "X Version: 3"}}, "write for example X-Version: 3"},
  };
  for (const auto& c : cases) {
    const Response refused = Call("/v1/why", c.query);
    EXPECT_EQ(refused.status, 400) << c.query.begin()->second;
    EXPECT_NE(refused.body.find(c.said), std::string::npos) << refused.body;
  }
  for (const Query& query :
       {Query{{"url", "http://[::1]:8080/"}}, Query{{"url", "http://user@a.com/%20?a b"}},
        Query{{"url", "/demo"}}, Query{{"path", "/demo"}}, Query{{"host", "a.com:8080"}},
        Query{{"host", "A_b.com."}, {"port", "81"}}, Query{{"url", "tls://:6379"}}}) {
    const Response taken = Call("/v1/why", query);
    EXPECT_EQ(taken.status, 200) << taken.body;
  }
}

TEST_F(HandlersTest, ServicesSayHowManyAreLeftToOtherInstances) {
  backend_.snapshot.of_other_instances = 3;
  EXPECT_EQ(Json(Call("/v1/services"))["ofOtherInstances"].AsUint64(), 3U);
}

TEST_F(HandlersTest, WhySurvivesAnEngineThatHasNoRoutesYet) {
  backend_.snapshot = engine::Snapshot();
  EXPECT_EQ(Call("/v1/why", {{"url", "http://a.com/"}}).status, 200);
  for (const char* path : {"/v1/status", "/v1/services", "/v1/routes", "/metrics"}) {
    EXPECT_EQ(Call(path).status, 200) << path;
  }
}

TEST_F(HandlersTest, ListenerListsOnlyWhatDockerSays) {
  const Response response = Call("/v1/docker-flow-swarm-listener/get-services");
  const JsonValue json = Json(response);
  ASSERT_EQ(json.items().size(), 2U) << response.body;
  const JsonValue& web = json.items()[1];
  EXPECT_EQ(web["serviceName"].StringOr(), "web");
  EXPECT_EQ(web["servicePath"].StringOr(), "/demo");
  EXPECT_EQ(web["distribute"].StringOr(), "true");
  EXPECT_EQ(web["replicas"].StringOr(), "2");
}

TEST_F(HandlersTest, ConfigIsTextOrJson) {
  const Response text = Call("/v1/docker-flow-proxy/config");
  EXPECT_EQ(text.body, "frontend services\n");
  EXPECT_EQ(text.content_type.rfind("text/plain", 0), 0U);
  const JsonValue json = Json(Call("/v1/docker-flow-proxy/config", {{"type", "json"}}));
  EXPECT_EQ(json["web"]["ServiceName"].StringOr(), "web");
  EXPECT_EQ(json.Find("bad"), nullptr) << "what was not understood is not configured";
  backend_.config = Fail(Code::kDeadlineExceeded, "busy");
  EXPECT_EQ(Call("/v1/docker-flow-proxy/config").status, 504);
}

TEST_F(HandlersTest, ProbesTellReadinessAndHealthApart) {
  EXPECT_EQ(Call("/readyz").status, 200);
  EXPECT_EQ(Call("/healthz").status, 200);
  // What the engine shows while it starts: HAProxy does not run yet.
  backend_.snapshot.was_ready = false;
  backend_.snapshot.ready = false;
  backend_.snapshot.not_ready_reason = "waiting for Docker";
  backend_.snapshot.proxy.ok = false;
  EXPECT_EQ(Call("/readyz").status, 503);
  EXPECT_NE(Call("/readyz").body.find("waiting for Docker"), std::string::npos);
  EXPECT_EQ(Call("/healthz").status, 200) << "starting is not sick";
  // What it shows when HAProxy has died since: never ready without HAProxy.
  backend_.snapshot.was_ready = true;
  backend_.snapshot.not_ready_reason = "HAProxy does not answer: refused";
  for (const char* path : {"/readyz", "/healthz", "/v1/docker-flow-proxy/ping", "/v1/proxy/ping",
                           "/v1/docker-flow-swarm-listener/ping"}) {
    EXPECT_EQ(Call(path).status, 503) << path << ": HAProxy is dead";
  }
}

TEST_F(HandlersTest, MetricsHaveCountersAndCumulativeBuckets) {
  const std::string text = Call("/metrics").body;
  for (const char* line : {"swarmgate_ready 1\n", "swarmgate_services{state=\"live\"} 1\n",
                           "swarmgate_services{state=\"conflict\"} 0\n", "swarmgate_routes 1\n",
                           "swarmgate_servers 1\n", "swarmgate_reloads_total{reason=\"slots\"} 2\n",
                           "swarmgate_diagnostics{code=\"bad-port\"} 1\n",
                           "swarmgate_partner_up{partner=\"docker\"} 1\n",
                           "swarmgate_api_to_live_seconds_bucket{le=\"0.0025\"} 0\n",
                           "swarmgate_api_to_live_seconds_bucket{le=\"0.005\"} 3\n",
                           "swarmgate_api_to_live_seconds_bucket{le=\"+Inf\"} 3\n",
                           "swarmgate_api_to_live_seconds_count 3\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nin\n" << text;
  }
}

TEST_F(HandlersTest, EventsAreLinesAfterANumber) {
  LogEvent(LogLevel::kWarning, "TEST_EVENT", "something", {{"why", "a \"test\"\n"}});
  const std::string all = Call("/v1/events").body;
  EXPECT_NE(all.find("TEST_EVENT"), std::string::npos) << all;
  const auto last = JsonValue::Parse(all.substr(all.rfind('\n', all.size() - 2) + 1));
  ASSERT_TRUE(last) << all;
  const auto sequence = (*last)["sequence"].AsUint64();
  ASSERT_TRUE(sequence);
  EXPECT_EQ(Call("/v1/events", {{"after", std::to_string(*sequence)}}).body, "");
  EXPECT_EQ(Call("/v1/events", {{"after", "x"}}).status, 400);
  EXPECT_EQ(Call("/v1/events", {{"after", "5"}, {"follow", "true"}}).follow_after, 5U);
}

TEST_F(HandlersTest, UnknownPathsAre404InJson) {
  for (const char* path :
       {"/", "/v1", "/v1/docker-flow-proxy", "/v1/docker-flow-proxyping",
        "/v1/docker-flow-proxy/nothing", "/v1/docker-flow-swarm-listener/x", ""}) {
    const Response response = Call(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(Json(response)["Status"].StringOr(), "NOK") << path;
  }
}

TEST(ParseUrlTest, UnderstandsWhatPeopleType) {
  const struct {
    const char* url;
    const char* host;
    int port;
    const char* path;
  } cases[] = {
      {"http://a.com/demo", "a.com", 80, "/demo"},
      {"a.com", "a.com", 80, "/"},
      {"https://A.com", "A.com", 443, "/"},
      {"http://u:p@a.com:81/x?q#f", "a.com", 81, "/x"},
      {"http://[::1]:8080/x", "[::1]", 8080, "/x"},
      {"/only/path", "", 80, "/only/path"},
      {"http://a.com?x=/y", "a.com", 80, "/"},
  };
  for (const auto& test : cases) {
    const auto parts = ParseUrl(test.url);
    ASSERT_TRUE(parts) << test.url;
    EXPECT_EQ(parts->host, test.host) << test.url;
    EXPECT_EQ(parts->port, test.port) << test.url;
    EXPECT_EQ(parts->path, test.path) << test.url;
  }
}

TEST_F(HandlersTest, CertTakesAPemByPutAndGivesNoneBack) {
  Request request;
  request.method = "PUT";
  request.path = "/v1/docker-flow-proxy/cert";
  request.query = {{"certName", "a.pem"}};
  request.remote_address = "127.0.0.1";
  request.body = "-----BEGIN hunter2";
  Response response = Handle(request, context_);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(Json(response)["Status"].StringOr(), "OK");
  EXPECT_EQ(response.body.find("hunter2"), std::string::npos);
  ASSERT_EQ(backend_.calls.size(), 1U);
  EXPECT_EQ(backend_.calls[0].first, "put-certificate");
  EXPECT_EQ(backend_.calls[0].second["pem"], "-----BEGIN hunter2");
  request.method = "DELETE";
  EXPECT_EQ(Handle(request, context_).status, 200);
  EXPECT_EQ(backend_.calls[1].first, "remove-certificate");
  EXPECT_NE(response.body.find("\"Persisted\""), std::string::npos);
  backend_.outcome.status = 400;
  const Response refused = Handle(request, context_);
  EXPECT_EQ(Json(refused)["Code"].StringOr(), "invalid_argument") << refused.body;
  EXPECT_EQ(refused.body.find("\"Persisted\""), std::string::npos);
  request.method = "GET";
  EXPECT_EQ(Handle(request, context_).status, 405);
  EXPECT_TRUE(IsCertificateCall("/v1/proxy/cert/"));
  EXPECT_FALSE(IsCertificateCall("/v1/docker-flow-proxy/certs"));
}

TEST_F(HandlersTest, CertsTellsEverythingButTheKey) {
  auto certificates = std::make_shared<std::vector<engine::CertificateStatus>>(1);
  engine::CertificateStatus& status = certificates->front();
  status.certificate.name = "a.pem";
  status.certificate.where = "/certs/a.pem";
  status.certificate.dns_names = {"a.com"};
  status.certificate.pem = model::Secret("hunter2");
  status.certificate.not_after = 1'798'425'600;
  status.served = {"a.com"};
  status.is_default = true;
  backend_.snapshot.certificates = certificates;
  const Response response = Call("/v1/docker-flow-proxy/certs");
  const JsonValue cert = Json(response)["Certs"].items().at(0);
  EXPECT_EQ(cert["ProxyServiceName"].StringOr(), "a.pem");
  EXPECT_EQ(cert["CertsDir"].StringOr(), "/certs");
  EXPECT_EQ(cert["NotAfter"].StringOr().substr(0, 19), "2026-12-28T02:40:00");
  EXPECT_EQ(cert["Served"].items().at(0).StringOr(), "a.com");
  EXPECT_EQ(response.body.find("hunter2"), std::string::npos);
  EXPECT_NE(Call("/metrics").body.find("swarmgate_certificate_expiry_seconds{name=\"a.pem\""),
            std::string::npos);
}

}  // namespace
}  // namespace swarmgate::admin
