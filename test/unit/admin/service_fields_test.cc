// A service in the answers of reconfigure, remove and config?type=json: every field that scripts of
// Docker Flow Proxy's users may look for, with its type, and no secret.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "admin/views.h"
#include "swarmgate/codec/json.h"
#include "swarmgate/labels/parse.h"
#include "unit/admin/fake_backend.h"

namespace swarmgate::admin {
namespace {

using codec::JsonValue;
using ::testing::HasSubstr;
using ::testing::Not;

/// "name:type"; n: a list that is null where there is none.
constexpr const char* kServiceFields[] = {"AclName:text",
                                          "AddReqHeader:list0",
                                          "AddResHeader:list0",
                                          "BackendExtra:text",
                                          "CheckResolvers:bool",
                                          "CompressionAlgo:text",
                                          "CompressionType:text",
                                          "ConnectionMode:text",
                                          "Debug:bool",
                                          "DebugFormat:text",
                                          "DelReqHeader:list0",
                                          "DelResHeader:list0",
                                          "DiscoveryType:text",
                                          "Distribute:bool",
                                          "IsDefaultBackend:bool",
                                          "ProxyInstanceName:text",
                                          "RedirectWhenHttpProto:bool",
                                          "RedirectUnlessHttpsProto:bool",
                                          "Replicas:number",
                                          "ReqPathReplace:text",
                                          "ReqPathSearch:text",
                                          "ServiceCert:text",
                                          "ServiceDomainAlgo:text",
                                          "SessionType:text",
                                          "SetReqHeader:list0",
                                          "SetResHeader:list0",
                                          "TemplateBePath:text",
                                          "TemplateFePath:text",
                                          "UseGlobalUsers:bool",
                                          "Users:list0",
                                          "ServicePort:text",
                                          "AclCondition:text",
                                          "IsGlobal:bool",
                                          "LookupRetry:number",
                                          "LookupRetryInterval:number",
                                          "ServiceDest:list",
                                          "Tasks:list0"};
constexpr const char* kDestFields[] = {"AllowedMethods:list",
                                       "BalanceGroup:text",
                                       "CheckTCP:bool",
                                       "Clitcpka:bool",
                                       "DeniedMethods:list",
                                       "DenyHttp:bool",
                                       "HttpsOnly:bool",
                                       "HttpsPort:number",
                                       "HttpsRedirectCode:text",
                                       "IgnoreAuthorization:bool",
                                       "OutboundHostname:text",
                                       "PathType:text",
                                       "Port:text",
                                       "RedirectFromDomain:list",
                                       "ReqMode:text",
                                       "ReqModeFormatted:text",
                                       "ReqPathSearchReplace:text",
                                       "ServiceDomain:list",
                                       "ServiceGroup:text",
                                       "ServiceHeader:object",
                                       "ServicePath:list",
                                       "ServicePathExclude:list",
                                       "SrcPort:number",
                                       "SrcHttpsPort:number",
                                       "SrcPortAcl:text",
                                       "SrcPortAclName:text",
                                       "SrcHttpsPortAcl:text",
                                       "SrcHttpsPortAclName:text",
                                       "SslVerifyNone:bool",
                                       "TimeoutServer:text",
                                       "TimeoutClient:text",
                                       "TimeoutTunnel:text",
                                       "VerifyClientSsl:bool",
                                       "UserAgent:object",
                                       "UserDef:text",
                                       "Index:number",
                                       "ReqPathSearchReplaceFormatted:list",
                                       "IncludeSrcPortACL:bool",
                                       "IncludeSrcHttpsPortACL:bool"};

std::string TypeOf(const JsonValue& value) {
  if (value.is_null()) return "null";
  if (value.is_array()) return "list";
  if (value.is_object()) return "object";
  if (value.is_string()) return "text";
  if (value.is_bool()) return "bool";
  return "number";
}

/// Sorted, with null as a list where that is allowed; what is ours besides is left out.
template <std::size_t kSize>
void ExpectFields(const JsonValue& json, const char* const (&fields)[kSize],
                  const std::set<std::string>& others) {
  std::set<std::string> names;
  for (const char* field : fields) {
    const std::string text = field;
    const std::string name = text.substr(0, text.find(':'));
    std::string type = text.substr(text.find(':') + 1);
    names.insert(name);
    const JsonValue& value = json[name];
    if (type == "list0") type = value.is_null() ? "null" : "list";
    EXPECT_EQ(TypeOf(value), type) << name;
  }
  for (const auto& [name, value] : json.members()) {
    EXPECT_TRUE(names.contains(name) || others.contains(name)) << name << " is new";
    names.erase(name);
  }
  EXPECT_EQ(names, std::set<std::string>()) << "are missing";
}

engine::Snapshot SnapshotOf(const std::map<std::string, std::string>& parameters) {
  labels::ParseOptions options;
  options.source = labels::Source::kQuery;
  options.allow_raw = true;
  const auto parsed = labels::ParseParameters(model::ServiceName("full"), parameters, options);
  engine::ServiceStatus status;
  status.name = model::ServiceName("full");
  std::map<std::string, std::string> shown = parameters;
  for (auto& [name, value] : shown) {
    if (!labels::MayShowValue(name)) value = "***";
  }
  EXPECT_TRUE(parsed.spec);
  for (const auto& diagnostic : parsed.diagnostics) EXPECT_EQ(diagnostic.ToString(), "");
  status.spec = parsed.spec;
  status.parameters = shown;
  engine::Snapshot snapshot;
  snapshot.services = {status};
  return snapshot;
}

TEST(ServiceFieldsTest, AServiceHasEveryFieldOfThePredecessorsWithItsType) {
  const std::string text = ConfigJson(SnapshotOf({{"servicePath", "/demo"}, {"port", "8080"}}));
  const auto json = JsonValue::Parse(text);
  ASSERT_TRUE(json) << text;
  const JsonValue& service = (*json)["full"];
  ExpectFields(service, kServiceFields, {"ServiceName", "Network"});
  ASSERT_EQ(service["ServiceDest"].items().size(), 1U);
  ExpectFields(service["ServiceDest"].items()[0], kDestFields, {});
  EXPECT_TRUE(service["AddReqHeader"].is_null());
  EXPECT_TRUE(service["Users"].is_null());
  EXPECT_EQ(service["ServiceDest"].items()[0]["AllowedMethods"].items().size(), 0U);
}

TEST(ServiceFieldsTest, FieldsHaveTheValuesThatWereAskedFor) {
  const std::string text = ConfigJson(SnapshotOf({{"serviceName", "full"},
                                                  {"servicePath.1", "/demo,/x"},
                                                  {"port.1", "8080"},
                                                  {"serviceDomain.1", "a.com"},
                                                  {"allowedMethods.1", "GET,POST"},
                                                  {"reqPathSearchReplace.1", "^/a,/b"},
                                                  {"timeoutServer", "60"},
                                                  {"userDef.1", "blue"},
                                                  {"userAgent.1", "Browser of Mine,Another"},
                                                  {"aclName", "05-full"},
                                                  {"addReqHeader", "X-A b,X-C d"},
                                                  {"delResHeader", "Server"},
                                                  {"compressionAlgo", "gzip"},
                                                  {"compressionType", "text/css,text/html"},
                                                  {"connectionMode", "http-server-close"},
                                                  {"backendExtra", "option http-no-delay"},
                                                  {"users", "me:hunter2"},
                                                  {"sessionType", "sticky-server"},
                                                  {"httpsOnly", "true"},
                                                  {"httpsRedirectCode", "301"},
                                                  {"serviceCert", "hunter3"}}));
  for (const char* part : {R"("AclName":"05-full")",
                           R"("AddReqHeader":["X-A ***","X-C ***"])",
                           R"("DelResHeader":["Server"])",
                           R"("CompressionAlgo":"gzip","CompressionType":"text/css text/html")",
                           R"("ConnectionMode":"http-server-close")",
                           R"("BackendExtra":"option http-no-delay")",
                           R"("Users":[{"Username":"me","Password":"***","PassEncrypted":false}])",
                           R"("ServiceCert":"***")",
                           R"("SessionType":"sticky-server")",
                           R"("AllowedMethods":["GET","POST"])",
                           R"("ServicePath":["/demo","/x"])",
                           R"("ServiceDomain":["a.com"])",
                           R"("Port":"8080")",
                           R"("TimeoutServer":"60")",
                           R"("ReqPathSearchReplace":"^/a,/b")",
                           R"("ReqPathSearchReplaceFormatted":["^/a,/b"])",
                           R"("HttpsOnly":true)",
                           R"("HttpsRedirectCode":"301")",
                           R"("UserDef":"blue","Index":1)",
                           R"("UserAgent":{"Value":["Browser of Mine","Another"],"AclName":)"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("hunter")));
}

TEST(ServiceFieldsTest, AnAnswerHasTheFieldsWhateverBecameOfTheCall) {
  engine::Outcome outcome;
  outcome.status = 400;
  outcome.message = "no";
  const std::string text = OutcomeJson(outcome, {{"serviceName", "web"}, {"users", "me:hunter2"}});
  const auto json = JsonValue::Parse(text);
  ASSERT_TRUE(json) << text;
  ExpectFields(*json, kServiceFields,
               {"Status", "Message", "ServiceName", "Code", "Network", "Revision", "Diagnostics"});
  EXPECT_EQ((*json)["ServiceName"].StringOr(), "web");
  EXPECT_THAT(text, Not(HasSubstr("hunter")));
}

TEST(ServiceFieldsTest, NodesAreFlatMapsOfTexts) {
  engine::Snapshot snapshot;
  snapshot.nodes = std::make_shared<const std::vector<model::NodeFacts>>(
      std::vector<model::NodeFacts>{{"abc",
                                     "vm",
                                     "10.0.0.1",
                                     22,
                                     "ready",
                                     "manager",
                                     "active",
                                     {{"zone", "b"}, {"id", "not this"}}}});
  EXPECT_EQ(ListenerNodesJson(snapshot),
            R"([{"address":"10.0.0.1","availability":"active","hostname":"vm","id":"abc",)"
            R"("role":"manager","state":"ready","versionIndex":"22","zone":"b"}])");
  EXPECT_EQ(ListenerNodesJson(engine::Snapshot()), "[]");
}

}  // namespace
}  // namespace swarmgate::admin
