// Looks into certificates: PEM in, checked value or the reason against it out. It exists so that
// HAProxy never sees a PEM that it would refuse: a bad one costs nobody but its owner anything.
// Pure but for the chance that a new key needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/model/certificate.h"
#include "swarmgate/model/diagnostic.h"

namespace swarmgate::certs {

inline constexpr std::size_t kMaxPem = 256U << 10U;

/// May a certificate be called so: ^[A-Za-z0-9._-]{1,128}$, not beginning with '.'.
[[nodiscard]] bool IsCertificateName(std::string_view name);

/// The certificate in `file`: a leaf, its chain and its unencrypted key, in any order. What HAProxy
/// would refuse is refused here, by the same library. An expired one is accepted.
/// Errors: kInvalidArgument, with what is wrong; never with a part of the PEM.
[[nodiscard]] Result<model::Certificate> Parse(const model::CertificateFile& file);

/// What the owner of a service is told whose serviceCert is refused. `former_stays`: the one that
/// the service had before goes on being served.
[[nodiscard]] model::Diagnostic RefusedServiceCert(const model::ServiceName& service,
                                                   const std::string& reason, bool former_stays);

/// Which certificate answers for which name.
struct Choice {
  model::TlsDesired tls;
  /// Index of the certificate that answers where no name fits; nothing: the self-signed one.
  std::optional<std::size_t> fallback;
  /// For each certificate the names that it answers for: of several for one name (and kind of key)
  /// the one that a PREFERRED_CERTIFICATE glob names first, else that which ends last, else the
  /// first by source and name.
  std::vector<std::vector<std::string>> served;
};
/// `preferred`: globs ('*', '?') on Certificate::name. The default certificate is the first that
/// they name, else the first by name.
[[nodiscard]] Choice Choose(const std::vector<model::Certificate>& certificates,
                            const model::Certificate& self_signed,
                            const std::vector<std::string>& preferred);

[[nodiscard]] bool GlobMatches(std::string_view glob, std::string_view text);

/// A PEM with a new key, valid from a day before `now` (seconds since 1970) for ten years.
/// Errors: kInternal.
[[nodiscard]] Result<std::string> MakeSelfSigned(std::int64_t now);

/// A list of ciphers that OpenSSL understands? Errors: kInvalidArgument.
[[nodiscard]] Status CheckCiphers(const std::string& ciphers);

/// "2027-01-31 12:00 UTC".
[[nodiscard]] std::string TimeText(std::int64_t unix_seconds);

}  // namespace swarmgate::certs
