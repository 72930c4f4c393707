#include "swarmgate/app/options.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "support/paths.h"

namespace swarmgate::app {
namespace {

OptionSources Sources(std::map<std::string, std::string> environment,
                      std::vector<std::string> arguments = {}) {
  OptionSources sources;
  sources.arguments = std::move(arguments);
  sources.environment = std::move(environment);
  sources.root = true;
  return sources;
}

TEST(OptionsTest, DefaultsServePort80AndTlsOn443) {
  const auto options = ReadOptions(Sources({}));
  ASSERT_TRUE(options) << options.error().message;
  const std::vector<haproxy::Bind> expected = {{"*", 80}, {"*", 443, true}};
  EXPECT_EQ(options->binds, expected);
  EXPECT_EQ(options->certs_dir, "/certs");
  EXPECT_TRUE(options->tls.h2);
  EXPECT_EQ(options->tls.min_version, "TLSv1.2");
  EXPECT_EQ(options->port, 8080);
  EXPECT_EQ(options->data_dir, "/var/lib/swarmgate");
  EXPECT_EQ(options->run_dir, "/var/lib/swarmgate/run");
  EXPECT_EQ(options->haproxy_user, "haproxy");
  EXPECT_EQ(options->timeout_server, Duration(20000));
  EXPECT_FALSE(options->admin_allow_remote);
  EXPECT_TRUE(options->warnings.empty());
}

TEST(OptionsTest, FlagBeatsEnvironmentBeatsSecretBeatsDefault) {
  OptionSources sources = Sources({});
  EXPECT_EQ(ReadOptions(sources)->port, 8080);
  sources.secret = [](const std::string& name) {
    return name == "dfp_port" ? std::optional<std::string>("7001\n") : std::nullopt;
  };
  EXPECT_EQ(ReadOptions(sources)->port, 7001);
  sources.environment["PORT"] = "";
  EXPECT_EQ(ReadOptions(sources)->port, 7001) << "an empty variable counts as absent";
  sources.environment["PORT"] = "7002";
  EXPECT_EQ(ReadOptions(sources)->port, 7002);
  sources.arguments = {"--port", "7003"};
  EXPECT_EQ(ReadOptions(sources)->port, 7003);
  sources.arguments = {"-p", "7004"};
  EXPECT_EQ(ReadOptions(sources)->port, 7004);
}

TEST(OptionsTest, ReadsPortsAddressesAndBindPorts) {
  const auto options =
      ReadOptions(Sources({{"DEFAULT_PORTS", "8081, 127.0.0.1:8082,[::1]:8083,8443:ssl,8081"},
                           {"BIND_PORTS", "9000"}}));
  ASSERT_TRUE(options) << options.error().message;
  const std::vector<haproxy::Bind> expected = {
      {"*", 8081}, {"127.0.0.1", 8082}, {"::1", 8083}, {"*", 8443, true}, {"*", 9000}};
  EXPECT_EQ(options->binds, expected);
}

TEST(OptionsTest, BindOptionsOfThePredecessorAreUnderstood) {
  const struct {
    const char* value;
    const char* least;
    const char* most;
  } cases[] = {{"no-sslv3", "TLSv1.2", ""},
               {"no-tlsv12", "TLSv1.3", ""},
               {"no-tlsv13 no-tls-tickets", "TLSv1.2", "TLSv1.2"},
               {"ssl-min-ver TLSv1.1", "TLSv1.1", ""},
               {"force-tlsv13", "TLSv1.3", "TLSv1.3"}};
  for (const auto& c : cases) {
    const auto options = ReadOptions(Sources({{"SSL_BIND_OPTIONS", c.value}}));
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->tls.min_version, c.least) << c.value;
    EXPECT_EQ(options->tls.max_version, c.most) << c.value;
  }
}

TEST(OptionsTest, WrongValuesAreOneSentenceThatNamesVariableAndValue) {
  struct Case {
    const char* name;
    const char* value;
    const char* fix;
  };
  const Case cases[] = {
      {"DEFAULT_PORTS", "80x", "80,443:ssl"},
      {"DEFAULT_PORTS", "0", "80,443:ssl"},
      {"DEFAULT_PORTS", "65536", "80,443:ssl"},
      {"DEFAULT_PORTS", "08", "80,443:ssl"},
      {"DEFAULT_PORTS", "-1", "80,443:ssl"},
      {"DEFAULT_PORTS", "a.com:80", "127.0.0.1:80"},
      {"DEFAULT_PORTS", "443:ssl,443", "choose one"},
      {"SSL_BIND_CIPHERS", "no such", "OpenSSL"},
      {"SSL_BIND_CIPHERS", "NOSUCH", "OpenSSL"},
      {"SSL_BIND_OPTIONS", "no-sslv3 crt-ignore-err", "no-tlsv12"},
      {"SSL_BIND_OPTIONS", "ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.2", "no version"},
      {"CA_FILE", "ca.pem", "absolute path"},
      {"CRT_LIST_PATH", "/a b", "absolute path"},
      {"PREFERRED_CERTIFICATE", "a/b", "names of certificates"},
      {"PORT", "eighty", "1 to 65535"},
      {"PORT", "80", "choose another PORT"},
      {"IP", "localhost", "0.0.0.0"},
      {"MODE", "cluster", "default or swarm"},
      {"SEPARATOR", "ab", "one character"},
      {"SEPARATOR", "a", "one character"},
      {"TIMEOUT_SERVER", "soon", "number of seconds"},
      {"TIMEOUT_SERVER", "99999999999999999999", "number of seconds"},
      {"TIMEOUT_SERVER", "700000", "at most a week"},
      {"TIMEOUT_SERVER", "0", "too short"},
      {"FILTER_PROXY_INSTANCE_NAME", "maybe", "true or false"},
      {"UNKNOWN_ROUTE_STATUS", "200", "503 or 404"},
      {"LOG_LEVEL", "loud", "debug, info"},
      {"THREADS", "65", "0 to 64"},
      {"DATA_DIR", "relative", "absolute path"},
      {"DATA_DIR", "/a b", "absolute path"},
      {"DATA_DIR", "/a\nb", "absolute path"},
      {"DOCKER_HOST", "ssh://host", "unix:///var/run/docker.sock"},
      {"DF_NOTIFY_LABEL", "acme", ".notify"},
      {"LABEL_PREFIX", "com.df", "ends with a dot"},
      {"PROXY_INSTANCE_NAME", "a b", "letters, digits"},
      {"PROXY_INSTANCE_NAME", ".", "are no names"},
      {"PROXY_INSTANCE_NAME", "..", "are no names"},
      {"HAPROXY_USER", "ha proxy", "letters, digits"},
      {"ALLOW_RAW_CONFIG", "maybe", "true or false"},
      {"UPSTREAM_CA_FILE", "ca.pem", "absolute path"},
      {"UPSTREAM_CA_FILE", "/a b.pem", "letters, digits"},
  };
  for (const Case& test : cases) {
    const auto options = ReadOptions(Sources({{test.name, test.value}}));
    ASSERT_FALSE(options) << test.name << "=" << test.value;
    EXPECT_EQ(options.error().code, Code::kInvalidArgument);
    EXPECT_NE(options.error().message.find(test.fix), std::string::npos) << options.error().message;
    EXPECT_EQ(options.error().message.find('\n'), std::string::npos);
    if (std::string(test.value) != "80") {
      EXPECT_EQ(options.error().message.rfind(std::string(test.name) + "=", 0), 0U)
          << options.error().message;
    }
  }
}

TEST(OptionsTest, TheApisAddressTheSeparatorAndTheCiphersAreAsWritten) {
  const auto options = ReadOptions(Sources({{"IP", "192.0.2.7"},
                                            {"PORT", "8081"},
                                            {"SEPARATOR", ";"},
                                            {"SSL_BIND_CIPHERS", "ECDHE-RSA-AES256-GCM-SHA384"}}));
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->ip, "192.0.2.7");
  EXPECT_EQ(options->port, 8081);
  EXPECT_EQ(options->separator, ';');
  EXPECT_EQ(options->tls.ciphers, "ECDHE-RSA-AES256-GCM-SHA384");
  EXPECT_TRUE(options->warnings.empty());
  const auto usual = ReadOptions(Sources({}));
  ASSERT_TRUE(usual);
  EXPECT_EQ(usual->ip, "0.0.0.0");
  EXPECT_EQ(usual->separator, ',');
}

TEST(OptionsTest, TokensAreCheckedAndNeverShown) {
  const auto options = ReadOptions(Sources({{"ADMIN_TOKEN", "s3cret "}}));
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().message.find("s3cret"), std::string::npos) << options.error().message;
  EXPECT_EQ(ReadOptions(Sources({{"ADMIN_TOKEN", "s3cret-long"}}))->admin_token, "s3cret-long");
}

TEST(OptionsTest, UsersOfAllServicesAndSecretsOfUsersAreHandedOn) {
  OptionSources sources = Sources({{"USERS", "b:2,a:1"}, {"HTTPS_ONLY", "true"}});
  sources.user_secrets = {{"team", "x:y"}};
  const auto options = ReadOptions(sources);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_TRUE(options->https_only);
  EXPECT_EQ(options->users.secrets, sources.user_secrets);
  EXPECT_EQ(options->users.global,
            (std::vector<model::Credential>{{"a", "1", false}, {"b", "2", false}}));
  sources.environment.erase("USERS");
  sources.secret = [](const std::string& name) {
    return name == "dfp_users" ? std::optional<std::string>("c:3\nd:4\n") : std::nullopt;
  };
  EXPECT_EQ(ReadOptions(sources)->users.global.size(), 2U);
}

TEST(OptionsTest, BadUsersEndTheProgramAndAreNotShown) {
  for (const auto& [users, encrypted] : std::vector<std::pair<std::string, std::string>>{
           {"ann:sesame,sesame", "false"}, {"ann:sesame", "true"}}) {
    const auto options =
        ReadOptions(Sources({{"USERS", users}, {"USERS_PASS_ENCRYPTED", encrypted}}));
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().message.rfind("USERS: item ", 0), 0U) << options.error().message;
    EXPECT_EQ(options.error().message.find("sesame"), std::string::npos);
  }
}

TEST(OptionsTest, HashesOfUsersAreTakenAsSuch) {
  const std::string hash = "$5$s$cumoj7otDfWfuo5zQpidEUuzZVsHJ1pnHqxJiaYmn72";
  const auto options =
      ReadOptions(Sources({{"USERS", "ann:" + hash}, {"USERS_PASS_ENCRYPTED", "true"}}));
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->users.global, (std::vector<model::Credential>{{"ann", hash, true}}));
}

TEST(OptionsTest, MistypedFlagIsAnswersWithTheRightOne) {
  const auto options = ReadOptions(Sources({}, {"--defualt-ports", "80"}));
  ASSERT_FALSE(options);
  EXPECT_NE(options.error().message.find("did you mean --default-ports"), std::string::npos)
      << options.error().message;
  EXPECT_FALSE(ReadOptions(Sources({}, {"--port"})));
  EXPECT_FALSE(ReadOptions(Sources({}, {"stray"})));
}

TEST(OptionsTest, TimesHaveUnits) {
  const auto options = ReadOptions(Sources({{"TIMEOUT_SERVER", "500ms"},
                                            {"TIMEOUT_CLIENT", "5m"},
                                            {"TIMEOUT_TUNNEL", "1h"},
                                            {"TIMEOUT_QUEUE", "7"},
                                            {"TIMEOUT_CONNECT", "2"},
                                            {"TIMEOUT_HTTP_REQUEST", "800ms"},
                                            {"TIMEOUT_HTTP_KEEP_ALIVE", "3s"}}));
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->timeout_server, Duration(500));
  EXPECT_EQ(options->timeout_client, Duration(300000));
  EXPECT_EQ(options->timeout_tunnel, Duration(3600000));
  EXPECT_EQ(options->timeout_queue, Duration(7000));
  EXPECT_EQ(options->timeout_connect, Duration(2000));
  EXPECT_EQ(options->timeout_http_request, Duration(800));
  EXPECT_EQ(options->timeout_http_keep_alive, Duration(3000));
}

TEST(OptionsTest, DockerVariablesOfBothProgramsAreUnderstood) {
  EXPECT_EQ(ReadOptions(Sources({{"DF_DOCKER_HOST", "tcp://d:2375"}}))->docker_host,
            "tcp://d:2375");
  EXPECT_EQ(ReadOptions(Sources({{"DF_DOCKER_HOST", "tcp://d:2375"}, {"DOCKER_HOST", "unix:///x"}}))
                ->docker_host,
            "unix:///x");
  EXPECT_EQ(ReadOptions(Sources({{"DOCKER_HOST", "none"}}))->docker_host, "");
  const auto tls =
      ReadOptions(Sources({{"DOCKER_TLS_VERIFY", "1"}, {"DOCKER_CERT_PATH", "/certs/"}}));
  ASSERT_TRUE(tls) << tls.error().message;
  EXPECT_TRUE(tls->docker_tls && tls->docker_tls_verify);
  EXPECT_EQ(tls->docker_cert_path, "/certs");
  EXPECT_EQ(ReadOptions(Sources({{"DF_NOTIFY_LABEL", "org.acme.notify=true"}}))->label_prefix,
            "org.acme.");
}

TEST(OptionsTest, SwarmModeAllowsRemoteCallsAndSaysSo) {
  const auto options = ReadOptions(Sources({{"MODE", "swarm"}}));
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->admin_allow_remote);
  EXPECT_NE(options->warnings.back().find("ADMIN_TOKEN"), std::string::npos);
  EXPECT_EQ(ReadOptions(Sources({{"MODE", "swarm"}, {"ADMIN_TOKEN", "12345678"}}))->warnings.size(),
            0U);
}

TEST(OptionsTest, ConsulIsFoundAsUsersOfTheFirstReleasesWroteIt) {
  OptionSources sources =
      Sources({{"CONSUL_ADDRESS", "http://a:8500,b"}, {"CERT_KEY", "0123456789abcdef"}});
  sources.secret = [](const std::string& name) -> std::optional<std::string> {
    if (name == "dfp_consul_token") return "t0ken\n";
    return std::nullopt;
  };
  const auto options = ReadOptions(sources);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->consul_servers, (std::vector<std::string>{"http://a:8500", "http://b:8500"}));
  EXPECT_EQ(options->consul_token, "t0ken");
  EXPECT_TRUE(options->warnings.empty());
  const auto open = ReadOptions(Sources({{"CONSUL_ADDRESS", "a"}}));
  ASSERT_TRUE(open);
  EXPECT_NE(open->warnings.back().find("CERT_KEY"), std::string::npos);
  const auto bad = ReadOptions(Sources({{"CONSUL_ADDRESS", "a;b"}}));
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("CONSUL_ADDRESS=a;b: write host:8500"), std::string::npos)
      << bad.error().message;
  EXPECT_FALSE(ReadOptions(Sources({{"CONSUL_ADDRESS", "a"}, {"CONSUL_CLIENT_CERT", "/c"}})));
}

TEST(OptionsTest, PeersAreHostsWithOrWithoutAPort) {
  const auto options =
      ReadOptions(Sources({{"PEERS", "a, 10.0.0.3:81,[fd00::1]:82"}, {"SERVICE_NAME", "edge"}}));
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->peers, "a, 10.0.0.3:81,[fd00::1]:82");
  EXPECT_EQ(options->service_name, "edge");
  for (const char* bad : {"http://a", "a:0", "a:x", "[fd00::1", "a b"}) {
    EXPECT_FALSE(ReadOptions(Sources({{"PEERS", bad}}))) << bad;
  }
}

TEST(OptionsTest, ARoleNeedsWhatItHearsBy) {
  const auto proxy =
      ReadOptions(Sources({{"ROLE", "proxy"}, {"PEERS", "a"}, {"DOCKER_HOST", "unix:///x.sock"}}));
  ASSERT_TRUE(proxy) << proxy.error().message;
  EXPECT_EQ(proxy->role, Role::kProxy);
  EXPECT_EQ(proxy->docker_host, "") << "it has no socket of its own";
  EXPECT_TRUE(ReadOptions(Sources({{"ROLE", "proxy"}, {"MODE", "swarm"}})));
  EXPECT_TRUE(ReadOptions(Sources({{"ROLE", "listener"}})));
  EXPECT_FALSE(ReadOptions(Sources({{"ROLE", "proxy"}})));
  EXPECT_FALSE(ReadOptions(Sources({{"ROLE", "listener"}, {"DOCKER_HOST", "none"}})));
  EXPECT_FALSE(ReadOptions(Sources({{"ROLE", "leader"}})));
}

TEST(OptionsTest, SettingsWithoutEffectAreSaid) {
  const auto options =
      ReadOptions(Sources({{"DEBUG", "false"}, {"RESOLVERS", "x"}, {"STATS_USER", "u"}}));
  ASSERT_TRUE(options);
  std::string all;
  for (const std::string& warning : options->warnings) all += warning + "\n";
  EXPECT_NE(all.find("RESOLVERS has no effect: "), std::string::npos) << all;
  EXPECT_NE(all.find("needs both STATS_USER and STATS_PASS"), std::string::npos) << all;
  const auto silent = ReadOptions(Sources({{"DEFAULT_PORTS", "80"}}));
  ASSERT_TRUE(silent);
  EXPECT_TRUE(silent->warnings.empty()) << "nobody asked for what is the default";
  EXPECT_EQ(all.find("DEBUG"), std::string::npos);
}

TEST(OptionsTest, WithoutRootStateLivesInTheHomeDirectory) {
  OptionSources sources = Sources({{"HOME", "/home/u"}, {"HAPROXY_USER", "haproxy"}});
  sources.root = false;
  const auto options = ReadOptions(sources);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->data_dir, "/home/u/.local/state/swarmgate");
  EXPECT_FALSE(options->haproxy_user);
  EXPECT_NE(options->warnings.back().find("HAPROXY_USER"), std::string::npos);
  sources.environment["XDG_STATE_HOME"] = "/state";
  EXPECT_EQ(ReadOptions(sources)->data_dir, "/state/swarmgate");
}

TEST(OptionsTest, RunDirThatIsTooLongForASocketIsRefused) {
  const auto options = ReadOptions(Sources({{"DATA_DIR", "/" + std::string(100, 'x')}}));
  ASSERT_FALSE(options);
  EXPECT_NE(options.error().message.find("RUN_DIR"), std::string::npos);
  EXPECT_TRUE(
      ReadOptions(Sources({{"DATA_DIR", "/" + std::string(100, 'x')}, {"RUN_DIR", "/run/sg"}})));
}

TEST(OptionsTest, StaticServicesComeFromTheEnvironment) {
  const auto options = ReadOptions(Sources({{"DFP_SERVICE_SERVICE_NAME", "web"},
                                            {"DFP_SERVICE_SERVICE_PATH_1", "/a"},
                                            {"DFP_SERVICE_PORT_1", "8080"},
                                            {"DFP_SERVICE_3_SERVICE_NAME", "api"},
                                            {"DFP_SERVICE_3_IS_DEFAULT_BACKEND", "true"},
                                            {"DFP_SERVICE_3_REQ_PATH_SEARCH_REPLACE", "/a,/b"},
                                            {"DFP_SERVICE_3_SRC_PORT", ""}}));
  ASSERT_TRUE(options);
  const std::vector<std::map<std::string, std::string>> expected = {
      {{"serviceName", "web"}, {"servicePath.1", "/a"}, {"port.1", "8080"}},
      {{"serviceName", "api"}, {"isDefaultBackend", "true"}, {"reqPathSearchReplace", "/a,/b"}}};
  EXPECT_EQ(options->static_services, expected);
}

TEST(OptionsTest, HelpNamesEveryFlagAndVariable) {
  const std::string help = RunHelp();
  for (const char* text :
       {"--default-ports PORTS  (DEFAULT_PORTS)", "--data-dir", "default 80,443:ssl"}) {
    EXPECT_NE(help.find(text), std::string::npos) << text;
  }
}

TEST(OptionsTest, DocumentationIsGeneratedFromTheTable) {
  const std::string path = testing::SourcePath("docs/options.md");
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << OptionsMarkdown();
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), OptionsMarkdown()) << "refresh with UPDATE_GOLDEN=1";
}

}  // namespace
}  // namespace swarmgate::app
