#include "swarmgate/certs/certificate.h"

#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <utility>

#include "certs/openssl.h"
#include "certs/staple.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::certs {
namespace {

constexpr std::size_t kMaxChain = 16;
constexpr std::size_t kMaxNames = 500;
constexpr std::size_t kMaxName = 253;

tl::unexpected<Error> Bad(std::string message) {
  return Fail(Code::kInvalidArgument, std::move(message));
}

/// Called when a key wants a pass phrase: nobody is there to give one.
int RefusePassPhrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::string Hex(const unsigned char* bytes, std::size_t size) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += kDigits[bytes[i] >> 4U];
    text += kDigits[bytes[i] & 15U];
  }
  return text;
}

std::string Digest(const X509* certificate, const EVP_MD* algorithm) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  if (X509_digest(certificate, algorithm, bytes.data(), &size) != 1) return {};
  return Hex(bytes.data(), size);
}

std::string NameText(const X509_NAME* name) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  return Printable(TextOf(bio.get()));
}

/// A host name, perhaps with "*." in front: what may stand in a list of HAProxy's.
std::optional<std::string> HostName(std::string_view text) {
  std::string name = ToLower(text);
  std::string_view rest = name;
  if (rest.substr(0, 2) == "*.") rest.remove_prefix(2);
  if (rest.empty() || name.size() > kMaxName || rest.front() == '.' || rest.back() == '.') {
    return std::nullopt;
  }
  const bool good = std::all_of(rest.begin(), rest.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
  return good && rest.front() != '-' ? std::optional(name) : std::nullopt;
}

std::vector<std::string> DnsNames(const X509* certificate) {
  std::vector<std::string> names;
  const auto add = [&names](const ASN1_STRING* text) {
    if (text == nullptr) return;
    const auto name = HostName({reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                static_cast<std::size_t>(ASN1_STRING_length(text))});
    if (name) names.push_back(*name);
  };
  const Owned<GENERAL_NAMES> alternatives(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; alternatives && i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
    if (name->type == GEN_DNS) add(name->d.dNSName);
  }
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0) add(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string KeyKind(const EVP_PKEY* key) {
  const std::string bits = std::to_string(EVP_PKEY_get_bits(key));
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return "RSA " + bits;
    case EVP_PKEY_EC:
      return "EC " + bits;
    case EVP_PKEY_ED25519:
      return "Ed25519";
    default:
      return "other " + bits;
  }
}

/// What a PEM holds, the leaf first.
struct Parts {
  std::vector<Owned<X509>> certificates;
  Owned<EVP_PKEY> key;
};

Result<Parts> ReadParts(std::string_view pem) {
  Parts parts;
  Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (X509* next = bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr) {
    parts.certificates.emplace_back(next);
    if (parts.certificates.size() > kMaxChain) return Bad("more than 16 certificates in one file");
  }
  const unsigned long error = ERR_peek_last_error();
  const bool ended = ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  const std::string reason = TakeReason();
  if (!ended) return Bad("a certificate in it cannot be read: " + reason);
  if (parts.certificates.empty())
    return Bad("there is no certificate in it (-----BEGIN CERTIFICATE-----)");

  bio.reset(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  bool encrypted = false;
  parts.key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, RefusePassPhrase, &encrypted));
  if (!parts.key) {
    // OpenSSL 3 says "unsupported" to a text without a key and to many another.
    const bool none = pem.find("PRIVATE KEY-----") == std::string_view::npos;
    const std::string why = TakeReason();
    if (encrypted) return Bad("its private key is encrypted: store it without a pass phrase");
    if (none) return Bad("there is no private key in it: append the key to the certificate");
    return Bad("its private key cannot be read: " + why);
  }
  const auto leaf = std::find_if(
      parts.certificates.begin(), parts.certificates.end(), [&parts](const Owned<X509>& candidate) {
        return X509_check_private_key(candidate.get(), parts.key.get()) == 1;
      });
  ERR_clear_error();
  if (leaf == parts.certificates.end()) {
    return Bad("the private key belongs to another certificate");
  }
  std::rotate(parts.certificates.begin(), leaf, leaf + 1);
  return parts;
}

/// Would HAProxy take it? It asks the same library the same.
Status CheckUsable(const Parts& parts) {
  const Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  bool good = context && SSL_CTX_use_certificate(context.get(), parts.certificates[0].get()) == 1 &&
              SSL_CTX_use_PrivateKey(context.get(), parts.key.get()) == 1;
  for (std::size_t i = 1; good && i < parts.certificates.size(); ++i) {
    good = SSL_CTX_add1_chain_cert(context.get(), parts.certificates[i].get()) == 1;
  }
  if (good) return Ok();
  return Bad("it cannot be used: " + TakeReason());
}

Result<std::string> WritePem(const Parts& parts) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  bool good = bio != nullptr;
  for (const Owned<X509>& certificate : parts.certificates) {
    good = good && PEM_write_bio_X509(bio.get(), certificate.get()) == 1;
  }
  good = good && PEM_write_bio_PrivateKey(bio.get(), parts.key.get(), nullptr, nullptr, 0, nullptr,
                                          nullptr) == 1;
  if (!good) return Bad("it cannot be written anew: " + TakeReason());
  return TextOf(bio.get());
}

/// A response that cannot be used costs the certificate nothing but its staple.
void TakeStaple(const model::CertificateFile& file, const Parts& parts,
                model::Certificate& certificate) {
  if (file.staple.empty()) return;
  const auto time = CheckStaple(file.staple.reveal(), parts.certificates);
  if (time) {
    certificate.staple = file.staple;
    certificate.staple_since = time->since;
    certificate.staple_until = time->until;
  } else {
    certificate.staple_problem = time.error().message;
  }
}

}  // namespace

Result<std::int64_t> SecondsOf(const ASN1_TIME* time) {
  struct tm parts {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return Bad("its dates cannot be read");
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendar types
  const sys_days date = year(parts.tm_year + 1900) /
                        month(static_cast<unsigned>(parts.tm_mon + 1)) /
                        day(static_cast<unsigned>(parts.tm_mday));
  return duration_cast<seconds>(date.time_since_epoch()).count() + parts.tm_hour * 3600LL +
         parts.tm_min * 60LL + parts.tm_sec;
}

bool IsCertificateName(std::string_view name) {
  return !name.empty() && name.size() <= 128 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

Result<model::Certificate> Parse(const model::CertificateFile& file) {
  const std::string_view pem = file.pem.reveal();
  if (!file.problem.empty()) return Bad(file.problem);
  if (pem.empty()) return Bad("it is empty");
  if (pem.size() > kMaxPem) return Bad("it is larger than 256 KiB");
  ERR_clear_error();
  const auto parts = ReadParts(pem);
  if (!parts) return Forward(parts.error());
  if (const Status usable = CheckUsable(*parts); !usable) return Forward(usable.error());
  const X509* leaf = parts->certificates.front().get();
  model::Certificate certificate;
  certificate.name = file.name;
  certificate.source = file.source;
  certificate.where = file.path;
  const auto begin = SecondsOf(X509_get0_notBefore(leaf));
  const auto end = SecondsOf(X509_get0_notAfter(leaf));
  if (!begin) return Forward(begin.error());
  if (!end) return Forward(end.error());
  certificate.not_before = *begin;
  certificate.not_after = *end;
  certificate.dns_names = DnsNames(leaf);
  if (certificate.dns_names.size() > kMaxNames) return Bad("it has more than 500 names");
  certificate.fingerprint = Digest(leaf, EVP_sha256());
  certificate.subject = NameText(X509_get_subject_name(leaf));
  certificate.issuer = NameText(X509_get_issuer_name(leaf));
  certificate.key_kind = KeyKind(parts->key.get());
  certificate.chain = parts->certificates.size() - 1;
  certificate.proxy_print = Digest(leaf, EVP_sha1()) + "/" + std::to_string(certificate.chain);
  auto written = WritePem(*parts);
  if (!written) return Forward(written.error());
  certificate.pem = model::Secret(std::move(*written));
  TakeStaple(file, *parts, certificate);
  return certificate;
}

Result<std::string> MakeSelfSigned(std::int64_t now) {
  constexpr std::int64_t kDay = 86400;
  constexpr std::int64_t kYears = 3650 * kDay;
  Parts parts;
  parts.key.reset(EVP_EC_gen("P-256"));
  parts.certificates.emplace_back(X509_new());
  X509* certificate = parts.certificates.front().get();
  bool good = parts.key && certificate != nullptr && X509_set_version(certificate, 2) == 1 &&
              ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate), now) == 1 &&
              ASN1_TIME_set(X509_getm_notBefore(certificate), now - kDay) != nullptr &&
              ASN1_TIME_set(X509_getm_notAfter(certificate), now + kYears) != nullptr &&
              X509_set_pubkey(certificate, parts.key.get()) == 1;
  constexpr std::string_view kCommonName = "swarmgate: no certificate yet";
  X509_NAME* name = good ? X509_get_subject_name(certificate) : nullptr;
  good = good &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(kCommonName.data()),
                                    static_cast<int>(kCommonName.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 &&
         X509_sign(certificate, parts.key.get(), EVP_sha256()) > 0;
  if (!good) return Fail(Code::kInternal, "no certificate could be made: " + TakeReason());
  return WritePem(parts);
}

Status CheckCiphers(const std::string& ciphers) {
  const Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  if (context && SSL_CTX_set_cipher_list(context.get(), ciphers.c_str()) == 1) return Ok();
  return Bad("OpenSSL knows no such ciphers: " + TakeReason());
}

std::string TimeText(std::int64_t unix_seconds) {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendar types
  const sys_seconds time{seconds(unix_seconds)};
  const sys_days midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss<seconds> clock(time - midnight);
  std::array<char, 64> text{};
  (void)std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d UTC",
                      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                      static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                      static_cast<int>(clock.minutes().count()));
  return text.data();
}

model::Diagnostic RefusedServiceCert(const model::ServiceName& service, const std::string& reason,
                                     bool former_stays) {
  return {model::Severity::kWarning,
          "certificate-refused",
          service,
          "serviceCert",
          "",
          reason,
          former_stays ? "The one that it had before goes on being served."
                       : "Write certificate, chain and unencrypted key as one PEM."};
}

}  // namespace swarmgate::certs
