// Certificates on disk: CERTS_DIR, and Docker's secrets cert-* and cert_*.
#pragma once

#include <string>
#include <vector>

#include "app/layout.h"
#include "swarmgate/ports/certificate_files.h"

namespace swarmgate::app {

class DiskCertificates final : public ports::CertificateFiles {
 public:
  DiskCertificates(std::string directory, std::string secrets)
      : directory_(std::move(directory)), secrets_(std::move(secrets)) {}
  std::string Stamp() override;
  Result<std::vector<model::CertificateFile>> Read() override;

 private:
  std::string directory_;
  std::string secrets_;
};

/// The certificate that answers while there is no other: made once, and again when it has expired.
/// Errors: kUnavailable, kInternal.
[[nodiscard]] Result<std::string> LoadSelfSigned(const Layout& layout);

/// The text of a small file that holds a secret. Errors: kUnavailable, kInvalidArgument (too
/// large).
[[nodiscard]] Result<std::string> ReadSecretFile(const std::string& path, std::size_t limit);

}  // namespace swarmgate::app
