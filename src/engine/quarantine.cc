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

using routing::ServiceInput;

// A check takes some 50 ms; the owner does nothing else meanwhile.
constexpr int kMostChecks = 100;

std::vector<ServiceInput> Joined(const std::vector<ServiceInput>& a,
                                 const std::vector<ServiceInput>& b) {
  std::vector<ServiceInput> all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

}  // namespace

void Reconciler::FindOffenders(const std::vector<ServiceInput>& good,
                               std::vector<ServiceInput> suspects, int& checks,
                               std::vector<ServiceInput>& accepted,
                               std::map<model::ServiceName, std::string>& offenders) {
  if (suspects.empty()) return;
  const std::vector<ServiceInput> base = Joined(good, accepted);
  Status checked = Fail(Code::kRejected, "not tried: too many services are refused at once");
  if (checks-- > 0) {
    checked = applier_.Check(routing::Build(Joined(base, suspects), Context()).desired);
    // A check that cannot be run accuses nobody.
    if (!checked && checked.error().code != Code::kRejected) checks = 0;
  }
  if (checked || checked.error().code != Code::kRejected) {
    std::move(suspects.begin(), suspects.end(), std::back_inserter(accepted));
    return;
  }
  if (suspects.size() == 1) {
    offenders.emplace(suspects.front().spec.name, checked.error().message);
    return;
  }
  const auto middle = suspects.begin() + static_cast<std::ptrdiff_t>(suspects.size() / 2);
  std::vector<ServiceInput> second(std::make_move_iterator(middle),
                                   std::make_move_iterator(suspects.end()));
  suspects.erase(middle, suspects.end());
  FindOffenders(good, std::move(suspects), checks, accepted, offenders);
  FindOffenders(good, std::move(second), checks, accepted, offenders);
}

bool Reconciler::Quarantine(const Assembly& assembly, const Error& error) {
  Status base = applier_.Check(model::Desired());
  if (!base) {
    LogEvent(
        LogLevel::kError, "CONFIG_REFUSED",
        "HAProxy refuses the configuration even without a service; it goes on with the old one",
        {{"error", error.ToString()}});
    applier_.PutOffStructure();
    return false;
  }
  std::vector<ServiceInput> good;
  std::vector<ServiceInput> suspects;
  for (const ServiceInput& input : assembly.inputs) {
    auto passed = std::lower_bound(
        accepted_.begin(), accepted_.end(), input.spec.name,
        [](const auto& entry, const model::ServiceName& name) { return entry.first < name; });
    const Definition* definition = assembly.Find(input.spec.name);
    const bool known = passed != accepted_.end() && passed->first == input.spec.name &&
                       definition != nullptr && passed->second->hash == definition->parsed->hash;
    (known ? good : suspects).push_back(input);
  }
  int checks = kMostChecks;
  std::map<model::ServiceName, std::string> offenders;
  std::vector<ServiceInput> accepted;
  // What went live unchecked may be at fault as well.
  std::vector<ServiceInput> trusted;
  FindOffenders({}, std::move(good), checks, trusted, offenders);
  FindOffenders(trusted, std::move(suspects), checks, accepted, offenders);
  for (const auto& [name, reason] : offenders) {
    const Definition* definition = assembly.Find(name);
    quarantine_[name] = {definition->parsed->hash, Printable(reason, 400)};
    ++counters_.quarantines;
    LogEvent(LogLevel::kError, "SERVICE_QUARANTINED",
             "HAProxy refuses the configuration made of this service; the others go on",
             {{"service", name.str()}, {"error", reason}});
  }
  if (offenders.empty()) applier_.PutOffStructure();
  return !offenders.empty();
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
  bool found = false;
  for (const model::TcpRoute& route : desired.tcp_routes) {
    if (!refused.contains(route.port)) continue;
    const Definition* definition = assembly.Find(route.service);
    if (definition == nullptr) continue;
    const std::string reason = "HAProxy cannot listen on port " + std::to_string(route.port) + ": " +
                               Printable(applier_.rejection(), 300);
    quarantine_[route.service] = {definition->parsed->hash, reason};
    found = true;
    ++counters_.quarantines;
    LogEvent(LogLevel::kError, "SERVICE_QUARANTINED",
             "HAProxy refuses the configuration made of this service; the others go on",
             {{"service", route.service.str()}, {"error", reason}});
  }
  return found;
}

}  // namespace swarmgate::engine
