// Ports with TLS: their words in the configuration, and the list of certificates.
#pragma once

#include <string>
#include <vector>

#include "swarmgate/haproxy/image.h"

namespace swarmgate::haproxy {

/// HAProxy reads the OCSP response of "x.pem" from "x.pem.ocsp".
inline constexpr const char* kStapleEnding = ".ocsp";

/// Lines of the global section; none where no port has TLS.
[[nodiscard]] std::vector<std::string> TlsGlobalLines(const Settings& settings);
/// " ssl crt-list …", as it stands behind the address of such a port.
[[nodiscard]] std::string TlsBindWords(const TlsSettings& tls);
/// The same for a port whose clients do not speak HTTP: no protocol is negotiated, and nobody is
/// asked for a certificate.
[[nodiscard]] std::string TlsTcpBindWords(const TlsSettings& tls);

void RenderCertificates(const model::TlsDesired& tls, const Settings& settings, Image& image);

}  // namespace swarmgate::haproxy
