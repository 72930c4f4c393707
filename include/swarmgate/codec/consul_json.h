// The JSON of Consul's HTTP API, as far as it is spoken: entries of the key-value store and
// transactions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/error.h"

namespace swarmgate::codec {

struct ConsulEntry {
  std::string key;
  std::string value;  ///< decoded
  std::uint64_t modify_index = 0;
  friend bool operator==(const ConsulEntry&, const ConsulEntry&) = default;
};

/// One element of what GET /v1/kv answers with. Errors of all readers: kCorrupt.
[[nodiscard]] Result<ConsulEntry> DecodeConsulEntry(std::string_view text);

/// A write of a transaction; it holds only if the key has `index` (0: it must not exist).
struct ConsulWrite {
  std::string key;
  std::string value;
  std::uint64_t index = 0;
  bool remove = false;
};
/// The body of PUT /v1/txn.
[[nodiscard]] std::string EncodeConsulWrites(const std::vector<ConsulWrite>& writes);
/// Which writes came too late, of the answer 409: their places in the list. Errors: also kRejected,
/// with Consul's words, when one was refused for another reason (a permission).
[[nodiscard]] Result<std::vector<std::size_t>> DecodeConsulRefusals(std::string_view text);

/// Padded, of RFC 4648.
[[nodiscard]] std::string EncodeBase64(std::string_view bytes);
/// Errors: kCorrupt.
[[nodiscard]] Result<std::string> DecodeBase64(std::string_view text);

}  // namespace swarmgate::codec
