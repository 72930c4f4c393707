#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>

#include "app/lint_input.h"
#include "app/lint_report.h"
#include "app/yaml.h"
#include "support/paths.h"

namespace swarmgate::app {
namespace {

std::string Fixture(const std::string& name) {
  std::ostringstream text;
  text << std::ifstream(testing::SourcePath("fixtures/lint/") + name).rdbuf();
  return text.str();
}

LintReport LintFile(const std::string& name,
                    const std::map<std::string, std::string>& environment = {}) {
  auto services = ReadLintInput(Fixture(name), "com.df.", environment);
  EXPECT_TRUE(services) << services.error().message;
  return services ? Lint(*std::move(services), {}) : LintReport();
}

const LintedService& ServiceOf(const LintReport& report, std::string_view name) {
  const auto found =
      std::find_if(report.services.begin(), report.services.end(),
                   [&](const LintedService& service) { return service.input.name == name; });
  EXPECT_NE(found, report.services.end()) << name;
  static const LintedService kNone;
  return found == report.services.end() ? kNone : *found;
}

bool HasDiagnostic(const LintedService& service, model::Severity severity,
                   const std::string& code) {
  return std::any_of(service.diagnostics.begin(), service.diagnostics.end(),
                     [&](const model::Diagnostic& diagnostic) {
                       return diagnostic.severity == severity && diagnostic.code == code;
                     });
}

TEST(LintTest, StackFileWithMergedAndListedLabels) {
  const LintReport report = LintFile("stack.yml");
  EXPECT_EQ(report.services.size(), 3U);
  EXPECT_EQ(report.routed, 2U);
  EXPECT_EQ(report.errors, 0U) << LintText(report);
  const LintedService& web = ServiceOf(report, "web");
  EXPECT_EQ(web.input.labels_from, "deploy.labels");
  ASSERT_EQ(web.routes.size(), 2U) << LintText(report);
  EXPECT_EQ(web.routes[0].to, 8080);
  const LintedService& api = ServiceOf(report, "api");
  ASSERT_EQ(api.routes.size(), 2U) << LintText(report);
  EXPECT_EQ(api.routes[0].host, "example.com");
  EXPECT_FALSE(ServiceOf(report, "db").opted_in);
  EXPECT_EQ(
      ServiceOf(LintFile("stack.yml", {{"DOMAIN", "other.example"}}), "api").routes.at(0).host,
      "other.example");
}

TEST(LintTest, ComposeFileUsesTheContainersLabelsAndExposedPort) {
  const LintReport report = LintFile("compose.yml");
  EXPECT_EQ(report.errors, 0U) << LintText(report);
  const LintedService& demo = ServiceOf(report, "demo");
  EXPECT_EQ(demo.input.labels_from, "labels");
  ASSERT_EQ(demo.routes.size(), 1U) << LintText(report);
  EXPECT_EQ(demo.routes[0].to, 8080);
  EXPECT_EQ(ServiceOf(report, "regex").routes.at(0).path, "path_reg ^/item/[0-9]+$");
}

TEST(LintTest, MistakesAreNamedAndHurtNobodyElse) {
  const LintReport report = LintFile("mistakes.yml");
  const std::string text = LintText(report);
  EXPECT_TRUE(HasDiagnostic(ServiceOf(report, "typo"), model::Severity::kWarning, "unknown-label"))
      << text;
  EXPECT_NE(text.find("com.df.servicePath"), std::string::npos) << text;
  EXPECT_EQ(ServiceOf(report, "typo").routes.size(), 1U);
  EXPECT_TRUE(ServiceOf(report, "port").routes.empty()) << text;
  EXPECT_NE(text.find("65536"), std::string::npos) << text;
  EXPECT_EQ(ServiceOf(report, "older").routes.size(), 1U) << text;
  EXPECT_TRUE(ServiceOf(report, "younger").routes.empty()) << text;
  EXPECT_NE(text.find("older"), std::string::npos);
  EXPECT_TRUE(
      HasDiagnostic(ServiceOf(report, "forgotten"), model::Severity::kError, "not-opted-in"));
  EXPECT_TRUE(HasDiagnostic(ServiceOf(report, "misplaced"), model::Severity::kWarning,
                            "labels-of-the-container"));
  EXPECT_TRUE(HasDiagnostic(ServiceOf(report, "dollar"), model::Severity::kError, "bad-variable"))
      << text;
  EXPECT_GE(report.errors, 2U);
}

TEST(LintTest, ServiceInspectUsesServiceLabels) {
  const LintReport report = LintFile("service_inspect.json");
  ASSERT_EQ(report.services.size(), 1U);
  EXPECT_EQ(report.services[0].routes.at(0).path, "path_beg /demo") << LintText(report);
  EXPECT_TRUE(
      HasDiagnostic(report.services[0], model::Severity::kWarning, "labels-of-the-container"));
}

LintReport LintOf(const std::string& text, const LintOptions& options = {}) {
  auto services = ReadLintInput(text, "com.df.", {});
  EXPECT_TRUE(services) << services.error().message;
  return services ? Lint(*std::move(services), options) : LintReport();
}

std::string LabelledService(const std::string& name, const std::string& labels) {
  return R"({"Spec":{"Name":")" + name + R"(","Labels":{"com.df.notify":"true",)" + labels +
         R"(},"TaskTemplate":{"ContainerSpec":{}}}})";
}

TEST(LintTest, ThePortsOfTheProxyAreTheUsualOnesAndThoseOfTheFile) {
  const LintReport report = LintOf(
      "[" +
      LabelledService("a",
                      R"("com.df.servicePath":"/a","com.df.port":"1","com.df.srcPort":"8085")") +
      "," +
      LabelledService("b", R"("com.df.servicePath":"/b","com.df.port":"1","com.df.httpsPort":"2",)"
                           R"("com.df.srcPort":"80","com.df.srcHttpsPort":"443")") +
      "," +
      LabelledService("c", R"("com.df.servicePath":"/c","com.df.port":"1","com.df.httpsPort":"2",)"
                           R"("com.df.srcHttpsPort":"8443")") +
      "]");
  EXPECT_EQ(report.warnings, 0U) << LintText(report);
  EXPECT_EQ(report.routed, 3U);
}

TEST(LintTest, UsersThatAPortWithoutRequestsCannotAskForAreRefusedWhereverTheyStand) {
  for (const std::string users : {R"("com.df.users":"a:b")", R"("com.df.usersSecret":"web")",
                                  R"("com.df.useGlobalUsers":"true")"}) {
    const LintReport report = LintOf(
        "[" +
        LabelledService(
            "db", R"("com.df.reqMode":"tcp","com.df.srcPort":"1","com.df.port":"1",)" + users) +
        "]");
    EXPECT_EQ(report.routed, 0U) << users << "\n" << LintText(report);
    EXPECT_TRUE(HasDiagnostic(report.services.at(0), model::Severity::kError, "not-for-tcp"))
        << users << "\n"
        << LintText(report);
  }
}

TEST(LintTest, ACertificateIsLookedInto) {
  const LintReport report = LintOf(
      R"([{"Spec":{"Name":"web","Labels":{"com.df.notify":"true","com.df.servicePath":"/demo",)"
      R"("com.df.port":"8080","com.df.serviceCert":"garbage"},)"
      R"("TaskTemplate":{"ContainerSpec":{}}}}])");
  EXPECT_TRUE(
      HasDiagnostic(report.services.at(0), model::Severity::kWarning, "certificate-refused"))
      << LintText(report);
  EXPECT_EQ(report.routed, 1U);
}

std::string StackOf(const std::string& labels) {
  return "services:\n  web:\n    deploy:\n      labels:\n" + labels;
}

TEST(LintTest, AnOptInThatIsForgottenOrMistypedIsAnError) {
  const std::string routes = "        com.df.servicePath: /\n        com.df.port: '80'\n";
  const struct {
    const char* label;
    std::size_t errors;
    const char* text;
  } cases[] = {
      {"com.df.notfy: 'true'", 1, "Did you mean com.df.notify?"},
      {"com.df.Notify: 'true'", 1, "it is not seen"},
      {"com.df.notify: 'yes'", 1, "neither true nor false"},
      {"other: 'true'", 1, "Add com.df.notify=true"},
      {"com.df.notify: 'false'", 0, "is not opted in"},
      {"com.df.notify: 'true'", 0, "routed"},
  };
  for (const auto& c : cases) {
    const LintReport report = LintOf(StackOf(std::string("        ") + c.label + "\n" + routes));
    EXPECT_EQ(report.errors, c.errors) << c.label << "\n" << LintText(report);
    EXPECT_NE(LintText(report).find(c.text), std::string::npos) << LintText(report);
  }
  const LintReport monitored = LintOf(StackOf("        com.df.scrapePort: '9000'\n"));
  EXPECT_EQ(monitored.errors, 0U) << "labels of another program\n" << LintText(monitored);
}

TEST(LintTest, AKeyThatIsGivenTwiceIsRefusedWithBothLines) {
  const auto refusal = [](const std::string& text) {
    const auto services = ReadLintInput(text, "com.df.", {});
    return services ? "taken" : services.error().message;
  };
  EXPECT_EQ(refusal(StackOf("        com.df.notify: 'true'\n        com.df.notify: 'false'\n")),
            "line 6: the key com.df.notify stands in line 5 already. Leave one of them out");
  EXPECT_EQ(refusal("services:\n  web: {}\n  api: {}\n  web: {}\n"),
            "line 4: the key web stands in line 2 already. Leave one of them out");
  EXPECT_EQ(refusal("x: &x {image: a}\ny: &y {image: b}\nservices:\n  web:\n    <<: *x\n"
                    "    <<: *y\n    image: c\n"),
            "taken");
}

TEST(LintTest, ALabelThatStandsTwiceInAListIsNamed) {
  auto services = ReadLintInput(StackOf("        - com.df.notify=true\n"
                                        "        - com.df.port=80\n        - com.df.port=81\n"
                                        "        - com.df.servicePath=/a\n"
                                        "        - other=1\n        - other=2\n"),
                                "com.df.", {});
  ASSERT_TRUE(services) << services.error().message;
  const LintReport report = Lint(*std::move(services), {});
  const LintedService& web = report.services.at(0);
  ASSERT_TRUE(HasDiagnostic(web, model::Severity::kWarning, "label-given-twice"))
      << LintText(report);
  EXPECT_EQ(report.warnings, 1U) << LintText(report);
  EXPECT_EQ(web.routes.at(0).to, 81);
}

TEST(LintTest, HostsAreShownAsTheyAreServed) {
  const LintReport report =
      LintOf(StackOf("        com.df.notify: 'true'\n        com.df.port: '80'\n"
                     "        com.df.serviceDomain: 'B.com:8080, c.com., *.D.com'\n"));
  std::vector<std::string> hosts;
  for (const LintedRoute& route : report.services.at(0).routes) hosts.push_back(route.host);
  std::sort(hosts.begin(), hosts.end());
  EXPECT_EQ(hosts, (std::vector<std::string>{"*.d.com", "b.com", "c.com"})) << LintText(report);
}

TEST(LintTest, KnowsWhetherTheOperatorAllowsRawConfiguration) {
  const std::string text =
      R"([{"Spec":{"Name":"web","Labels":{"com.df.notify":"true","com.df.servicePath":"/demo",)"
      R"("com.df.port":"8080","com.df.templateFePath":"fe","com.df.templateBePath":"be"},)"
      R"("TaskTemplate":{"ContainerSpec":{}}}}])";
  EXPECT_TRUE(
      HasDiagnostic(LintOf(text).services.at(0), model::Severity::kError, "raw-not-allowed"));
  LintOptions options;
  options.allow_raw = true;
  options.read_template = [](const std::string& path) -> Result<std::string> {
    if (path == "fe") return std::string("use_backend web if { path_beg /demo }");
    return std::string("backend web\n  server a 10.0.0.1:80\n");
  };
  const LintReport allowed = LintOf(text, options);
  EXPECT_EQ(allowed.errors, 0U) << LintText(allowed);
  EXPECT_EQ(allowed.routed, 1U);
  options.read_template = [](const std::string&) -> Result<std::string> {
    return Fail(Code::kNotFound, "there is no such file");
  };
  EXPECT_TRUE(
      HasDiagnostic(LintOf(text, options).services.at(0), model::Severity::kError, "bad-template"));
}

TEST(LintTest, WhereTheProxyIsIsNotKnownSoReachabilityIsANote) {
  const std::string head =
      R"([{"Spec":{"Name":"web","Labels":{"com.df.notify":"true","com.df.servicePath":"/demo",)"
      R"("com.df.port":"8080")";
  const struct {
    const char* what;
    std::string labels;
    std::string rest;
  } cases[] = {
      {"no network, a port published on the node", "",
       R"("TaskTemplate":{"ContainerSpec":{}},"EndpointSpec":{"Ports":[{"Protocol":"tcp",)"
       R"("TargetPort":8080,"PublishedPort":8080,"PublishMode":"host"}]})"},
      {"a network by its name, where inspect knows ids only", R"(,"com.df.network":"proxy")",
       R"("TaskTemplate":{"ContainerSpec":{},"Networks":[{"Target":"wutuu618cjr26nf4yabiiauz0"}]})"},
  };
  for (const auto& c : cases) {
    const LintReport report = LintOf(head + c.labels + "}," + c.rest + "}}]");
    EXPECT_EQ(report.errors, 0U) << c.what << "\n" << LintText(report);
    ASSERT_EQ(report.services.size(), 1U);
    EXPECT_EQ(report.services[0].routes.size(), 1U) << c.what << "\n" << LintText(report);
    EXPECT_TRUE(HasDiagnostic(report.services[0], model::Severity::kInfo, "reachability"))
        << c.what << "\n"
        << LintText(report);
  }
}

TEST(LintTest, ComposeAsJsonHasNumbersForPorts) {
  for (const char* ports :
       {R"("ports":[{"mode":"ingress","target":8080,"published":"80","protocol":"tcp"}])",
        R"("ports":[8080])", R"("ports":["80:8080"])", R"("expose":["8080"])",
        R"("expose":[8080])"}) {
    const LintReport report = LintOf(
        std::string(R"({"name":"x","services":{"web":{"image":"i","labels":)"
                    R"({"com.df.notify":"true","com.df.servicePath":"/demo"},)") +
        ports + R"(,"networks":{"default":null}}},"networks":{"default":{"name":"x_default"}}})");
    ASSERT_EQ(report.services.size(), 1U) << ports;
    ASSERT_EQ(report.services[0].routes.size(), 1U) << ports << "\n" << LintText(report);
    EXPECT_EQ(report.services[0].routes[0].to, 8080) << ports;
  }
}

TEST(LintTest, ContainerInspectUsesItsLabelsUnlessItIsATask) {
  const LintReport report = LintFile("container_inspect.json");
  const LintedService& whoami = ServiceOf(report, "whoami");
  ASSERT_EQ(whoami.routes.size(), 1U) << LintText(report);
  EXPECT_EQ(whoami.routes[0].host, "*.example.com");
  EXPECT_EQ(whoami.routes[0].to, 8000);
  const LintedService& task = ServiceOf(report, "demo.1.fpjemhmx0xyrqg229qaesk3fh");
  EXPECT_TRUE(task.routes.empty());
  EXPECT_TRUE(HasDiagnostic(task, model::Severity::kWarning, "labels-of-the-container"));
}

TEST(LintTest, HostileFilesAreRefusedQuickly) {
  for (const char* name : {"alias_bomb.yml", "broken.yml"}) {
    const auto services = ReadLintInput(Fixture(name), "com.df.", {});
    ASSERT_FALSE(services) << name;
    EXPECT_EQ(services.error().message.find('\n'), std::string::npos);
  }
  const std::string deep_yaml = "services: " + std::string(100'000, '[');
  EXPECT_FALSE(ReadLintInput(deep_yaml, "com.df.", {}));
  EXPECT_FALSE(
      ReadLintInput("services: " + std::string(100, '[') + std::string(100, ']'), "com.df.", {}));
  EXPECT_FALSE(ReadLintInput(std::string(100'000, '['), "com.df.", {}));
  EXPECT_FALSE(ReadLintInput("a: &a [*a]\nservices: *a\n", "com.df.", {}));
  EXPECT_FALSE(ReadLintInput(std::string((1U << 20U) + 1, 'a'), "com.df.", {}));
}

TEST(LintTest, WhatIsNoKnownFileIsSaid) {
  for (const char* text :
       {"", " \n", "just text", "- a\n- b\n", "key: value\n", "[1]", "[{\"Name\":1}]",
        "{\"a\":", "services:\n  web:\n", "services:\n  web: [1]\n", "? [a]\n: b\n"}) {
    const auto services = ReadLintInput(text, "com.df.", {});
    EXPECT_FALSE(services) << text;
  }
  const auto none = ReadLintInput("services: {}\n", "com.df.", {});
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

TEST(LintTest, VariablesAreReplacedAsComposeDoes) {
  const std::map<std::string, std::string> environment = {{"A", "1"}, {"E", ""}};
  const std::pair<const char*, const char*> good[] = {
      {"x", "x"},      {"$A", "1"},      {"${A}", "1"},    {"a${A}b", "a1b"},
      {"$$A", "$A"},   {"${B:-d}", "d"}, {"${E:-d}", "d"}, {"${E-d}", ""},
      {"${B-d}", "d"}, {"$A$A", "11"},   {"${A:-d}", "1"}, {"${B:-/x}", "/x"}};
  for (const auto& [text, expected] : good) {
    std::vector<std::string> unset;
    const auto result = Interpolate(text, environment, unset);
    ASSERT_TRUE(result) << text;
    EXPECT_EQ(*result, expected) << text;
    EXPECT_TRUE(unset.empty()) << text;
  }
  for (const char* text : {"$", "a$", "${", "${}", "${A", "$1", "$ x"}) {
    std::vector<std::string> unset;
    EXPECT_FALSE(Interpolate(text, environment, unset)) << text;
  }
  std::vector<std::string> unset;
  EXPECT_EQ(*Interpolate("[$NOT]", environment, unset), "[]");
  EXPECT_EQ(unset, std::vector<std::string>{"NOT"});
}

TEST(LintTest, OutputForPeopleAndForPrograms) {
  const LintReport report = LintFile("stack.yml");
  EXPECT_NE(LintText(report).find("3 services, 2 routed; 0 errors"), std::string::npos)
      << LintText(report);
  const auto json = codec::JsonValue::Parse(LintJson(report));
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["routed"].AsUint64(), 2U);
  EXPECT_EQ((*json)["services"].items().size(), 3U);
}

}  // namespace
}  // namespace swarmgate::app
