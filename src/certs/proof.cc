#include "swarmgate/certs/proof.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>

#include "certs/openssl.h"

namespace swarmgate::certs {
std::string Proof(std::string_view secret, const std::vector<std::string_view>& parts) {
  std::string message;
  for (const std::string_view part : parts) {
    message += std::to_string(part.size()) + ":";
    message += part;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(),
           &size) == nullptr) {
    return {};  // equal to nothing
  }
  return ToHex({reinterpret_cast<const char*>(digest.data()), size});
}

bool SameProof(std::string_view left, std::string_view right) {
  return !left.empty() && left.size() == right.size() &&
         CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string MakeNonce() {
  std::string bytes(16, '\0');
  auto* data = reinterpret_cast<unsigned char*>(bytes.data());
  return RAND_bytes(data, static_cast<int>(bytes.size())) == 1 ? ToHex(bytes) : std::string();
}

}  // namespace swarmgate::certs
