// Services with templates of their own: live by them, and a bad one costs its own service alone.
#include <gtest/gtest.h>

#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;

class TemplateTest : public ::testing::Test {
 protected:
  TemplateTest() {
    rig_.options.parse.allow_raw = true;
    rig_.ports.read_template = [this](const std::string& path) -> Result<std::string> {
      ++reads_;
      const auto file = files_.find(path);
      if (file == files_.end()) return Fail(Code::kNotFound, "there is no such file");
      return file->second;
    };
    files_["fe"] =
        "acl own path_beg {{#ServicePath}}{{.}} {{/ServicePath}}\nuse_backend b if own\n";
    files_["be"] = "backend b\n  server a {{ServiceName}}:{{Port}}\n";
    model::ServiceFacts web = MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")});
    web.labels.Set("com.df.templateFePath", "fe");
    web.labels.Set("com.df.templateBePath", "be");
    rig_.docker.SetService(web);
    rig_.docker.SetService(MakeService("api", "/api", {MakeTask("bbb", "10.0.0.2")}));
  }
  [[nodiscard]] bool Holds(const std::string& text) const {
    return rig_.proxy.held().image.base.find(text) != std::string::npos;
  }

  std::map<std::string, std::string> files_;
  int reads_ = 0;
  Rig rig_;
};

TEST_F(TemplateTest, AServiceIsLiveByItsTemplatesAndHasNoRoutesOfOurs) {
  rig_.Start();
  rig_.Advance(Duration(1000));
  EXPECT_EQ(rig_.State("web"), "live");
  EXPECT_EQ(rig_.Status("web")->reason, "by templates of its own: 1 backend");
  EXPECT_TRUE(Holds("  acl web:own path_beg /web\n"));
  EXPECT_TRUE(Holds("\nbackend web:b from sg_plain\n"));
  EXPECT_TRUE(Holds("  server a web:8080\n"));
  const auto served = rig_.Served();
  EXPECT_EQ(served.size(), 1U);
  EXPECT_TRUE(served.contains("/api"));
  rig_.ExpectFilesAreTheTruth();
  rig_.docker.RemoveService("id-web");
  rig_.Hint("service", "remove", "id-web");
  rig_.Settle();
  rig_.Advance(Duration(2000));
  EXPECT_FALSE(Holds("web:own"));
  rig_.ExpectFilesAreTheTruth();
}

TEST_F(TemplateTest, AChangedFileIsTakenWithTheNextList) {
  rig_.Start();
  rig_.Advance(Duration(1000));
  files_["be"] = "backend b\n  timeout server 7s\n";
  rig_.Advance(Duration(31000));
  EXPECT_TRUE(Holds("  timeout server 7s\n"));
  files_["be"] = "backend b\n{{Nothing}}\n";
  rig_.Advance(Duration(31000));
  EXPECT_EQ(rig_.State("web"), "rejected");
  EXPECT_TRUE(rig_.HasDiagnostic("web", "bad-template"));
  EXPECT_FALSE(Holds("web:own"));
  EXPECT_EQ(rig_.State("api"), "live");
  files_.erase("be");
  rig_.Advance(Duration(31000));
  EXPECT_TRUE(rig_.HasDiagnostic("web", "bad-template"));
  files_["be"] = "backend b\n";
  rig_.Advance(Duration(31000));
  EXPECT_EQ(rig_.State("web"), "live");
}

TEST_F(TemplateTest, WhatHaproxyRefusesKeepsOutThatServiceUntilItsFileDiffers) {
  files_["be"] = "backend b\n  option no-such-thing\n";
  rig_.proxy.RefuseConfigWith("option no-such-thing");
  rig_.Start();
  rig_.Advance(Duration(1000));
  EXPECT_EQ(rig_.State("web"), "rejected");
  EXPECT_TRUE(rig_.HasDiagnostic("web", "quarantined"));
  EXPECT_EQ(rig_.State("api"), "live");
  EXPECT_FALSE(Holds("web:"));
  files_["be"] = "backend b\n";
  rig_.Advance(Duration(31000));
  EXPECT_EQ(rig_.State("web"), "live");
  rig_.ExpectFilesAreTheTruth();
}

TEST_F(TemplateTest, ACallIsAnsweredAsForEveryOtherService) {
  rig_.Start();
  rig_.Advance(Duration(1000));
  Rig::Parameters call = {{"serviceName", "called"},
                          {"servicePath", "/called"},
                          {"port", "80"},
                          {"templateFePath", "fe"},
                          {"templateBePath", "be"}};
  EXPECT_EQ(rig_.Reconfigure(call).status, 200);
  EXPECT_TRUE(Holds("  acl called:own path_beg /called\n"));
  files_["bad"] = "backend b\n  option no-such-thing\n";
  rig_.proxy.RefuseConfigWith("option no-such-thing");
  call["templateBePath"] = "bad";
  const Outcome refused = rig_.Reconfigure(call);
  EXPECT_EQ(refused.status, 500) << refused.message;
  EXPECT_TRUE(
      Holds("\nbackend called:b from sg_plain\n  default-server init-addr none resolvers "
            "sg_names\n  server a called:80\n"))
      << "the last good one goes on";
  call["templateBePath"] = "nowhere";
  const Outcome wrong = rig_.Reconfigure(call);
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(wrong.message.find("there is no such file"), std::string::npos) << wrong.message;
  EXPECT_EQ(rig_.Remove("called").status, 200);
  EXPECT_FALSE(Holds("called:"));
}

TEST_F(TemplateTest, WithoutTheOperatorsLeaveNoFileIsLookedAt) {
  rig_.options.parse.allow_raw = false;
  rig_.Start();
  rig_.Advance(Duration(1000));
  EXPECT_TRUE(rig_.HasDiagnostic("web", "raw-not-allowed"));
  EXPECT_EQ(reads_, 0);
}

}  // namespace
}  // namespace swarmgate::engine
