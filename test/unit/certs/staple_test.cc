// OCSP responses beside certificates: only one that is about this very certificate, and of its
// issuer, is given to clients; a bad one costs the certificate nothing else.
#include <gtest/gtest.h>

#include "support/certificates.h"
#include "swarmgate/certs/certificate.h"

namespace swarmgate::certs {
namespace {

using swarmgate::testing::MakeCertificate;
using swarmgate::testing::MakeStaple;

model::Certificate Read(const std::string& pem, const std::string& staple) {
  model::CertificateFile file{model::CertificateSource::kFile, "a.pem", "/certs/a.pem",
                              model::Secret(pem), ""};
  file.staple = model::Secret(staple);
  const auto read = Parse(file);
  EXPECT_TRUE(read) << read.error().ToString();
  return read ? *read : model::Certificate();
}

TEST(StapleTest, OneOfTheIssuerAboutThisCertificateIsTaken) {
  const auto ca = MakeCertificate({{"ca"}, 90, "ec", "", true});
  const auto leaf = MakeCertificate({{"a.com"}, 90, "ec", ca.pem()});
  const std::string staple = MakeStaple(ca.pem(), leaf, 60);
  const model::Certificate read = Read(leaf.pem() + ca.certificate, staple);
  EXPECT_EQ(read.staple_problem, "");
  EXPECT_EQ(read.staple.reveal(), staple);
  EXPECT_GT(read.staple_until, read.not_before);
  EXPECT_LT(read.staple_until, read.not_after);
  EXPECT_EQ(Read(leaf.pem(), "").staple_problem, "");
}

TEST(StapleTest, AnyOtherIsLeftOutWithTheReason) {
  const auto ca = MakeCertificate({{"ca"}, 90, "ec", "", true});
  const auto stranger = MakeCertificate({{"ca"}, 90, "ec", "", true});
  const auto leaf = MakeCertificate({{"a.com"}, 90, "ec", ca.pem()});
  const auto other = MakeCertificate({{"a.com"}, 90, "ec", ca.pem()});
  const std::string full = leaf.pem() + ca.certificate;
  const struct {
    std::string pem;
    std::string staple;
    const char* problem;
  } cases[] = {
      {full, "hello", "it is no OCSP response in DER"},
      {full, std::string("\x30\x03\x0a\x01\x06", 5), "it is an answer of failure"},
      {full, MakeStaple(ca.pem(), other),
       "it is for another certificate (or names it by another hash than SHA-1)"},
      {leaf.pem(), MakeStaple(ca.pem(), leaf), "the chain does not hold the certificate's issuer"},
      {full, MakeStaple(ca.pem(), leaf, 60, stranger.pem()),
       "it is not signed for the certificate's issuer"},
  };
  for (const auto& c : cases) {
    const model::Certificate read = Read(c.pem, c.staple);
    EXPECT_EQ(read.staple_problem, c.problem);
    EXPECT_TRUE(read.staple.empty());
  }
}

}  // namespace
}  // namespace swarmgate::certs
