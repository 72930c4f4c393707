#include "swarmgate/certs/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/certificates.h"

namespace swarmgate::certs {
namespace {

using swarmgate::testing::CertificateParts;
using swarmgate::testing::EncryptKey;
using swarmgate::testing::MakeCertificate;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Result<model::Certificate> Read(const std::string& pem, const std::string& name = "a.pem") {
  return Parse({model::CertificateSource::kFile, name, "/certs/" + name, model::Secret(pem), ""});
}

TEST(CertificateTest, TellsNamesDatesKeyAndIssuer) {
  const auto made = MakeCertificate({{"b.com", "*.B.com", "a.com"}, 90});
  const auto read = Read(made.pem());
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_THAT(read->dns_names, ElementsAre("*.b.com", "a.com", "b.com"));
  EXPECT_EQ(read->not_after - read->not_before, 90 * 86400);
  EXPECT_EQ(read->key_kind, "EC 256");
  EXPECT_EQ(read->issuer, "CN=b.com");
  EXPECT_EQ(read->fingerprint.size(), 64U);
  EXPECT_EQ(read->chain, 0U);
}

TEST(CertificateTest, TheOrderInTheFileHasNoMeaningAndTheRestIsLeftOut) {
  const auto ca = MakeCertificate({{"ca"}, 90, "ec", "", true});
  const auto leaf = MakeCertificate({{"a.com"}, 90, "rsa:2048", ca.pem()});
  const auto read = Read(leaf.key + "\n\nsome words\n" + ca.certificate + leaf.certificate);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_THAT(read->dns_names, ElementsAre("a.com"));
  EXPECT_EQ(read->key_kind, "RSA 2048");
  EXPECT_EQ(read->issuer, "CN=ca");
  EXPECT_EQ(read->chain, 1U);
  const std::string pem(read->pem.reveal());
  EXPECT_EQ(pem.rfind("-----BEGIN CERTIFICATE-----", 0), 0U);
  EXPECT_THAT(pem, Not(HasSubstr("some words")));
  EXPECT_THAT(pem, Not(HasSubstr("\n\n")));  // would end a command of HAProxy's
  EXPECT_EQ(Read(pem)->pem, read->pem);
}

TEST(CertificateTest, WhatHaproxyWouldRefuseIsRefusedWithTheReason) {
  const auto good = MakeCertificate({});
  const auto other = MakeCertificate({});
  const auto weak = MakeCertificate({{"a.com"}, 90, "rsa:1024"});
  std::string damaged = good.certificate;
  damaged.replace(damaged.find('\n') + 10, 4, "AAAA");
  const struct {
    std::string pem;
    std::string reason;
  } cases[] = {
      {"", "it is empty"},
      {"garbage", "there is no certificate in it"},
      {good.certificate, "there is no private key in it"},
      {good.key, "there is no certificate in it"},
      {good.certificate + other.key, "the private key belongs to another certificate"},
      {good.certificate + EncryptKey(good.key), "its private key is encrypted"},
      {damaged + good.key, "a certificate in it cannot be read"},
      {weak.pem(), "ee key too small"},
      {std::string(kMaxPem + 1, 'a'), "larger than 256 KiB"},
  };
  for (const auto& c : cases) {
    const auto read = Read(c.pem);
    ASSERT_FALSE(read) << c.reason;
    EXPECT_EQ(read.error().code, Code::kInvalidArgument);
    EXPECT_THAT(read.error().ToString(), HasSubstr(c.reason));
    EXPECT_THAT(read.error().ToString(), Not(HasSubstr("BEGIN PRIVATE")));
  }
}

TEST(CertificateTest, AnExpiredOneIsAccepted) {
  const auto read = Read(MakeCertificate({{"a.com"}, 0}).pem());
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(TimeText(read->not_after), "2021-01-01 00:00 UTC");
}

TEST(CertificateTest, NamesAreCheckedBeforeTheyBecomeFiles) {
  for (const char* good : {"a.com", "xip.io.pem", "A_b-1"}) EXPECT_TRUE(IsCertificateName(good));
  for (const char* bad : {"", "../x", "a/b", "a b", ".hidden", "a\n", "ü"}) {
    EXPECT_FALSE(IsCertificateName(bad)) << bad;
  }
}

TEST(CertificateTest, ASelfSignedOneIsUsable) {
  const auto pem = MakeSelfSigned(1'800'000'000);
  ASSERT_TRUE(pem);
  const auto read = Read(*pem);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_TRUE(read->dns_names.empty());
  EXPECT_EQ(TimeText(read->not_before), "2027-01-14 08:00 UTC");
}

model::Certificate Make(const std::string& name, std::vector<std::string> names,
                        std::int64_t not_after, const std::string& kind = "EC 256") {
  model::Certificate certificate;
  certificate.name = name;
  certificate.dns_names = std::move(names);
  certificate.not_after = not_after;
  certificate.key_kind = kind;
  certificate.pem = model::Secret("pem of " + name);
  certificate.proxy_print = "print of " + name;
  return certificate;
}

TEST(ChooseTest, WithoutCertificatesTheSelfSignedOneAnswers) {
  const Choice choice = Choose({}, Make("self", {}, 1), {});
  EXPECT_EQ(choice.tls.default_pem.reveal(), "pem of self");
  EXPECT_TRUE(choice.tls.entries.empty());
  EXPECT_FALSE(choice.fallback);
}

TEST(ChooseTest, OfTwoForOneNameTheLaterEndWinsAndTheOtherKeepsItsOwnNames) {
  const std::vector<model::Certificate> all = {Make("old", {"a.com", "b.com"}, 10),
                                               Make("young", {"a.com"}, 20)};
  const Choice choice = Choose(all, {}, {});
  EXPECT_THAT(choice.served[0], ElementsAre("b.com"));
  EXPECT_THAT(choice.served[1], ElementsAre("a.com"));
  EXPECT_EQ(choice.fallback, 0U);  // by name
}

TEST(ChooseTest, PreferredGlobsComeBeforeDatesAndNameTheDefault) {
  const std::vector<model::Certificate> all = {
      Make("a.pem", {"a.com"}, 20), Make("corp-1.pem", {"a.com"}, 10), Make("z.pem", {"z.com"}, 5)};
  const Choice choice = Choose(all, {}, {"z*", "corp-?.pem"});
  EXPECT_EQ(choice.fallback, 2U);
  EXPECT_EQ(choice.tls.default_pem.reveal(), "pem of z.pem");
  EXPECT_TRUE(choice.served[0].empty());
  EXPECT_THAT(choice.served[1], ElementsAre("a.com"));
  ASSERT_EQ(choice.tls.entries.size(), 2U);  // the first answers for nothing
}

TEST(ChooseTest, KindsOfKeysDoNotCompete) {
  const Choice choice =
      Choose({Make("ec", {"a.com"}, 1), Make("rsa", {"a.com"}, 2, "RSA 2048")}, {}, {});
  EXPECT_EQ(choice.tls.entries.size(), 2U);
}

TEST(ChooseTest, GlobsMatchAsAShellsDo) {
  EXPECT_TRUE(GlobMatches("*.pem", "a.pem"));
  EXPECT_TRUE(GlobMatches("a*b*c", "axxbyybc"));
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_FALSE(GlobMatches("a?c", "ac"));
  EXPECT_FALSE(GlobMatches("a*", "ba"));
}

}  // namespace
}  // namespace swarmgate::certs
