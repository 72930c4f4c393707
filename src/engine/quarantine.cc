// The part of Reconciler that finds the service whose configuration HAProxy refuses. Values are
// typed and checked long before, so this should never happen; when it does, it must cost one
// service and not all of them.
#include <algorithm>
#include <set>
#include <utility>

#include "engine/reconciler.h"
#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::engine {
namespace {

// A check takes some 50 ms; the owner does nothing else meanwhile.
constexpr int kMostChecks = 100;

using Suspects = std::vector<std::shared_ptr<const routing::ServiceInput>>;

Suspects Joined(Suspects a, const Suspects& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

routing::Inputs Sorted(Suspects services) {
  std::sort(services.begin(), services.end(),
            [](const auto& a, const auto& b) { return a->spec->name < b->spec->name; });
  return services;
}

}  // namespace

void Reconciler::FindOffenders(const Suspects& good, Suspects suspects, int& checks,
                               Suspects& accepted,
                               std::map<model::ServiceName, std::string>& offenders) {
  if (suspects.empty()) return;
  const Suspects base = Joined(good, accepted);
  Status checked = Fail(Code::kRejected, "not tried: too many services are refused at once");
  if (checks-- > 0) {
    model::Desired desired = routing::Build(Sorted(Joined(base, suspects)), Context()).desired;
    desired.tls = certificates_.SelfSignedOnly();
    checked = applier_.Check(desired);
    // A check that cannot be run accuses nobody.
    if (!checked && checked.error().code != Code::kRejected) checks = 0;
  }
  if (checked || checked.error().code != Code::kRejected) {
    std::move(suspects.begin(), suspects.end(), std::back_inserter(accepted));
    return;
  }
  if (suspects.size() == 1) {
    offenders.emplace(suspects.front()->spec->name, checked.error().message);
    return;
  }
  const auto middle = suspects.begin() + static_cast<std::ptrdiff_t>(suspects.size() / 2);
  Suspects second(std::make_move_iterator(middle), std::make_move_iterator(suspects.end()));
  suspects.erase(middle, suspects.end());
  FindOffenders(good, std::move(suspects), checks, accepted, offenders);
  FindOffenders(good, std::move(second), checks, accepted, offenders);
}

// A call whose service is refused is answered with HAProxy's words, and what it has defined is
// taken back: the last good version goes on. Of several calls for one name the newest is in force;
// the ones before it are tried in their turn.
void Reconciler::RefuseOffenders(const std::map<model::ServiceName, std::string>& offenders) {
  for (const auto& [name, reason] : offenders) {
    auto refused =
        std::find_if(pending_.rbegin(), pending_.rend(), [&name = name](const Pending& pending) {
          return pending.service == name && pending.command.kind == Command::Kind::kReconfigure;
        });
    if (refused == pending_.rend()) continue;
    const auto held = store_.records().find(name);
    // What another replica has changed since is not ours to take back.
    if (held != store_.records().end() &&
        held->second.updated_unix_ms == refused->command.made_unix_ms) {
      // What is on the disk may be with the others, who may have gone on from there: it is taken
      // back at its own time.
      const bool stored = store_.IsStored(name);
      (void)store_.Set(name, std::move(refused->previous));
      store_.Persist(name,
                     stored ? refused->command.made_unix_ms : refused->deleted_before_unix_ms);
    }
    Outcome outcome;
    outcome.status = 500;
    outcome.message = kRefusedByHAProxy + Printable(reason, 400);
    outcome.diagnostics = std::move(refused->outcome.diagnostics);
    outcome.revision = revision_;
    refused->command.reply(std::move(outcome));
    pending_.erase(std::next(refused).base());
  }
}

void Reconciler::Accuse(const Assembly& assembly,
                        const std::map<model::ServiceName, std::string>& offenders) {
  for (const auto& [name, reason] : offenders) {
    const Definition* definition = assembly.Find(name);
    quarantine_[name] = {definition->parsed->hash, Printable(reason, 400)};
    ++counters_.quarantines;
    LogEvent(LogLevel::kError, "SERVICE_QUARANTINED",
             "HAProxy refuses the configuration made of this service; the others go on",
             {{"service", name.str()}, {"error", reason}});
  }
  RefuseOffenders(offenders);
}

bool Reconciler::Quarantine(const Assembly& assembly, const Error& error) {
  model::Desired nothing;
  nothing.tls = certificates_.SelfSignedOnly();
  Status base = applier_.Check(nothing);
  if (!base) {
    const haproxy::Extras& extras = options_.proxy.extras;
    const bool own_words = !extras.extra_frontend.empty() || !extras.extra_global.empty();
    LogEvent(
        LogLevel::kError, "CONFIG_REFUSED",
        "HAProxy refuses the configuration even without a service; it goes on with the old one" +
            std::string(own_words ? "; look into EXTRA_FRONTEND and EXTRA_GLOBAL" : ""),
        {{"error", error.ToString()}});
    applier_.PutOffStructure();
    return false;
  }
  const bool certificates = QuarantineCertificates();
  Suspects good;
  Suspects suspects;
  for (const auto& input : assembly.inputs) {
    const auto passed = accepted_.find(input->spec->name);
    const Definition* definition = assembly.Find(input->spec->name);
    const bool known = passed != accepted_.end() && definition != nullptr &&
                       passed->second == definition->parsed->hash;
    (known ? good : suspects).push_back(input);
  }
  int checks = kMostChecks;
  std::map<model::ServiceName, std::string> offenders;
  Suspects accepted;
  // What went live unchecked may be at fault as well.
  Suspects trusted;
  FindOffenders({}, std::move(good), checks, trusted, offenders);
  FindOffenders(trusted, std::move(suspects), checks, accepted, offenders);
  Accuse(assembly, offenders);
  const bool found = certificates || !offenders.empty();
  if (!found) applier_.PutOffStructure();
  return found;
}

bool Reconciler::QuarantineCertificates() {
  int checks = kMostChecks;
  bool found = false;
  for (const model::Certificate& certificate :
       std::vector<model::Certificate>(certificates_.certificates())) {
    model::Desired alone;
    alone.tls.default_pem = certificate.pem;
    alone.tls.default_print = certificate.proxy_print;
    const auto refused = [&]() -> std::optional<std::string> {
      const Status checked = applier_.Check(alone);
      --checks;
      if (checked || checked.error().code != Code::kRejected) return std::nullopt;
      return Printable(checked.error().message, 400);
    };
    if (const auto reason = refused()) {
      certificates_.Refuse(certificate.fingerprint, *reason);
      found = true;
    } else if (!certificate.staple.empty()) {
      alone.tls.entries = {{certificate.name, {"a.test"}, certificate.pem, certificate.staple}};
      if (const auto of_staple = refused()) {
        certificates_.RefuseStaple(certificate.staple, *of_staple);
        found = true;
      }
    }
    if (checks <= 0) break;
  }
  return found;
}

bool Reconciler::ProbePorts(const model::Desired& desired) {
  if (desired.tcp_listeners.empty() || !options_.port_is_free) return false;
  const std::set<std::uint16_t> held = applier_.TcpPortsHeld();
  bool found = false;
  for (const model::TcpListener& listener : desired.tcp_listeners) {
    if (held.contains(listener.port) || options_.port_is_free(listener.port)) continue;
    // A HAProxy that cannot listen on all of its ports does not start at all.
    found = taken_ports_.insert(listener.port).second || found;
  }
  return found;
}

bool Reconciler::QuarantinePorts(const Assembly& assembly, const model::Desired& desired) {
  const std::set<std::uint16_t> refused = applier_.RefusedPorts(desired);
  std::map<model::ServiceName, std::string> offenders;
  for (const model::TcpRoute& route : desired.tcp_routes) {
    if (!refused.contains(route.port)) continue;
    if (assembly.Find(route.service) == nullptr) continue;
    offenders.emplace(route.service, "it cannot listen on port " + std::to_string(route.port) +
                                         ": " + Printable(applier_.rejection(), 300));
  }
  Accuse(assembly, offenders);
  return !offenders.empty();
}

}  // namespace swarmgate::engine
