// Certificates that lie in files: the operator's directory and Docker's secrets.
#pragma once

#include <string>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/model/certificate.h"

namespace swarmgate::ports {

/// Thread: any, several at a time.
class CertificateFiles {
 public:
  virtual ~CertificateFiles() = default;
  /// Changes whenever a file may have changed; cheap, reads no file.
  virtual std::string Stamp() = 0;
  /// All of them, sorted by path; a file that cannot be read is there with a `problem`.
  /// Errors: kUnavailable when a directory cannot be listed: never a part.
  virtual Result<std::vector<model::CertificateFile>> Read() = 0;
};

}  // namespace swarmgate::ports
