#include "app/lint_input.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <string_view>

#include "app/yaml.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::app {
namespace {

using codec::JsonValue;
using model::Diagnostic;
using model::Severity;
using Labels = std::map<std::string, std::string>;

bool IsNameByte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

Diagnostic Note(Severity severity, std::string code, const std::string& service, std::string label,
                std::string message, std::string hint) {
  return {severity,           std::move(code), model::ServiceName(service), std::move(label), "",
          std::move(message), std::move(hint)};
}

/// Labels as a map or as a list of "name=value".
Labels ReadLabels(const JsonValue& node) {
  Labels labels;
  for (const auto& [name, value] : node.members()) {
    std::string text = value.StringOr();
    if (const auto number = value.AsInt64()) text = std::to_string(*number);
    if (const auto flag = value.AsBool()) text = *flag ? "true" : "false";
    labels[name] = text;
  }
  for (const JsonValue& item : node.items()) {
    const std::string text = item.StringOr();
    const auto equals = text.find('=');
    if (!text.empty()) {
      labels[text.substr(0, equals)] = equals == std::string::npos ? "" : text.substr(equals + 1);
    }
  }
  return labels;
}

/// Those that stand more than once in a list of "name=value".
std::set<std::string> RepeatedLabels(const JsonValue& node) {
  std::set<std::string> seen;
  std::set<std::string> repeated;
  for (const JsonValue& item : node.items()) {
    const std::string text = item.StringOr();
    const std::string name = text.substr(0, text.find('='));
    if (!name.empty() && !seen.insert(name).second) repeated.insert(name);
  }
  return repeated;
}

bool HasRoutingLabel(const Labels& labels, const std::string& prefix) {
  return std::any_of(labels.begin(), labels.end(),
                     [&](const auto& label) { return label.first.rfind(prefix, 0) == 0; });
}

/// A port as text: JSON of `docker compose config` has numbers where files have either.
std::string PortText(const JsonValue& node) {
  const auto number = node.AsUint64();
  return number ? std::to_string(*number) : node.StringOr();
}

void AddPort(std::string_view text, std::vector<std::uint16_t>& ports) {
  if (text.size() > 4 && text.substr(text.size() - 4) == "/udp") return;
  text = text.substr(0, text.find('/'));
  if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    text.remove_prefix(colon + 1);
  }
  const auto port = ParseUint(text, 65535);
  if (port && *port != 0) ports.push_back(static_cast<std::uint16_t>(*port));
}

void SortUnique(std::vector<std::uint16_t>& ports) {
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
}

// --- stack and compose files -----------------------------------------------------------

class ComposeReader {
 public:
  ComposeReader(const JsonValue& file, const std::string& prefix, const Labels& environment)
      : file_(file), prefix_(prefix), environment_(environment) {}

  Result<std::vector<LintService>> Read() {
    std::vector<LintService> services;
    for (const auto& [name, node] : file_["services"].members()) {
      if (!node.is_object()) {
        return Fail(Code::kInvalidArgument,
                    "service '" + Printable(name, 80) + "' has no settings");
      }
      services.push_back(ReadService(name, node));
    }
    return services;
  }

 private:
  LintService ReadService(const std::string& name, const JsonValue& node) {
    LintService service;
    service.name = name;
    const Labels deploy = Replaced(ReadLabels(node["deploy"]["labels"]), service);
    const Labels container = Replaced(ReadLabels(node["labels"]), service);
    const bool in_deploy = HasRoutingLabel(deploy, prefix_);
    const bool in_container = HasRoutingLabel(container, prefix_);
    const bool stack = in_deploy || (!in_container && node["deploy"].is_object());
    service.kind = stack ? model::ServiceKind::kSwarm : model::ServiceKind::kCompose;
    service.labels_from = stack ? "deploy.labels" : "labels";
    service.labels = stack ? deploy : container;
    if (in_deploy && in_container) {
      service.diagnostics.push_back(Note(
          Severity::kWarning, "labels-at-both-levels", name, "labels",
          "routing labels stand under labels and under deploy.labels: docker stack deploy uses "
          "those under deploy.labels, docker compose those under labels",
          "keep those under deploy.labels for a Swarm, those under labels for compose"));
    } else if (in_container && node["deploy"].is_object()) {
      service.diagnostics.push_back(
          Note(Severity::kWarning, "labels-of-the-container", name, "labels",
               "these labels work with docker compose only: docker stack deploy gives them to the "
               "containers, and a Swarm service is routed by its own labels",
               "move them under deploy.labels if this file is a stack"));
    }
    NoteRepeated(stack ? node["deploy"]["labels"] : node["labels"], service);
    ReadPorts(node, service);
    ReadNetworks(node, service);
    return service;
  }

  void NoteRepeated(const JsonValue& labels, LintService& service) const {
    for (const std::string& label : RepeatedLabels(labels)) {
      if (label.rfind(prefix_, 0) != 0) continue;
      service.diagnostics.push_back(
          Note(Severity::kWarning, "label-given-twice", service.name, label,
               "stands more than once in this list: the last one counts, and where two are the "
               "same Docker may refuse the file",
               "keep one of them"));
    }
  }

  Labels Replaced(const Labels& labels, LintService& service) const {
    Labels replaced;
    for (const auto& [name, value] : labels) {
      if (name.rfind(prefix_, 0) != 0) continue;
      std::vector<std::string> unset;
      const auto text = Interpolate(value, environment_, unset);
      if (!text) {
        service.diagnostics.push_back(Note(Severity::kError, "bad-variable", service.name, name,
                                           text.error().message, "write $$ for a dollar sign"));
        continue;
      }
      for (const std::string& variable : unset) {
        service.diagnostics.push_back(
            Note(Severity::kWarning, "unset-variable", service.name, name,
                 "the variable " + variable + " is not set here and counts as empty",
                 "set it, or write ${" + variable + ":-default}"));
      }
      replaced[name] = *text;
    }
    return replaced;
  }

  static void ReadPorts(const JsonValue& node, LintService& service) {
    for (const JsonValue& port : node["expose"].items()) AddPort(PortText(port), service.ports);
    for (const JsonValue& port : node["ports"].items()) {
      if (port.is_object()) {
        AddPort(PortText(port["target"]) + "/" + port["protocol"].StringOr("tcp"), service.ports);
      } else {
        AddPort(PortText(port), service.ports);
      }
    }
    SortUnique(service.ports);
  }

  void ReadNetworks(const JsonValue& node, LintService& service) const {
    std::vector<std::string> keys;
    for (const JsonValue& item : node["networks"].items()) {
      if (const std::string key = item.StringOr(); !key.empty()) keys.push_back(key);
    }
    for (const auto& [key, settings] : node["networks"].members()) keys.push_back(key);
    if (keys.empty()) keys.emplace_back("default");
    for (const std::string& key : keys) {
      const std::string real = file_["networks"][key]["name"].StringOr();
      service.networks.push_back(real.empty() ? key : real);
    }
  }

  const JsonValue& file_;
  const std::string& prefix_;
  const Labels& environment_;
};

// --- docker inspect ---------------------------------------------------------------------

LintService ReadSwarmService(const JsonValue& node, const std::string& prefix) {
  LintService service;
  const JsonValue& spec = node["Spec"];
  service.name = spec["Name"].StringOr();
  service.labels_from = "service labels";
  service.labels = ReadLabels(spec["Labels"]);
  const Labels container = ReadLabels(spec["TaskTemplate"]["ContainerSpec"]["Labels"]);
  if (HasRoutingLabel(container, prefix)) {
    service.diagnostics.push_back(Note(
        Severity::kWarning, "labels-of-the-container", service.name, "",
        "routing labels of the containers (--container-label) have no effect on a Swarm service",
        "use docker service create --label, or deploy.labels in a stack file"));
  }
  for (const JsonValue& port : spec["EndpointSpec"]["Ports"].items()) {
    AddPort(std::to_string(port["TargetPort"].AsUint64().value_or(0)) + "/" +
                port["Protocol"].StringOr("tcp"),
            service.ports);
  }
  SortUnique(service.ports);
  for (const JsonValue& network : spec["TaskTemplate"]["Networks"].items()) {
    service.networks.push_back(network["Target"].StringOr());
  }
  service.networks_by_id = true;
  return service;
}

LintService ReadContainer(const JsonValue& node, const std::string& prefix) {
  LintService service;
  service.kind = model::ServiceKind::kContainer;
  service.labels_from = "container labels";
  service.name = node["Name"].StringOr();
  if (!service.name.empty() && service.name.front() == '/') service.name.erase(0, 1);
  service.labels = ReadLabels(node["Config"]["Labels"]);
  const auto swarm = service.labels.find("com.docker.swarm.service.name");
  if (swarm != service.labels.end()) {
    if (HasRoutingLabel(service.labels, prefix)) {
      service.diagnostics.push_back(
          Note(Severity::kWarning, "labels-of-the-container", service.name, "",
               "this is a task of the Swarm service " + Printable(swarm->second, 130) +
                   ": labels of its container have no effect",
               "look at docker service inspect " + Printable(swarm->second, 130)));
    }
    service.labels.clear();
  }
  for (const auto& [port, settings] : node["Config"]["ExposedPorts"].members()) {
    AddPort(port, service.ports);
  }
  SortUnique(service.ports);
  for (const auto& [name, settings] : node["NetworkSettings"]["Networks"].members()) {
    service.networks.push_back(name);
  }
  return service;
}

Result<std::vector<LintService>> ReadInspect(const JsonValue& file, const std::string& prefix) {
  std::vector<JsonValue> single;
  if (file.is_object()) single.push_back(file);
  std::vector<LintService> services;
  for (const JsonValue& node : file.is_object() ? single : file.items()) {
    if (node["Spec"]["TaskTemplate"].is_object()) {
      services.push_back(ReadSwarmService(node, prefix));
    } else if (node["Config"].is_object() && node["Name"].is_string()) {
      services.push_back(ReadContainer(node, prefix));
    } else {
      return Fail(Code::kInvalidArgument,
                  "an object in it is neither a container nor a Swarm service");
    }
  }
  return services;
}

}  // namespace

Result<std::string> Interpolate(const std::string& text, const Labels& environment,
                                std::vector<std::string>& unset) {
  std::string result;
  const auto value_of = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$') {
      result.push_back(text[i]);
      continue;
    }
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == '$') {
      result.push_back('$');
      ++i;
      continue;
    }
    const bool braces = next == '{';
    std::size_t end = i + (braces ? 2 : 1);
    const std::size_t begin = end;
    while (end < text.size() && IsNameByte(text[end])) ++end;
    const std::string name = text.substr(begin, end - begin);
    const auto close = braces ? text.find('}', end) : end;
    if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0 ||
        close == std::string::npos) {
      return Fail(Code::kInvalidArgument, "a dollar sign begins a variable, and there is none");
    }
    std::optional<std::string> value = value_of(name);
    if (braces) {
      const std::string rest = text.substr(end, close - end);
      const bool or_empty = rest.rfind(":-", 0) == 0;
      if (or_empty || rest.rfind('-', 0) == 0) {
        if (!value || (or_empty && value->empty())) value = rest.substr(or_empty ? 2 : 1);
      }
    }
    if (!value) unset.push_back(name);
    result += value.value_or("");
    i = braces ? close : end - 1;
  }
  return result;
}

Result<std::vector<LintService>> ReadLintInput(const std::string& text, const std::string& prefix,
                                               const Labels& environment) {
  const std::string_view trimmed = Trim(text);
  if (trimmed.empty()) return Fail(Code::kInvalidArgument, "the file is empty");
  const bool json = trimmed.front() == '{' || trimmed.front() == '[';
  const auto file = json ? JsonValue::Parse(text, {4U << 20U, 64}) : ParseYaml(text);
  if (!file) return Forward(file.error());
  if (file->is_object() && (*file)["services"].is_object()) {
    return ComposeReader(*file, prefix, environment).Read();
  }
  if (json) return ReadInspect(*file, prefix);
  return Fail(Code::kInvalidArgument,
              "neither a stack or compose file (it has no services:) nor the output of docker "
              "inspect");
}

}  // namespace swarmgate::app
