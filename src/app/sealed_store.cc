#include "app/sealed_store.h"

#include "swarmgate/base/strings.h"

namespace swarmgate::app {
namespace {

bool IsSecret(const std::string& parameter) {
  return parameter == model::kPemParameter || ToLower(parameter) == "servicecert";
}

}  // namespace

Result<model::Record> SealRecord(const model::Record& record, const certs::SealKey& key) {
  model::Record sealed = record;
  for (auto& [name, value] : sealed.parameters) {
    if (!IsSecret(name) || certs::IsSealed(value)) continue;
    auto text = certs::Seal(value, record.service.str(), key);
    if (!text) return Forward(text.error());
    value = std::move(*text);
  }
  return sealed;
}

void UnsealRecord(model::Record& record, const certs::SealKey& key) {
  for (auto& [name, value] : record.parameters) {
    if (!IsSecret(name) || !certs::IsSealed(value)) continue;
    auto plain = certs::Unseal(value, record.service.str(), key);
    if (plain) value = std::move(*plain);
  }
}

Result<ports::StoredRecords> SealedStore::Load() {
  auto stored = store_.Load();
  if (!stored) return stored;
  for (model::Record& record : stored->records) UnsealRecord(record, key_);
  return stored;
}

Result<std::uint64_t> SealedStore::Put(const model::Record& record, std::uint64_t expected) {
  const auto sealed = SealRecord(record, key_);
  if (!sealed) return Forward(sealed.error());
  return store_.Put(*sealed, expected);
}

Result<std::uint64_t> SealedStore::SaveShared(const ports::SharedDelta& delta) {
  ports::SharedDelta sealed = delta;
  for (model::Record& record : sealed.upserts) {
    auto one = SealRecord(record, key_);
    if (!one) return Forward(one.error());
    record = std::move(*one);
  }
  return store_.SaveShared(sealed);
}

}  // namespace swarmgate::app
