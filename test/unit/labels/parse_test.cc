// Names, indexes, limits, hostile input: what holds for all parameters.
#include "swarmgate/labels/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "labels/schema.h"
#include "support/rounds.h"
#include "swarmgate/model/names.h"
#include "unit/labels/helpers.h"

namespace swarmgate::labels {
namespace {

using model::Diagnostic;
using model::Severity;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Parse;
using testing::Texts;

using Map = std::map<std::string, std::string>;

std::vector<int> Indexes(const ParsedService& parsed) {
  std::vector<int> indexes;
  if (!parsed.spec) return indexes;
  for (const auto& dest : parsed.spec->dests) indexes.push_back(dest.index);
  return indexes;
}

// --- names ------------------------------------------------------------------------------

struct NameCase {
  std::string name;
  std::string value;
  std::vector<std::string> texts;
};

TEST(NamesTest, WrongNamesAreToldWithWhatWasMeant) {
  const std::vector<NameCase> kCases = {
      {"prot",
       "8080",
       {"warning unknown-label: service web: com.df.prot=(not shown): unknown label. Did you mean "
        "com.df.port?"}},
      {"servicPath.2",
       "/x",
       {"warning unknown-label: service web: com.df.servicPath.2=(not shown): unknown label. Did "
        "you mean "
        "com.df.servicePath.2?"}},
      {"somethingElse",
       "1",
       {"warning unknown-label: service web: com.df.somethingElse=(not shown): unknown label"}},
      {"PORT",
       "8080",
       {"warning letter-case: service web: com.df.PORT=8080: the letter case differs from port. "
        "Write com.df.port"}},
      {"Port.1",
       "8080",
       {"warning letter-case: service web: com.df.Port.1=8080: the letter case differs from port. "
        "Write com.df.port.1"}},
      {"port.0",
       "8080",
       {"warning bad-index: service web: com.df.port.0=8080: there is no such destination, so it "
        "is left out. Destinations are numbered .1 to .10, or have no number"}},
      {"port.11",
       "8080",
       {"warning bad-index: service web: com.df.port.11=8080: there is no such destination, so it "
        "is left out. Destinations are numbered .1 to .10, or have no number"}},
      {"port.01",
       "8080",
       {"warning bad-index: service web: com.df.port.01=8080: there is no such destination, so it "
        "is left out. Destinations are numbered .1 to .10, or have no number"}},
      {"port.x",
       "8080",
       {"warning bad-index: service web: com.df.port.x=8080: there is no such destination, so it "
        "is left out. Destinations are numbered .1 to .10, or have no number"}},
      {"aclName.1",
       "a",
       {"warning not-indexable: service web: com.df.aclName.1=a: aclName concerns the whole "
        "service, so with an index it is left out. Write com.df.aclName"}},
      {"timeoutServer.3",
       "5",
       {"warning no-destination: service web: com.df.timeoutServer.3=5: there is no destination 3, "
        "so it is left out. A destination needs one of servicePath.3, serviceDomain.3, port.3, "
        "httpsPort.3"}},
      {"debug",
       "true",
       {"info replaced: service web: com.df.debug=true: debug has no effect here. Whether requests "
        "are logged is the operator's setting, for all services."}},
      {"user",
       "admin:secret",
       {"warning unknown-label: service web: com.df.user=(not shown): unknown label. Did you mean "
        "com.df.users?"}},
      {"skipCheck",
       "true",
       {"info obsolete: service web: com.df.skipCheck=true: Docker Flow Proxy had dropped it, and "
        "it has no effect"}},
      {"notifyService",
       "true",
       {"info obsolete: service web: com.df.notifyService=true: Docker Flow Proxy had dropped it, "
        "and it has no effect. notify=true is what opts a service in"}},
      {"scrapePort", "8080", {}},
      {"alertName.1", "mem", {}},
      {"alertIf.12", "x", {}},
      {"letsencrypt.host", "a.com", {}},
      {"port",
       "",
       {"warning empty-value: service web: com.df.port: the value is empty, so it counts as not "
        "given"}},
  };
  for (const NameCase& c : kCases) {
    SCOPED_TRACE(c.name);
    const bool creates = c.name == "Port.1";
    Map parameters = {{creates ? "servicePath.1" : "servicePath", "/x"}, {c.name, c.value}};
    const ParsedService parsed = Parse(parameters);
    EXPECT_TRUE(parsed.spec);
    EXPECT_THAT(Texts(parsed), ::testing::ElementsAreArray(c.texts));
  }
}

TEST(NamesTest, ValuesAreShownOnlyOfParametersThatAreKnownAndHoldNoSecret) {
  for (const char* name : {"servicePath", "SERVICEPATH", "port.1", "Port.10", "notify", "aclName",
                           "letsencrypt.host", "skipCheck"}) {
    EXPECT_TRUE(MayShowValue(name)) << name;
  }
  for (const char* name : {"users", "USERS", "users.1", "uzers", "serviceCert", "password", "",
                           "port.x", "port.11", "addReqHeader", "addHeader", "setResHeader.2"}) {
    EXPECT_FALSE(MayShowValue(name)) << name;
  }
}

TEST(NamesTest, EveryParameterOfThePredecessorIsKnown) {
  for (const Parameter& parameter : Parameters()) {
    const ParsedService parsed = Parse({{"servicePath", "/x"}, {std::string(parameter.name), "1"}});
    for (const Diagnostic& diagnostic : parsed.diagnostics) {
      EXPECT_NE(diagnostic.code, "unknown-label") << parameter.name;
    }
  }
}

TEST(NamesTest, TheExactNameWinsOverAnotherLetterCase) {
  for (const std::string other : {"PORT", "Port", "porT"}) {
    const ParsedService parsed = Parse({{"servicePath", "/x"}, {"port", "80"}, {other, "81"}});
    EXPECT_EQ(parsed.spec->dests.at(0).port, 80);
    EXPECT_THAT(Texts(parsed),
                Contains("warning given-twice: service web: com.df." + other +
                         "=81: it is left out, because com.df.port says the same parameter"));
  }
}

TEST(NamesTest, NamesAreShownAsTheirSourceHasThem) {
  ParseOptions options;
  options.source = Source::kQuery;
  EXPECT_THAT(
      Texts(Parse({{"servicePath", "/x"}, {"prot", "1"}}, options)),
      ElementsAre(
          "warning unknown-label: service web: prot=(not shown): unknown parameter. Did you "
          "mean port?"));
  options.source = Source::kEnvironment;
  EXPECT_THAT(Texts(Parse({{"servicePath.1", "/x"}, {"port.1", "0"}}, options)),
              ElementsAre("error bad-port: service web: DFP_SERVICE_PORT_1=0: it is not a port "
                          "number. Write a number from 1 to 65535, without sign or leading zero"));
  options.source = Source::kLabel;
  options.label_prefix = "org.x.";
  EXPECT_THAT(
      Texts(Parse({{"servicePath", "/x"}, {"prot", "1"}}, options)),
      ElementsAre("warning unknown-label: service web: org.x.prot=(not shown): unknown label. Did "
                  "you mean org.x.port?"));
}

TEST(NamesTest, EnvironmentNamesMeanParameters) {
  const std::vector<std::pair<std::string, std::string>> kNames = {
      {"SERVICE_PATH", "servicePath"},
      {"SERVICE_PATH_1", "servicePath.1"},
      {"PORT_10", "port.10"},
      {"REQ_PATH_SEARCH_REPLACE", "reqPathSearchReplace"},
      {"HTTPS_PORT", "httpsPort"},
      {"ADD_HEADER", "addHeader"},
      {"NO_SUCH_THING", "noSuchThing"},
      {"NO_SUCH_2", "noSuch.2"},
      {"", ""},
      {"_", ""},
      {"_1", ".1"},
  };
  for (const auto& [variable, name] : kNames) {
    EXPECT_EQ(ParameterFromEnvironment(variable), name);
  }
  for (const Parameter& parameter : Parameters()) {
    if (parameter.name.find('.') != std::string_view::npos) continue;
    EXPECT_EQ(ParameterFromEnvironment(model::EnvironmentName(parameter.name)), parameter.name);
  }
}

// --- destinations -----------------------------------------------------------------------

TEST(DestinationsTest, GapsAreAllowedAndOrderIsNumeric) {
  const ParsedService parsed =
      Parse({{"servicePath.2", "/b"}, {"servicePath.10", "/j"}, {"servicePath.7", "/g"}});
  EXPECT_THAT(Texts(parsed), IsEmpty());
  EXPECT_THAT(Indexes(parsed), ElementsAre(2, 7, 10));
}

TEST(DestinationsTest, AnyOfFourParametersMakesOne) {
  EXPECT_THAT(Indexes(Parse({{"serviceDomain.3", "a.com"}})), ElementsAre(3));
  EXPECT_THAT(Indexes(Parse({{"servicePath.3", "/a"}})), ElementsAre(3));
  for (const std::string name : {"port.3", "httpsPort.3"}) {
    EXPECT_THAT(Texts(Parse({{name, "80"}})),
                Contains("error missing-path: service web: com.df.servicePath.3: When using "
                         "reqMode http, servicePath or serviceDomain are mandatory. Write "
                         "com.df.servicePath.3=/demo or com.df.serviceDomain.3=demo.example.com"));
  }
}

TEST(DestinationsTest, OtherParametersFallBackToTheUnindexedOnes) {
  const ParsedService parsed = Parse({{"servicePath.1", "/a"},
                                      {"servicePath.2", "/b"},
                                      {"timeoutServer", "5"},
                                      {"timeoutServer.2", "6"},
                                      {"pathType", "path"}});
  EXPECT_THAT(Texts(parsed), IsEmpty());
  ASSERT_THAT(Indexes(parsed), ElementsAre(1, 2));
  EXPECT_EQ(parsed.spec->dests[0].policy->timeout_server, std::chrono::seconds(5));
  EXPECT_EQ(parsed.spec->dests[1].policy->timeout_server, std::chrono::seconds(6));
  EXPECT_EQ(parsed.spec->dests[1].paths.at(0).kind, model::PathMatch::Kind::kExact);
}

TEST(DestinationsTest, UnindexedPathAndPortAreLeftOutBesideIndexedOnes) {
  const ParsedService parsed =
      Parse({{"servicePath", "/a"}, {"port", "80"}, {"servicePath.1", "/b"}});
  EXPECT_THAT(Indexes(parsed), ElementsAre(1));
  EXPECT_EQ(parsed.spec->dests[0].port, std::nullopt);
  EXPECT_THAT(Texts(parsed),
              ElementsAre("warning unindexed-dropped: service web: com.df.port=80: it is left out, "
                          "because there are destinations with an index. Give it an index of its "
                          "own, as com.df.port.2",
                          "warning unindexed-dropped: service web: com.df.servicePath=/a: it is "
                          "left out, because there are destinations with an index. Give it an "
                          "index of its own, as com.df.servicePath.2"));
}

TEST(DestinationsTest, ABadOneIsLeftOutAndTheOthersStay) {
  const ParsedService parsed =
      Parse({{"servicePath.1", "/a"}, {"port.1", "0"}, {"servicePath.2", "/b"}, {"port.2", "80"}});
  EXPECT_THAT(Indexes(parsed), ElementsAre(2));
  const ParsedService good = Parse({{"servicePath.2", "/b"}, {"port.2", "80"}});
  EXPECT_EQ(parsed.spec, good.spec);
}

TEST(DestinationsTest, ABadValueOfTheServiceLeavesOutAll) {
  EXPECT_FALSE(Parse({{"servicePath", "/a"}, {"aclName", "a b"}}).spec);
}

TEST(DestinationsTest, WithoutPathAndDomainThePredecessorsWordsAreUsed) {
  const ParsedService parsed = Parse({{"port", "80"}});
  EXPECT_FALSE(parsed.spec);
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_EQ(parsed.diagnostics[0].code, "missing-path");
  EXPECT_EQ(parsed.diagnostics[0].message,
            "When using reqMode http, servicePath or serviceDomain are mandatory");
  EXPECT_FALSE(Parse({}).spec);
}

TEST(DestinationsTest, OnlyADomainMeansTheRootPath) {
  const ParsedService parsed = Parse({{"serviceDomain", "a.com"}});
  ASSERT_TRUE(parsed.spec);
  EXPECT_TRUE(parsed.spec->dests[0].paths.at(0).catch_all());
}

// --- lists and limits -------------------------------------------------------------------

TEST(ListsTest, EmptyAndRepeatedItemsAreLeftOutWithAWarning) {
  const ParsedService parsed = Parse({{"servicePath", "/a,, /b,/a,"}});
  EXPECT_EQ(parsed.spec->dests.at(0).paths.size(), 2U);
  EXPECT_THAT(Texts(parsed),
              ElementsAre("warning empty-item: service web: com.df.servicePath=/a,, /b,/a,: the "
                          "list has an empty item, which is left out",
                          "warning repeated-item: service web: com.df.servicePath=/a,, /b,/a,: "
                          "\"/a\" stands there more than once"));
  EXPECT_THAT(Texts(Parse({{"servicePath", " , "}})),
              ElementsAre("error empty-list: service web: com.df.servicePath=,: the list has no "
                          "items. Write a path such as /demo"));
}

TEST(ListsTest, TheSeparatorIsTheOperators) {
  ParseOptions options;
  options.separator = ';';
  const ParsedService parsed = Parse({{"servicePath", "/a,b;/c\\;d"}}, options);
  ASSERT_EQ(parsed.spec->dests.at(0).paths.size(), 2U);
  EXPECT_EQ(parsed.spec->dests[0].paths[0].text, "/a,b");
  EXPECT_EQ(parsed.spec->dests[0].paths[1].text, "/c;d");
}

std::string Numbered(const std::string& prefix, int count) {
  std::string list;
  for (int i = 0; i < count; ++i) list += (i > 0 ? "," : "") + prefix + std::to_string(i);
  return list;
}

TEST(LimitsTest, ListsRegexesRoutesValuesAndParametersAreBounded) {
  EXPECT_TRUE(Parse({{"servicePath", Numbered("/p", 64)}}).spec);
  EXPECT_THAT(Texts(Parse({{"servicePath", Numbered("/p", 65)}})),
              ElementsAre(AllOf(HasSubstr("error too-many-items: "),
                                HasSubstr("the list has more than 64 items"))));
  EXPECT_TRUE(Parse({{"servicePath", Numbered("x", 64)}, {"pathType", "path_end"}}).spec);
  EXPECT_THAT(Texts(Parse({{"servicePath.1", Numbered("x", 64)},
                           {"servicePath.2", "y"},
                           {"pathType", "path_end"}})),
              ElementsAre(HasSubstr("error too-many-regexes: ")));
  Map many = {{"servicePath.1", Numbered("/p", 64)}, {"serviceDomain.1", Numbered("h", 64)}};
  EXPECT_THAT(Indexes(Parse(many)), ElementsAre(1));
  many["servicePath.2"] = "/x";
  EXPECT_THAT(Texts(Parse(many)), ElementsAre(HasSubstr("error too-many-routes: ")));
  EXPECT_THAT(Indexes(Parse(many)), ElementsAre(1));
  const std::string huge = "/" + std::string(65536, 'a');
  EXPECT_THAT(Texts(Parse({{"servicePath", huge}})),
              ElementsAre(AllOf(HasSubstr("error value-too-long: "),
                                HasSubstr("the value is longer than 4096 bytes. Split it into "
                                          "several destinations"))));
  EXPECT_THAT(Texts(Parse({{"servicePath", "/x"}, {"sessionType", std::string(4097, 'a')}})),
              ElementsAre(HasSubstr("longer than 4096 bytes. Write a shorter one")));
  Map labels;
  for (int i = 0; i < 500; ++i) labels["x" + std::to_string(i)] = "1";
  labels["servicePath"] = "/x";
  EXPECT_THAT(Texts(Parse(labels)),
              ElementsAre("error too-many-parameters: service web: the service has 501 parameters; "
                          "more than 256 are not read. Split it into several services"));
}

// --- instances, notify, labels ----------------------------------------------------------

TEST(InstanceTest, WithTheFilterOnlyTheOwnNameIsServed) {
  ParseOptions options;
  options.filter_instance = true;
  options.instance_name = "Docker-Flow";
  const Map own = {{"servicePath", "/x"}, {"proxyInstanceName", " docker-flow"}};
  EXPECT_TRUE(Parse(own, options).spec);
  for (const Map& other : {Map{{"servicePath", "/x"}, {"proxyInstanceName", "x"}, {"port", "0"}},
                           Map{{"servicePath", "/x"}}}) {
    const ParsedService parsed = Parse(other, options);
    EXPECT_TRUE(parsed.other_instance);
    EXPECT_FALSE(parsed.spec);
    EXPECT_THAT(Texts(parsed), IsEmpty());
    EXPECT_FALSE(Parse({{"servicePath", "/x"}}).other_instance);
  }
}

TEST(NotifyTest, IsABooleanAndOptIn) {
  const ParseOptions options;
  const auto notify = [&](const Map& labels) {
    return ParseNotify(model::ServiceName("web"), labels, options);
  };
  EXPECT_FALSE(notify({}).enabled);
  EXPECT_FALSE(notify({{"com.df.port", "80"}}).enabled);
  EXPECT_TRUE(notify({{"com.df.notify", "true"}}).enabled);
  EXPECT_TRUE(notify({{"com.df.notify", " T "}}).enabled);
  EXPECT_FALSE(notify({{"com.df.notify", "false"}}).enabled);
  EXPECT_THAT(Texts(notify({{"com.df.notify", "false"}}).diagnostics), IsEmpty());
  const Notify bad = notify({{"com.df.notify", "yes"}});
  EXPECT_FALSE(bad.enabled);
  EXPECT_THAT(Texts(bad.diagnostics),
              ElementsAre("error bad-bool: service web: com.df.notify=yes: it is neither true nor "
                          "false, so the service is not served. Write true or false"));
}

TEST(NotifyTest, InAnotherLetterCaseIsNotSeenByDocker) {
  const auto notify = [&](const Map& labels) {
    return ParseNotify(model::ServiceName("web"), labels, {});
  };
  const Notify other_case = notify({{"com.df.Notify", "true"}});
  EXPECT_FALSE(other_case.enabled);
  EXPECT_THAT(
      Texts(other_case.diagnostics),
      ElementsAre("error letter-case: service web: com.df.Notify=true: it is not seen, because "
                  "Docker is asked for the exact name com.df.notify. Write com.df.notify"));
  EXPECT_THAT(Texts(notify({{"com.df.Notify", "false"}}).diagnostics), IsEmpty());
  const Notify both = notify({{"com.df.Notify", "false"}, {"com.df.notify", "true"}});
  EXPECT_TRUE(both.enabled);
  EXPECT_THAT(Texts(both.diagnostics), IsEmpty());
}

TEST(NotifyTest, MistypedIsTellableFromOtherLabels) {
  for (const char* name : {"notfy", "notifi", "notify.", "notifiy"}) {
    EXPECT_EQ(MistypedNotify({{"port", "80"}, {name, "true"}}), name);
  }
  for (const char* name : {"port", "servicePth", "notify", "scrapePort", "something"}) {
    EXPECT_EQ(MistypedNotify({{name, "true"}}), std::nullopt) << name;
  }
  EXPECT_TRUE(AskForDestination({{"servicePath.2", "/x"}}));
  EXPECT_TRUE(AskForDestination({{"serviceDomain", "a.com"}}));
  EXPECT_FALSE(AskForDestination({{"scrapePort", "80"}, {"aclName", "x"}}));
}

TEST(LabelsTest, OnlyThoseWithThePrefixAreParameters) {
  const Map labels = {{"com.df.port", "80"},    {"com.df.notify", "true"}, {"com.df.", "x"},
                      {"com.dfport", "1"},      {"com.docker.x", "y"},     {"com.df.port.1", "81"},
                      {"com.df.Notify", "true"}};
  EXPECT_EQ(ParametersFromLabels(labels, {}), (Map{{"port", "80"}, {"port.1", "81"}}));
}

TEST(ServiceNameTest, TakesWhatMayStandInFilesAndMaps) {
  for (const std::string good : {"a", "web", "stack_web.1-x", "0"}) {
    EXPECT_TRUE(IsValidServiceName(good)) << good;
  }
  EXPECT_TRUE(IsValidServiceName(std::string(128, 'a')));
  for (const std::string bad : {"", ".a", "-a", "_a", "a b", "a/b", "a\nb", "a\"", "é", "a%[b]"}) {
    EXPECT_FALSE(IsValidServiceName(bad)) << bad;
  }
  EXPECT_FALSE(IsValidServiceName(std::string(129, 'a')));
  const ParsedService parsed =
      ParseParameters(model::ServiceName("a\nb"), {{"servicePath", "/"}}, {});
  EXPECT_FALSE(parsed.spec);
  EXPECT_THAT(Texts(parsed), ElementsAre(HasSubstr("service a\\x0ab: the name of the service")));
}

// --- hostile input ----------------------------------------------------------------------

bool IsClean(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != 0x7F; });
}

// Every text that may reach a map, a file or a command.
void ExpectClean(const model::ServiceSpec& spec) {
  EXPECT_TRUE(IsValidServiceName(spec.name.str()));
  EXPECT_TRUE(IsValidServiceName(spec.acl_name));
  EXPECT_TRUE(IsClean(spec.network));
  EXPECT_TRUE(IsClean(spec.proxy_instance));
  EXPECT_FALSE(spec.dests.empty());
  for (const auto& dest : spec.dests) {
    EXPECT_FALSE(dest.paths.empty());
    for (const auto* paths : {&dest.paths, &*dest.path_excludes}) {
      for (const auto& path : *paths) {
        EXPECT_TRUE(IsClean(path.text)) << path.text.str();
        const bool regex = path.kind == model::PathMatch::Kind::kRegex;
        EXPECT_EQ(path.text.front(), regex ? '^' : '/');
        if (!regex) {
          EXPECT_EQ(path.text.str().find_first_of("?#"), std::string::npos);
        }
      }
    }
    for (const auto& host : dest.hosts) EXPECT_TRUE(IsClean(host.text)) << host.text.str();
    EXPECT_TRUE(IsClean(dest.outbound_hostname));
    for (const auto& rewrite : dest.policy->path_rewrites) {
      EXPECT_TRUE(IsClean(rewrite.search));
      EXPECT_TRUE(IsClean(rewrite.replace));
    }
  }
}

void ExpectPrintable(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) {
    const std::string text = diagnostic.ToString();
    EXPECT_TRUE(std::none_of(text.begin(), text.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    })) << text;
    EXPECT_LT(text.size(), 2000U);
  }
}

TEST(HostileTest, InjectionsAreRefusedOrStayOneClean) {
  const std::vector<std::string> kValues = {
      "/a\nbackend evil",
      "/a\r\nset map x",
      std::string("/a\0b", 4),
      "/a\tb",
      "/a\x7f",
      "/a\"b",
      "/a#b",
      "/%[src]",
      "/{{.ServiceName}}",
      "/a}b{",
      "/a;b",
      "/a\\b",
      "/a'b",
      "/\xff\xfe",
      "/" + std::string(65536, 'x'),
      "a.com\nb.com",
      "@file",
      "-f /etc/passwd",
      "<<",
  };
  for (const Parameter& parameter : Parameters()) {
    for (const std::string& value : kValues) {
      for (const std::string type : {"path_beg", "path_reg", "path_end"}) {
        Map parameters = {{"servicePath", "/x"}, {"pathType", type}};
        parameters[std::string(parameter.name)] = value;
        const ParsedService parsed = Parse(parameters);
        ExpectPrintable(parsed.diagnostics);
        if (parsed.spec) ExpectClean(*parsed.spec);
        const bool kept = parameter.set != nullptr && parameter.name != "notify" &&
                          parameter.name != "serviceName" && !parameter.long_text;
        if (kept && value.find_first_of("\n\r\t") != std::string::npos) {
          EXPECT_FALSE(parsed.spec) << parameter.name;
        }
      }
    }
  }
}

TEST(HostileTest, ANewlineInsideAValueIsNamed) {
  EXPECT_THAT(Texts(Parse({{"servicePath", "/a\nbackend evil"}})),
              ElementsAre("error control-character: service web: com.df.servicePath=/a\\x0abackend "
                          "evil: the value contains a control character. Write it in one line, "
                          "without tabs"));
  EXPECT_THAT(
      Texts(Parse({{"servicePath", "/x"}, {"a\nb", "1"}})),
      ElementsAre("warning unknown-label: service web: com.df.a\\x0ab=(not shown): unknown label"));
}

// Values made of pieces that mean something, so that random input gets far.
std::string RandomValue(std::mt19937& random) {
  static const std::vector<std::string> kPieces = {"/",
                                                   "a",
                                                   ".*",
                                                   "(",
                                                   ")",
                                                   "[",
                                                   "]",
                                                   "\\",
                                                   ",",
                                                   ":",
                                                   "*",
                                                   "^",
                                                   "$",
                                                   "|",
                                                   "a.com",
                                                   "+",
                                                   "?",
                                                   "{2}",
                                                   "1",
                                                   "8080",
                                                   "true",
                                                   "\n",
                                                   " ",
                                                   "%[",
                                                   "{{",
                                                   "é",
                                                   "\x80",
                                                   "path_reg",
                                                   "-i",
                                                   "x",
                                                   "(?:",
                                                   "[^",
                                                   "\\d",
                                                   "\\1",
                                                   "hdr_reg(host)",
                                                   "sticky-server",
                                                   "s",
                                                   "m",
                                                   "\"",
                                                   "#"};
  std::string value;
  const auto pieces = random() % 12;
  for (std::size_t i = 0; i < pieces; ++i) {
    if (random() % 20 == 0) {
      value += static_cast<char>(random() % 256);
    } else {
      value += kPieces[random() % kPieces.size()];
    }
  }
  return value;
}

TEST(HostileTest, RandomInputNeverCrashesAndWhatPassesIsClean) {
  std::mt19937 random(20240607);  // NOLINT: the same input at every run
  const auto table = Parameters();
  int served = 0;
  for (unsigned round = 0; round < swarmgate::testing::Rounds(20000); ++round) {
    Map parameters;
    const auto count = random() % 6;
    for (std::size_t i = 0; i < count; ++i) {
      std::string name(table[random() % 24].name);
      if (random() % 3 == 0) name += "." + std::to_string(random() % 12);
      parameters[name] = RandomValue(random);
    }
    if (random() % 2 == 0) parameters["servicePath"] = "/a";
    const ParsedService parsed = Parse(parameters);
    ExpectPrintable(parsed.diagnostics);
    const bool error = std::any_of(parsed.diagnostics.begin(), parsed.diagnostics.end(),
                                   [](const auto& d) { return d.severity == Severity::kError; });
    EXPECT_TRUE(parsed.spec || error);
    EXPECT_TRUE(std::is_sorted(parsed.diagnostics.begin(), parsed.diagnostics.end()));
    EXPECT_EQ(std::adjacent_find(parsed.diagnostics.begin(), parsed.diagnostics.end()),
              parsed.diagnostics.end());
    if (!parsed.spec) continue;
    ++served;
    ExpectClean(*parsed.spec);
    if (::testing::Test::HasFailure()) break;
  }
  EXPECT_GT(served, static_cast<int>(swarmgate::testing::Rounds(2000)));
}

}  // namespace
}  // namespace swarmgate::labels
