#include <string>

#include "swarmgate/model/diagnostic.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::model {

const char* SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "error";
}

std::string Diagnostic::ToString() const {
  std::string text;
  if (!service.empty()) text += "service " + service.str() + ": ";
  if (!label.empty()) {
    text += label;
    if (!value.empty()) text += "=" + value;
    text += ": ";
  }
  text += message;
  if (!hint.empty()) text += (text.empty() || text.back() == '.' ? " " : ". ") + hint;
  return text;
}

const char* OriginName(Origin origin) {
  switch (origin) {
    case Origin::kDocker:
      return "docker";
    case Origin::kManual:
      return "manual";
    case Origin::kStatic:
      return "static";
  }
  return "docker";
}

const char* CertificateSourceName(CertificateSource source) {
  switch (source) {
    case CertificateSource::kFile:
      return "file";
    case CertificateSource::kSecret:
      return "secret";
    case CertificateSource::kApi:
      return "api";
    case CertificateSource::kService:
      return "service";
    case CertificateSource::kSelfSigned:
      return "self-signed";
  }
  return "file";
}

ServiceName CertificateRecordName(const std::string& certificate) {
  return ServiceName("cert:" + certificate);
}

}  // namespace swarmgate::model
