// Options about certificates and ports with TLS: text → typed field.
#pragma once

#include <string>

#include "swarmgate/app/options.h"
#include "swarmgate/base/error.h"

namespace swarmgate::app::tls {

[[nodiscard]] Status SetBindCiphers(Options& options, const std::string& value);
[[nodiscard]] Status SetBindOptions(Options& options, const std::string& value);
[[nodiscard]] Status SetPreferred(Options& options, const std::string& value);
[[nodiscard]] Status SetCertKey(Options& options, const std::string& value);
[[nodiscard]] Status SetFile(std::string& field, const std::string& value);
[[nodiscard]] inline Status SetCaFile(Options& options, const std::string& value) {
  return SetFile(options.tls.ca_file, value);
}
[[nodiscard]] inline Status SetCrtList(Options& options, const std::string& value) {
  return SetFile(options.tls.crt_list, value);
}
[[nodiscard]] inline Status SetCertKeyFile(Options& options, const std::string& value) {
  return SetFile(options.cert_key_file, value);
}

}  // namespace swarmgate::app::tls
