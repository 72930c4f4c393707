#include "swarmgate/certs/seal.h"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <optional>

#include "certs/openssl.h"

namespace swarmgate::certs {
namespace {

constexpr std::string_view kPrefix = "aes256gcm:";
constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;

int Size(std::string_view text) { return static_cast<int>(text.size()); }
const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> FromHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = Digit(text[i]);
    const int low = Digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

}  // namespace

Result<SealKey> MakeSealKey(std::string_view text) {
  SealKey key{};
  const auto hex = FromHex(text);
  if (hex && hex->size() == key.size()) {
    std::copy(hex->begin(), hex->end(), key.begin());
    return key;
  }
  if (text.size() < 16) {
    return Fail(Code::kInvalidArgument,
                "too short: write 64 hex digits (openssl rand -hex 32), or at least 16 characters");
  }
  (void)SHA256(Bytes(text), text.size(), key.data());
  return key;
}

Result<std::string> Seal(std::string_view plain, std::string_view context, const SealKey& key) {
  std::string nonce(kNonce, '\0');
  std::string tag(kTag, '\0');
  std::string text(plain.size(), '\0');
  const Owned<EVP_CIPHER_CTX> cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  int rest = 0;
  const bool good =
      cipher && RAND_bytes(Bytes(nonce), static_cast<int>(kNonce)) == 1 &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), Bytes(nonce)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &size, Bytes(context), Size(context)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), Bytes(text), &size, Bytes(plain), Size(plain)) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), Bytes(text) + size, &rest) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTag), tag.data()) ==
          1;
  if (!good) return Fail(Code::kInternal, "encrypting failed: " + TakeReason());
  return std::string(kPrefix) + ToHex(nonce + tag + text);
}

bool IsSealed(std::string_view text) { return text.substr(0, kPrefix.size()) == kPrefix; }

Result<std::string> Unseal(std::string_view sealed, std::string_view context, const SealKey& key) {
  auto bytes = IsSealed(sealed) ? FromHex(sealed.substr(kPrefix.size())) : std::nullopt;
  if (!bytes || bytes->size() < kNonce + kTag) {
    return Fail(Code::kCorrupt, "not an encrypted text");
  }
  std::string nonce = bytes->substr(0, kNonce);
  std::string tag = bytes->substr(kNonce, kTag);
  const std::string text = bytes->substr(kNonce + kTag);
  std::string plain(text.size(), '\0');
  const Owned<EVP_CIPHER_CTX> cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  int rest = 0;
  const bool good =
      cipher &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), Bytes(nonce)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &size, Bytes(context), Size(context)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), Bytes(plain), &size, Bytes(std::string_view(text)),
                        Size(text)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(kTag), tag.data()) ==
          1 &&
      EVP_DecryptFinal_ex(cipher.get(), Bytes(plain) + size, &rest) == 1;
  if (!good) {
    ERR_clear_error();
    return Fail(Code::kRejected, "it was encrypted with another key, or changed");
  }
  return plain;
}

}  // namespace swarmgate::certs
