#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>
#include <utility>

#include "proxy/expectation.h"
#include "proxy/master.h"
#include "proxy/unix_exchange.h"
#include "support/random_desired.h"
#include "support/real_haproxy.h"
#include "support/test_root.h"
#include "swarmgate/proxy/haproxy_control.h"
#include "unit/proxy/scripted_socket.h"

namespace swarmgate::proxy {
namespace {

using haproxy::MapId;
using haproxy::Step;
using std::chrono::milliseconds;
using std::chrono::seconds;
using swarmgate::testing::In;
using Answer = ScriptedSocket::Answer;

const model::SlotName kSlot("sg_plain_00001");

model::Server MakeServer() {
  model::Server server;
  server.name = model::ServerName("t-1");
  server.address = "10.0.0.1";
  server.port = 80;
  return haproxy::WireServer(server);
}

class ControlTest : public ::testing::Test {
 protected:
  ControlTest() : dir_("control"), settings_(swarmgate::testing::TestSettings(dir_.path(), 80)) {
    EXPECT_TRUE(PrepareRunDir(settings_.run_dir, std::nullopt));
    control_ = std::make_unique<HaproxyControl>(ControlOptions{settings_, "haproxy"});
  }

  void Listen(ScriptedSocket::Script script) {
    socket_ = std::make_unique<ScriptedSocket>(RuntimeSocket(settings_.run_dir), std::move(script));
  }
  void ListenAsMaster(ScriptedSocket::Script script) {
    master_ = std::make_unique<ScriptedSocket>(MasterSocket(settings_.run_dir), std::move(script));
  }

  swarmgate::testing::TempDir dir_;
  haproxy::Settings settings_;
  std::unique_ptr<HaproxyControl> control_;
  std::unique_ptr<ScriptedSocket> socket_;
  std::unique_ptr<ScriptedSocket> master_;
};

/// All calls on the runtime socket, with the code that they end with.
std::vector<std::pair<std::string, Result<void>>> Calls(HaproxyControl& control,
                                                        SteadyTime deadline) {
  const auto status = [](const auto& result) -> Result<void> {
    if (!result) return tl::unexpected<Error>(result.error());
    return Ok();
  };
  std::vector<std::pair<std::string, Result<void>>> calls;
  calls.emplace_back("Pid", status(control.Pid(deadline)));
  calls.emplace_back("ReadBack", status(control.ReadBack({}, deadline)));
  calls.emplace_back("Sessions", status(control.Sessions(kSlot, deadline)));
  calls.emplace_back(
      "Execute",
      status(control.Execute({haproxy::SetMapEntry{MapId::kRoutes, "/", "v", true}}, deadline)));
  calls.emplace_back(
      "Replace",
      status(control.Execute({haproxy::ReplaceMap{MapId::kRoutes, {{"/", "v"}}}}, deadline)));
  calls.emplace_back(
      "Retire",
      status(control.Execute({haproxy::RetireServer{kSlot, model::ServerName("t")}}, deadline)));
  return calls;
}

TEST_F(ControlTest, AHangingHaproxyCostsNoMoreThanTheDeadline) {
  Listen([](const std::string&) { return Answer{"", true}; });
  for (const auto& [name, status] : Calls(*control_, In(milliseconds(100)))) {
    ASSERT_FALSE(status) << name;
    EXPECT_EQ(status.error().code, Code::kDeadlineExceeded) << name;
  }
}

TEST_F(ControlTest, HalfAnAnswerThatHangsIsNotAnAnswer) {
  Listen([](const std::string&) { return Answer{"Pid: 5\n", true}; });
  const auto pid = control_->Pid(In(milliseconds(100)));
  ASSERT_FALSE(pid);
  EXPECT_EQ(pid.error().code, Code::kDeadlineExceeded);
}

TEST_F(ControlTest, GarbageIsRecognised) {
  for (const std::string& garbage :
       {std::string("\x01\x02\xff\x00garbage", 11), std::string("x"),
        std::string("HTTP/1.1 200 OK\r\n\r\n"), std::string(100'000, 'y'),
        std::string("1\n# be_id \n0x1 a b\n")}) {
    Listen([&](const std::string&) { return Answer{garbage}; });
    for (const auto& [name, status] : Calls(*control_, In(seconds(5)))) {
      ASSERT_FALSE(status) << name;
      EXPECT_TRUE(status.error().code == Code::kCorrupt || status.error().code == Code::kRejected)
          << name << ": " << status.error().ToString();
      EXPECT_LT(status.error().ToString().size(), 600U);
    }
  }
}

TEST_F(ControlTest, AHangUpIsRecognised) {
  Listen([](const std::string&) { return Answer{}; });
  for (const auto& [name, status] : Calls(*control_, In(seconds(5)))) {
    ASSERT_FALSE(status) << name;
    EXPECT_TRUE(status.error().code == Code::kCorrupt || status.error().code == Code::kUnavailable)
        << name << ": " << status.error().ToString();
  }
}

TEST_F(ControlTest, AnAnswerWithoutEndIsCutOff) {
  Listen([](const std::string&) { return Answer{std::string(1 << 20, 'z'), false, true}; });
  const auto pid = control_->Pid(In(seconds(20)));
  ASSERT_FALSE(pid);
  EXPECT_EQ(pid.error().code, Code::kCorrupt);
}

TEST_F(ControlTest, CancelEndsACallAtOnceAndAllLaterOnes) {
  Listen([](const std::string&) { return Answer{"", true}; });
  std::thread canceller([this] {
    EXPECT_TRUE(swarmgate::testing::WaitUntil([this] { return !socket_->questions().empty(); }));
    control_->Cancel();
  });
  const auto pid = control_->Pid(In(seconds(60)));
  canceller.join();
  ASSERT_FALSE(pid);
  EXPECT_EQ(pid.error().code, Code::kCancelled);
  for (const auto& [name, status] : Calls(*control_, In(seconds(60)))) {
    ASSERT_FALSE(status) << name;
    EXPECT_EQ(status.error().code, Code::kCancelled) << name;
  }
  const auto reload = control_->Reload(In(seconds(60)));
  ASSERT_FALSE(reload);
}

TEST_F(ControlTest, WhatReadsBackOtherwiseIsRefused) {
  // Every command succeeds, and nothing happens.
  Listen([](const std::string& question) {
    if (question.find("get map") != std::string::npos) {
      return Answer{
          "Pid: 7\n\ntype=beg, case=sensitive, found=yes, idx=tree, key=\"/\", value=\"old\", "
          "type=\"str\"\n\n"};
    }
    if (question.rfind("show info", 0) == 0) return Answer{"Pid: 7\n\n"};
    if (question.rfind("show map", 0) == 0) return Answer{"0x1 /old v\n\n"};
    return Answer{"\n"};
  });
  for (const Step& step : std::vector<Step>{haproxy::SetMapEntry{MapId::kRoutes, "/", "new", false},
                                            haproxy::DeleteMapEntry{MapId::kRoutes, "/"},
                                            haproxy::SetMapEntry{MapId::kRegexes, "x", "v", true},
                                            haproxy::DeleteMapEntry{MapId::kRegexes, "/old"}}) {
    const auto done = control_->Execute({step}, In(seconds(5)));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::kRejected) << done.error().ToString();
  }
}

TEST_F(ControlTest, AnotherProcessThanTheOneThatWasReadBackIsReported) {
  std::atomic<int> pid{7};
  Listen([&](const std::string& question) {
    if (question.rfind("show map", 0) == 0) return Answer{"\n"};
    if (question.rfind("show servers", 0) == 0) return Answer{"1\n# be_id be_name\n\n"};
    return Answer{"Pid: " + std::to_string(pid) + "\n\n"};
  });
  ASSERT_TRUE(control_->ReadBack({}, In(seconds(5))));
  EXPECT_TRUE(control_->Execute({}, In(seconds(5))));
  pid = 8;
  const auto done = control_->Execute({}, In(seconds(5)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kUnavailable);
  EXPECT_NE(done.error().message.find('7'), std::string::npos);
}

TEST_F(ControlTest, AProcessThatIsReplacedWhileItIsReadIsNotBelieved) {
  std::atomic<int> pid{7};
  Listen([&](const std::string& question) {
    if (question.rfind("show map", 0) == 0) return Answer{"\n"};
    if (question.rfind("show servers", 0) == 0) return Answer{"1\n# be_id be_name\n\n"};
    return Answer{"Pid: " + std::to_string(pid++) + "\n\n"};
  });
  const auto held = control_->ReadBack({}, In(seconds(5)));
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, Code::kUnavailable);
}

/// HAProxy's words when it refuses, for each kind of command, in the middle of others.
TEST_F(ControlTest, EveryCommandThatIsRefusedStopsTheRest) {
  const model::ServerName name("t-1");
  const std::vector<std::pair<std::string, Step>> steps = {
      {"add server", haproxy::AddServer{kSlot, MakeServer(), false}},
      {"enable server", haproxy::AddServer{kSlot, MakeServer(), false}},
      {"enable dynamic-cookie", haproxy::AddServer{kSlot, MakeServer(), true}},
      {"state drain", haproxy::DrainServer{kSlot, name}},
      {"state ready", haproxy::ReviveServer{kSlot, MakeServer()}},
      {"state maint", haproxy::RetireServer{kSlot, name}},
      {"del server", haproxy::RetireServer{kSlot, name}},
      {"add map", haproxy::SetMapEntry{MapId::kRoutes, "/", "v", true}},
      {"set map", haproxy::SetMapEntry{MapId::kRoutes, "/", "v", false}},
      {"del map", haproxy::DeleteMapEntry{MapId::kRoutes, "/"}},
      {"prepare map", haproxy::ReplaceMap{MapId::kRoutes, {{"/", "v"}}}},
      {"add map @", haproxy::ReplaceMap{MapId::kRoutes, {{"/", "v"}}}},
      {"commit map", haproxy::ReplaceMap{MapId::kRoutes, {{"/", "v"}}}},
  };
  for (const auto& [refused, step] : steps) {
    Listen([r = refused](const std::string& question) {
      std::string reply;
      for (std::size_t at = 0; at < question.size();) {
        const std::size_t end = std::min(question.find(';', at), question.size());
        const std::string command = question.substr(at, end - at);
        if (command.find(r) != std::string::npos) {
          reply += "Refused for a reason.\n\n";
        } else if (command.rfind("add server", 0) == 0) {
          reply += "New server registered.\n\n";
        } else if (command.rfind("del server", 0) == 0) {
          reply += "Server deleted.\n\n";
        } else if (command.rfind("prepare map", 0) == 0) {
          reply += "New version created: 3\n\n";
        } else {
          reply += "\n";
        }
        at = end + 1;
      }
      return Answer{reply};
    });
    const auto done = control_->Execute(
        {step, haproxy::SetMapEntry{MapId::kRewrites, "x", "y", true}}, In(seconds(5)));
    ASSERT_FALSE(done) << refused;
    EXPECT_EQ(done.error().code, Code::kRejected) << refused << ": " << done.error().ToString();
    EXPECT_NE(done.error().message.find("Refused for a reason."), std::string::npos)
        << refused << ": " << done.error().ToString();
    for (const std::string& question : socket_->questions()) {
      EXPECT_EQ(question.find("show "), std::string::npos) << refused;
    }
  }
}

TEST_F(ControlTest, AServerThatHoldsOnToAConnectionIsAskedAgain) {
  std::atomic<int> tries{0};
  Listen([&](const std::string& question) {
    if (question.rfind("set server", 0) == 0) {
      return ++tries < 4
                 ? Answer{"\nServer still has connections attached to it, cannot remove it.\n\n"}
                 : Answer{"\nServer deleted.\n"};
    }
    return Answer{"Pid: 7\n\n1\n# be_id be_name\n\n"};
  });
  const auto done =
      control_->Execute({haproxy::RetireServer{kSlot, model::ServerName("t")}}, In(seconds(5)));
  EXPECT_TRUE(done) << done.error().ToString();
  EXPECT_EQ(tries, 4);
}

// --- the master ----------------------------------------------------------------------------------

constexpr const char* kShowProc =
    "#<PID>          <type>          <reloads>       <uptime>        <version>      \n"
    "5624            master          2 [failed: 1]   0d00h11m27s     2.6.12-1+deb12u4\n"
    "# workers\n"
    "10754           worker          1               0d00h00m00s     2.6.12-1+deb12u4\n"
    "# old workers\n"
    "10700           worker          2               0d00h00m09s     2.6.12-1+deb12u4\n"
    "# programs\n\n";

TEST(MasterTest, ShowProcIsRead) {
  const auto state = ParseShowProc(kShowProc);
  ASSERT_TRUE(state) << state.error().ToString();
  EXPECT_EQ(state->pid, 5624);
  EXPECT_EQ(state->reloads, 2);
  EXPECT_EQ(state->failed, 1);
  EXPECT_EQ(state->workers, std::vector<int>{10754});
  for (const char* bad :
       {"", "\n", "garbage\n", "x master 1\n", "0 master 1 2\n", "# workers\n5 worker 0 x\n"}) {
    EXPECT_FALSE(ParseShowProc(bad)) << bad;
  }
}

std::string ShowProc(int reloads, int failed, int worker) {
  return "5624 master " + std::to_string(reloads) + " [failed: " + std::to_string(failed) +
         "] 0d00h11m27s 2.6.12\n# workers\n" + std::to_string(worker) +
         " worker 0 0d00h00m00s 2.6.12\n\n";
}

TEST_F(ControlTest, AReloadThatTheMasterReportsAsFailedIsRejected) {
  Listen([](const std::string&) { return Answer{"Pid: 10\n\n"}; });
  std::atomic<int> asked{0};
  ListenAsMaster([&](const std::string& question) {
    if (question == "reload\n") return Answer{""};
    return Answer{++asked < 4 ? ShowProc(0, 0, 10) : ShowProc(1, 1, 10)};
  });
  const auto outcome = control_->Reload(In(seconds(5)));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kRejected) << outcome.error().ToString();
}

TEST_F(ControlTest, AReloadThatVersion3ReportsAsFailedIsRejectedWithItsWords) {
  Listen([](const std::string&) { return Answer{"Pid: 10\n\n"}; });
  ListenAsMaster([&](const std::string& question) {
    if (question == "reload\n")
      return Answer{"Success=0\n--\n[ALERT] config : unknown keyword 'bogus'\n"};
    return Answer{ShowProc(0, 0, 10)};
  });
  const auto outcome = control_->Reload(In(seconds(5)));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kRejected);
  EXPECT_NE(outcome.error().message.find("unknown keyword 'bogus'"), std::string::npos)
      << outcome.error().message;
}

TEST_F(ControlTest, TheOldWorkersLastAnswersDoNotCount) {
  // Old and new one listen together for a while.
  std::atomic<int> asked{0};
  Listen([&](const std::string&) {
    const int n = ++asked;
    return Answer{n > 1 && (n % 3 != 0 || n > 12) ? "Pid: 11\n\n" : "Pid: 10\n\n"};
  });
  std::atomic<bool> reloaded{false};
  ListenAsMaster([&](const std::string& question) {
    if (question == "reload\n") reloaded = true;
    return Answer{question == "reload\n" ? "" : reloaded ? ShowProc(1, 0, 11) : ShowProc(0, 0, 10)};
  });
  const auto outcome = control_->Reload(In(seconds(5)));
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  EXPECT_EQ(outcome->old_pid, 10);
  EXPECT_EQ(outcome->new_pid, 11);
  EXPECT_GT(asked, 12);
}

TEST_F(ControlTest, AMasterThatNeverComesBackEndsWithTheDeadline) {
  Listen([](const std::string&) { return Answer{"Pid: 10\n\n"}; });
  std::atomic<bool> reloaded{false};
  ListenAsMaster([&](const std::string& question) {
    if (question == "reload\n") reloaded = true;
    return reloaded ? Answer{"", true} : Answer{ShowProc(0, 0, 10)};
  });
  const auto outcome = control_->Reload(In(milliseconds(300)));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kDeadlineExceeded) << outcome.error().ToString();
}

TEST_F(ControlTest, GarbageFromTheMasterIsRecognised) {
  Listen([](const std::string&) { return Answer{"Pid: 10\n\n"}; });
  ListenAsMaster([&](const std::string&) { return Answer{"\x01garbage"}; });
  const auto outcome = control_->Reload(In(seconds(10)));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kCorrupt) << outcome.error().ToString();
}

TEST_F(ControlTest, GarbageIsToldEvenWhenTheMasterSaysNothingAnyMore) {
  Listen([](const std::string&) { return Answer{"Pid: 10\n\n"}; });
  bool said = false;
  ListenAsMaster([&](const std::string&) {
    return std::exchange(said, true) ? Answer{"", true} : Answer{"\x01garbage"};
  });
  const auto outcome = control_->Reload(In(seconds(10)));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kCorrupt) << outcome.error().ToString();
}

TEST_F(ControlTest, AMissingBinaryIsReported) {
  HaproxyControl control({settings_, "/nonexistent/haproxy"});
  const Status checked = control.CheckFiles(settings_.files_dir, In(seconds(5)));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::kNotFound) << checked.error().ToString();
}

TEST_F(ControlTest, ACheckThatHangsIsKilled) {
  const std::string script = dir_.File("slow");
  swarmgate::testing::WriteFile(script, "#!/bin/sh\necho started\nexec sleep 60\n");
  ASSERT_EQ(chmod(script.c_str(), 0755), 0);
  HaproxyControl control({settings_, script});
  const auto start = std::chrono::steady_clock::now();
  const Status checked = control.CheckFiles(settings_.files_dir, In(milliseconds(200)));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::kDeadlineExceeded);
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
}

TEST(ExchangeTest, APathThatIsTooLongIsRefused) {
  const auto reply = Exchange("/" + std::string(200, 'x'), "x\n", In(seconds(1)), -1);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace swarmgate::proxy
