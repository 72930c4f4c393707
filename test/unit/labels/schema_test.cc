// The table itself, and the page that is made of it.
#include "labels/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "support/paths.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/labels/parse.h"
#include "unit/labels/helpers.h"

namespace swarmgate::labels {
namespace {

TEST(SchemaTest, EveryEntryIsComplete) {
  std::set<std::string> names;
  bool last_had_effect = true;
  for (const Parameter& parameter : Parameters()) {
    SCOPED_TRACE(std::string(parameter.name));
    EXPECT_TRUE(names.insert(ToLower(parameter.name)).second) << "twice in the table";
    if (!parameter.alias.empty()) {
      EXPECT_TRUE(names.insert(ToLower(parameter.alias)).second);
    }
    const bool has_effect =
        parameter.effect == Effect::kHonoured || parameter.effect == Effect::kAccepted;
    EXPECT_EQ(parameter.set != nullptr, has_effect);
    // The parser takes those with an effect as the first part of the table.
    EXPECT_TRUE(last_had_effect || !has_effect);
    last_had_effect = has_effect;
    if (has_effect || parameter.effect == Effect::kReplaced) {
      EXPECT_FALSE(parameter.help.empty());
    }
    if (has_effect) {
      EXPECT_FALSE(parameter.example.empty());
    }
    // It would be served open.
    EXPECT_TRUE(has_effect || !parameter.restricts);
    // It stands in a cell of the page as code.
    EXPECT_EQ(parameter.example.find('|'), std::string_view::npos);
    if (parameter.creates) {
      EXPECT_EQ(parameter.level, Level::kDest);
    }
  }
}

TEST(SchemaTest, ExamplesAreTakenWithoutErrors) {
  ParseOptions options;
  options.allow_raw = true;
  options.users = {{{"admins", "a:b"}}, {{"root", "toor", false}}, false};
  for (const Parameter& parameter : Parameters()) {
    if (parameter.set == nullptr) continue;
    std::map<std::string, std::string> parameters = {{"serviceDomain", "x.example.com"}};
    parameters[std::string(parameter.name)] = parameter.example;
    // The one of the frontend alone leads nowhere.
    if (parameter.name == "templateFePath") parameters["templateBePath"] = "be";
    options.templates.files = {{std::string(parameter.example), {"backend a", ""}},
                               {"be", {"backend a", ""}}};
    if (parameter.name == "templateFePath") {
      options.templates.files[std::string(parameter.example)].text = "acl a path /";
      parameters["ignoreAuthorization"] = "true";  // that of USERS would not be carried out
    }
    // The example of one way to compare domains is a regex's; the domain is fine for that, too.
    if (parameter.name == "reqMode")
      parameters = {{"reqMode", "tcp"}, {"srcPort", "6379"}, {"port", "1"}};
    if (parameter.name == "port" || parameter.name == "httpsPort") parameters["servicePath"] = "/";
    const ParsedService parsed = testing::Parse(parameters, options);
    EXPECT_TRUE(parsed.spec) << parameter.name << ": "
                             << ::testing::PrintToString(testing::Texts(parsed));
  }
}

TEST(SchemaTest, WhatOthersDependOnStandsFirst) {
  const auto place = [](std::string_view name) { return FindParameter(name).parameter; };
  EXPECT_LT(place("reqMode"), place("pathType"));
  EXPECT_LT(place("reqMode"), place("serviceDomain"));
  EXPECT_LT(place("pathType"), place("servicePath"));
  EXPECT_LT(place("pathType"), place("servicePathExclude"));
  EXPECT_LT(place("serviceDomainAlgo"), place("serviceDomain"));
  EXPECT_LT(place("serviceName"), place("aclName"));
}

TEST(SchemaTest, WhatHaproxyFixesInASectionIsSaidToCostAReload) {
  ParseOptions options;
  options.allow_raw = true;
  options.users = {{{"admins", "a:b"}}, {{"root", "toor", false}}, false};
  const auto section = [&options](const std::map<std::string, std::string>& parameters) {
    const ParsedService parsed = testing::Parse(parameters, options);
    return parsed.spec ? *parsed.spec->dests.at(0).profile : model::Profile();
  };
  for (const Parameter& parameter : Parameters()) {
    if (parameter.set == nullptr || parameter.cost == Cost::kPort) continue;
    const std::string name(parameter.name);
    SCOPED_TRACE(name);
    std::map<std::string, std::string> parameters = {{"servicePath", "/x"}, {"port", "80"}};
    // These say nothing without another one.
    if (name.starts_with("cors") && name != "corsOrigin")
      parameters["corsOrigin"] = "https://a.com";
    if (name == "compressionType") parameters["compressionAlgo"] = "gzip";
    if (name == "usersPassEncrypted") {
      EXPECT_EQ(parameter.cost, Cost::kSection);
      continue;
    }
    const model::Profile without = section(parameters);
    parameters[name] = parameter.example;
    EXPECT_EQ(parameter.cost == Cost::kSection, section(parameters) != without);
  }
}

TEST(SchemaTest, NamesAreSortedForCompletion) {
  const std::vector<std::string> names = ParameterNames();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(names.size(), Parameters().size());
}

TEST(DocumentationTest, TheTableForMigratingHasEveryParameterWithItsPresentEffect) {
  const std::vector<MigrationRow> rows = MigrationRows();
  const std::vector<std::string> added = AddedParameters();
  EXPECT_GE(rows.size(), 70U);
  for (const Parameter& parameter : Parameters()) {
    const std::string name(parameter.name);
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const MigrationRow& known) { return known.name == name; });
    if (parameter.effect == Effect::kHonoured || parameter.effect == Effect::kAccepted) {
      EXPECT_NE(row == rows.end(), std::find(added.begin(), added.end(), name) == added.end())
          << name;
    }
    if (parameter.effect != Effect::kReplaced) continue;
    ASSERT_NE(row, rows.end()) << name;
    EXPECT_TRUE(row->here.starts_with("replaced")) << row->here;
  }
  const auto exclude = std::find_if(rows.begin(), rows.end(), [](const MigrationRow& row) {
    return row.name == "servicePathExclude";
  });
  ASSERT_NE(exclude, rows.end());
  EXPECT_EQ(exclude->here, "as there");
  EXPECT_EQ(exclude->differs, "");
  EXPECT_THAT(added, ::testing::Contains("network"));
}

TEST(DocumentationTest, ThePageIsWhatTheTableSays) {
  const std::string file = swarmgate::testing::SourcePath("docs/labels.md");
  const std::string page = ParametersMarkdown();
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(file, std::ios::binary) << page;
  }
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(text, page) << "UPDATE_GOLDEN=1 writes docs/labels.md anew";
  for (const Parameter& parameter : Parameters()) {
    EXPECT_THAT(page, ::testing::HasSubstr("`" + std::string(parameter.name) + "`"));
  }
}

}  // namespace
}  // namespace swarmgate::labels
