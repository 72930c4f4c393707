// Options that shape what every request meets, and what is said about variables without effect.
#include <gtest/gtest.h>

#include "app/option_replaced.h"
#include "swarmgate/app/options.h"

namespace swarmgate::app {
namespace {

using haproxy::AccessLog;

OptionSources Sources(std::map<std::string, std::string> environment,
                      std::vector<std::string> arguments = {}) {
  OptionSources sources;
  sources.arguments = std::move(arguments);
  sources.environment = std::move(environment);
  sources.environment.emplace("DEFAULT_PORTS", "80");
  sources.root = true;
  return sources;
}

Options Read(std::map<std::string, std::string> environment) {
  const auto options = ReadOptions(Sources(std::move(environment)));
  EXPECT_TRUE(options) << options.error().message;
  return options ? *options : Options();
}

bool Says(const Options& options, const std::string& text) {
  for (const std::string& warning : options.warnings) {
    if (warning.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(OptionTrafficTest, WithoutVariablesNothingIsAdded) {
  const Options options = Read({});
  EXPECT_EQ(options.extras, haproxy::Extras());
  EXPECT_TRUE(options.warnings.empty()) << options.warnings.front();
}

TEST(OptionTrafficTest, TheAccessLogIsTurnedOnByEitherName) {
  const struct {
    std::map<std::string, std::string> environment;
    AccessLog::What what;
    AccessLog::Format format;
  } cases[] = {
      {{{"DEBUG", "false"}, {"DEBUG_ERRORS_ONLY", "true"}},
       AccessLog::What::kOff,
       AccessLog::Format::kJson},
      {{{"DEBUG", "true"}}, AccessLog::What::kAll, AccessLog::Format::kHttp},
      {{{"DEBUG", "true"}, {"DEBUG_ERRORS_ONLY", "true"}},
       AccessLog::What::kErrors,
       AccessLog::Format::kHttp},
      {{{"DEBUG", "true"}, {"DEBUG_HTTP_FORMAT", "%ci"}},
       AccessLog::What::kAll,
       AccessLog::Format::kCustom},
      {{{"DEBUG", "true"}, {"ACCESS_LOG", "off"}}, AccessLog::What::kOff, AccessLog::Format::kJson},
      {{{"ACCESS_LOG", "all"}}, AccessLog::What::kAll, AccessLog::Format::kJson},
      {{{"ACCESS_LOG", "Errors"}, {"ACCESS_LOG_FORMAT", "http"}},
       AccessLog::What::kErrors,
       AccessLog::Format::kHttp},
  };
  for (const auto& c : cases) {
    const Options options = Read(c.environment);
    EXPECT_EQ(options.extras.access_log.what, c.what) << c.environment.begin()->first;
    EXPECT_EQ(options.extras.access_log.format, c.format) << c.environment.begin()->first;
  }
}

TEST(OptionTrafficTest, ALogFormatIsTakenAsThePredecessorsUsersWroteIt) {
  for (const char* written : {"%ci %ST", "%ci\\ %ST", "\"%ci %ST\"", "'%ci %ST'"}) {
    EXPECT_EQ(Read({{"DEBUG", "true"}, {"DEBUG_HTTP_FORMAT", written}}).extras.access_log.custom,
              "%ci %ST")
        << written;
  }
}

TEST(OptionTrafficTest, ConnectionsThatAreNotHttpHaveALogFormatOfTheirOwn) {
  const Options options = Read({{"DEBUG", "true"}, {"DEBUG_TCP_FORMAT", "\"%ci %B\""}});
  EXPECT_EQ(options.extras.access_log.tcp_custom, "%ci %B");
  EXPECT_EQ(options.extras.access_log.format, AccessLog::Format::kHttp);
  EXPECT_TRUE(options.warnings.empty());
  EXPECT_EQ(Read({{"DEBUG_TCP_FORMAT", "%ci"}}).extras.access_log, AccessLog());
}

TEST(OptionTrafficTest, TheModeThatIsMeantWithoutALabelIsTheOperators) {
  using model::ReqMode;
  EXPECT_EQ(Read({}).req_mode, ReqMode::kHttp);
  EXPECT_FALSE(Read({}).static_req_mode);
  const Options options = Read({{"DEFAULT_REQ_MODE", "TCP"}, {"DEFAULT_PROTOCOL", "sni"}});
  EXPECT_EQ(options.req_mode, ReqMode::kTcp);
  EXPECT_EQ(options.static_req_mode, ReqMode::kSni);
  EXPECT_TRUE(options.warnings.empty());
}

TEST(OptionTrafficTest, RawLinesAreSplitAtCommasThatAreNotEscaped) {
  const Options options = Read({{"EXTRA_FRONTEND", R"(maxconn 1500,acl a path_reg ^/a{1\,2}$,, )"},
                                {"EXTRA_GLOBAL", "tune.bufsize 20000\ndaemon,user root"}});
  EXPECT_EQ(options.extras.extra_frontend,
            (std::vector<std::string>{"maxconn 1500", "acl a path_reg ^/a{1,2}$"}));
  EXPECT_EQ(options.extras.extra_global, std::vector<std::string>{"tune.bufsize 20000"});
  EXPECT_TRUE(Says(options, "EXTRA_GLOBAL: 'daemon' has no effect"));
  EXPECT_TRUE(Says(options, "EXTRA_GLOBAL: 'user' has no effect"));
}

TEST(OptionTrafficTest, TheStatisticsPageNeedsBothNames) {
  EXPECT_EQ(Read({}).extras.stats.uri, "");
  const Options half = Read({{"STATS_USER", "su"}});
  EXPECT_EQ(half.extras.stats.uri, "");
  EXPECT_TRUE(Says(half, "needs both STATS_USER and STATS_PASS"));
  const Options both = Read({{"STATS_USER", "su"}, {"STATS_PASS", "sp"}, {"STATS_PORT", "9000"}});
  EXPECT_EQ(both.extras.stats, (haproxy::StatsPage{"/admin?stats", "su", "sp", 9000}));
  const Options open = Read({{"STATS_USER", "none"}, {"STATS_PASS", "none"}, {"STATS_URI", "/s"}});
  EXPECT_EQ(open.extras.stats, (haproxy::StatsPage{"/s", "", "", {}}));
  EXPECT_TRUE(Says(open, "everybody"));
  const Options shared = Read({{"STATS_USER", "a"}, {"STATS_PASS", "b"}, {"STATS_PORT", "80"}});
  EXPECT_FALSE(shared.extras.stats.port) << "port 80 carries it beside the services";
  const Options indirect = Read({{"STATS_USER_ENV", "WHO"},
                                 {"WHO", "su"},
                                 {"STATS_PASS_ENV", "WHAT"},
                                 {"WHAT", "sp"},
                                 {"STATS_URI_ENV", "WHERE"},
                                 {"WHERE", "/seen"}});
  EXPECT_EQ(indirect.extras.stats.user, "su");
  EXPECT_EQ(indirect.extras.stats.password, "sp");
  EXPECT_EQ(indirect.extras.stats.uri, "/seen");
}

TEST(OptionTrafficTest, PortsCanAskForTheProxyProtocol) {
  const Options options =
      Read({{"DEFAULT_PORTS", "80:proxy,127.0.0.1:81"}, {"BIND_PORTS", "82:proxy"}});
  EXPECT_EQ(options.binds,
            (std::vector<haproxy::Bind>{
                {"*", 80, false, true}, {"127.0.0.1", 81, false, false}, {"*", 82, false, true}}));
}

TEST(OptionTrafficTest, NetworksAreCanonical) {
  EXPECT_EQ(Read({{"TRUSTED_PROXIES", " FD00::0/8, 10.0.0.0/8,,192.0.2.7,10.0.0.0/8"}})
                .extras.trusted_proxies,
            (std::vector<std::string>{"10.0.0.0/8", "192.0.2.7", "fd00::/8"}));
  EXPECT_EQ(Read({{"PROXY_PROTOCOL_FROM", "::1"}}).extras.proxy_protocol_from,
            std::vector<std::string>{"::1"});
}

TEST(OptionTrafficTest, DefaultsOfEveryServiceAreRead) {
  const Options options = Read({{"CONNECTION_MODE", "http-server-close"},
                                {"COMPRESSION_ALGO", "gzip,deflate"},
                                {"COMPRESSION_TYPE", "text/css text/html"},
                                {"CAPTURE_REQUEST_HEADER", "Host:15, Referer:20"},
                                {"TERMINATE_ON_RELOAD", "true"}});
  EXPECT_EQ(options.extras.connection_mode, model::ConnectionMode::kServerClose);
  EXPECT_FALSE(options.extras.first_request_reuses);
  EXPECT_TRUE(Read({{"HTTP_REUSE", "Always"}}).extras.first_request_reuses);
  EXPECT_TRUE(options.extras.repeats_unanswered);
  EXPECT_FALSE(Read({{"HTTP_RETRY", "never"}}).extras.repeats_unanswered);
  EXPECT_EQ(options.extras.compression_algo, "gzip deflate");
  EXPECT_EQ(options.extras.compression_type, "text/css text/html");
  EXPECT_EQ(options.extras.captures,
            (std::vector<haproxy::Capture>{{"Host", 15}, {"Referer", 20}}));
  EXPECT_EQ(options.hard_stop_after, Duration(1000));
}

TEST(OptionTrafficTest, WrongValuesAreOneSentenceThatNamesVariableAndWhatToWrite) {
  const struct {
    const char* name;
    const char* value;
    const char* fix;
  } cases[] = {
      {"CAPTURE_REQUEST_HEADER", "Host", "for example Host:15"},
      {"CAPTURE_REQUEST_HEADER", "Host:", "for example Host:15"},
      {"CAPTURE_REQUEST_HEADER", "Ho st:15", "for example Host:15"},
      {"CAPTURE_REQUEST_HEADER", "Host:0", "for example Host:15"},
      {"TRUSTED_PROXIES", "10.0.0.0/33", "10.0.0.0/8"},
      {"TRUSTED_PROXIES", "lb.example", "10.0.0.0/8"},
      {"EXTRA_FRONTEND", "backend evil", "opens another section"},
      {"EXTRA_GLOBAL", "maxconn 5,defaults", "opens another section"},
      {"EXTRA_GLOBAL", "a\001b", "control characters"},
      {"CONNECTION_MODE", "keep", "http-keep-alive, http-server-close or httpclose"},
      {"HTTP_REUSE", "aggressive", "safe or always"},
      {"HTTP_RETRY", "always", "safe or never"},
      {"COMPRESSION_ALGO", "zip", "gzip, deflate"},
      {"COMPRESSION_TYPE", "text/css'", "media type"},
      {"ACCESS_LOG", "yes", "off, errors or all"},
      {"STATS_PORT", "0", "1 to 65535"},
      {"DEFAULT_PORTS", "80:proxie", "not a port"},
      {"STATS_USER_ENV", "A=B", "name of a variable"},
  };
  for (const auto& c : cases) {
    const auto options = ReadOptions(Sources({{c.name, c.value}, {"PORT", "8080"}}));
    // DEFAULT_PORTS is given by Sources unless the case does.
    ASSERT_FALSE(options) << c.name << "=" << c.value;
    EXPECT_NE(options.error().message.find(c.name), std::string::npos) << options.error().message;
    EXPECT_NE(options.error().message.find(c.fix), std::string::npos) << options.error().message;
  }
  const auto clash = ReadOptions(
      Sources({{"STATS_USER", "a"}, {"STATS_PASS", "secret!"}, {"STATS_PORT", "8080"}}));
  ASSERT_FALSE(clash);
  EXPECT_EQ(clash.error().message.find("secret!"), std::string::npos);
}

TEST(OptionTrafficTest, ASecretWinsOverTheVariableWhereThePredecessorSaidSo) {
  OptionSources sources = Sources({{"TIMEOUT_SERVER", "7"}, {"PORT", "8081"}, {"STATS_PASS", "x"}});
  sources.secret = [](const std::string& name) -> std::optional<std::string> {
    if (name == "dfp_timeout_server") return "9";
    if (name == "dfp_port") return "9999";
    if (name == "dfp_stats_user") return "su\n";
    if (name == "dfp_stats_pass") return "sp\n";
    return std::nullopt;
  };
  const auto options = ReadOptions(sources);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->timeout_server, Duration(9000));
  EXPECT_EQ(options->port, 8081) << "not one of those";
  EXPECT_EQ(options->extras.stats.user, "su");
  EXPECT_EQ(options->extras.stats.password, "sp");
  sources.arguments = {"--timeout-server", "11"};
  EXPECT_EQ(ReadOptions(sources)->timeout_server, Duration(11000)) << "a flag wins over both";
}

TEST(OptionTrafficTest, WhatIsReplacedSaysByWhatUnlessItWasTheDefault) {
  for (const ReplacedVariable& variable : ReplacedVariables()) {
    const Options options = Read({{variable.name, "something else"}});
    ASSERT_EQ(options.warnings.size(), 1U) << variable.name;
    EXPECT_EQ(options.warnings[0],
              std::string(variable.name) + " has no effect: " + variable.instead);
    const std::string harmless(
        variable.harmless, std::string_view(variable.harmless).find('|') == std::string_view::npos
                               ? std::string_view(variable.harmless).size()
                               : std::string_view(variable.harmless).find('|'));
    EXPECT_TRUE(Read({{variable.name, harmless}}).warnings.empty()) << variable.name;
  }
}

TEST(OptionTrafficTest, MisspelledAndUnknownVariablesAreNamed) {
  const struct {
    const char* name;
    const char* said;  ///< "" when nothing
  } cases[] = {
      {"DEFAULT_PORT", "did you mean DEFAULT_PORTS?"},
      {"TIMEOUT_SERVRE", "did you mean TIMEOUT_SERVER?"},
      {"STATS_PASSS", "did you mean STATS_PASS?"},
      {"DFP_STATS_USER", "did you mean STATS_USER?"},
      {"DFP_SERVCE_NAME", "did you mean DFP_SERVICE_NAME?"},
      {"DF_NOTIFY_LABELS", "did you mean DF_NOTIFY_LABEL?"},
      {"DF_SOMETHING_COMPLETELY_DIFFERENT", "is not known; see docs/options.md"},
      {"USER", ""},
      {"HOSTNAME", ""},
      {"LOGNAME", ""},
      {"PORTS", ""},
      {"SERVICE_HOST", ""},
      {"KUBERNETES_SERVICE_PORT", ""},
      {"DFP_SERVICE_1_SERVICE_NAME", ""},
      {"CERTS", "certificates are read from CERTS_DIR"},
  };
  for (const auto& c : cases) {
    const Options options = Read({{c.name, "x"}});
    if (*c.said == '\0') {
      EXPECT_TRUE(options.warnings.empty()) << c.name << ": " << options.warnings.front();
    } else {
      ASSERT_EQ(options.warnings.size(), 1U) << c.name;
      EXPECT_NE(options.warnings[0].find(c.name), std::string::npos) << options.warnings[0];
      EXPECT_NE(options.warnings[0].find(c.said), std::string::npos) << options.warnings[0];
    }
  }
  OptionSources sources = Sources({});
  sources.secret_names = {"cert-a", "dfp_stats_usr", "dfp_users_web", "dfp_timeout_client",
                          "other"};
  const auto options = ReadOptions(sources);
  ASSERT_TRUE(options);
  ASSERT_EQ(options->warnings.size(), 1U) << options->warnings.back();
  EXPECT_NE(options->warnings[0].find("dfp_stats_usr is not known; did you mean dfp_stats_user?"),
            std::string::npos)
      << options->warnings[0];
  sources.secret_names = {"df_notify_create_service_url", "dfp_resolvers"};
  const auto replaced = ReadOptions(sources);
  ASSERT_TRUE(replaced);
  ASSERT_EQ(replaced->warnings.size(), 2U);
  EXPECT_EQ(replaced->warnings[0].find("the secret df_notify_create_service_url has no effect: no "
                                       "other program is notified"),
            0U)
      << replaced->warnings[0];
  EXPECT_EQ(replaced->warnings[1].find("the secret dfp_resolvers has no effect: servers"), 0U)
      << replaced->warnings[1];
}

TEST(OptionTrafficTest, AStaticServiceWithoutANameIsTold) {
  const Options options = Read({{"DFP_SERVICE_SERVICE_PATH", "/a"},
                                {"DFP_SERVICE_2_SERVICE_PATH", "/b"},
                                {"DFP_SERVICE_2_PORT", "1"},
                                {"DFP_SERVICE_3_SERVICE_NAME", "web"},
                                {"DFP_SERVICE_3_SERVICE_PATH", "/c"}});
  ASSERT_EQ(options.warnings.size(), 2U);
  EXPECT_EQ(options.warnings[0],
            "the variables DFP_SERVICE_… define no service, because DFP_SERVICE_SERVICE_NAME is "
            "not set");
  EXPECT_NE(options.warnings[1].find("DFP_SERVICE_2_SERVICE_NAME"), std::string::npos);
}

TEST(OptionTrafficTest, FlagsOfThePredecessorAreAccepted) {
  const auto options = ReadOptions(
      Sources({}, {"-c", "/cfg", "--templates-path", "/cfg/tmpl", "-n", "edge", "-l", "listener",
                   "-i", "127.0.0.1", "-p", "8081", "--proxy-instance-name", "inner"}));
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->service_name, "edge");
  EXPECT_EQ(options->ip, "127.0.0.1");
  EXPECT_EQ(options->port, 8081);
  EXPECT_EQ(options->instance_name, "inner");
  EXPECT_TRUE(Says(*options, "--configs-path has no effect"));
  EXPECT_TRUE(Says(*options, "LISTENER_ADDRESS=listener has no effect: the listener is built in"));
  EXPECT_FALSE(Says(*options, "--templates-path has no effect"));
  EXPECT_EQ(options->templates_path, "/cfg/tmpl");
  const auto longer =
      ReadOptions(Sources({}, {"-t", "/tmpl/", "--configs-path", "/cfg", "--service-name", "edge",
                               "--listener-address", "listener", "--ip", "::1", "--port", "8082"}));
  ASSERT_TRUE(longer) << longer.error().message;
  EXPECT_EQ(longer->templates_path, "/tmpl");
  EXPECT_EQ(longer->service_name, "edge");
  EXPECT_EQ(longer->ip, "::1");
  EXPECT_EQ(longer->port, 8082);
  EXPECT_TRUE(Says(*longer, "--configs-path has no effect"));
  EXPECT_TRUE(Says(*longer, "LISTENER_ADDRESS=listener has no effect"));
}

}  // namespace
}  // namespace swarmgate::app
