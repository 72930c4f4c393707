// Certificates as values: what is known of one, where it came from, and its PEM, which holds a
// private key and is therefore a type of its own that nothing prints.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace swarmgate::model {

/// A text that must not be seen: cheap to copy, compared by content, never printed.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text)
      : text_(text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text))) {}
  [[nodiscard]] std::string_view reveal() const {
    return text_ ? std::string_view(*text_) : std::string_view();
  }
  [[nodiscard]] bool empty() const { return text_ == nullptr; }
  friend bool operator==(const Secret& a, const Secret& b) {
    return a.text_ == b.text_ || a.reveal() == b.reveal();
  }

 private:
  std::shared_ptr<const std::string> text_;
};

/// Where a certificate came from, in the order in which equal ones are preferred.
enum class CertificateSource { kFile, kSecret, kApi, kService, kSelfSigned };
/// "file", "secret", "api", "service", "self-signed".
const char* CertificateSourceName(CertificateSource source);

/// A PEM as it was found: not looked into yet.
struct CertificateFile {
  CertificateSource source = CertificateSource::kFile;
  std::string name;  ///< [A-Za-z0-9._-]+
  std::string path;  ///< for people: "/certs/a.pem"
  Secret pem;
  std::string problem;  ///< why it could not be read; empty: it could
  Secret staple = {};   ///< an OCSP response (DER) that lay beside it; empty: none
  friend bool operator==(const CertificateFile&, const CertificateFile&) = default;
};

/// One that has been checked: its key is its own, its chain can be read.
struct Certificate {
  std::string name;  ///< [A-Za-z0-9._-]+
  CertificateSource source = CertificateSource::kFile;
  std::string where;                   ///< for people: a path, "PUT cert", "service web"
  std::vector<std::string> dns_names;  ///< lower case, sorted: "a.com", "*.a.com"
  std::int64_t not_before = 0;         ///< seconds since 1970
  std::int64_t not_after = 0;
  std::string fingerprint;  ///< SHA-256 of the leaf, lower-case hex
  std::string subject;
  std::string issuer;
  std::string key_kind;     ///< "RSA 2048", "EC P-256", …
  std::size_t chain = 0;    ///< certificates behind the leaf
  std::string proxy_print;  ///< how HAProxy shows it: SHA-1 of the leaf, and the chain's length
  Secret pem;               ///< leaf, chain, key: written anew, so without anything else
  /// An OCSP response for this very certificate (DER); empty: none, or none that can be used.
  Secret staple = {};
  std::int64_t staple_since = 0;  ///< it must not be used before; seconds since 1970
  std::int64_t staple_until = 0;  ///< nor after
  std::string staple_problem;     ///< why the one that was given cannot be used
  friend bool operator==(const Certificate&, const Certificate&) = default;
};

/// A certificate as HAProxy gets it. Each name stands in one entry per kind of key.
struct TlsEntry {
  std::string name;                ///< of the certificate
  std::vector<std::string> names;  ///< that it answers for; sorted, never empty
  Secret pem;
  Secret staple = {};  ///< OCSP response (DER); empty: none
  friend bool operator==(const TlsEntry&, const TlsEntry&) = default;
};

/// What TLS ports answer with.
struct TlsDesired {
  Secret default_pem;         ///< for requests of no or an unknown name; empty: nothing is managed
  std::string default_print;  ///< its Certificate::proxy_print
  std::vector<TlsEntry> entries;  ///< sorted by name, pem
  friend bool operator==(const TlsDesired&, const TlsDesired&) = default;
};

}  // namespace swarmgate::model
