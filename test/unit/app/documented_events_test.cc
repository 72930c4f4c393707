// docs/operation.md explains every event that the program can log, and none that it cannot.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include "support/paths.h"
#include "support/test_root.h"

namespace swarmgate::app {
namespace {

std::string AllSources() {
  std::string text;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(testing::SourcePath("src"))) {
    if (entry.path().extension() == ".cc") text += testing::ReadFile(entry.path());
  }
  return text;
}

std::set<std::string> Found(const std::string& text, const std::regex& pattern) {
  std::set<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
    found.insert((*it)[1]);
  }
  return found;
}

TEST(DocumentedEvents, EveryEventIdIsExplainedToTheOperator) {
  const std::string sources = AllSources();
  const std::string page = testing::ReadFile(testing::SourcePath("docs/operation.md"));
  const std::set<std::string> logged = Found(
      sources,
      std::regex(
          R"re((?:LogEvent\(\s*LogLevel::k\w+,\s*|notes\.push_back\(\{|Refuse\()"([A-Z_]+)")re"));
  ASSERT_GT(logged.size(), 40U) << "the pattern finds them";
  const std::set<std::string> explained = Found(page, std::regex("`([A-Z]+(?:_[A-Z]+)*)`"));
  for (const std::string& id : logged) {
    EXPECT_EQ(explained.count(id), 1U) << id << " is not in docs/operation.md";
  }
}

TEST(DocumentedEvents, EveryExplainedEventIdIsLogged) {
  const std::string sources = AllSources();
  const std::string page = testing::ReadFile(testing::SourcePath("docs/operation.md"));
  const std::size_t begin = page.find("## Log");
  const std::size_t end = page.find("## Metrics");
  ASSERT_LT(begin, end);
  const std::set<std::string> explained = Found(
      page.substr(begin, end - begin), std::regex("(?:\\| |, )`([A-Z]+(?:_[A-Z]+)+)`(?= \\||, )"));
  ASSERT_GT(explained.size(), 30U);
  for (const std::string& id : explained) {
    EXPECT_NE(sources.find('"' + id + '"'), std::string::npos) << id << " is never logged";
  }
}

TEST(DocumentedMetrics, EveryMetricIsExplained) {
  const std::set<std::string> metrics =
      Found(testing::ReadFile(testing::SourcePath("src/admin/metrics.cc")),
            std::regex("\"(swarmgate_[a-z_]+)\""));
  ASSERT_GT(metrics.size(), 10U);
  const std::string page = testing::ReadFile(testing::SourcePath("docs/operation.md"));
  for (const std::string& metric : metrics) {
    EXPECT_NE(page.find(metric), std::string::npos) << metric << " is not in docs/operation.md";
  }
}

}  // namespace
}  // namespace swarmgate::app
