// Every path that users of Docker Flow Proxy and its listener may call, with what it must answer;
// and HAProxy's counters under the names of services.
#include <gtest/gtest.h>

#include "admin/handlers.h"
#include "admin/metrics.h"
#include "admin/proxy_metrics.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/codec/json.h"
#include "unit/admin/fake_backend.h"

namespace swarmgate::admin {
namespace {

using codec::JsonValue;

/// Columns up to hrsp_other and req_tot, as `show stat` of HAProxy 2.6 has them.
std::string StatLine(const std::string& proxy, const std::string& server, const std::string& status,
                     int base) {
  std::string line = proxy + "," + server;
  for (int column = 2; column < 60; ++column) {
    line += ",";
    if (column == 17) {
      line += status;
    } else if (column == 37) {
      line += "\"L7OK, fine\"";
    } else {
      line += std::to_string(base + column);
    }
  }
  return line + ",\n";
}

std::string SampleStats() {
  return "# pxname,svname,qcur\n" + StatLine("services", "FRONTEND", "OPEN", 1000) +
         StatLine("sg_plain_00001", "t-1-abc123", "no check", 2000) +
         StatLine("sg_plain_00001", "BACKEND", "UP", 3000) +
         StatLine("sg_plain_00002", "BACKEND", "DOWN", 4000) +
         StatLine("stats", "BACKEND", "UP", 5000) + "\n";
}

class PredecessorTest : public ::testing::Test {
 protected:
  PredecessorTest() {
    backend_.snapshot = SampleSnapshot();
    backend_.stats = SampleStats();
    context_.backend = &backend_;
    context_.version = "1.2.3";
  }
  Response Call(const std::string& method, const std::string& target) {
    Request request;
    request.method = method;
    const auto question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string::npos) {
      for (const std::string_view pair :
           Split(std::string_view(target).substr(question + 1), '&')) {
        const auto equals = pair.find('=');
        request.query.emplace(pair.substr(0, equals), pair.substr(equals + 1));
      }
    }
    request.remote_address = "127.0.0.1";
    return Handle(request, context_);
  }
  FakeBackend backend_;
  HandlerContext context_;
};

TEST_F(PredecessorTest, EveryPathAnswersByEveryMethodWithAndWithoutTrailingSlash) {
  const struct {
    const char* path;
    const char* query;
    const char* call;  ///< what reaches the engine; "" for what only tells
    const char* type;
    const char* text;  ///< in the answer
  } cases[] = {
      {"/v1/docker-flow-proxy/reconfigure", "?serviceName=web&port=1", "reconfigure",
       "application/json", "\"Status\":\"OK\""},
      {"/v1/docker-flow-proxy/remove", "?serviceName=web&distribute=true", "remove",
       "application/json", "\"Status\":\"OK\""},
      {"/v1/docker-flow-proxy/reload", "", "reload", "application/json", "\"Status\":\"OK\""},
      {"/v1/docker-flow-proxy/reload", "?recreate=true", "reload", "application/json", "OK"},
      {"/v1/docker-flow-proxy/reload", "?recreate=true&fromListener=true", "resync",
       "application/json", "OK"},
      {"/v1/docker-flow-proxy/config", "", "", "text/plain; charset=utf-8", "frontend services"},
      {"/v1/docker-flow-proxy/config", "?type=json", "", "application/json",
       "{\"web\":{\"ServiceName\":\"web\""},
      {"/v1/docker-flow-proxy/metrics", "", "", "text/plain; charset=utf-8", "services,FRONTEND,"},
      {"/v1/docker-flow-proxy/ping", "", "", "application/json", "\"Status\":\"OK\""},
      {"/v1/docker-flow-proxy/successfulinitreload", "", "", "application/json", "OK"},
      {"/metrics", "", "", "text/plain; version=0.0.4; charset=utf-8", "haproxy_up 1"},
      {"/v1/test", "", "", "application/json", "Test v1"},
      {"/v2/test", "", "", "application/json", "Test v2"},
      {"/v1/docker-flow-swarm-listener/notify-services", "", "resync", "application/json",
       "\"Status\":\"OK\""},
      {"/v1/docker-flow-swarm-listener/get-services", "", "", "application/json",
       "\"serviceName\":\"web\""},
      {"/v1/docker-flow-swarm-listener/ping", "", "", "application/json", "\"Status\":\"OK\""},
  };
  for (const auto& c : cases) {
    for (const char* method : {"GET", "PUT", "POST", "DELETE"}) {
      for (const char* slash : {"", "/"}) {
        backend_.calls.clear();
        const Response response = Call(method, std::string(c.path) + slash + c.query);
        EXPECT_EQ(response.status, 200) << method << " " << c.path << ": " << response.body;
        EXPECT_EQ(response.content_type, c.type) << c.path;
        EXPECT_NE(response.body.find(c.text), std::string::npos) << c.path << ": " << response.body;
        ASSERT_EQ(backend_.calls.size(), *c.call == '\0' ? 0U : 1U) << c.path;
        if (*c.call != '\0') {
          EXPECT_EQ(backend_.calls[0].first, c.call) << c.path;
        }
      }
    }
  }
}

TEST_F(PredecessorTest, BeforeTheFirstApplyInitReloadIsNotSuccessful) {
  backend_.snapshot.ready = false;
  const Response response = Call("GET", "/v1/docker-flow-proxy/successfulinitreload");
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.body.find("\"Code\":\"not_ready\""), std::string::npos) << response.body;
}

TEST_F(PredecessorTest, RefusalsHaveOneMessageAndOneCode) {
  backend_.stats.clear();
  backend_.config = Fail(Code::kDeadlineExceeded, "took too long");
  const struct {
    const char* target;
    int status;
    const char* code;
  } cases[] = {
      {"/v1/docker-flow-proxy/metrics", 503, "unavailable"},
      {"/v1/docker-flow-proxy/config", 504, "deadline_exceeded"},
      {"/v1/docker-flow-proxy/nothing", 404, "not_found"},
      {"/v1/docker-flow-swarm-listener/nothing", 404, "not_found"},
  };
  for (const auto& c : cases) {
    const Response response = Call("GET", c.target);
    EXPECT_EQ(response.status, c.status) << c.target;
    const auto json = JsonValue::Parse(response.body);
    ASSERT_TRUE(json) << response.body;
    EXPECT_EQ((*json)["Status"].StringOr(), "NOK");
    EXPECT_EQ((*json)["Code"].StringOr(), c.code);
    EXPECT_NE((*json)["Message"].StringOr(), "");
  }
}

TEST_F(PredecessorTest, ARefusedCallHasACodeAsWell) {
  for (const auto& [status, code] : std::map<int, std::string>{{400, "invalid_argument"},
                                                               {409, "conflict"},
                                                               {500, "internal"},
                                                               {504, "deadline_exceeded"}}) {
    backend_.outcome.status = status;
    const Response response = Call("GET", "/v1/docker-flow-proxy/remove?serviceName=web");
    EXPECT_EQ(response.status, status);
    EXPECT_NE(response.body.find("\"Code\":\"" + code + "\""), std::string::npos) << response.body;
  }
}

TEST_F(PredecessorTest, AReloadThatFailsIsToldInItsAnswer) {
  for (const auto& [query, call] : std::map<std::string, std::string>{
           {"", "reload"}, {"?recreate=true", "reload"}, {"?fromListener=true", "resync"}}) {
    backend_.calls.clear();
    backend_.outcome.status = 500;
    backend_.outcome.message = "HAProxy refuses the files: line 7";
    const Response response = Call("GET", "/v1/docker-flow-proxy/reload" + query);
    EXPECT_EQ(response.status, 500) << query;
    const auto json = JsonValue::Parse(response.body);
    ASSERT_TRUE(json) << response.body;
    EXPECT_EQ((*json)["Status"].StringOr(), "NOK");
    EXPECT_EQ((*json)["Message"].StringOr(), backend_.outcome.message);
    EXPECT_EQ(backend_.calls.at(0).first, call) << query;
  }
}

TEST_F(PredecessorTest, TheCsvNamesBackendsNotSlotsAndLeavesEmptySlotsOut) {
  const std::string csv = Call("GET", "/v1/docker-flow-proxy/metrics").body;
  EXPECT_EQ(csv.rfind("# pxname,svname", 0), 0U);
  EXPECT_NE(csv.find("\nweb-be8080_0,t-1-abc123,2002,"), std::string::npos) << csv;
  EXPECT_NE(csv.find("\nweb-be8080_0,BACKEND,"), std::string::npos);
  EXPECT_EQ(csv.find("sg_plain"), std::string::npos);
  EXPECT_NE(csv.find("\nstats,BACKEND,"), std::string::npos);
}

TEST_F(PredecessorTest, PrometheusGetsTheNamesThatDashboardsKnow) {
  const std::string text = Call("GET", "/metrics").body;
  for (const char* line : {
           "haproxy_up 1\n",
           "haproxy_frontend_connections_total{frontend=\"services\"} 1007\n",
           "haproxy_frontend_http_responses_total{frontend=\"services\",code=\"5xx\"} 1043\n",
           "haproxy_frontend_http_requests_total{frontend=\"services\"} 1048\n",
           "haproxy_backend_up{backend=\"web-be8080_0\",service=\"web\"} 1\n",
           "haproxy_backend_current_queue{backend=\"web-be8080_0\",service=\"web\"} 3002\n",
           "haproxy_server_bytes_out_total{backend=\"web-be8080_0\",service=\"web\",server="
           "\"t-1-abc123\"} 2009\n",
           "haproxy_server_up{backend=\"web-be8080_0\",service=\"web\",server=\"t-1-abc123\"} 1\n",
           "haproxy_server_check_duration_milliseconds{backend=\"web-be8080_0\",service=\"web\","
           "server=\"t-1-abc123\"} 2038\n",
           "swarmgate_haproxy_rows_left_out 0\n",
           "docker_flow_service_count{service=\"swarm_listener\"} 3\n",
       }) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
  EXPECT_EQ(text.find("sg_plain"), std::string::npos);
}

TEST_F(PredecessorTest, WithoutHaproxyTheMetricsOfOursAreStillThere) {
  backend_.stats.clear();
  const Response response = Call("GET", "/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(response.body.find("haproxy_up 0\n"), std::string::npos);
  EXPECT_NE(response.body.find("swarmgate_ready 1\n"), std::string::npos);
}

TEST_F(PredecessorTest, TooManyServersAreCountedInsteadOfTold) {
  for (std::size_t i = 0; i <= kMostServerRows; ++i) {
    backend_.stats += StatLine("sg_plain_00001", "s" + std::to_string(i), "UP", 1);
  }
  const std::string text = Call("GET", "/metrics").body;
  EXPECT_EQ(text.find("haproxy_server_up{"), std::string::npos);
  EXPECT_NE(text.find("haproxy_backend_up{"), std::string::npos);
  EXPECT_NE(text.find("swarmgate_haproxy_rows_left_out 2002\n"), std::string::npos);
}

}  // namespace
}  // namespace swarmgate::admin
