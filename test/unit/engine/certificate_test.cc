// Certificates from file to HAProxy, with a wholly fake world around the engine.
#include "swarmgate/certs/certificate.h"

#include <gtest/gtest.h>

#include <ctime>

#include "support/certificates.h"
#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using swarmgate::testing::CertificateParts;
using swarmgate::testing::MakeCertificate;

class FakeCertificates final : public ports::CertificateFiles {
 public:
  std::string Stamp() override { return ""; }
  Result<std::vector<model::CertificateFile>> Read() override {
    if (fails) return Fail(Code::kUnavailable, "the disk is gone");
    std::vector<model::CertificateFile> read;
    for (const auto& [name, pem] : files) {
      read.push_back(
          {model::CertificateSource::kFile, name, "/certs/" + name, model::Secret(pem), ""});
      if (const auto staple = staples.find(name); staple != staples.end()) {
        read.back().staple = model::Secret(staple->second);
      }
    }
    return read;
  }
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> staples;
  bool fails = false;
};

class CertificateTest : public ::testing::Test {
 protected:
  CertificateTest() {
    rig.options.proxy.binds.push_back({"*", 443, true});
    rig.options.certificates.self_signed = model::Secret(*certs::MakeSelfSigned(1'700'000'000));
    rig.ports.certificates = &files;
    // Certificates are made now; the fake clock has another time.
    rig.clock.SetWall(WallTime(std::chrono::seconds(std::time(nullptr))));
  }

  void ReadAgain() {
    rig.Send(CertificatesRead{files.Read()});
    rig.Settle();
  }
  /// Names → how many entries of HAProxy's list answer for them.
  [[nodiscard]] std::map<std::string, int> Listed() const {
    std::map<std::string, int> names;
    for (const auto& [file, certificate] : rig.proxy.held().image.certificates) {
      for (const std::string& name : certificate.names) ++names[name];
    }
    return names;
  }
  [[nodiscard]] bool Told(const std::string& code) const {
    for (const model::Diagnostic& diagnostic : rig.snapshot()->diagnostics) {
      if (diagnostic.code == code) return true;
    }
    return false;
  }
  /// Certificates that go out with an OCSP response.
  [[nodiscard]] std::size_t Stapled() const {
    std::size_t count = 0;
    for (const auto& [file, certificate] : rig.proxy.held().image.certificates) {
      if (!certificate.staple.empty()) ++count;
    }
    return count;
  }
  Outcome Put(const std::string& name, const std::string& pem) {
    return rig.Call(Command::Kind::kPutCertificate, {{"certName", name}, {"pem", pem}});
  }

  Rig rig;
  FakeCertificates files;
};

TEST_F(CertificateTest, FilesOfTheStartStandInTheFirstConfiguration) {
  files.files["a.pem"] = MakeCertificate({{"a.com"}}).pem();
  rig.Start();
  EXPECT_EQ(Listed(), (std::map<std::string, int>{{"a.com", 1}}));
  EXPECT_EQ(rig.proxy.steps(), 0U);
  EXPECT_FALSE(Told("certificate-none"));
  rig.ExpectFilesAreTheTruth();
}

// HAProxy does not start with one that begins later than in five minutes.
TEST_F(CertificateTest, AnOcspResponseThatBeginsLaterWaitsForItsTime) {
  const auto ca = MakeCertificate({{"ca"}, 90, "ec", "", true});
  const auto leaf = MakeCertificate({{"a.com"}, 90, "ec", ca.pem()});
  files.files["a.pem"] = leaf.pem() + ca.certificate;
  files.staples["a.pem"] = swarmgate::testing::MakeStaple(ca.pem(), leaf, 120);
  rig.clock.SetWall(WallTime(std::chrono::seconds(std::time(nullptr) - 1800)));
  rig.Start();
  EXPECT_EQ(Listed(), (std::map<std::string, int>{{"a.com", 1}}));
  EXPECT_EQ(Stapled(), 0U);
  EXPECT_TRUE(Told("certificate-staple"));
  rig.Advance(Duration(3'700'000));
  EXPECT_EQ(Stapled(), 1U);
  EXPECT_FALSE(Told("certificate-staple"));
}

TEST_F(CertificateTest, AChangeNeedsNoReloadAndABadOneChangesNothing) {
  rig.Start();
  EXPECT_TRUE(Told("certificate-none"));
  const auto a = MakeCertificate({{"a.com"}});
  files.files["a.pem"] = a.pem();
  ReadAgain();
  const auto held = rig.proxy.held();
  EXPECT_EQ(Listed(), (std::map<std::string, int>{{"a.com", 1}}));
  files.files["a.pem"] = a.certificate;
  ReadAgain();
  EXPECT_EQ(rig.proxy.held(), held);
  EXPECT_TRUE(Told("certificate-refused"));
  files.fails = true;
  ReadAgain();
  EXPECT_EQ(rig.proxy.held(), held) << "what cannot be listed is not gone";
  files.fails = false;
  files.files.clear();
  ReadAgain();
  EXPECT_TRUE(Listed().empty());
  EXPECT_TRUE(Told("certificate-none"));
  EXPECT_EQ(rig.proxy.reloads(), 0U);
  rig.ExpectFilesAreTheTruth();
}

TEST_F(CertificateTest, WhatIsPutIsStoredAndSurvivesARestart) {
  rig.Start();
  EXPECT_EQ(Put("a.com", MakeCertificate({{"a.com"}}).pem()).status, 200);
  EXPECT_EQ(Put("a.com", "garbage").status, 400);
  EXPECT_EQ(Put("../a", "garbage").status, 400);
  EXPECT_EQ(Put("", "garbage").status, 400);
  const std::uint64_t steps = rig.proxy.steps();
  rig.Start();
  EXPECT_EQ(Listed(), (std::map<std::string, int>{{"a.com", 1}}));
  EXPECT_EQ(rig.proxy.steps(), steps) << "HAProxy held it already";
  EXPECT_EQ(rig.Call(Command::Kind::kRemoveCertificate, {{"certName", "a.com"}}).status, 200);
  EXPECT_EQ(rig.Call(Command::Kind::kRemoveCertificate, {{"certName", "a.com"}}).status, 404);
  EXPECT_TRUE(Listed().empty());
}

TEST_F(CertificateTest, WhoBringsABadOneWithHisServiceIsToldInTheAnswer) {
  rig.Start();
  const auto reconfigure = [&](Command::Kind kind, const std::string& pem) {
    return rig.Call(kind, {{"serviceName", "web"},
                           {"serviceDomain", "a.com"},
                           {"port", "80"},
                           {"outboundHostname", "10.0.0.9"},
                           {"serviceCert", pem}});
  };
  for (const Command::Kind kind : {Command::Kind::kValidate, Command::Kind::kReconfigure}) {
    const Outcome bad = reconfigure(kind, "garbage");
    EXPECT_EQ(bad.status, 200) << "its routes are served without it";
    ASSERT_EQ(bad.diagnostics.size(), 1U);
    EXPECT_EQ(bad.diagnostics[0].code, "certificate-refused");
    EXPECT_EQ(bad.diagnostics[0].label, "serviceCert");
    EXPECT_NE(bad.diagnostics[0].message, "");
    EXPECT_EQ(bad.diagnostics[0].ToString().find("garbage"), std::string::npos);
  }
  const std::string pem = MakeCertificate({{"a.com"}}).pem();
  EXPECT_TRUE(reconfigure(Command::Kind::kReconfigure, pem).diagnostics.empty());
  EXPECT_NE(
      reconfigure(Command::Kind::kReconfigure, "garbage").diagnostics.at(0).hint.find("before"),
      std::string::npos);
}

TEST_F(CertificateTest, OneThatHaproxyRefusesCostsNoOther) {
  rig.Start();
  const auto bad = MakeCertificate({{"bad.com"}});
  const auto parsed =
      certs::Parse({model::CertificateSource::kFile, "b", "b", model::Secret(bad.pem()), ""});
  rig.proxy.RefuseConfigWith(std::string(parsed->pem.reveal()));
  rig.proxy.RefuseSteps([&](const haproxy::Step& step) {
    const auto* add = std::get_if<haproxy::AddCertificate>(&step);
    return add != nullptr && add->pem == parsed->pem;
  });
  files.files["bad.pem"] = bad.pem();
  files.files["good.pem"] = MakeCertificate({{"good.com"}}).pem();
  ReadAgain();
  rig.Advance(Duration(120000));
  EXPECT_EQ(Listed(), (std::map<std::string, int>{{"good.com", 1}}));
  EXPECT_TRUE(Told("certificate-refused"));
}

TEST_F(CertificateTest, ItsEndIsToldInTime) {
  files.files["a.pem"] = MakeCertificate({{"a.com"}, 40}).pem();
  rig.Start();
  EXPECT_FALSE(Told("certificate-expires"));
  rig.clock.SetWall(rig.clock.WallNow() + std::chrono::hours(24 * 11));
  rig.Advance(Duration(3'600'000));
  EXPECT_TRUE(Told("certificate-expires"));
  rig.clock.SetWall(rig.clock.WallNow() + std::chrono::hours(24 * 30));
  rig.Advance(Duration(3'600'000));
  EXPECT_TRUE(Told("certificate-expired"));
  EXPECT_EQ(Listed().size(), 1U) << "it is served nevertheless";
}

TEST_F(CertificateTest, NoKeyIsInTheSnapshot) {
  files.files["a.pem"] = MakeCertificate({{"a.com"}}).pem();
  rig.Start();
  EXPECT_TRUE(rig.snapshot()->desired->tls.default_pem.empty());
  ASSERT_EQ(rig.snapshot()->certificates->size(), 1U);
  EXPECT_TRUE(rig.snapshot()->certificates->front().certificate.pem.empty());
}

}  // namespace
}  // namespace swarmgate::engine
