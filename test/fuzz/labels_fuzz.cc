// Any bytes as labels: "name=value" records divided by a zero byte, the first byte choosing the
// source. What is served must be clean, and diagnostics printable.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "swarmgate/labels/parse.h"

namespace {

using swarmgate::labels::ParsedService;

void Require(bool condition) {
  if (!condition) std::abort();
}

bool IsClean(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

void CheckSpec(const swarmgate::model::ServiceSpec& spec) {
  Require(swarmgate::labels::IsValidServiceName(spec.name.str()));
  Require(swarmgate::labels::IsValidServiceName(spec.acl_name));
  Require(IsClean(spec.network) && IsClean(spec.proxy_instance) && !spec.dests.empty());
  for (const auto& dest : spec.dests) {
    Require(!dest.paths.empty() && IsClean(dest.outbound_hostname));
    for (const auto& path : dest.paths) Require(!path.text.empty() && IsClean(path.text));
    for (const auto& path : dest.path_excludes) Require(!path.text.empty() && IsClean(path.text));
    for (const auto& host : dest.hosts) Require(IsClean(host.text));
    for (const auto& rewrite : dest.policy->path_rewrites) {
      Require(!rewrite.search.empty() && IsClean(rewrite.search) && IsClean(rewrite.replace));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  swarmgate::labels::ParseOptions options;
  if (!text.empty()) {
    options.source =
        static_cast<swarmgate::labels::Source>(static_cast<unsigned char>(text[0]) % 3U);
    text.remove_prefix(1);
  }
  std::map<std::string, std::string> parameters;
  while (!text.empty()) {
    const std::string_view record = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(text.size(), record.size() + 1));
    const std::size_t equals = std::min(record.find('='), record.size());
    parameters[std::string(record.substr(0, equals))] =
        record.substr(std::min(record.size(), equals + 1));
  }
  const ParsedService parsed =
      swarmgate::labels::ParseParameters(swarmgate::model::ServiceName("web"), parameters, options);
  if (parsed.spec) CheckSpec(*parsed.spec);
  bool error = parsed.other_instance;
  for (const auto& diagnostic : parsed.diagnostics) {
    error = error || diagnostic.severity == swarmgate::model::Severity::kError;
    for (const char c : diagnostic.ToString()) {
      Require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    }
  }
  Require(parsed.spec.has_value() || error);
  for (const auto& [name, value] : parameters) {
    (void)swarmgate::labels::ParameterFromEnvironment(name);
  }
  return 0;
}
