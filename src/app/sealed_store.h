// A store whose private keys are encrypted at rest.
#pragma once

#include "swarmgate/certs/seal.h"
#include "swarmgate/ports/state_store.h"

namespace swarmgate::app {

/// The secrets of a record are encrypted, but for those that are already.
[[nodiscard]] Result<model::Record> SealRecord(const model::Record& record,
                                               const certs::SealKey& key);
/// What another key has sealed stays as it is.
void UnsealRecord(model::Record& record, const certs::SealKey& key);

/// Encrypts the PEM of certificates (and serviceCert) on the way into `store`, which outlives it,
/// and decrypts on the way out. What was stored without encryption is read as it is; what another
/// key encrypted is handed on encrypted, so that it is told and not lost.
class SealedStore final : public ports::StateStore {
 public:
  SealedStore(ports::StateStore& store, const certs::SealKey& key) : store_(store), key_(key) {}

  Result<ports::StoredRecords> Load() override;
  Result<std::uint64_t> Put(const model::Record& record, std::uint64_t expected) override;
  Result<std::uint64_t> Delete(const model::ServiceName& service, std::uint64_t expected) override {
    return store_.Delete(service, expected);
  }
  Status SaveApplied(const ports::AppliedDelta& delta) override {
    return store_.SaveApplied(delta);
  }
  Result<std::optional<ports::AppliedState>> LoadApplied() override { return store_.LoadApplied(); }
  Result<std::uint64_t> SaveShared(const ports::SharedDelta& delta) override;
  Result<ports::SharedState> LoadShared() override { return store_.LoadShared(); }

 private:
  ports::StateStore& store_;
  certs::SealKey key_;
};

}  // namespace swarmgate::app
