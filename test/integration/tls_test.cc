// Ports with TLS, as a client sees them: the whole program with a real HAProxy, curl and openssl on
// the other side, and no Docker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/certificates.h"
#include "support/child_process.h"
#include "support/http_client.h"
#include "support/json.h"
#include "support/network.h"
#include "support/paths.h"
#include "support/test_root.h"
#include "support/wait.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::testing {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using Environment = std::map<std::string, std::string>;

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* program : {"haproxy", "curl", "openssl"}) {
      if (!HaveProgram(program)) GTEST_SKIP() << "no " << program << " on this machine";
    }
    std::filesystem::create_directories(certs());
    std::filesystem::create_directories(dir_.File("secrets"));
    echo_ = std::make_unique<ChildProcess>(ChildOptions{
        {EchoServerBinary(), std::to_string(origin_)}, {}, "", dir_.File("echo.log"), "", false});
  }
  void TearDown() override {
    const bool failed = HasFailure();
    const std::string log = gate_ ? gate_->Output() : "";
    if (gate_) gate_->Terminate();
    if (failed) GTEST_LOG_(INFO) << log.substr(log.size() > 8000 ? log.size() - 8000 : 0);
  }

  [[nodiscard]] std::string certs() const { return dir_.File("certs"); }

  void Start(const Environment& more = {}) {
    Environment environment = {{"DATA_DIR", dir_.File("data")},
                               {"DEFAULT_PORTS", "127.0.0.1:" + std::to_string(plain_) +
                                                     ",127.0.0.1:" + std::to_string(tls_) + ":ssl"},
                               {"PORT", std::to_string(admin_)},
                               {"IP", "127.0.0.1"},
                               {"CERTS_DIR", certs()},
                               {"DOCKER_HOST", "none"}};
    for (const auto& [name, value] : more) environment[name] = value;
    ChildOptions options;
    options.argv = {SwarmgateBinary(), "run"};
    options.environment.assign(environment.begin(), environment.end());
    gate_ = std::make_unique<ChildProcess>(options);
    ASSERT_TRUE(WaitUntil([&] { return Get(Admin(), "/readyz").status == 200; }, seconds(30)))
        << gate_->Output();
    const auto routed =
        Fetch(Admin(), {"POST",
                        "/v1/docker-flow-proxy/reconfigure?serviceName=web&servicePath=/"
                        "&outboundHostname=127.0.0.1&port=" +
                            std::to_string(origin_)});
    ASSERT_EQ(routed.status, 200) << routed.body;
    ASSERT_TRUE(WaitUntil([&] { return Get({.port = plain_}, "/").status == 200; }));
  }
  void Stop() {
    gate_->Terminate(seconds(20));
    gate_.reset();
  }

  [[nodiscard]] Endpoint Admin() const { return {.port = admin_}; }
  HttpResponse Put(const std::string& name, const std::string& pem) {
    return Fetch(Admin(), {"PUT", "/v1/docker-flow-proxy/cert?certName=" + name, {}, pem});
  }
  HttpResponse Delete(const std::string& name) {
    return Fetch(Admin(), {"DELETE", "/v1/docker-flow-proxy/cert?certName=" + name});
  }

  static std::string Shell(const std::string& command) {
    return RunCommand({{"sh", "-c", command}, {}, "", "", "", false}, seconds(20)).output;
  }
  [[nodiscard]] std::string Client(const std::string& host, const std::string& more = "") const {
    return "openssl s_client -connect 127.0.0.1:" + std::to_string(tls_) +
           (host.empty() ? " -noservername " : " -servername " + host + " ") + more +
           " </dev/null 2>/dev/null";
  }
  /// "CN of the certificate" and its fingerprint, that a client of this host name is shown.
  [[nodiscard]] std::string Shown(const std::string& host) const {
    return Shell(Client(host) + " | openssl x509 -noout -subject -fingerprint -sha256");
  }
  static std::string Fingerprint(const CertificateParts& parts) {
    return RunCommand({{"openssl", "x509", "-noout", "-subject", "-fingerprint", "-sha256"},
                       {},
                       "",
                       "",
                       parts.certificate,
                       false})
        .output;
  }
  void ExpectShown(const std::string& host, const CertificateParts& parts) {
    const std::string expected = Fingerprint(parts);
    EXPECT_TRUE(WaitUntil([&] { return Shown(host) == expected; }, seconds(15)))
        << host << " gets " << Shown(host) << " and not " << expected;
  }
  [[nodiscard]] std::string Curl(const std::string& host, const std::string& more) const {
    return Shell("curl -sk --max-time 10 --resolve " + host + ":" + std::to_string(tls_) +
                 ":127.0.0.1 https://" + host + ":" + std::to_string(tls_) + "/ -o /dev/null " +
                 more);
  }
  [[nodiscard]] std::uint64_t Reloads() const {
    std::uint64_t reloads = 0;
    const std::string text = Get(Admin(), "/metrics").body;
    for (std::size_t at = 0; (at = text.find("swarmgate_reloads_total{", at)) != std::string::npos;
         ++at) {
      reloads += std::stoull(text.substr(text.find("} ", at) + 2));
    }
    return reloads;
  }
  [[nodiscard]] std::string Status() const { return Get(Admin(), "/v1/status").body; }

  TempDir dir_{"tls"};
  int plain_ = FreePort();
  int tls_ = FreePort();
  int admin_ = FreePort();
  int origin_ = FreePort();
  std::unique_ptr<ChildProcess> echo_;
  std::unique_ptr<ChildProcess> gate_;
};

/// Requests without pause, on kept and on new connections, until Lost().
class TlsLoad {
 public:
  TlsLoad(const std::string& host, int port, const std::string& directory) {
    const std::string address = host + ":" + std::to_string(port);
    for (int i = 0; i < 2; ++i) {
      files_.push_back(directory + "/load" + std::to_string(i));
      ChildOptions options;
      options.argv = {"curl",        "-sk",
                      "--max-time",  "10",
                      "--resolve",   address + ":127.0.0.1",
                      "-o",          "/dev/null",
                      "-w",          "%{http_code}\n",
                      "--fail-early"};
      if (i == 1) options.argv.insert(options.argv.end(), {"-H", "Connection: close", "--http1.1"});
      options.argv.push_back("https://" + address + "/?[1-1000000]");
      options.output_file = files_.back();
      clients_.push_back(std::make_unique<ChildProcess>(options));
    }
  }
  /// Answers, and those among them that are not 200; also when a client has given up.
  std::pair<int, int> Count() {
    int answers = 0;
    int lost = 0;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (!clients_[i]->Running()) ++lost;
      clients_[i]->Kill();
      const std::string text = ReadFile(files_[i]);
      for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos;
           at = end + 1) {
        ++answers;
        if (text.substr(at, end - at) != "200") ++lost;
      }
    }
    return {answers, lost};
  }

 private:
  std::vector<std::string> files_;
  std::vector<std::unique_ptr<ChildProcess>> clients_;
};

TEST_F(TlsTest, ThePortIsBoundWithoutACertificateAndTheFirstOneNeedsNoReload) {
  Start();
  EXPECT_THAT(Shown("a.com"), HasSubstr("no certificate yet"));
  EXPECT_THAT(Status(), HasSubstr("certificate-none"));
  EXPECT_EQ(Curl("a.com", "-w '%{http_version} %{http_code}'"), "2 200");
  const auto a = MakeCertificate({{"a.com"}});
  EXPECT_EQ(Put("a.com.pem", a.pem()).status, 200);
  ExpectShown("a.com", a);
  ExpectShown("", a);  // the only one is the default
  EXPECT_EQ(Reloads(), 0U);
  EXPECT_THAT(Status(), Not(HasSubstr("certificate-none")));
}

TEST_F(TlsTest, TheNameDecidesAndTheDefaultIsThePreferredOne) {
  const auto a = MakeCertificate({{"a.com", "*.wild.com"}});
  const auto b = MakeCertificate({{"b.com"}, 90, "rsa:2048"});
  const auto c = MakeCertificate({{"c.com"}});
  WriteFile(certs() + "/a.pem", a.pem());
  WriteFile(certs() + "/b.pem", b.certificate);
  WriteFile(certs() + "/b.pem.key", b.key);
  WriteFile(certs() + "/c.pem", c.pem());
  Start({{"PREFERRED_CERTIFICATE", "c.*"}});
  ExpectShown("a.com", a);
  ExpectShown("x.wild.com", a);
  ExpectShown("b.com", b);
  ExpectShown("c.com", c);
  ExpectShown("unknown.com", c);
  ExpectShown("", c);
  const std::string listed = Get(Admin(), "/v1/docker-flow-proxy/certs").body;
  EXPECT_THAT(listed, HasSubstr("\"ProxyServiceName\":\"a.pem\""));
  EXPECT_THAT(listed, HasSubstr("*.wild.com"));
  EXPECT_THAT(listed, HasSubstr("\"NotAfter\":\"20"));
  // Written by openssl as "…=AB:CD:…".
  std::string digits = Fingerprint(a);
  digits = digits.substr(digits.rfind('=') + 1);
  std::erase_if(digits, [](char byte) { return byte == ':' || byte == '\n'; });
  EXPECT_THAT(listed, HasSubstr("\"Fingerprint\":\"" + ToLower(digits) + "\""));
  EXPECT_THAT(listed, Not(HasSubstr("PRIVATE")));
  EXPECT_THAT(Get(Admin(), "/v1/docker-flow-proxy/config").body, Not(HasSubstr("PRIVATE")));
  EXPECT_THAT(Get(Admin(), "/metrics").body,
              HasSubstr("swarmgate_certificate_expiry_seconds{name=\"a.pem\""));
}

TEST_F(TlsTest, OldVersionsAreRefusedAndHttp2CanBeSwitchedOff) {
  Start({{"ENABLE_H2", "false"}, {"SSL_BIND_OPTIONS", "no-sslv3 no-tls-tickets"}});
  EXPECT_EQ(Curl("a.com", "-w '%{http_version} %{http_code}'"), "1.1 200");
  const std::string weak = "-cipher 'DEFAULT@SECLEVEL=0' ";
  EXPECT_THAT(Shell(Client("a.com", weak + "-tls1_1")), HasSubstr("Cipher is (NONE)"));
  EXPECT_THAT(Shell(Client("a.com", weak + "-tls1_2")), HasSubstr("ECDHE"));
  EXPECT_THAT(Shell(Client("a.com", "-tls1_3")), HasSubstr("TLS_"));
}

TEST_F(TlsTest, OnlyTheOperatorsCiphersAreTaken) {
  Start({{"SSL_BIND_CIPHERS", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"}});
  const auto with = [this](const std::string& size, const std::string& hash) {
    const std::string rest = "-AES" + size + "-GCM-SHA" + hash;
    return Shell(Client("a.com", "-tls1_2 -cipher ECDHE-ECDSA" + rest + ":ECDHE-RSA" + rest));
  };
  EXPECT_THAT(with("256", "384"), HasSubstr("Cipher is ECDHE-"));
  EXPECT_THAT(with("128", "256"), HasSubstr("Cipher is (NONE)"));
}

TEST_F(TlsTest, AClientsCertificateIsCheckedWhereItShowsOne) {
  const auto ca = MakeCertificate({{"ca"}, 90, "ec", "", true});
  const auto friendly = MakeCertificate({{"me"}, 90, "ec", ca.pem()});
  const auto stranger = MakeCertificate({{"me"}});
  WriteFile(dir_.File("ca.pem"), ca.certificate);
  WriteFile(dir_.File("good.pem"), friendly.pem());
  WriteFile(dir_.File("bad.pem"), stranger.pem());
  Start({{"CA_FILE", dir_.File("ca.pem")}});
  EXPECT_EQ(Curl("a.com", "-w '%{http_code}'"), "200");
  EXPECT_EQ(Curl("a.com", "-w '%{http_code}' --cert " + dir_.File("good.pem")), "200");
  EXPECT_EQ(Curl("a.com", "-w '%{http_code}' --cert " + dir_.File("bad.pem")), "000");
}

TEST_F(TlsTest, OnlyClientsWithAVerifiedCertificateReachWhatAsksForOne) {
  const auto ca = MakeCertificate({{"ca"}, 90, "ec", "", true});
  WriteFile(dir_.File("ca.pem"), ca.certificate);
  WriteFile(dir_.File("good.pem"), MakeCertificate({{"me"}, 90, "ec", ca.pem()}).pem());
  Start({{"CA_FILE", dir_.File("ca.pem")}});
  const auto strict = Fetch(
      Admin(), {"POST",
                "/v1/docker-flow-proxy/reconfigure?serviceName=strict&serviceDomain=strict.com"
                "&verifyClientSsl=true&outboundHostname=127.0.0.1&port=" +
                    std::to_string(origin_)});
  ASSERT_EQ(strict.status, 200) << strict.body;
  EXPECT_EQ(Curl("strict.com", "-w '%{http_code}'"), "403");
  EXPECT_EQ(Curl("strict.com", "-w '%{http_code}' --cert " + dir_.File("good.pem")), "200");
  EXPECT_EQ(Curl("other.com", "-w '%{http_code}'"), "200");
}

TEST_F(TlsTest, CertificatesComeChangeAndGoUnderLoadWithoutAReload) {
  const auto first = MakeCertificate({{"a.com"}});
  WriteFile(certs() + "/a.pem", first.pem());
  Start();
  ExpectShown("a.com", first);
  TlsLoad load("a.com", tls_, dir_.path());
  for (int round = 0; round < 3; ++round) {
    const auto renewed = MakeCertificate({{"a.com"}, 100 + round});
    WriteFile(certs() + "/a.pem", renewed.pem());
    const auto other = MakeCertificate({{"b.com"}});
    ASSERT_EQ(Put("b.com", other.pem()).status, 200);
    ExpectShown("b.com", other);
    ExpectShown("a.com", renewed);
    ASSERT_EQ(Delete("b.com").status, 200);
    ExpectShown("b.com", renewed);  // the default again
  }
  const auto [answers, lost] = load.Count();
  EXPECT_GT(answers, 20);
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(Reloads(), 0U);
}

TEST_F(TlsTest, AnOcspResponseBesideItIsStapledAndRenewedWithoutAReload) {
  const auto ca = MakeCertificate({{"ca"}, 90, "ec", "", true});
  const auto leaf = MakeCertificate({{"a.com"}, 90, "ec", ca.pem()});
  const auto stapled = [&] {
    return Shell("openssl s_client -connect 127.0.0.1:" + std::to_string(tls_) +
                 " -servername a.com -status </dev/null 2>/dev/null");
  };
  const auto shows = [&](const std::string& staple) {
    // The time of its end tells one from the other.
    WriteFile(dir_.File("staple"), staple);
    const std::string end = Shell("openssl ocsp -noverify -respin " + dir_.File("staple") +
                                  " -text 2>/dev/null | grep 'Next Update'");
    return end.empty() ? stapled().find("OCSP response: no response sent") != std::string::npos
                       : stapled().find(end) != std::string::npos;
  };
  const std::string first = MakeStaple(ca.pem(), leaf, 60);
  WriteFile(certs() + "/a.pem", leaf.pem() + ca.certificate);
  WriteFile(certs() + "/a.pem.ocsp", first);
  Start();
  ASSERT_TRUE(WaitUntil([&] { return shows(first); }, seconds(15))) << stapled();
  const std::string second = MakeStaple(ca.pem(), leaf, 90);
  WriteFile(certs() + "/a.pem.ocsp", second);
  EXPECT_TRUE(WaitUntil([&] { return shows(second); }, seconds(15))) << stapled();
  EXPECT_EQ(Reloads(), 0U);
  // A reload has it from the files.
  EXPECT_EQ(Fetch(Admin(), {"GET", "/v1/docker-flow-proxy/reload"}).status, 200);
  EXPECT_TRUE(WaitUntil([&] { return shows(second); }, seconds(15))) << stapled();
  WriteFile(certs() + "/a.pem.ocsp", "hello");
  EXPECT_TRUE(WaitUntil([&] { return shows(""); }, seconds(15))) << stapled();
  EXPECT_THAT(Status(), HasSubstr("certificate-staple"));
  EXPECT_THAT(Status(), HasSubstr("it is no OCSP response in DER"));
  ExpectShown("a.com", leaf);
}

TEST_F(TlsTest, ABadOneIsRefusedAndTheOldOneServesOn) {
  const auto good = MakeCertificate({{"a.com"}});
  const auto other = MakeCertificate({{"a.com"}});
  WriteFile(certs() + "/file.pem", good.pem());
  Start();
  ExpectShown("a.com", good);
  const struct {
    std::string pem;
    const char* reason;
  } cases[] = {{"garbage", "there is no certificate in it"},
               {good.certificate + other.key, "belongs to another certificate"},
               {good.certificate + EncryptKey(good.key), "is encrypted"},
               {"", "Body is empty"}};
  for (const auto& c : cases) {
    const auto refused = Put("a.com", c.pem);
    EXPECT_EQ(refused.status, 400) << c.reason;
    EXPECT_THAT(refused.body, HasSubstr(c.reason));
    EXPECT_THAT(refused.body, HasSubstr("\"Status\":\"NOK\""));
  }
  EXPECT_EQ(Put("..%2Fx", good.pem()).status, 400);
  EXPECT_EQ(Put("", good.pem()).status, 400);
  WriteFile(certs() + "/file.pem", good.certificate + other.key);
  EXPECT_TRUE(WaitUntil([&] { return Status().find("certificate-refused") != std::string::npos; }));
  ExpectShown("a.com", good);
  const auto expired = MakeCertificate({{"old.com"}, 0});
  EXPECT_EQ(Put("old", expired.pem()).status, 200);
  ExpectShown("old.com", expired);
  EXPECT_THAT(Status(), HasSubstr("certificate-expired"));
  EXPECT_EQ(Reloads(), 0U);
  EXPECT_THAT(gate_->Output(), Not(HasSubstr("PRIVATE")));
}

TEST_F(TlsTest, WhatWasPutOutlivesARestartAndIsEncryptedOnDiskWhereThereIsAKey) {
  const auto a = MakeCertificate({{"a.com"}});
  const Environment key = {{"CERT_KEY", "a long enough secret"}};
  Start(key);
  ASSERT_EQ(Put("a.com", a.pem()).status, 200);
  ExpectShown("a.com", a);
  Stop();
  for (const auto& entry : std::filesystem::directory_iterator(dir_.File("data/state"))) {
    if (entry.path().filename().string().rfind("state.db", 0) != 0) continue;
    EXPECT_THAT(ReadFile(entry.path().string()), Not(HasSubstr("PRIVATE"))) << entry.path();
  }
  Start(key);
  ExpectShown("a.com", a);
  Stop();
  Start({{"CERT_KEY", "another long secret"}});
  EXPECT_THAT(Status(), HasSubstr("CERT_KEY is not"));
  EXPECT_THAT(Shown("a.com"), HasSubstr("no certificate yet"));
}

TEST_F(TlsTest, AKilledControllerFindsWhatHaproxyHolds) {
  const auto a = MakeCertificate({{"a.com"}});
  const auto b = MakeCertificate({{"b.com"}});
  WriteFile(certs() + "/a.pem", a.pem());
  Start();
  ASSERT_EQ(Put("b.com", b.pem()).status, 200);
  ExpectShown("b.com", b);
  const std::string controller = Shell("pgrep -x swarmgate -P " + std::to_string(gate_->pid()));
  ASSERT_FALSE(controller.empty());
  ASSERT_EQ(kill(std::stoi(controller), SIGKILL), 0);
  const auto renewed = MakeCertificate({{"a.com"}, 120});
  WriteFile(certs() + "/a.pem", renewed.pem());
  ExpectShown("a.com", renewed);
  ExpectShown("b.com", b);
  EXPECT_EQ(Reloads(), 0U);
}

TEST_F(TlsTest, AServicesOwnCertificateIsServed) {
  Start();
  const auto a = MakeCertificate({{"svc.com"}});
  std::string text;
  for (const char c : a.pem()) {
    if (c == '\n')
      text += "%5Cn";
    else if (c == '+')
      text += "%2B";
    else if (c == ' ')
      text += "%20";
    else if (c == '/')
      text += "%2F";
    else if (c == '=')
      text += "%3D";
    else
      text += c;
  }
  const std::string call =
      "/v1/docker-flow-proxy/reconfigure?serviceName=svc&serviceDomain=svc.com"
      "&outboundHostname=127.0.0.1&port=" +
      std::to_string(origin_) + "&serviceCert=";
  const auto made = Fetch(Admin(), {"POST", call + text});
  ASSERT_EQ(made.status, 200) << made.body;
  ExpectShown("svc.com", a);
  EXPECT_THAT(made.body, Not(HasSubstr("BEGIN")));
  const auto bad = Fetch(Admin(), {"POST", call + "garbage"});
  EXPECT_EQ(bad.status, 200);
  EXPECT_THAT(bad.body, HasSubstr("certificate-refused"));
  EXPECT_THAT(Get(Admin(), "/v1/services/svc").body, HasSubstr("certificate-refused"));
  ExpectShown("svc.com", a);  // the last good one
}

TEST_F(TlsTest, AServiceThatDoesNotSpeakTlsGetsItEndedOnAPortOfItsOwn) {
  Start();
  const int port = FreePort();
  const auto serve = [&](const std::string& name, int src_port) {
    return Fetch(Admin(),
                 {"POST", "/v1/docker-flow-proxy/reconfigure?serviceName=" + name +
                              "&reqMode=tcp&srcTls=true&outboundHostname=127.0.0.1&port=" +
                              std::to_string(origin_) + "&srcPort=" + std::to_string(src_port)});
  };
  const auto made = serve("db", port);
  ASSERT_EQ(made.status, 200) << made.body;
  const std::string status =
      "curl -sk --max-time 10 -o /dev/null -w '%{http_code}' https://127.0.0.1:";
  EXPECT_EQ(Shell(status + std::to_string(port) + "/"), "200");
  EXPECT_EQ(Reloads(), 1U);
  EXPECT_THAT(Get(Admin(), "/v1/routes").body, HasSubstr("\"port\":" + std::to_string(port)));
  // Somebody else's port, and one of the proxy's own, are told; nobody notices anything.
  EXPECT_THAT(serve("other", port).body, HasSubstr("belongs to service db"));
  EXPECT_THAT(serve("echo", origin_).body, HasSubstr("something else listens on this port"));
  EXPECT_THAT(serve("web-port", tls_).body, HasSubstr("takes HTTP requests on this port"));
  EXPECT_EQ(Shell(status + std::to_string(port) + "/"), "200");
  EXPECT_EQ(Reloads(), 1U);
  Stop();
  Start();
  EXPECT_TRUE(WaitUntil([&] { return Shell(status + std::to_string(port) + "/") == "200"; }));
}

TEST_F(TlsTest, AnOwnListIsUsedInsteadAndNothingCanBePut) {
  const auto a = MakeCertificate({{"a.com"}});
  WriteFile(dir_.File("own.pem"), a.pem());
  WriteFile(dir_.File("own.txt"), dir_.File("own.pem") + "\n");
  Start({{"CRT_LIST_PATH", dir_.File("own.txt")}, {"HAPROXY_USER", "root"}});
  ExpectShown("a.com", a);
  EXPECT_EQ(Put("b.com", a.pem()).status, 409);
}

}  // namespace
}  // namespace swarmgate::testing
