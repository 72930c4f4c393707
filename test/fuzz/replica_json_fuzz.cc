// Any bytes as what another replica says. What is taken must be written again and taken as the
// same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "swarmgate/codec/facts_json.h"
#include "swarmgate/codec/replica_json.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace codec = swarmgate::codec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto identity = codec::DecodeIdentity(text); identity) {
    const auto again = codec::DecodeIdentity(codec::EncodeIdentity(*identity));
    Require(again.has_value() && *again == *identity);
  }
  if (const auto list = codec::DecodeDocuments(text); list) {
    const auto again = codec::DecodeDocuments(codec::EncodeDocuments(*list));
    Require(again.has_value() && again->documents == list->documents);
  }
  (void)codec::DecodeFacts(text);
  return 0;
}
