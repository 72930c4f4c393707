// Services with templates, with the whole program and a real HAProxy: files of the operator, bad
// ones among them, under a proxy that goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "support/child_process.h"
#include "support/gate.h"
#include "support/network.h"
#include "support/paths.h"
#include "support/test_root.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

class TemplateServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HaveProgram("haproxy")) GTEST_SKIP() << "no haproxy on this machine";
    std::filesystem::create_directories(File(""));
    echo_ = std::make_unique<ChildProcess>(ChildOptions{
        {EchoServerBinary(), std::to_string(port_)}, {}, "", dir_.File("log"), "", false});
    GateOptions options;
    options.environment = {{"ALLOW_RAW_CONFIG", "true"}, {"TEMPLATES_PATH", File("")}};
    gate_ = std::make_unique<Gate>(options);
    gate_->Start();
    ASSERT_EQ(Reconfigure("plain", "&outboundHostname=127.0.0.1").status, 200);
    ASSERT_TRUE(gate_->WaitStatus(200, "/plain"));
  }
  [[nodiscard]] std::string File(const std::string& name) const {
    return dir_.path() + "/tmpl/" + name;
  }
  HttpResponse Reconfigure(const std::string& name, const std::string& more) {
    return gate_->Admin("/v1/docker-flow-proxy/reconfigure?serviceName=" + name + "&servicePath=/" +
                        name + "&port=" + std::to_string(port_) + more);
  }

  TempDir dir_{"template"};
  int port_ = FreePort();
  std::unique_ptr<ChildProcess> echo_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(TemplateServiceTest, IsServedChangedAndRemovedWhileTheOthersGoOn) {
  WriteFile(File("fe"),
            "acl url path_beg{{#ServicePath}} {{.}}{{/ServicePath}}\n"
            "http-request return status 418 if url { path_end /tea }\n"
            "use_backend b if url\n");
  WriteFile(File("be"), "backend b\n  server {{ServiceName}} 127.0.0.1:{{Port}}\n");
  const std::string both = "&templateFePath=fe&templateBePath=be";
  const HttpResponse made = Reconfigure("own", both);
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_TRUE(gate_->WaitStatus(200, "/own"));
  EXPECT_EQ(gate_->Web("/own/tea").status, 418);
  EXPECT_THAT(gate_->ServiceText("own"), HasSubstr("by templates of its own: 1 backend"));

  // HAProxy refuses what only it can judge: the service stays as it was.
  WriteFile(File("bad"), "backend b\n  no-such-word x\n");
  const HttpResponse refused = Reconfigure("own", "&templateFePath=fe&templateBePath=bad");
  EXPECT_EQ(refused.status, 500);
  EXPECT_THAT(refused.body, HasSubstr("unknown keyword 'no-such-word'"));
  // We refuse what would concern others.
  WriteFile(File("worse"), "bind :1\nuse_backend b\n");
  const HttpResponse foreign = Reconfigure("own", "&templateFePath=worse&templateBePath=be");
  EXPECT_EQ(foreign.status, 400);
  EXPECT_THAT(foreign.body, HasSubstr("would concern every service"));
  EXPECT_EQ(Reconfigure("thief", "&templateFePath=/etc/passwd&templateBePath=be").status, 400);
  EXPECT_EQ(gate_->Web("/own").status, 200);
  EXPECT_EQ(gate_->Web("/own/tea").status, 418);
  EXPECT_EQ(gate_->Web("/plain").status, 200);

  // After a restart of everything it is there again.
  gate_->KillEverything();
  gate_->Start();
  EXPECT_TRUE(gate_->WaitStatus(200, "/own"));
  EXPECT_EQ(gate_->Web("/own/tea").status, 418);
  EXPECT_EQ(gate_->Admin("/v1/docker-flow-proxy/remove?serviceName=own").status, 200);
  EXPECT_TRUE(gate_->WaitStatus(503, "/own"));
  EXPECT_EQ(gate_->Web("/plain").status, 200);
}

}  // namespace
}  // namespace swarmgate::testing
