// Files of templates: only those that the operator keeps for it.
#include "app/template_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/test_root.h"

namespace swarmgate::app {
namespace {

using ::testing::HasSubstr;

TEST(TemplateFilesTest, OnlyFilesBelowTheFolderAreRead) {
  const testing::TempDir root("templates");
  const std::string folder = root.File("tmpl");
  std::filesystem::create_directories(folder + "/sub");
  std::ofstream(folder + "/a.tmpl") << "text of a";
  std::ofstream(folder + "/sub/b.tmpl") << "text of b";
  std::ofstream(folder + "/large.tmpl") << std::string(65U << 10U, 'x');
  std::ofstream(root.File("secret")) << "hunter2";
  std::filesystem::create_symlink(root.File("secret"), folder + "/link.tmpl");
  std::filesystem::create_symlink(folder + "/a.tmpl", folder + "/inside.tmpl");
  ASSERT_EQ(mkfifo((folder + "/pipe").c_str(), 0600), 0);
  const auto read = [&](const std::string& path) {
    const auto text = ReadTemplate(folder, path);
    return text ? *text : text.error().ToString();
  };
  EXPECT_EQ(read(folder + "/a.tmpl"), "text of a");
  EXPECT_EQ(read("a.tmpl"), "text of a");
  EXPECT_EQ(read("sub/../sub/b.tmpl"), "text of b");
  EXPECT_EQ(read("inside.tmpl"), "text of a");
  const std::string elsewhere =
      "only files below the proxy's TEMPLATES_PATH, " + folder + ", are templates";
  for (const std::string& path :
       {std::string("../secret"), root.File("secret"), folder + "/../secret",
        std::string("link.tmpl"), std::string("/etc/passwd"), std::string("/no/such/file"),
        std::string("../nothing"), folder + "x/a.tmpl"}) {
    EXPECT_EQ(read(path), elsewhere) << path;
  }
  EXPECT_THAT(read("nothing.tmpl"), HasSubstr("there is no such file below"));
  EXPECT_THAT(read("sub"), HasSubstr("it is no file"));
  EXPECT_THAT(read("pipe"), HasSubstr("it is no file"));
  EXPECT_THAT(read("large.tmpl"), HasSubstr("it is larger than 64 KiB"));
  const auto missing = ReadTemplate(root.File("nowhere"), "a.tmpl");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().ToString(), HasSubstr("(TEMPLATES_PATH)"));
}

}  // namespace
}  // namespace swarmgate::app
