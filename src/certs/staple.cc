#include "certs/staple.h"

#include <openssl/ocsp.h>

#include <algorithm>

namespace swarmgate::certs {
namespace {

struct FreeOcsp {
  void operator()(OCSP_RESPONSE* response) const { OCSP_RESPONSE_free(response); }
  void operator()(OCSP_BASICRESP* response) const { OCSP_BASICRESP_free(response); }
  void operator()(OCSP_CERTID* id) const { OCSP_CERTID_free(id); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};
template <typename T>
using OwnedOcsp = std::unique_ptr<T, FreeOcsp>;

tl::unexpected<Error> Bad(std::string message) {
  ERR_clear_error();
  return Fail(Code::kInvalidArgument, std::move(message));
}

/// Signed by the issuer, or by whom it has entrusted with that.
bool IsSignedFor(OCSP_BASICRESP* response, X509* issuer) {
  const OwnedOcsp<X509_STORE> trusted(X509_STORE_new());
  if (!trusted || X509_STORE_add_cert(trusted.get(), issuer) != 1 ||
      X509_STORE_set_flags(trusted.get(), X509_V_FLAG_PARTIAL_CHAIN) != 1) {
    return false;
  }
  STACK_OF(X509)* untrusted = sk_X509_new_null();
  const bool good = untrusted != nullptr && sk_X509_push(untrusted, issuer) > 0 &&
                    OCSP_basic_verify(response, untrusted, trusted.get(), 0) == 1;
  sk_X509_free(untrusted);
  return good;
}

}  // namespace

Result<StapleTime> CheckStaple(std::string_view der, const std::vector<Owned<X509>>& chain) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const OwnedOcsp<OCSP_RESPONSE> response(
      d2i_OCSP_RESPONSE(nullptr, &bytes, static_cast<long>(der.size())));
  if (!response) return Bad("it is no OCSP response in DER");
  if (OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return Bad("it is an answer of failure");
  }
  const OwnedOcsp<OCSP_BASICRESP> basic(OCSP_response_get1_basic(response.get()));
  if (!basic) return Bad("it is of another kind than basic");
  X509* leaf = chain.front().get();
  const auto issuer = std::find_if(chain.begin(), chain.end(), [leaf](const Owned<X509>& other) {
    return X509_check_issued(other.get(), leaf) == X509_V_OK;
  });
  if (issuer == chain.end()) return Bad("the chain does not hold the certificate's issuer");
  if (OCSP_resp_count(basic.get()) != 1) return Bad("it speaks of several certificates");
  OCSP_SINGLERESP* single = OCSP_resp_get0(basic.get(), 0);
  const OwnedOcsp<OCSP_CERTID> id(OCSP_cert_to_id(nullptr, leaf, issuer->get()));
  if (!id || OCSP_id_cmp(id.get(), OCSP_SINGLERESP_get0_id(single)) != 0) {
    return Bad("it is for another certificate (or names it by another hash than SHA-1)");
  }
  ASN1_GENERALIZEDTIME* since = nullptr;
  ASN1_GENERALIZEDTIME* until = nullptr;
  const int status = OCSP_single_get0_status(single, nullptr, nullptr, &since, &until);
  if (status != V_OCSP_CERTSTATUS_GOOD && status != V_OCSP_CERTSTATUS_REVOKED) {
    return Bad("it says that the certificate is not known");
  }
  if (since == nullptr || until == nullptr) return Bad("it does not say when it holds");
  if (!IsSignedFor(basic.get(), issuer->get())) {
    return Bad("it is not signed for the certificate's issuer");
  }
  ERR_clear_error();
  const Result<std::int64_t> first = SecondsOf(since);
  if (!first) return Forward(first.error());
  const Result<std::int64_t> last = SecondsOf(until);
  if (!last) return Forward(last.error());
  return StapleTime{*first, *last};
}

}  // namespace swarmgate::certs
