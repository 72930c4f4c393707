// The page for those who come from another proxy: what it says to write is understood.
#include "app/migrating.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "app/option_table.h"
#include "support/paths.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::app {
namespace {

TEST(MigratingTest, ThePageIsMadeOfTheTables) {
  const std::string path = testing::SourcePath("docs/migrating.md");
  const std::string page = MigratingMarkdown();
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << page;
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), page) << "refresh with UPDATE_GOLDEN=1";
}

/// The right cells of the tables of other proxies, without `\|`.
std::vector<std::string> Cells() {
  const std::string page = MigratingMarkdown();
  const std::string_view tables = std::string_view(page).substr(page.find("## From Traefik"));
  std::vector<std::string> cells;
  for (const std::string_view line : Split(tables, '\n')) {
    if (!line.starts_with("| ") || line.starts_with("|---") || line.ends_with("`com.df.` |")) {
      continue;
    }
    const std::string_view row = line.substr(0, line.rfind('|'));
    cells.emplace_back(Trim(row.substr(row.rfind(" | ") + 3)));
  }
  return cells;
}

/// What stands between single backticks.
std::vector<std::string> Quoted(const std::string& cell) {
  static const std::regex kQuoted("`([^`]+)`");
  std::vector<std::string> words;
  for (std::sregex_iterator word(cell.begin(), cell.end(), kQuoted), end; word != end; ++word) {
    words.push_back((*word)[1].str());
  }
  return words;
}

TEST(MigratingTest, WhatItSaysToWriteIsTakenWithoutErrors) {
  labels::ParseOptions options;
  options.allow_raw = true;
  options.upstream_ca = "/ca.pem";
  options.users.elsewhere = true;
  std::size_t examples = 0;
  for (const std::string& cell : Cells()) {
    std::map<std::string, std::string> parameters;
    for (const std::string& word : Quoted(cell)) {
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos) continue;
      parameters.emplace(word.substr(0, equals), word.substr(equals + 1));
    }
    if (parameters.empty()) continue;
    ++examples;
    parameters.emplace("port", "8080");
    if (!parameters.contains("reqMode") && !parameters.contains("serviceDomain")) {
      parameters.emplace("servicePath", "/x");
    }
    const auto parsed = labels::ParseParameters(model::ServiceName("web"), parameters, options);
    EXPECT_TRUE(parsed.spec) << cell;
    for (const auto& diagnostic : parsed.diagnostics) {
      EXPECT_EQ(diagnostic.severity, model::Severity::kInfo)
          << cell << ": " << diagnostic.ToString();
    }
  }
  EXPECT_GT(examples, 50U);
}

TEST(MigratingTest, EveryNameInItIsOneOfOurs) {
  const std::vector<std::string> all = labels::ParameterNames();
  std::set<std::string> known(all.begin(), all.end());
  for (const OptionRow& row : OptionTable()) known.insert(row.name);
  // Words of values, and what is none of ours.
  known.merge(std::set<std::string>{"path_dir", "mkpasswd", "htpasswd -B", "$apr1$", "HEALTHCHECK",
                                    "dfp_users_admins", "v"});
  for (const std::string& cell : Cells()) {
    for (const std::string& word : Quoted(cell)) {
      const std::string name = word.substr(0, word.find_first_of("=."));
      EXPECT_TRUE(known.contains(name)) << name << " in: " << cell;
    }
  }
}

}  // namespace
}  // namespace swarmgate::app
