// OCSP responses that lie beside certificates.
#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "certs/openssl.h"
#include "swarmgate/base/error.h"

namespace swarmgate::certs {

/// Is the response about this very certificate, and signed for its issuer? The chain begins with
/// the certificate. Gives when it ends, seconds since 1970. What HAProxy would refuse at a start is
/// refused here. Errors: kInvalidArgument, with what is wrong.
[[nodiscard]] Result<std::int64_t> CheckStaple(std::string_view der,
                                               const std::vector<Owned<X509>>& chain);

/// Errors: kInvalidArgument.
[[nodiscard]] Result<std::int64_t> SecondsOf(const ASN1_TIME* time);

}  // namespace swarmgate::certs
