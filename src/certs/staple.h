// OCSP responses that lie beside certificates.
#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "certs/openssl.h"
#include "swarmgate/base/error.h"

namespace swarmgate::certs {

/// When a response holds; seconds since 1970.
struct StapleTime {
  std::int64_t since = 0;
  std::int64_t until = 0;
};

/// Is the response about this very certificate, and signed for its issuer? The chain begins with
/// the certificate. What HAProxy would refuse at any time is refused here; whoever uses it looks at
/// the clock. Errors: kInvalidArgument, with what is wrong.
[[nodiscard]] Result<StapleTime> CheckStaple(std::string_view der,
                                             const std::vector<Owned<X509>>& chain);

/// Errors: kInvalidArgument.
[[nodiscard]] Result<std::int64_t> SecondsOf(const ASN1_TIME* time);

}  // namespace swarmgate::certs
