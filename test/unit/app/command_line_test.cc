#include "app/command_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "app/commands.h"
#include "app/table.h"
#include "support/paths.h"
#include "swarmgate/admin/server.h"
#include "swarmgate/app/main.h"
#include "unit/admin/fake_backend.h"

namespace swarmgate::app {
namespace {

TEST(CommandLineTest, AddressComesFromFlagThenEnvironmentThenDefault) {
  using Environment = std::map<std::string, std::string>;
  const struct {
    std::vector<std::string> arguments;
    Environment environment;
    const char* address;
  } cases[] = {
      {{}, {}, "http://127.0.0.1:8080"},
      {{}, {{"PORT", "81"}}, "http://127.0.0.1:81"},
      {{}, {{"IP", "0.0.0.0"}, {"PORT", "81"}}, "http://127.0.0.1:81"},
      {{}, {{"IP", "::"}}, "http://[::1]:8080"},
      {{}, {{"IP", "10.0.0.1"}}, "http://10.0.0.1:8080"},
      {{}, {{"SWARMGATE_ADDRESS", "edge:9000/"}, {"PORT", "81"}}, "http://edge:9000"},
      {{"--address", "https://edge"}, {{"PORT", "x"}}, "https://edge"},
      {{"--address=edge"}, {}, "http://edge"},
  };
  for (const auto& test : cases) {
    const auto line = ParseCommandLine(test.arguments, test.environment);
    ASSERT_TRUE(line) << line.error().message;
    EXPECT_EQ(line->address, test.address);
  }
}

TEST(CommandLineTest, FlagsMayStandAnywhereAndWordsStay) {
  const auto line =
      ParseCommandLine({"web", "-o", "json", "a=b", "--token", "t0ken", "--", "-x"}, {});
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(line->words, (std::vector<std::string>{"web", "a=b", "-x"}));
  EXPECT_TRUE(line->json);
  EXPECT_EQ(line->token, "t0ken");
  EXPECT_EQ(ParseCommandLine({}, {{"ADMIN_TOKEN", "from-env"}})->token, "from-env");
  EXPECT_EQ(ParseCommandLine({"-"}, {})->words, std::vector<std::string>{"-"});
}

TEST(CommandLineTest, MistakesAreRefused) {
  const std::vector<std::vector<std::string>> cases = {{"--adress", "x"},
                                                       {"-o"},
                                                       {"-o", "yaml"},
                                                       {"--after", "x"},
                                                       {"--address", "ftp://x"},
                                                       {"--address", "http://a b"},
                                                       {"--address", "http://a@b"},
                                                       {"--token", "a\nb"},
                                                       {"-x"}};
  for (const auto& arguments : cases) {
    EXPECT_FALSE(ParseCommandLine(arguments, {})) << arguments[0];
  }
  EXPECT_NE(ParseCommandLine({"--adress", "x"}, {}).error().message.find("--address"),
            std::string::npos);
  EXPECT_FALSE(ParseCommandLine({}, {{"PORT", "65536"}}));
  EXPECT_TRUE(ParseCommandLine({"--help"}, {{"PORT", "65536"}})) << "help is always there";
}

struct Ended {
  int status = 0;
  std::string output;
  std::string errors;
};

Ended RunMain(std::vector<std::string> words) {
  words.insert(words.begin(), "swarmgate");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Ended ended;
  ended.status = Main(static_cast<int>(arguments.size()), arguments.data());
  ended.output = ::testing::internal::GetCapturedStdout();
  ended.errors = ::testing::internal::GetCapturedStderr();
  return ended;
}

TEST(HelpTest, EveryCommandStandsApartFromWhatItDoesAndInTheReadme) {
  const Ended help = RunMain({"--help"});
  EXPECT_EQ(help.status, kExitOk);
  std::ostringstream readme;
  readme << std::ifstream(testing::SourcePath("README.md")).rdbuf();
  const std::string text = readme.str();
  const auto begin = text.find("`swarmgate COMMAND --help` explains each:");
  ASSERT_NE(begin, std::string::npos);
  std::string listed = text.substr(begin, text.find("`.", begin) - begin);
  std::replace_if(
      listed.begin(), listed.end(), [](char c) { return c == '\n' || c == '`'; }, ' ');
  listed += ' ';
  for (const Command& command : Commands()) {
    EXPECT_NE(help.output.find("  " + std::string(command.name) + "  "), std::string::npos)
        << command.name << "\n"
        << help.output;
    EXPECT_NE(listed.find(" " + std::string(command.name) + " "), std::string::npos)
        << command.name << " is missing in the README: " << listed;
  }
}

TEST(HelpTest, AWordTooManyIsAUsageError) {
  EXPECT_EQ(RunMain({"version"}).status, kExitOk);
  const Ended extra = RunMain({"version", "extra"});
  EXPECT_EQ(extra.status, kExitUsage);
  EXPECT_EQ(extra.output, "");
  EXPECT_EQ(extra.errors, "swarmgate: version takes no arguments\n");
}

TEST(ServicesCommandTest, SaysHowManyServicesAreLeftToOtherInstances) {
  admin::FakeBackend backend;
  admin::AdminOptions options;
  options.port = 0;
  admin::AdminServer server(options, backend);
  const auto port = server.Bind();
  ASSERT_TRUE(port) << port.error().message;
  server.Start();
  const auto services = [&] {
    const std::string address = "http://127.0.0.1:" + std::to_string(*port);
    return RunMain({"services", "--address", address}).output;
  };
  EXPECT_EQ(services().rfind("No services. Label one with com.df.notify=true", 0), 0U);
  backend.snapshot.of_other_instances = 2;
  EXPECT_EQ(services(),
            "No services of this instance.\n2 services are left to other instances "
            "(FILTER_PROXY_INSTANCE_NAME): their com.df.proxyInstanceName is not this one's "
            "PROXY_INSTANCE_NAME.\n");
  server.Stop();
}

TEST(TableTest, ColumnsAreAlignedAndControlBytesEscaped) {
  EXPECT_EQ(FormatTable({"A", "LONG"}, {{"xyz", "1"}, {"ü", "2\n3"}}),
            "A    LONG\nxyz  1\nü    2\\x0a3\n");
}

}  // namespace
}  // namespace swarmgate::app
