// Certificates for tests, made by the openssl program: each call is a key and a certificate of its
// own.
#pragma once

#include <string>
#include <vector>

namespace swarmgate::testing {

struct CertificateWish {
  std::vector<std::string> names = {"a.com"};  ///< subject alternative names; the first is the CN
  int days = 90;                               ///< valid from now; 0 or less: has expired
  std::string key = "ec";                      ///< "ec", "rsa:2048", "rsa:1024"
  std::string ca{};                            ///< PEM of a CA with its key; empty: self-signed
  bool is_ca = false;
};

struct CertificateParts {
  std::string certificate;
  std::string key;
  [[nodiscard]] std::string pem() const { return certificate + key; }
};

[[nodiscard]] CertificateParts MakeCertificate(const CertificateWish& wish);
/// An OCSP response (DER) of the CA about one of its certificates, that it is good; it holds for so
/// many minutes. `signer`: PEM of another CA with its key that signs it; empty: the CA itself.
[[nodiscard]] std::string MakeStaple(const std::string& ca, const CertificateParts& leaf,
                                     int minutes = 60, const std::string& signer = "");
/// The key under a pass phrase.
[[nodiscard]] std::string EncryptKey(const std::string& key);

}  // namespace swarmgate::testing
