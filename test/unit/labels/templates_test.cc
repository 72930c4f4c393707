// Templates: what they may say, in Mustache and in what is understood of Go's, and that nothing of
// it concerns anybody but their service.
#include "labels/templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/labels/helpers.h"

namespace swarmgate::labels {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Parameters;
using testing::Parse;
using testing::Texts;

TemplateData Sample() {
  TemplateData data;
  data.service.texts = {{"ServiceName", "go-demo"}, {"AclName", "05-demo"}, {"SessionType", ""}};
  data.dests.resize(2);
  data.dests[0].texts = {{"Port", "8080"}, {"HttpsOnly", "true"}, {"UserDef", "it's <b>&\"x"}};
  data.dests[0].lists = {{"ServicePath", {"/a", "/b"}}, {"ServiceDomain", {}}};
  data.dests[1].texts = {{"Port", "8081"}, {"HttpsOnly", ""}, {"UserDef", ""}};
  data.dests[1].lists = {{"ServicePath", {"/c"}}, {"ServiceDomain", {"a.com"}}};
  return data;
}

std::string Rendered(const std::string& text) {
  const auto rendered = RenderTemplate(text, Sample());
  return rendered ? *rendered : "error: " + rendered.error().ToString();
}

TEST(Templates, MustacheAndGoSayTheSame) {
  const struct {
    const char* mustache;
    const char* go;
    const char* rendered;
  } cases[] = {
      {"backend {{ServiceName}}-be", "backend {{.ServiceName}}-be", "backend go-demo-be"},
      {"{{#ServiceDest}}{{Port}};{{/ServiceDest}}", "{{range .ServiceDest}}{{.Port}};{{end}}",
       "8080;8081;"},
      {"{{#ServiceDest}}{{#ServicePath}} {{.}}{{/ServicePath}}|{{/ServiceDest}}",
       "{{range .ServiceDest}}{{range .ServicePath}} {{.}}{{end}}|{{end}}", " /a /b| /c|"},
      {"{{#ServiceDest}}{{ServiceName}}{{Port}} {{/ServiceDest}}",
       "{{range .ServiceDest}}{{$.ServiceName}}{{.Port}} {{end}}", "go-demo8080 go-demo8081 "},
      {"{{#ServiceDest}}{{#HttpsOnly}}s{{/HttpsOnly}}{{^HttpsOnly}}p{{/HttpsOnly}}{{/ServiceDest}}",
       "{{range .ServiceDest}}{{if .HttpsOnly}}s{{else}}p{{end}}{{end}}", "sp"},
      {"{{^SessionType}}none{{/SessionType}}", "{{if not .SessionType}}none{{end}}", "none"},
      {"{{#ServiceDest}}{{#ServicePath}}{{Port}}{{.}} {{/ServicePath}}{{/ServiceDest}}",
       "{{range $i, $d := .ServiceDest}}{{range $p := $d.ServicePath}}{{$d.Port}}{{$p}} "
       "{{end}}{{end}}",
       "8080/a 8080/b 8081/c "},
      // Go's condition on a list is asked once, whatever is in it.
      {"{{#ServicePath}}x{{/ServicePath}}", "{{range .ServicePath}}x{{end}}", "xx"},
      {"yes", "{{if .ServicePath}}yes{{end}}", "yes"},
      {"{{! a comment }}a", "{{/* a comment */}}a", "a"},
      {"{{{Port}}} {{&Port}}", "{{- .Port -}} {{ .Port }}", "8080 8080"},
      // Nothing is turned into HTML, which broke passwords there.
      {"{{UserDef}}", "{{.UserDef}}", "it's <b>&\"x"},
      {"{ path_beg {{#ServicePath}}{{.}} {{/ServicePath}}}",
       "{ path_beg {{range .ServicePath}}{{.}} {{end}}}", "{ path_beg /a /b }"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Rendered(c.mustache), c.rendered) << c.mustache;
    EXPECT_EQ(Rendered(c.go), c.rendered) << c.go;
  }
}

TEST(Templates, AMistakeIsToldWithItsLine) {
  const struct {
    std::string text;
    const char* message;
  } cases[] = {
      {"a\n{{Prot}}", "line 2: there is no field \"Prot\""},
      {"{{.Prot}}", "line 1: there is no field \"Prot\""},
      {"a\n\n{{Port", "line 3: {{ is not closed by }}"},
      {"{{#ServiceDest}}", "line 1: the section of \"ServiceDest\" is not ended"},
      {"{{range .ServiceDest}}", "line 1: the section of \"ServiceDest\" is not ended"},
      {"{{/ServiceDest}}", "line 1: {{/ServiceDest}} ends nothing"},
      {"{{end}}", "line 1: {{end}} ends nothing"},
      {"{{#Port}}{{end}}", "line 1: {{end}} ends nothing"},
      {"{{else}}", "line 1: {{else}} without {{if}}"},
      {"{{}}", "line 1: {{}} names nothing"},
      {"{{> other}}", "line 1: {{>…}} is not supported"},
      {"{{=<% %>=}}", "line 1: {{=…}} is not supported"},
      {"{{ServicePath}}", "line 1: \"ServicePath\" is a list"},
      {"{{.}}", "line 1: {{.}} is the item of a list"},
      {"{{range .ServicePath}}{{if .Port}}{{.}}{{end}}{{end}}", "line 1: {{.}} is the item"},
      {"{{if eq .Port \"80\"}}", "line 1: {{if eq .Port \"80\"}} is not understood; of Go's"},
      {"{{range $p := .ServicePath}}{{end}}{{$p}}", "line 1: {{$p}} is not understood"},
      {"{{range $i, $d := .ServiceDest}}{{$i}}{{end}}", "line 1: {{$i}} is not understood"},
      {"{{$i := 1}}", "line 1: {{$i := 1}} is not understood"},
      {"{{printf .Port}}", "is not understood"},
      {std::string(70'000, 'x'), "larger than 64 KiB"},
  };
  for (const auto& c : cases) EXPECT_THAT(Rendered(c.text), HasSubstr(c.message)) << c.text;
}

TEST(Templates, WhatWouldBecomeHugeIsRefusedBeforeItIsMade) {
  TemplateData data = Sample();
  data.dests.resize(10, data.dests[0]);
  std::string text = std::string(1000, 'x');
  for (int depth = 0; depth < 4; ++depth) {
    text = "{{#ServiceDest}}" + text + "{{/ServiceDest}}";
  }
  const auto large = RenderTemplate(text, data);
  ASSERT_FALSE(large);
  EXPECT_THAT(large.error().message, HasSubstr("larger than 1 MiB"));
  std::string deep = "x";
  for (int depth = 0; depth < 1000; ++depth) deep = "{{#Port}}" + deep + "{{/Port}}";
  const auto nested = RenderTemplate(deep, data);
  ASSERT_FALSE(nested);
  EXPECT_THAT(nested.error().message, HasSubstr("nested too deeply"));
}

// --- what HAProxy gets -----------------------------------------------------------------------

model::RawService Taken(const std::string& frontend, const std::string& backends) {
  auto raw = TakeSections(model::ServiceName("web"), frontend, backends);
  EXPECT_TRUE(raw) << raw.error().ToString();
  return raw ? *raw : model::RawService();
}
std::string Refused(const std::string& frontend, const std::string& backends) {
  const auto raw = TakeSections(model::ServiceName("web"), frontend, backends);
  return raw ? "taken" : raw.error().ToString();
}
constexpr const char* kBackend = "backend be\n  server a web:8080\n";

TEST(Templates, NamesBecomeTheServicesOwn) {
  const model::RawService raw = Taken(
      "# a comment\n"
      "    acl url path_beg /demo\n"
      "\tacl inside hdr(host) -i a.com\n"
      "    use_backend be if url !inside { hdr(x) url }\n"
      "    http-request set-header X 'url if' if url or ! inside\n"
      "    redirect scheme https unless inside\n",
      "backend be\n  mode http\n  acl url path /x\n  server a web:8080\n\nbackend other\n");
  EXPECT_THAT(raw.frontend,
              ElementsAre("acl web:url path_beg /demo", "acl web:inside hdr(host) -i a.com",
                          "http-request set-header X 'url if' if web:url or ! web:inside",
                          "http-request redirect scheme https unless web:inside",
                          "http-request set-var(txn.r) str(web:be|web|template) if web:url "
                          "!web:inside { hdr(x) url }",
                          "http-request allow if { var(txn.r) -m found }"));
  ASSERT_EQ(raw.backends.size(), 2U);
  EXPECT_EQ(raw.backends[0].name, "web:be");
  EXPECT_THAT(raw.backends[0].lines, ElementsAre("acl url path /x", "server a web:8080"));
  EXPECT_EQ(raw.backends[1].name, "web:other");
}

TEST(Templates, WhatWouldConcernOthersIsRefused) {
  const struct {
    const char* frontend;
    const char* backends;
    const char* message;
  } cases[] = {
      {"bind *:81", kBackend,
       "templateFePath: line 1 of what it gives: \"bind\" would concern every"},
      {"\ndefault_backend be", kBackend,
       "line 2 of what it gives: \"default_backend\" would concern"},
      {"backend x", kBackend, "\"backend\" would concern every service"},
      {"ACL x path /", kBackend, "\"ACL\" would concern every service"},
      {"use_backend be", kBackend, "without a condition it would take every service's requests"},
      {"use_backend be x if TRUE", kBackend, "without a condition"},
      {"use_backend stats if TRUE", kBackend, "use_backend names no backend of templateBePath"},
      {"use_backend %[path] if TRUE", kBackend, "use_backend names no backend of templateBePath"},
      {"http-request deny", kBackend, "without a condition it would concern every service"},
      {"http-request deny if", kBackend, "without a condition it would concern every service"},
      {"acl a(b path /", kBackend, "an acl has a name"},
      {"http-request deny if TRUE \\", kBackend, "it ends in a backslash"},
      {"", "server a web:8080", "templateBePath: its first line is \"backend\" and a name"},
      {"", "", "templateBePath: it gives no backend"},
      {"", "backend be\nbackend be", "two backends are called \"be\""},
      {"", "backend be from x", "a section begins with \"backend\" and its name"},
      {"", "backend be\nfrontend x", "\"frontend\" does not belong into a backend"},
      {"", "backend be\nmode tcp", "\"mode\" does not belong into a backend"},
      {"", "backend be\nGlobal", "\"global\" does not belong into a backend"},
      {"", "backend be\n.if defined(X)", "\".if\" does not belong into a backend"},
      {"", "backend be\nuserlist x", "\"userlist\" does not belong into a backend"},
      {"", "backend be\n\x01", "it has a control character"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(Refused(c.frontend, c.backends), HasSubstr(c.message)) << c.frontend << "\n"
                                                                       << c.backends;
  }
}

// --- as a service says it --------------------------------------------------------------------

ParseOptions Options(const std::string& fe, const std::string& be) {
  ParseOptions options;
  options.allow_raw = true;
  if (!fe.empty()) options.templates.files["fe.tmpl"].text = fe;
  if (!be.empty()) options.templates.files["be.tmpl"].text = be;
  return options;
}

TEST(Templates, AServiceIsServedByWhatItsTemplatesSay) {
  const auto parsed =
      Parse({{"servicePath", "/demo,/other"},
             {"port", "8080"},
             {"userDef", "blue"},
             {"templateFePath", " fe.tmpl "},
             {"templateBePath", "be.tmpl"}},
            Options("acl url_{{.ServiceName}}{{range .ServiceDest}} {{.PathType}}{{range "
                    ".ServicePath}} {{.}}{{end}}{{end}}\nuse_backend {{.ServiceName}}-be if "
                    "url_{{.ServiceName}}\n",
                    "backend {{ServiceName}}-be\n{{#ServiceDest}}  server {{UserDef}} "
                    "{{ServiceName}}:{{Port}}\n{{/ServiceDest}}"));
  EXPECT_THAT(Texts(parsed), IsEmpty());
  ASSERT_TRUE(parsed.spec);
  EXPECT_EQ(parsed.spec->raw->frontend.front(), "acl web:url_web path_beg /demo /other");
  ASSERT_EQ(parsed.spec->raw->backends.size(), 1U);
  EXPECT_EQ(parsed.spec->raw->backends[0].name, "web:web-be");
  EXPECT_THAT(parsed.spec->raw->backends[0].lines, ElementsAre("server blue web:8080"));
}

TEST(Templates, ATemplateOfTheBackendAloneGoesIntoTheServicesOwn) {
  const auto parsed = Parse({{"servicePath.1", "/a"},
                             {"port.1", "8080"},
                             {"servicePath.2", "/b"},
                             {"port.2", "8081"},
                             {"templateBePath", "be.tmpl"}},
                            Options("",
                                    "backend x\n  mode http\n  timeout check 5s\n"
                                    "  server {{ServiceName}} {{ServiceName}}:1 check\n"));
  EXPECT_THAT(Texts(parsed), ElementsAre(HasSubstr("warning template-servers")));
  ASSERT_TRUE(parsed.spec);
  EXPECT_TRUE(parsed.spec->raw->empty());
  ASSERT_EQ(parsed.spec->dests.size(), 2U);
  for (const model::DestSpec& dest : parsed.spec->dests) {
    EXPECT_THAT(dest.profile->raw, ElementsAre("timeout check 5s"));
  }
}

TEST(Templates, ABadTemplateKeepsItsServiceOutAndSaysWhy) {
  const Parameters both = {{"servicePath", "/demo"},
                           {"port", "8080"},
                           {"templateFePath", "fe.tmpl"},
                           {"templateBePath", "be.tmpl"}};
  Parameters only_fe = both;
  only_fe.erase("templateBePath");
  Parameters restricted = both;
  restricted["allowedMethods"] = "GET";
  Parameters conditional = both;
  conditional["aclCondition"] = "{ src 10.0.0.0/8 }";
  Parameters half = both;
  half.erase("servicePath");
  half.erase("port");
  half.insert({{"servicePath.1", "/admin"},
               {"port.1", "80"},
               {"allowFrom.1", "10.0.0/8"},
               {"servicePath.2", "/"},
               {"port.2", "80"}});
  ParseOptions forbidden = Options("", kBackend);
  forbidden.allow_raw = false;
  ParseOptions unreadable = Options("", kBackend);
  unreadable.templates.files["fe.tmpl"].problem = "there is no such file below /cfg/tmpl";
  const struct {
    Parameters parameters;
    ParseOptions options;
    const char* text;
  } cases[] = {
      {both, forbidden, "error raw-not-allowed: service web: com.df.templateBePath=be.tmpl"},
      {both, unreadable,
       "error bad-template: service web: com.df.templateFePath=fe.tmpl: there is no such file "
       "below "
       "/cfg/tmpl. Write the path of a file below the proxy's TEMPLATES_PATH"},
      {both, Options("x", ""), "com.df.templateBePath=be.tmpl: the file has not been read"},
      {both, Options("{{Prot}}", kBackend), "there is no field \"Prot\". Correct the file"},
      {both, Options("bind :1", kBackend), "\"bind\" would concern every service"},
      {only_fe, Options("acl a path /", ""), "without templateBePath there are none"},
      {restricted, Options("acl a path /", kBackend),
       "error template-restricts: service web: com.df.templateFePath=fe.tmpl: allowedMethods"},
      {conditional, Options("acl a path /", kBackend),
       "error template-restricts: service web: com.df.templateFePath=fe.tmpl: aclCondition"},
      // The template would serve /admin, too.
      {half, Options("acl a path /", kBackend), "com.df.allowFrom.1=10.0.0/8"},
  };
  for (const auto& c : cases) {
    const auto parsed = Parse(c.parameters, c.options);
    EXPECT_FALSE(parsed.spec) << c.text;
    EXPECT_THAT(Texts(parsed), ::testing::Contains(HasSubstr(c.text)));
  }
}

TEST(Templates, HttpsOnlyIsTheTemplatesOwnMatterAndItsOwnerIsToldWhenItDoesNothing) {
  Parameters parameters = {{"servicePath", "/demo"},
                           {"port", "8080"},
                           {"httpsOnly", "true"},
                           {"templateFePath", "fe.tmpl"},
                           {"templateBePath", "be.tmpl"}};
  const auto ignored = Parse(parameters, Options("acl a path /", kBackend));
  EXPECT_TRUE(ignored.spec);
  EXPECT_THAT(Texts(ignored), ElementsAre(HasSubstr("warning template-ignores")));
  const auto done = Parse(
      parameters,
      Options("acl a path /\n{{#HttpsOnly}}http-request redirect scheme https if a{{/HttpsOnly}}",
              kBackend));
  EXPECT_TRUE(done.spec);
  EXPECT_THAT(Texts(done), ElementsAre());
}

TEST(Templates, ASecretIsNoField) {
  const auto parsed = Parse({{"servicePath", "/demo"},
                             {"port", "8080"},
                             {"users", "a:hunter2"},
                             {"templateBePath", "be.tmpl"}},
                            Options("", "backend x\n# {{Users}}\n"));
  EXPECT_FALSE(parsed.spec);
  EXPECT_THAT(
      Texts(parsed),
      ElementsAre(HasSubstr("there is no field \"Users\", because its value may be a secret")));
}

TEST(Templates, FieldsThatOnlyTheTemplateOfTheWholeUsedAreEmpty) {
  const auto parsed =
      Parse({{"servicePath", "/demo"}, {"port", "8080"}, {"templateBePath", "be.tmpl"}},
            Options("",
                    "backend x\n{{range .ServiceDest}}{{if .IncludeSrcPortACL}}mode tcp{{end}}"
                    "{{if .IncludeSrcHttpsPortACL}}mode tcp{{end}}{{end}}\n"));
  EXPECT_TRUE(parsed.spec);
  EXPECT_THAT(Texts(parsed), ElementsAre());
}

}  // namespace
}  // namespace swarmgate::labels
