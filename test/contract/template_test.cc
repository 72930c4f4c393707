// Requests of services that say in templates where they go, through the real HAProxy.
#include <gtest/gtest.h>

#include "contract/proxy_traffic.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::testing {
namespace {

class TemplateTrafficTest : public ProxyTrafficTest {
 protected:
  /// What a service of this name says in its templates.
  void Add(model::Desired& desired, const std::string& name, const std::string& fe,
           const std::string& be, int port) {
    labels::ParseOptions options;
    options.allow_raw = true;
    options.templates.files["fe"].text = fe;
    options.templates.files["be"].text = be;
    const auto parsed =
        labels::ParseParameters(model::ServiceName(name),
                                {{"servicePath", "/" + name},
                                 {"port", std::to_string(ports_[static_cast<std::size_t>(port)])},
                                 {"templateFePath", "fe"},
                                 {"templateBePath", "be"}},
                                options);
    ASSERT_TRUE(parsed.spec) << parsed.diagnostics.front().ToString();
    desired.raw.push_back({parsed.spec->name, parsed.spec->raw});
  }
  [[nodiscard]] std::string Port(int n) const {
    return std::to_string(ports_[static_cast<std::size_t>(n)]);
  }
};

constexpr const char* kFe =
    "acl url{{range .ServiceDest}} path_beg{{range .ServicePath}} {{.}}{{end}}{{end}}\n"
    "http-request set-header X-From-Template {{.ServiceName}} if url\n"
    "use_backend {{.ServiceName}}-be if url\n";
constexpr const char* kBe =
    "backend {{.ServiceName}}-be\n"
    "    mode http\n"
    "    server {{.ServiceName}} 127.0.0.1:{{.Port}} check\n";

TEST_F(TemplateTrafficTest, RequestsGoWhereTemplatesSayAndAllOthersWhereTheyWent) {
  model::Desired desired;
  desired.backends.push_back(MakeBackend(0));
  Route(desired, "/", desired.backends[0]);
  // Both call their acl the same.
  Add(desired, "one", kFe, kBe, 1);
  Add(desired, "two", kFe, kBe, 2);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  EXPECT_NE(Get(Proxy(), "/").body.find(Port(0)), std::string::npos) << Get(Proxy(), "/").body;
  EXPECT_NE(Get(Proxy(), "/one").body.find(Port(1)), std::string::npos)
      << Get(Proxy(), "/one").body;
  EXPECT_NE(Get(Proxy(), "/two/x").body.find(Port(2)), std::string::npos);
  EXPECT_EQ(Get(Proxy(), "/three").status, 200);
}

TEST_F(TemplateTrafficTest, RoutesLookAtTheRequestAsItCameHoweverItsHostIsWritten) {
  model::Desired desired;
  desired.backends.push_back(MakeBackend(0));
  desired.backends.push_back(MakeBackend(1));
  Route(desired, "a.com/x", desired.backends[0]);
  Route(desired, "a.com/y", desired.backends[1]);
  Add(desired, "one", "http-request set-path /y/ if { path_beg /x }\n" + std::string(kFe), kBe, 2);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  for (const char* host : {"a.com", "A.com", "a.com:80", "a.com."}) {
    const HttpResponse answer = Get(Proxy(), "/x", host);
    EXPECT_NE(answer.body.find(Port(0)), std::string::npos) << host << ": " << answer.Summary();
  }
}

TEST_F(TemplateTrafficTest, ServersOfTemplatesAreNoneOfOurs) {
  model::Desired desired;
  desired.backends.push_back(MakeBackend(0));
  Route(desired, "/", desired.backends[0]);
  Add(desired, "sg_one", kFe, kBe, 1);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  const auto read = haproxy_.control().ReadBack(held_.image, In(std::chrono::seconds(10)));
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(read->image.servers, held_.image.servers);
  EXPECT_TRUE(MakePlan(*read, held_.image).empty());
}

TEST_F(TemplateTrafficTest, AServerWhoseNameDoesNotResolveHarmsNobody) {
  model::Desired desired;
  desired.backends.push_back(MakeBackend(0));
  Route(desired, "/", desired.backends[0]);
  Add(desired, "one", kFe, "backend one-be\n  server a no-such-name.invalid:80\n", 1);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  EXPECT_EQ(Get(Proxy(), "/one").status, 503);
  EXPECT_EQ(Get(Proxy(), "/").status, 200);
}

}  // namespace
}  // namespace swarmgate::testing
