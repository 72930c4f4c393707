#include "support/certificates.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "support/test_root.h"

namespace swarmgate::testing {
namespace {

void Run(const std::string& command) {
  EXPECT_EQ(std::system((command + " 2>/dev/null").c_str()), 0) << command;
}

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

CertificateParts MakeCertificate(const CertificateWish& wish) {
  const TempDir dir("certificate");
  const std::string base = dir.path() + "/";
  std::string names;
  for (const std::string& name : wish.names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  Write(base + "ext", "subjectAltName=" + names + "\n" +
                          (wish.is_ca ? "basicConstraints=critical,CA:TRUE\n" : ""));
  const std::string key = wish.key == "ec" ? "ec -pkeyopt ec_paramgen_curve:prime256v1" : wish.key;
  Run("openssl req -new -newkey " + key + " -nodes -keyout " + base + "key -out " + base +
      "csr -subj '/CN=" + wish.names.front() + "'");
  std::string sign = "-signkey " + base + "key";
  if (!wish.ca.empty()) {
    Write(base + "ca", wish.ca);
    sign = "-CA " + base + "ca -CAkey " + base + "ca -CAcreateserial";
  }
  if (wish.days > 0) {
    Run("openssl x509 -req -in " + base + "csr " + sign + " -days " + std::to_string(wish.days) +
        " -extfile " + base + "ext -out " + base + "crt");
  } else {
    // `openssl x509` of Debian 12 cannot be told another beginning than now; `ca` can.
    Write(base + "index", "");
    Write(base + "serial", "01\n");
    Write(base + "conf", "[ca]\ndefault_ca=d\n[d]\ndatabase=" + base + "index\nserial=" + base +
                             "serial\nnew_certs_dir=" + dir.path() +
                             "\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n");
    Run("openssl ca -batch -config " + base + "conf -selfsign -keyfile " + base + "key -in " +
        base + "csr -out " + base +
        "crt -notext -startdate 20200101000000Z -enddate "
        "20210101000000Z -extfile " +
        base + "ext");
  }
  return {Read(base + "crt"), Read(base + "key")};
}

std::string MakeStaple(const std::string& ca, const CertificateParts& leaf, int minutes,
                       const std::string& signer) {
  const TempDir dir("staple");
  const std::string base = dir.path() + "/";
  Write(base + "ca", ca);
  Write(base + "signer", signer.empty() ? ca : signer);
  Write(base + "leaf", leaf.certificate);
  Run("serial=$(openssl x509 -in " + base + "leaf -noout -serial | cut -d= -f2); " +
      "printf 'V\\t401231235959Z\\t\\t%s\\tunknown\\t/CN=x\\n' $serial >" + base + "index");
  const std::string ocsp = "openssl ocsp -no_nonce ";
  Run(ocsp + "-issuer " + base + "ca -cert " + base + "leaf -reqout " + base + "request");
  Run(ocsp + "-index " + base + "index -CA " + base + "ca -rsigner " + base + "signer -rkey " +
      base + "signer -reqin " + base + "request -respout " + base + "response -nmin " +
      std::to_string(minutes));
  return Read(base + "response");
}

std::string EncryptKey(const std::string& key) {
  const TempDir dir("certificate");
  const std::string base = dir.path() + "/";
  Write(base + "key", key);
  Run("openssl pkey -in " + base + "key -aes256 -passout pass:hunter22 -out " + base + "out");
  return Read(base + "out");
}

}  // namespace swarmgate::testing
