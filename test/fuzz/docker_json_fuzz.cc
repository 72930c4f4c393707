// Any bytes as an answer of a Docker daemon. What is taken for a fact must be clean.
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "swarmgate/codec/docker_json.h"

namespace {

using namespace swarmgate::codec;  // NOLINT(google-build-using-namespace)

void Require(bool condition) {
  if (!condition) std::abort();
}

void CheckTask(const swarmgate::model::TaskFacts& task) {
  for (const char c : task.id.str()) Require(std::isalnum(static_cast<unsigned char>(c)) != 0);
  for (const char c : task.message.str()) Require(static_cast<unsigned char>(c) >= ' ');
  for (const auto& [network, address] : task.addresses) {
    Require(AddressWithoutPrefix(address) == address);
  }
  for (const auto& port : task.published) Require(port.target != 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char c : DecodeMessage(text)) Require(static_cast<unsigned char>(c) >= ' ');
  const auto json = JsonValue::Parse(text);
  if (!json) return 0;
  if (const auto task = DecodeTask(*json); task) CheckTask(task->facts);
  if (const auto container = DecodeContainer(*json); container) CheckTask(container->facts);
  if (const auto service = DecodeService(*json, "com.df."); service) {
    Require(!service->facts.id.empty() && !service->facts.name.empty());
    Require(service->facts.created_unix_ns >= 0);
  }
  if (const auto node = DecodeNode(*json, "com.df."); node && !node->address.empty()) {
    Require(AddressWithoutPrefix(node->address) == node->address);
  }
  if (const auto network = DecodeNetworkContainers(*json); network) {
    for (const auto& [id, address] : network->addresses) Require(id.size() == 64);
  }
  (void)DecodeContainerDetails(*json).has_value();
  (void)DecodeImagePorts(*json).has_value();
  (void)DecodeNetwork(*json).has_value();
  (void)DecodeInfo(*json).has_value();
  (void)DecodeVersion(*json).has_value();
  return 0;
}
