#include "app/lint_report.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "app/table.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/certs/certificate.h"
#include "swarmgate/codec/admin_json.h"
#include "swarmgate/codec/json.h"
#include "swarmgate/labels/parse.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::app {
namespace {

using model::Diagnostic;
using model::Severity;

/// One healthy task on every network of the service: what a file says is judged, not what runs.
model::ServiceFacts FactsOf(const LintService& service, std::int64_t order) {
  model::ServiceFacts facts;
  facts.kind = service.kind;
  facts.id = service.name;
  facts.name = service.name;
  facts.created_unix_ns = order;
  facts.labels = service.labels;
  facts.network_ids = service.networks;
  facts.exposed_tcp_ports = service.ports;
  model::TaskFacts task;
  task.id = "lint-" + service.name;
  task.state = "running";
  task.running = true;
  for (const std::string& network : service.networks) {
    (void)task.addresses.emplace(network, "192.0.2.1");
  }
  facts.tasks = {task};
  return facts;
}

/// Where the proxy runs is not in the file. What depends on it is a note, and the rest is judged as
/// if the proxy reached the service.
void AssumeReachable(const model::ServiceSpec& spec, LintService& input,
                     std::vector<Diagnostic>& notes) {
  const auto note = [&](const std::string& message, const std::string& hint) {
    notes.push_back({Severity::kInfo, "reachability", spec.name, "", "", message, hint});
  };
  if (input.networks.empty()) {
    note("it is on no network of its own, and lint does not know where the proxy runs",
         "A proxy in a container needs a network in common with it; one on the host reaches ports "
         "that are published with mode=host");
    input.networks.emplace_back("(any)");
  }
  const std::string& wanted = spec.network;
  if (input.networks_by_id && !wanted.empty() &&
      std::find(input.networks.begin(), input.networks.end(), wanted) == input.networks.end()) {
    note("docker inspect tells ids of networks only, so that the service is on " +
             Printable(wanted, 130) + " is not checked",
         "");
    input.networks.push_back(wanted);
  }
}

/// A stack's networks get its name in front; a label names them so. The stack's name is not in the
/// file.
void AdoptNetworkName(LintService& service, const std::string& wanted) {
  for (std::string& network : service.networks) {
    const std::string end = "_" + network;
    if (wanted.size() > end.size() &&
        wanted.compare(wanted.size() - end.size(), end.size(), end) == 0) {
      network = wanted;
    }
  }
}

void JudgeCertificate(const model::ServiceSpec& spec, std::vector<Diagnostic>& diagnostics) {
  if (spec.certificate.empty()) return;
  const auto parsed = certs::Parse(
      {model::CertificateSource::kService, spec.name.str(), "serviceCert", spec.certificate, ""});
  if (parsed) return;
  diagnostics.push_back(certs::RefusedServiceCert(spec.name, parsed.error().ToString(), false));
}

class Linter {
 public:
  explicit Linter(const LintOptions& options) : options_(options) {
    parse_.label_prefix = options.prefix;
    parse_.allow_raw = options.allow_raw;
    parse_.users.elsewhere = true;
  }

  LintReport Run(std::vector<LintService> services) {
    for (LintService& service : services) Add(std::move(service));
    const routing::Built built = routing::Build(routing::MakeInputs(inputs_), Context());
    for (const Diagnostic& diagnostic : routing::AllDiagnostics(built)) {
      if (LintedService* service = Find(diagnostic.service.str())) {
        service->diagnostics.push_back(diagnostic);
      }
    }
    AddRoutes(built.desired);
    for (LintedService& service : report_.services) {
      std::sort(service.diagnostics.begin(), service.diagnostics.end());
      for (const Diagnostic& diagnostic : service.diagnostics) {
        if (diagnostic.severity == Severity::kError) ++report_.errors;
        if (diagnostic.severity == Severity::kWarning) ++report_.warnings;
      }
      if (!service.routes.empty() || service.by_template) ++report_.routed;
    }
    return std::move(report_);
  }

 private:
  /// Whoever says no is believed; whoever says nothing has forgotten it, or mistyped it.
  [[nodiscard]] Diagnostic NotOptedIn(const model::ServiceName& name,
                                      const std::map<std::string, std::string>& labels,
                                      const std::map<std::string, std::string>& parameters) const {
    const std::string notify = parse_.label_prefix + "notify";
    const auto mistyped = labels::MistypedNotify(parameters);
    const bool forgotten =
        !labels.contains(notify) && (mistyped || labels::AskForDestination(parameters));
    Diagnostic diagnostic{forgotten ? Severity::kError : Severity::kWarning,
                          "not-opted-in",
                          name,
                          notify,
                          "",
                          "the service has routing labels, but is not opted in",
                          "Add " + notify + "=true"};
    if (forgotten && mistyped) {
      diagnostic.label = parse_.label_prefix + *mistyped;
      diagnostic.hint = "Did you mean " + notify + "?";
    }
    return diagnostic;
  }

  void Add(LintService input) {
    LintedService service;
    const model::ServiceName name(input.name);
    const auto notify = labels::ParseNotify(name, input.labels, parse_);
    const auto parameters = labels::ParametersFromLabels(input.labels, parse_);
    service.diagnostics = input.diagnostics;
    service.diagnostics.insert(service.diagnostics.end(), notify.diagnostics.begin(),
                               notify.diagnostics.end());
    service.opted_in = notify.enabled;
    if (!notify.enabled && !parameters.empty() && notify.diagnostics.empty()) {
      service.diagnostics.push_back(NotOptedIn(name, input.labels, parameters));
    }
    if (notify.enabled) {
      if (options_.allow_raw && options_.read_template) {
        parse_.templates = labels::ReadTemplates(parameters, options_.read_template);
      }
      auto parsed = labels::ParseParameters(name, parameters, parse_);
      service.diagnostics.insert(service.diagnostics.end(), parsed.diagnostics.begin(),
                                 parsed.diagnostics.end());
      service.by_template = parsed.spec && !parsed.spec->raw->empty();
      if (parsed.spec) JudgeCertificate(*parsed.spec, service.diagnostics);
      if (parsed.spec) AddInput(*std::move(parsed.spec), input, service.diagnostics);
    }
    service.input = std::move(input);
    report_.services.push_back(std::move(service));
  }

  void AddInput(model::ServiceSpec spec, LintService& input, std::vector<Diagnostic>& notes) {
    if (!used_.insert(spec.name.str()).second) return;
    AdoptNetworkName(input, spec.network);
    AssumeReachable(spec, input, notes);
    for (const model::DestSpec& dest : spec.dests) {
      if (dest.mode != model::ReqMode::kHttp) continue;
      if (dest.src_port) ports_.insert(*dest.src_port);
      if (dest.src_https_port) ports_.insert(*dest.src_https_port);
    }
    for (const std::string& network : input.networks) networks_.insert(network);
    routing::ServiceInput service;
    service.facts =
        Shared<model::ServiceFacts>(FactsOf(input, static_cast<std::int64_t>(inputs_.size()) + 1));
    service.created_unix_ns = service.facts->created_unix_ns;
    // Found again by the name that the labels gave it.
    names_[spec.name.str()] = report_.services.size();
    service.spec = std::move(spec);
    inputs_.push_back(std::move(service));
  }

  [[nodiscard]] routing::BuildContext Context() const {
    routing::BuildContext context;
    for (const std::string& name : networks_) {
      model::NetworkFacts network;
      network.id = name;
      network.name = name;
      network.driver = "overlay";
      context.networks.push_back(network);
      context.own_network_ids.push_back(name);
    }
    context.bound_ports.assign(ports_.begin(), ports_.end());
    context.tls = true;  // a file does not say which ports the proxy has
    return context;
  }

  LintedService* Find(const std::string& name) {
    const auto found = names_.find(name);
    return found == names_.end() ? nullptr : &report_.services[found->second];
  }

  void AddRoutes(const model::Desired& desired) {
    std::map<std::string, std::uint16_t> targets;
    for (const model::Backend& backend : desired.backends) {
      if (!backend.servers.empty()) targets[backend.name.str()] = backend.servers.front().port;
    }
    for (const model::Route& route : desired.routes) {
      LintedService* service = Find(route.service.str());
      if (service == nullptr) continue;
      const std::string host = codec::HostText(route.host);
      service->routes.push_back({host.empty() ? "*" : host, codec::PathText(route.path),
                                 route.port ? std::to_string(*route.port) : "",
                                 targets[route.backend.str()]});
    }
    for (const model::TcpRoute& route : desired.tcp_routes) {
      LintedService* service = Find(route.service.str());
      if (service == nullptr) continue;
      const bool any = route.name.kind == model::HostMatch::Kind::kAny;
      const bool begins = route.name.kind == model::HostMatch::Kind::kRegex;
      service->routes.push_back({any      ? "*"
                                 : begins ? route.name.text + "…"
                                          : codec::HostText(route.name),
                                 any ? "(tcp)" : "(sni)", std::to_string(route.port),
                                 targets[route.backend.str()]});
    }
  }

  const LintOptions& options_;
  labels::ParseOptions parse_;
  LintReport report_;
  std::vector<routing::ServiceInput> inputs_;
  std::set<std::string> used_;
  std::set<std::string> networks_;
  /// Of the proxy, as far as is known: those of DEFAULT_PORTS' default, and those of the file.
  std::set<std::uint16_t> ports_ = {80, 443};
  std::map<std::string, std::size_t> names_;
};

std::string Plural(std::size_t count, const char* word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

}  // namespace

LintReport Lint(std::vector<LintService> services, const LintOptions& options) {
  return Linter(options).Run(std::move(services));
}

std::string LintText(const LintReport& report) {
  std::string text;
  for (const LintedService& service : report.services) {
    text += Printable(service.input.name, 130) + " (" + service.input.labels_from + "): ";
    if (!service.opted_in) {
      text += "not routed, it does not opt in\n";
    } else if (service.by_template) {
      text += "routed as its template says\n";
    } else if (service.routes.empty()) {
      text += "NOT ROUTED\n";
    } else {
      text += "routed\n";
    }
    std::vector<std::vector<std::string>> rows;
    for (const LintedRoute& route : service.routes) {
      rows.push_back({"", route.host, route.path, route.port.empty() ? "any" : route.port,
                      route.to == 0 ? "?" : std::to_string(route.to)});
    }
    if (!rows.empty()) text += FormatTable({"", "HOST", "PATH", "ON PORT", "TO PORT"}, rows);
    for (const Diagnostic& diagnostic : service.diagnostics) {
      text += std::string("  ") + model::SeverityName(diagnostic.severity) + ": " +
              Printable(diagnostic.ToString(), 1000) + "\n";
    }
  }
  text += Plural(report.services.size(), "service") + ", " + std::to_string(report.routed) +
          " routed; " + Plural(report.errors, "error") + ", " + Plural(report.warnings, "warning") +
          "\n";
  return text;
}

std::string LintJson(const LintReport& report) {
  codec::JsonWriter json;
  json.BeginObject().Key("services").BeginArray();
  for (const LintedService& service : report.services) {
    json.BeginObject();
    json.Field("name", service.input.name);
    json.Field("labelsFrom", service.input.labels_from);
    json.Field("optedIn", service.opted_in);
    json.Field("byTemplate", service.by_template);
    json.Key("routes").BeginArray();
    for (const LintedRoute& route : service.routes) {
      json.BeginObject().Field("host", route.host).Field("path", route.path);
      json.Field("onPort", route.port).Field("toPort", static_cast<int>(route.to)).EndObject();
    }
    json.EndArray().Key("diagnostics");
    codec::WriteDiagnostics(json, service.diagnostics);
    json.EndObject();
  }
  json.EndArray();
  json.Field("routed", report.routed);
  json.Field("errors", report.errors);
  json.Field("warnings", report.warnings);
  json.EndObject();
  return std::move(json).Take();
}

}  // namespace swarmgate::app
