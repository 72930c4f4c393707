#include "swarmgate/certs/seal.h"

#include <gtest/gtest.h>

namespace swarmgate::certs {
namespace {

TEST(SealTest, OpensWithItsKeyAndContextOnly) {
  const SealKey key = *MakeSealKey("correct horse battery staple");
  const auto sealed = Seal("a secret", "cert:a", key);
  ASSERT_TRUE(sealed);
  EXPECT_TRUE(IsSealed(*sealed));
  EXPECT_EQ(sealed->find("secret"), std::string::npos);
  EXPECT_NE(*sealed, *Seal("a secret", "cert:a", key));  // a nonce of its own
  EXPECT_EQ(*Unseal(*sealed, "cert:a", key), "a secret");
  EXPECT_EQ(Unseal(*sealed, "cert:b", key).error().code, Code::kRejected);
  EXPECT_EQ(Unseal(*sealed, "cert:a", *MakeSealKey(std::string(64, 'a'))).error().code,
            Code::kRejected);
  std::string changed = *sealed;
  changed.back() = changed.back() == '0' ? '1' : '0';
  EXPECT_EQ(Unseal(changed, "cert:a", key).error().code, Code::kRejected);
  EXPECT_EQ(Unseal("aes256gcm:zz", "cert:a", key).error().code, Code::kCorrupt);
  EXPECT_EQ(Unseal("-----BEGIN", "cert:a", key).error().code, Code::kCorrupt);
}

TEST(SealTest, AShortKeyIsRefused) {
  EXPECT_FALSE(MakeSealKey("short"));
  EXPECT_TRUE(MakeSealKey(std::string(64, '0')));
}

}  // namespace
}  // namespace swarmgate::certs
