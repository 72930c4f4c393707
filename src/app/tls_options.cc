#include "app/tls_options.h"

#include <algorithm>
#include <vector>

#include "swarmgate/base/strings.h"
#include "swarmgate/certs/certificate.h"
#include "swarmgate/certs/seal.h"

namespace swarmgate::app::tls {
namespace {

Status Bad(std::string message) { return Fail(Code::kInvalidArgument, std::move(message)); }

bool IsWord(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [more](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

bool IsVersion(const std::string& text) {
  return text == "TLSv1.0" || text == "TLSv1.1" || text == "TLSv1.2" || text == "TLSv1.3";
}

}  // namespace

Status SetBindCiphers(Options& options, const std::string& value) {
  if (!IsWord(value, "+-:!@=_")) return Bad("write a list of OpenSSL's ciphers, separated by ':'");
  if (const Status known = certs::CheckCiphers(value); !known) return known;
  options.tls.ciphers = value;
  return Ok();
}

Status SetBindOptions(Options& options, const std::string& value) {
  haproxy::TlsSettings tls = options.tls;
  tls.words.clear();
  std::vector<std::string> words;
  for (const std::string_view part : Split(value, ' ')) {
    if (!Trim(part).empty()) words.emplace_back(Trim(part));
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const std::string next = i + 1 < words.size() ? words[i + 1] : "";
    if (word == "no-sslv3" || word == "no-tlsv10" || word == "no-tlsv11") {
      continue;  // TLS 1.2 is the least anyway, and HAProxy warns of both together
    }
    if (word == "no-tlsv12") {
      tls.min_version = "TLSv1.3";
    } else if (word == "no-tlsv13") {
      tls.max_version = "TLSv1.2";
    } else if (word == "force-tlsv12" || word == "force-tlsv13") {
      tls.min_version = tls.max_version = word == "force-tlsv12" ? "TLSv1.2" : "TLSv1.3";
    } else if ((word == "ssl-min-ver" || word == "ssl-max-ver") && IsVersion(next)) {
      (word == "ssl-min-ver" ? tls.min_version : tls.max_version) = next;
      ++i;
    } else if (word == "no-tls-tickets" || word == "prefer-client-ciphers") {
      tls.words.push_back(word);
    } else {
      return Bad("'" + Printable(word, 40) +
                 "' is not understood; there are: no-sslv3 no-tlsv10 no-tlsv11 no-tlsv12 no-tlsv13 "
                 "force-tlsv12 force-tlsv13 no-tls-tickets prefer-client-ciphers, and ssl-min-ver "
                 "and ssl-max-ver with TLSv1.0 … TLSv1.3");
    }
  }
  if (!tls.max_version.empty() && tls.max_version < tls.min_version) {
    return Bad("no version of TLS is left");
  }
  options.tls = std::move(tls);
  return Ok();
}

Status SetPreferred(Options& options, const std::string& value) {
  for (const std::string_view part : Split(value, ',')) {
    const std::string_view glob = Trim(part);
    if (glob.empty()) continue;
    if (!IsWord(glob, "._-*?")) return Bad("write names of certificates, with * and ? if need be");
    options.preferred_certificates.emplace_back(glob);
  }
  return Ok();
}

Status SetCertKey(Options& options, const std::string& value) {
  if (const auto key = certs::MakeSealKey(value); !key) return Forward(key.error());
  options.cert_key = value;
  return Ok();
}

Status SetFile(std::string& field, const std::string& value) {
  if (value.empty() || value.front() != '/' || !IsWord(value, "/._-+:@,=")) {
    return Bad("write an absolute path without white space or quotes");
  }
  field = value;
  return Ok();
}

}  // namespace swarmgate::app::tls
