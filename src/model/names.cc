#include "swarmgate/model/names.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "swarmgate/base/strings.h"
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

std::string EnvironmentName(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') out += '_';
    out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '.' ? '_' : c;
  }
  return out;
}

std::string ShownParameter(Origin origin, std::string_view label_prefix, std::string_view name) {
  switch (origin) {
    case Origin::kDocker:
      return std::string(label_prefix) + std::string(name);
    case Origin::kStatic:
      return "DFP_SERVICE_" + EnvironmentName(name);
    case Origin::kManual:
      break;
  }
  return std::string(name);
}

std::string OwnName(const HostMatch& host) {
  if (host.kind == HostMatch::Kind::kExact) return std::string(host.text);
  if (host.kind != HostMatch::Kind::kRegex) return {};
  const std::string written = ToLower(host.original);
  const std::string name = written.substr(0, written.find(':'));
  const auto is_label = [](std::string_view label) {
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::all_of(label.begin(), label.end(), [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
           });
  };
  const auto labels = Split(name, '.');
  // One label alone is rather the beginning or the end of a name.
  const bool complete = labels.size() > 1 && std::all_of(labels.begin(), labels.end(), is_label);
  return complete ? name : std::string();
}

}  // namespace swarmgate::model
