#include <gtest/gtest.h>

#include "haproxy/quote.h"
#include "support/random_desired.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::haproxy {
namespace {

const Settings kSettings = swarmgate::testing::TestSettings("/data", 80);
const model::SlotName kSlot("sg_plain_00001");

model::Server MakeServer(const std::string& address = "10.0.0.1") {
  model::Server server;
  server.name = model::ServerName("t-1-abcdef");
  server.address = address;
  server.port = 8080;
  return server;
}

TEST(QuoteTest, PlainWordsStayAndOthersAreQuoted) {
  EXPECT_EQ(Quote("/run/swarmgate/x.sock"), "/run/swarmgate/x.sock");
  EXPECT_EQ(Quote(""), "''");
  EXPECT_EQ(Quote("a b"), "'a b'");
  EXPECT_EQ(Quote("#x\"$HOME\\{}%[src]"), "'#x\"$HOME\\{}%[src]'");
  EXPECT_EQ(Quote("it's"), "'it'\\''s'");
  EXPECT_EQ(EscapeArgument("a b;c\\d"), "a\\ b\\;c\\\\d");
}

TEST(QuoteDeathTest, ANewlineCannotBeQuoted) {
  EXPECT_DEATH((void)Quote("a\nb"), "");
  EXPECT_DEATH((void)EscapeArgument("a\nb"), "");
}

TEST(EncodeTest, EachStepHasItsCommands) {
  const model::ServerName name("t-1-abcdef");
  const struct {
    Step step;
    const char* text;
    std::size_t commands;
  } cases[] = {
      {AddServer{kSlot, MakeServer(), false},
       "add server sg_plain_00001/t-1-abcdef 10.0.0.1:8080 pool-max-conn -1 pool-purge-delay 5s;"
       "enable server sg_plain_00001/t-1-abcdef\n",
       2},
      {AddServer{kSlot, MakeServer("fd00::1"), true},
       "add server sg_plain_00001/t-1-abcdef [fd00::1]:8080 pool-max-conn -1 pool-purge-delay 5s;"
       "enable dynamic-cookie backend sg_plain_00001;enable server sg_plain_00001/t-1-abcdef\n",
       3},
      {DrainServer{kSlot, name}, "set server sg_plain_00001/t-1-abcdef state drain\n", 1},
      {ReviveServer{kSlot, MakeServer()}, "set server sg_plain_00001/t-1-abcdef state ready\n", 1},
      {RetireServer{kSlot, name},
       "set server sg_plain_00001/t-1-abcdef state maint;del server sg_plain_00001/t-1-abcdef\n",
       2},
      {SetMapEntry{MapId::kRoutes, "a.com/;x", "v|1", true},
       "add map maps/routes.map a.com/\\;x v|1\n", 1},
      {SetMapEntry{MapId::kRegexes, "^~1:\\n", "v", false},
       "set map maps/regexes.map ^~1:\\\\n v\n", 1},
      {DeleteMapEntry{MapId::kHostRegexes, "a\\.b"}, "del map maps/host_regexes.map a\\\\.b\n", 1},
  };
  for (const auto& c : cases) {
    const auto batches = EncodeSteps({c.step}, kSettings);
    ASSERT_EQ(batches.size(), 1U);
    EXPECT_EQ(batches[0].text, c.text);
    EXPECT_EQ(batches[0].commands, c.commands);
  }
}

TEST(EncodeTest, BatchesAreLinesBelowTheLimitAndCarryEachStepOnce) {
  std::vector<Step> steps;
  for (int i = 0; i < 2000; ++i) {
    steps.emplace_back(SetMapEntry{
        MapId::kRoutes, "/" + std::string(static_cast<std::size_t>(i % 500), 'x'), "value", true});
    if (i % 100 == 0) steps.emplace_back(ReplaceMap{MapId::kRegexes, {}});
  }
  std::size_t next = 0;
  for (const Batch& batch : EncodeSteps(steps, kSettings)) {
    EXPECT_LE(batch.text.size(), 12'100U);
    EXPECT_EQ(std::count(batch.text.begin(), batch.text.end(), '\n'), 1);
    EXPECT_EQ(batch.text.back(), '\n');
    EXPECT_EQ(batch.commands, batch.steps.size());
    for (const std::size_t step : batch.steps) {
      if (std::holds_alternative<ReplaceMap>(steps[next])) ++next;
      EXPECT_EQ(step, next++);
    }
  }
  EXPECT_EQ(next, steps.size());
}

TEST(EncodeTest, AReplacementIsPayloadsAndACommit) {
  ReplaceMap replace{MapId::kRoutes, {}};
  for (int i = 0; i < 1000; ++i)
    replace.entries.emplace_back("/" + std::to_string(i), "value|of|" + std::to_string(i));
  const auto texts = EncodeReplace(replace, 7, kSettings);
  ASSERT_GT(texts.size(), 2U);
  for (std::size_t i = 0; i + 1 < texts.size(); ++i) {
    EXPECT_EQ(texts[i].rfind("add map @7 maps/routes.map <<\n", 0), 0U);
    EXPECT_EQ(texts[i].substr(texts[i].size() - 2), "\n\n");
    EXPECT_LT(texts[i].size(), 12'100U);
  }
  EXPECT_EQ(texts.back(), "commit map @7 maps/routes.map\n");
  EXPECT_EQ(EncodeReplace({MapId::kRoutes, {}}, 8, kSettings).size(), 1U);
  EXPECT_EQ(EncodePrepare(MapId::kRewrites, kSettings), "prepare map maps/rewrites.map\n");
}

TEST(CheckReplyTest, OnlyWhatIsKnownAsSuccessIsSuccess) {
  const Batch batch = EncodeSteps(
      {AddServer{kSlot, MakeServer(), false}, SetMapEntry{MapId::kRoutes, "/", "v", true}},
      kSettings)[0];
  EXPECT_TRUE(CheckReply(batch, "New server registered.\n\n\n\n"));
  const struct {
    const char* reply;
    Code code;
  } cases[] = {
      {"", Code::kCorrupt},
      {"\n", Code::kCorrupt},
      {"\n\n\n", Code::kCorrupt},
      {"New server registered.\n\n\n", Code::kCorrupt},
      {"New server registered.\nNew server registered.\n\n\n\n", Code::kCorrupt},
      {"New server registered.\n\nentry not found.\n\n\n\n", Code::kRejected},
      {"Already exists a server with the same name in backend.\n\n\n\n", Code::kRejected},
      {"Unknown command, but maybe one of the following ones is a better match:\n",
       Code::kRejected},
      {"\x01\x02garbage", Code::kCorrupt},
      {"HTTP/1.1 400 Bad Request\r\n\r\n", Code::kRejected},
  };
  for (const auto& c : cases) {
    const Status status = CheckReply(batch, c.reply);
    ASSERT_FALSE(status) << c.reply;
    EXPECT_EQ(status.error().code, c.code) << c.reply;
  }
  const Batch retire = EncodeSteps({RetireServer{kSlot, model::ServerName("t")}}, kSettings)[0];
  EXPECT_TRUE(CheckReply(retire, "\nServer deleted.\n"));    // 2.6
  EXPECT_TRUE(CheckReply(retire, "\nServer deleted.\n\n"));  // 3.0
  EXPECT_FALSE(
      CheckReply(retire, "\nServer still has connections attached to it, cannot remove it.\n\n"));
}

TEST(CheckReplyTest, AnErrorIsOneShortPrintableLine) {
  const Batch batch = EncodeSteps({SetMapEntry{MapId::kRoutes, "/", "v", true}}, kSettings)[0];
  const Status status = CheckReply(batch, std::string(100'000, 'x') + "\n");
  ASSERT_FALSE(status);
  EXPECT_LT(status.error().message.size(), 400U);
}

TEST(ParseTest, AVersionIsPrepared) {
  EXPECT_EQ(ParsePrepareReply("New version created: 7\n\n").value(), 7U);
  EXPECT_EQ(ParsePrepareReply("").error().code, Code::kCorrupt);
  EXPECT_EQ(ParsePrepareReply("New version created: -1\n").error().code, Code::kRejected);
  EXPECT_EQ(
      ParsePrepareReply("Unknown map identifier. Please use #<id> or <file>.\n\n").error().code,
      Code::kRejected);
}

TEST(ParseTest, MapEntries) {
  const auto entries =
      ParseShowMap("0x561833ab6e00 a.com/ü sg_plain_00001|x\n0x561833ab6e70 /y two words\n\n");
  ASSERT_TRUE(entries);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a.com/ü", "sg_plain_00001|x"}, {"/y", "two words"}};
  EXPECT_EQ(*entries, expected);
  EXPECT_TRUE(ParseShowMap("\n").value().empty());
  for (const char* bad : {"", "garbage", "0x1 a b", "0x1 a b\n",
                          "Unknown map identifier. Please use #<id> or <file>.\n\n",
                          "0x1 novalue\n\n", "0x1  x\n\n"}) {
    const auto result = ParseShowMap(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, Code::kCorrupt) << bad;
  }
}

constexpr const char* kStateHead =
    "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight "
    "srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state "
    "srv_agent_state "
    "bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port "
    "srv_check_addr "
    "srv_agent_addr srv_agent_port\n";

TEST(ParseTest, ServerStates) {
  const auto states = ParseServersState(
      std::string(kStateHead) +
      "3 sg_plain_00001 1 s1 127.0.0.1 2 0 1 1 0 1 0 0 0 0 0 0 - 28081 - 0 0 - - 0\n"
      "3 sg_plain_00001 2 s6 fd00::1 0 1 1 1 0 1 0 0 0 0 0 0 - 80 - 0 0 - - 0\n"
      "3 sg_plain_00001 3 s7 ::1 0 8 1 1 0 1 0 0 0 0 0 0 - 81 - 0 0 - - 0\n\n");
  ASSERT_TRUE(states);
  ASSERT_EQ(states->size(), 3U);
  EXPECT_EQ((*states)[0].slot, kSlot);
  EXPECT_EQ((*states)[0].server.str(), "s1");
  EXPECT_EQ((*states)[0].address, "127.0.0.1");
  EXPECT_EQ((*states)[0].port, 28081);
  EXPECT_FALSE((*states)[0].maint || (*states)[0].drain);
  EXPECT_TRUE((*states)[1].maint);
  EXPECT_TRUE((*states)[2].drain);
  EXPECT_TRUE(ParseServersState(std::string(kStateHead) + "\n").value().empty());
  const std::string head = kStateHead;
  for (const std::string& bad :
       {std::string(), std::string("\n"), std::string("Can't find backend.\n\n"), head,
        head + "3 sg_plain_00001 1\n\n",
        head + "3 b 1 s1 127.0.0.1 2 x 1 1 0 1 0 0 0 0 0 0 - 28081 - 0 0 - - 0\n\n",
        head + "3 b 1 s1 127.0.0.1 2 0 1 1 0 1 0 0 0 0 0 0 - 99999 - 0 0 - - 0\n\n",
        head + "3 b 1 s1 127.0.0.1 2 0 1 1 0 1 0 0 0 0 0 0 - 28081 - 0 0 - - 0\n"}) {
    const auto result = ParseServersState(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, Code::kCorrupt) << bad;
  }
}

TEST(ParseTest, SessionsCountWhatWaitsAsWell) {
  const std::string head = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,\n";
  const auto sessions =
      ParseSessions(head + "sg_plain_00001,s1,0,0,3,5,,10,\nsg_plain_00001,s2,2,2,1,1,,1,\n\n");
  ASSERT_TRUE(sessions);
  EXPECT_EQ(sessions->at(model::ServerName("s1")), 3U);
  EXPECT_EQ(sessions->at(model::ServerName("s2")), 3U);
  for (const std::string& bad : {std::string(), std::string("No such proxy.\n\n"), head,
                                 head + "x\n\n", head + "a,b,c,d,e,f\n\n"}) {
    EXPECT_FALSE(ParseSessions(bad)) << bad;
  }
}

TEST(ParseTest, Pid) {
  EXPECT_EQ(ParsePid("Name: HAProxy\nPid: 5657\nUptime: 0d\n\n").value(), 5657);
  for (const char* bad :
       {"", "Pid:", "Pid: x\n", "Pid: 0\n", "Pid: 99999999999\n", "Process: 5\n"}) {
    EXPECT_FALSE(ParsePid(bad)) << bad;
  }
}

TEST(CertificateWireTest, OneThatComesTakesFourExchangesAndIsServedAfterTheLast) {
  const auto commands = EncodeCertificate(
      AddCertificate{"certs/a-1.pem", {"*.a.com", "a.com"}, model::Secret("PEM\n")});
  ASSERT_EQ(commands.size(), 4U);
  EXPECT_EQ(commands[0].text, "new ssl cert certs/a-1.pem\n");
  EXPECT_EQ(commands[1].text, "set ssl cert certs/a-1.pem <<\nPEM\n\n");
  EXPECT_EQ(commands[2].text, "commit ssl cert certs/a-1.pem\n");
  EXPECT_EQ(commands[3].text,
            "add ssl crt-list certs/crt-list.txt <<\ncerts/a-1.pem *.a.com a.com\n\n");
}

TEST(CertificateWireTest, ItsOcspResponseIsPartOfTheSameTransaction) {
  const struct {
    std::string staple;
    const char* text;
  } cases[] = {
      {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {std::string("\0\xff\xfe?", 4), "AP/+Pw=="}};
  for (const auto& c : cases) {
    const auto commands = EncodeCertificate(AddCertificate{
        "certs/a-1.pem", {"a.com"}, model::Secret("PEM\n"), model::Secret(c.staple)});
    ASSERT_EQ(commands.size(), 5U);
    EXPECT_EQ(commands[2].text,
              std::string("set ssl cert certs/a-1.pem.ocsp <<\n") + c.text + "\n\n");
    EXPECT_EQ(commands[3].text, "commit ssl cert certs/a-1.pem\n");
  }
}

TEST(CertificateWireTest, OneThatGoesLeavesTheListFirst) {
  const auto commands = EncodeCertificate(DropCertificate{"certs/a-1.pem"});
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(commands[0].text, "del ssl crt-list certs/crt-list.txt certs/a-1.pem\n");
  EXPECT_EQ(commands[1].text, "del ssl cert certs/a-1.pem\n");
}

TEST(CertificateWireTest, RepliesOf26AreUnderstoodAndNoneShowsAKey) {
  const auto commands =
      EncodeCertificate(AddCertificate{"certs/b.pem", {"b.com"}, model::Secret("hunter2\n")});
  const char* good[] = {"New empty certificate store 'certs/b.pem'!\n\n",
                        "Transaction created for certificate certs/b.pem!\n\n",
                        "Committing certs/b.pem\nSuccess!\n\n",
                        ("Inserting certificate 'certs/b.pem' in crt-list "
                         "'certs/crt-list.txt'.\nSuccess!\n\n")};
  for (std::size_t i = 0; i < commands.size(); ++i) {
    EXPECT_TRUE(CheckCertificateReply(commands[i], good[i])) << good[i];
    const Status bad = CheckCertificateReply(commands[i], "Can't update certs/b.pem!\n\n");
    EXPECT_EQ(bad.error().code, Code::kRejected);
    EXPECT_EQ(bad.error().ToString().find("hunter2"), std::string::npos);
    EXPECT_EQ(CheckCertificateReply(commands[i], "").error().code, Code::kCorrupt);
  }
  EXPECT_TRUE(CheckCertificateReply(commands[0], "Certificate 'certs/b.pem' already exists!\n\n"));
}

TEST(CertificateWireTest, TheListIsReadBack) {
  const auto list = ParseCertificateList(
      "# certs/crt-list.txt\ncerts/default.pem default.invalid\n"
      "certs/a.pem a.com *.w.com\n\n");
  ASSERT_TRUE(list);
  const std::map<std::string, std::vector<std::string>> expected = {
      {"certs/a.pem", {"*.w.com", "a.com"}}};
  EXPECT_EQ(*list, expected);
  EXPECT_TRUE(ParseCertificateList("didn't find the specified filename\n\n")->empty());
  EXPECT_EQ(ParseCertificateList("certs/a.pem a.c").error().code, Code::kCorrupt);
  EXPECT_EQ(ParseCertificatePrint("Filename: x\nSHA1 FingerPrint: 6E1F\nSubject: /CN=l.com\n"
                                  "Chain Subject: /CN=ca\nChain Issuer: /CN=ca\n\n"),
            "6e1f/1");
  EXPECT_EQ(ParseCertificatePrint("Can't display the certificate: Not found\n\n"), "");
}

}  // namespace
}  // namespace swarmgate::haproxy
