// Certificates from files, from the API and from services → what TLS ports answer with, and what
// their owners should know. A PEM that turned bad keeps its last good content in service.
// Thread: owner.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/assemble.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/engine/engine.h"
#include "swarmgate/engine/snapshot.h"
#include "swarmgate/model/certificate.h"
#include "swarmgate/model/diagnostic.h"

namespace swarmgate::engine {

class CertKeeper {
 public:
  /// `managed`: there are TLS ports, and no list of the operator's.
  CertKeeper(const CertificateOptions& options, bool managed);

  /// All files as they are now. True: something changed.
  bool TakeFiles(const std::vector<model::CertificateFile>& files);
  /// Brings everything up to date with records, services and the time of day.
  void Update(const Records& records, const Assembly& assembly, WallTime now);
  /// What is wrong with the certificate that a service brings, before it is taken.
  [[nodiscard]] std::optional<model::Diagnostic> Judge(const model::ServiceSpec& spec) const;
  /// HAProxy does not take this one: it is left out until its content changes.
  void Refuse(const std::string& fingerprint, const std::string& reason);
  /// HAProxy takes the certificate, but not with this OCSP response.
  void RefuseStaple(const model::Secret& staple, const std::string& reason);

  [[nodiscard]] const model::TlsDesired& tls() const { return tls_; }
  /// Only the self-signed one, for checks that are not about certificates.
  [[nodiscard]] model::TlsDesired SelfSignedOnly() const;
  /// Those that are served.
  [[nodiscard]] const std::vector<model::Certificate>& certificates() const {
    return certificates_;
  }
  [[nodiscard]] const std::vector<model::Diagnostic>& diagnostics() const { return diagnostics_; }
  [[nodiscard]] std::shared_ptr<const std::vector<CertificateStatus>> status() const {
    return status_;
  }
  /// When a certificate comes closer to its end.
  [[nodiscard]] std::optional<WallTime> next_news() const { return next_news_; }

 private:
  struct Entry {
    model::CertificateFile file;             ///< as it is now
    std::optional<model::Certificate> good;  ///< the last that could be used
    std::string refused;                     ///< why `file` is not it; empty: it is
    model::ServiceName service;              ///< kService
    std::uint64_t version = 0;
  };
  using Key = std::pair<model::CertificateSource, std::string>;

  /// True: it changed.
  bool Take(const Key& key, model::CertificateFile file, const model::ServiceName& service);
  void TakeRecords(const Records& records);
  void TakeServices(const Assembly& assembly);
  void Forget(model::CertificateSource source, const std::set<std::string>& known);
  void Rebuild(std::int64_t now);
  /// Empty: the response can be used now.
  std::string WhyNotStapled(const model::Certificate& certificate, std::int64_t now);
  /// Takes off what must not be used now.
  void DescribeStaple(model::Certificate& certificate, std::int64_t now);
  void Describe(const Entry& entry, std::int64_t now);
  void DescribeAge(const model::Certificate& certificate, std::int64_t now);

  const CertificateOptions& options_;
  bool managed_;
  model::Certificate self_signed_;
  std::map<Key, Entry> entries_;
  std::map<std::string, std::string> refused_by_proxy_;  ///< fingerprint → HAProxy's words
  std::map<std::string, std::string> refused_staples_;   ///< hash of the DER → HAProxy's words
  std::uint64_t version_ = 0;
  std::optional<std::uint64_t> built_;  ///< version of what stands below
  model::TlsDesired tls_;
  std::vector<model::Certificate> certificates_;
  std::vector<model::Diagnostic> diagnostics_;
  std::shared_ptr<const std::vector<CertificateStatus>> status_ =
      std::make_shared<const std::vector<CertificateStatus>>();
  std::optional<WallTime> next_news_;
};

}  // namespace swarmgate::engine
