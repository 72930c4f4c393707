#include "app/command_line.h"

#include <gtest/gtest.h>

#include "app/table.h"

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

TEST(TableTest, ColumnsAreAlignedAndControlBytesEscaped) {
  EXPECT_EQ(FormatTable({"A", "LONG"}, {{"xyz", "1"}, {"ü", "2\n3"}}),
            "A    LONG\nxyz  1\nü    2\\x0a3\n");
}

}  // namespace
}  // namespace swarmgate::app
