// The page of compatibility: nothing of the program's tables is missing on it, and the tests that
// it names exist.
#include "app/compatibility.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "app/option_replaced.h"
#include "app/option_table.h"
#include "support/paths.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::app {
namespace {

std::string ReadAll(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// Row → test, of fixtures/compatibility.txt.
std::map<std::string, std::string> ShownBy() {
  std::map<std::string, std::string> shown;
  const std::string text = ReadAll(testing::SourcePath("fixtures/compatibility.txt"));
  for (const std::string_view line : Split(text, '\n')) {
    const auto bar = line.rfind('|');
    if (line.empty() || line.front() == '#' || bar == std::string_view::npos) continue;
    shown[std::string(Trim(line.substr(0, bar)))] = std::string(Trim(line.substr(bar + 1)));
  }
  return shown;
}

TEST(CompatibilityTest, ThePageIsMadeOfTheTables) {
  const std::string path = testing::SourcePath("docs/compatibility.md");
  const std::string page = CompatibilityMarkdown(ShownBy());
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << page;
  EXPECT_EQ(ReadAll(path), page) << "refresh with UPDATE_GOLDEN=1";
  for (const char* row : {"| `BIND_PORTS` | as there |",
                          "| `RELOAD_INTERVAL` | told, and without effect | the listener",
                          "| `DF_NOTIFY_LABEL` | honoured |", "| `/get-nodes` | as there |",
                          "| `templateFePath` | honoured |"}) {
    EXPECT_NE(page.find(row), std::string::npos) << row;
  }
}

TEST(CompatibilityTest, EveryLabelAndVariableHasARow) {
  const std::vector<std::string> rows = CompatibilityRows();
  const std::set<std::string> known(rows.begin(), rows.end());
  EXPECT_EQ(known.size(), rows.size()) << "a row is there twice";
  for (const labels::MigrationRow& row : labels::MigrationRows()) {
    EXPECT_TRUE(known.contains("label " + row.name)) << row.name;
  }
  for (const ReplacedVariable& variable : ReplacedVariables()) {
    EXPECT_TRUE(known.contains(std::string("variable ") + variable.name)) << variable.name;
  }
  // What is none of the predecessor's.
  const std::set<std::string> own = {"CONSUL_CACERT",
                                     "CONSUL_CLIENT_CERT",
                                     "CONSUL_CLIENT_KEY",
                                     "CONSUL_HTTP_SSL_VERIFY",
                                     "CONSUL_HTTP_TOKEN",

                                     "ACCESS_LOG",
                                     "ACCESS_LOG_FORMAT",
                                     "ADMIN_ALLOW_REMOTE",
                                     "ADMIN_TOKEN",
                                     "ALLOW_RAW_CONFIG",
                                     "CERTS_DIR",
                                     "CERT_KEY",
                                     "CERT_KEY_FILE",
                                     "DATA_DIR",
                                     "DOCKER_CERT_PATH",
                                     "DOCKER_HOST",
                                     "DOCKER_TLS_VERIFY",
                                     "DRAIN_TIMEOUT",
                                     "HAPROXY_BINARY",
                                     "HAPROXY_START_TIMEOUT",
                                     "HAPROXY_USER",
                                     "HARD_STOP_AFTER",
                                     "HTTP_RETRY",
                                     "HTTP_REUSE",
                                     "LABEL_PREFIX",
                                     "LOG_LEVEL",
                                     "MAX_CONNECTIONS",
                                     "MINIMUM_SLOTS",
                                     "OWN_CONTAINER",
                                     "PEERS",
                                     "ROLE",
                                     "PROXY_PROTOCOL_FROM",
                                     "RUN_DIR",
                                     "STOP_GRACE",
                                     "TEMPLATES_PATH",
                                     "THREADS",
                                     "TRUSTED_PROXIES",
                                     "UNKNOWN_ROUTE_STATUS",
                                     "UPSTREAM_CA_FILE"};
  for (const OptionRow& row : OptionTable()) {
    EXPECT_NE(known.contains(std::string("variable ") + row.name), own.contains(row.name))
        << row.name << ": a row of src/app/compatibility.cc, or one of ours";
  }
}

TEST(CompatibilityTest, TheTestsThatItNamesExist) {
  std::set<std::string> tests;
  const std::regex macro(R"(TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\))");
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(testing::SourcePath("test"))) {
    if (entry.path().extension() != ".cc") continue;
    const std::string text = ReadAll(entry.path());
    for (std::sregex_iterator match(text.begin(), text.end(), macro), end; match != end; ++match) {
      tests.insert((*match)[1].str() + "." + (*match)[2].str());
    }
  }
  const std::vector<std::string> rows = CompatibilityRows();
  for (const auto& [row, test] : ShownBy()) {
    EXPECT_NE(std::find(rows.begin(), rows.end(), row), rows.end())
        << "fixtures/compatibility.txt: there is no row " << row;
    if (test != "-") {
      EXPECT_TRUE(tests.contains(test)) << row << ": " << test;
    }
  }
}

}  // namespace
}  // namespace swarmgate::app
