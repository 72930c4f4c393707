#include "app/sealed_store.h"

#include "swarmgate/base/strings.h"

namespace swarmgate::app {
namespace {

bool IsSecret(const std::string& parameter) {
  return parameter == model::kPemParameter || ToLower(parameter) == "servicecert";
}

}  // namespace

Result<ports::StoredRecords> SealedStore::Load() {
  auto stored = store_.Load();
  if (!stored) return stored;
  for (model::Record& record : stored->records) {
    for (auto& [name, value] : record.parameters) {
      if (!IsSecret(name) || !certs::IsSealed(value)) continue;
      auto plain = certs::Unseal(value, record.service.str(), key_);
      if (plain) value = std::move(*plain);
    }
  }
  return stored;
}

Result<std::uint64_t> SealedStore::Put(const model::Record& record, std::uint64_t expected) {
  model::Record sealed = record;
  for (auto& [name, value] : sealed.parameters) {
    if (!IsSecret(name) || certs::IsSealed(value)) continue;
    auto text = certs::Seal(value, record.service.str(), key_);
    if (!text) return Forward(text.error());
    value = std::move(*text);
  }
  return store_.Put(sealed, expected);
}

}  // namespace swarmgate::app
