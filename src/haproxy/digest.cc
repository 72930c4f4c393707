#include "haproxy/digest.h"

#include <openssl/evp.h>

#include <array>

#include "swarmgate/base/check.h"

namespace swarmgate::haproxy {

std::string Sha256Hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const int done =
      EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  SWARMGATE_CHECK(done == 1 && size == 32);
  std::string hex;
  hex.reserve(std::size_t{2} * size);
  for (unsigned int i = 0; i < size; ++i) {
    hex += kDigits[digest[i] >> 4U];
    hex += kDigits[digest[i] & 15U];
  }
  return hex;
}

}  // namespace swarmgate::haproxy
