#include "engine/cert_keeper.h"

#include <algorithm>
#include <array>
#include <set>

#include "swarmgate/base/strings.h"
#include "swarmgate/certs/certificate.h"
#include "swarmgate/certs/seal.h"

namespace swarmgate::engine {
namespace {

using model::Certificate;
using model::CertificateFile;
using model::CertificateSource;
using model::Diagnostic;
using model::Severity;

constexpr std::int64_t kDay = 86400;
struct Threshold {
  std::int64_t before;  ///< seconds before the end
  const char* words;
};
constexpr std::array<Threshold, 4> kThresholds = {{{0, "has expired"},
                                                   {kDay, "expires in less than a day"},
                                                   {7 * kDay, "expires in less than 7 days"},
                                                   {30 * kDay, "expires in less than 30 days"}}};

std::int64_t Seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

/// What a service's certificate is called: its first domain, else the service.
std::string NameOf(const model::ServiceSpec& spec) {
  for (const model::DestSpec& dest : spec.dests) {
    for (const model::HostMatch& host : dest.hosts) {
      if (host.kind == model::HostMatch::Kind::kExact && certs::IsCertificateName(host.text)) {
        return host.text;
      }
    }
  }
  return spec.name.str();
}

CertificateFile FileOf(const model::ServiceSpec& spec) {
  return {CertificateSource::kService, NameOf(spec), "service " + spec.name.str(), spec.certificate,
          ""};
}

Result<Certificate> ParseFile(const CertificateFile& file) {
  if (!certs::IsCertificateName(file.name)) {
    return Fail(Code::kInvalidArgument,
                "its name may have letters, digits, '.', '_' and '-' only, and not begin with '.'");
  }
  if (certs::IsSealed(file.pem.reveal())) {
    return Fail(Code::kInvalidArgument,
                "it is stored encrypted, and CERT_KEY is not (or no longer) the key for it");
  }
  return certs::Parse(file);
}

}  // namespace

CertKeeper::CertKeeper(const CertificateOptions& options, bool managed)
    : options_(options), managed_(managed) {
  if (!managed_ || options.self_signed.empty()) return;
  auto parsed = certs::Parse(
      {CertificateSource::kSelfSigned, "self-signed", "self-signed", options.self_signed, ""});
  if (parsed) self_signed_ = std::move(*parsed);
}

model::TlsDesired CertKeeper::SelfSignedOnly() const {
  if (!managed_) return {};
  return certs::Choose({}, self_signed_, {}).tls;
}

bool CertKeeper::Take(const Key& key, CertificateFile file, const model::ServiceName& service) {
  Entry& entry = entries_[key];
  if (entry.version != 0 && entry.file == file && entry.service == service) return false;
  auto parsed = ParseFile(file);
  entry.service = service;
  entry.file = std::move(file);
  entry.version = ++version_;
  entry.refused.clear();
  if (parsed) {
    entry.good = std::move(*parsed);
  } else {
    entry.refused = parsed.error().ToString();
  }
  return true;
}

void CertKeeper::Forget(CertificateSource source, const std::set<std::string>& known) {
  const std::size_t gone = std::erase_if(entries_, [&](const auto& entry) {
    return entry.first.first == source && known.count(entry.first.second) == 0;
  });
  if (gone > 0) ++version_;
}

bool CertKeeper::TakeFiles(const std::vector<CertificateFile>& files) {
  const std::uint64_t before = version_;
  std::map<CertificateSource, std::set<std::string>> known;
  for (const CertificateFile& file : files) {
    known[file.source].insert(file.path);
    (void)Take({file.source, file.path}, file, {});
  }
  Forget(CertificateSource::kFile, known[CertificateSource::kFile]);
  Forget(CertificateSource::kSecret, known[CertificateSource::kSecret]);
  return version_ != before;
}

void CertKeeper::TakeRecords(const Records& records) {
  std::set<std::string> known;
  const std::string prefix = model::CertificateRecordName("").str();
  for (auto entry = records.lower_bound(model::ServiceName(prefix)); entry != records.end();
       ++entry) {
    const auto& [name, record] = *entry;
    if (!name.str().starts_with(prefix)) break;
    if (record.kind != model::Record::Kind::kCertificate) continue;
    const auto pem = record.parameters.find(model::kPemParameter);
    if (pem == record.parameters.end()) continue;
    const std::string certificate(name.str().substr(std::min(prefix.size(), name.str().size())));
    known.insert(certificate);
    const auto held = entries_.find({CertificateSource::kApi, certificate});
    // Most of the time: no copy of a PEM.
    if (held != entries_.end() && held->second.file.pem.reveal() == pem->second) continue;
    (void)Take({CertificateSource::kApi, certificate},
               {CertificateSource::kApi, certificate, "PUT cert", model::Secret(pem->second), ""},
               {});
  }
  Forget(CertificateSource::kApi, known);
}

std::optional<Diagnostic> CertKeeper::Judge(const model::ServiceSpec& spec) const {
  if (spec.certificate.empty()) return std::nullopt;
  const auto parsed = ParseFile(FileOf(spec));
  if (parsed) return std::nullopt;
  const auto held = entries_.find({CertificateSource::kService, spec.name.str()});
  const bool former = held != entries_.end() && held->second.good;
  return certs::RefusedServiceCert(spec.name, parsed.error().ToString(), former);
}

void CertKeeper::TakeServices(const Assembly& assembly) {
  std::set<std::string> known;
  for (const model::ServiceName& name : assembly.with_certificate) {
    const Definition& definition = *assembly.Find(name);
    const std::string& service = definition.name.str();
    known.insert(service);
    (void)Take({CertificateSource::kService, service}, FileOf(*definition.parsed->spec),
               definition.name);
  }
  Forget(CertificateSource::kService, known);
}

void CertKeeper::Update(const Records& records, const Assembly& assembly, WallTime now) {
  TakeRecords(records);
  TakeServices(assembly);
  if (built_ == version_ && !(next_news_ && *next_news_ <= now)) return;
  built_ = version_;
  Rebuild(Seconds(now));
}

void CertKeeper::RefuseStaple(const model::Secret& staple, const std::string& reason) {
  refused_staples_[HashHex(staple.reveal())] = reason;
  ++version_;
}

void CertKeeper::Refuse(const std::string& fingerprint, const std::string& reason) {
  refused_by_proxy_[fingerprint] = reason;
  ++version_;
}

void CertKeeper::DescribeAge(const Certificate& certificate, std::int64_t now) {
  const std::int64_t left = certificate.not_after - now;
  for (const Threshold& threshold : kThresholds) {
    if (left > threshold.before) {
      const WallTime then{std::chrono::seconds(certificate.not_after - threshold.before)};
      next_news_ = next_news_ ? std::min(*next_news_, then) : then;
      continue;
    }
    const std::string end = certs::TimeText(certificate.not_after);
    diagnostics_.push_back(
        {Severity::kWarning,
         left <= 0 ? "certificate-expired" : "certificate-expires",
         {},
         "certificate",
         certificate.name,
         std::string(threshold.words) + " (" + certificate.where + ", " + end + ")",
         "Put a renewed one in its place; it is taken without a restart."});
    return;
  }
}

std::string CertKeeper::WhyNotStapled(const Certificate& certificate, std::int64_t now) {
  // HAProxy allows five minutes between the clocks; here one of them is kept in reserve.
  constexpr std::int64_t kAhead = 240;
  if (certificate.staple.empty()) return certificate.staple_problem;
  const auto refused = refused_staples_.find(HashHex(certificate.staple.reveal()));
  if (refused != refused_staples_.end()) return "HAProxy refuses it: " + refused->second;
  const auto look_again_at = [this](std::int64_t time) {
    const WallTime then{std::chrono::seconds(time)};
    next_news_ = next_news_ ? std::min(*next_news_, then) : then;
  };
  // Outside of its time HAProxy would not send it, and not start with it.
  if (certificate.staple_until <= now) {
    return "it has ended (" + certs::TimeText(certificate.staple_until) + ")";
  }
  if (certificate.staple_since > now + kAhead) {
    look_again_at(certificate.staple_since - kAhead);
    return "it begins only at " + certs::TimeText(certificate.staple_since);
  }
  look_again_at(certificate.staple_until);
  return "";
}

void CertKeeper::DescribeStaple(Certificate& certificate, std::int64_t now) {
  const std::string problem = WhyNotStapled(certificate, now);
  if (problem.empty()) return;
  certificate.staple = {};
  diagnostics_.push_back({Severity::kWarning,
                          "certificate-staple",
                          {},
                          "certificate",
                          certificate.name,
                          certificate.where + ".ocsp is not used: " + problem,
                          "Put a fresh response of the issuer for this certificate there; the "
                          "certificate itself is served."});
}

void CertKeeper::Describe(const Entry& entry, std::int64_t now) {
  if (!entry.refused.empty()) {
    Diagnostic refused =
        certs::RefusedServiceCert(entry.service, entry.refused, entry.good.has_value());
    if (entry.service.empty()) {
      refused.severity = Severity::kError;
      refused.label = "certificate";
      refused.value = entry.file.name;
      refused.message = entry.file.path + ": " + entry.refused;
    }
    diagnostics_.push_back(std::move(refused));
  }
  if (!entry.good) return;
  const auto refused = refused_by_proxy_.find(entry.good->fingerprint);
  if (refused != refused_by_proxy_.end()) {
    diagnostics_.push_back({Severity::kError, "certificate-refused", entry.service, "certificate",
                            entry.good->name, "HAProxy refuses it: " + refused->second, ""});
    return;
  }
  if (entry.good->dns_names.empty()) {
    diagnostics_.push_back({Severity::kWarning, "certificate-without-name", entry.service,
                            "certificate", entry.good->name,
                            "it names no host: it answers as the default certificate only",
                            "Name it in PREFERRED_CERTIFICATE, or make one with a DNS name."});
  }
  DescribeAge(*entry.good, now);
  certificates_.push_back(*entry.good);
  DescribeStaple(certificates_.back(), now);
}

void CertKeeper::Rebuild(std::int64_t now) {
  certificates_.clear();
  diagnostics_.clear();
  next_news_.reset();
  for (const auto& [key, entry] : entries_) Describe(entry, now);
  const certs::Choice choice = certs::Choose(certificates_, self_signed_, options_.preferred);
  tls_ = managed_ ? choice.tls : model::TlsDesired();
  if (managed_ && certificates_.empty()) {
    diagnostics_.push_back({Severity::kWarning,
                            "certificate-none",
                            {},
                            "",
                            "",
                            "there is no certificate: ports with TLS answer with a self-signed one",
                            "Put a PEM into " + options_.directory +
                                ", or send one to PUT "
                                "/v1/docker-flow-proxy/cert?certName=…"});
  }
  auto status = std::make_shared<std::vector<CertificateStatus>>();
  for (std::size_t i = 0; i < certificates_.size(); ++i) {
    CertificateStatus shown;
    shown.certificate = certificates_[i];
    shown.certificate.pem = {};
    shown.certificate.staple = {};
    shown.served = managed_ ? choice.served[i] : std::vector<std::string>();
    shown.is_default = managed_ && choice.fallback == i;
    status->push_back(std::move(shown));
  }
  status_ = std::move(status);
}

}  // namespace swarmgate::engine
