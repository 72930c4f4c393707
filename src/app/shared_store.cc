#include "app/shared_store.h"

#include "app/sealed_store.h"

namespace swarmgate::app {
namespace {

using ports::Changes;
using ports::StoredRecords;

class SealedSharedStore final : public ports::SharedStore {
 public:
  SealedSharedStore(ports::SharedStore& store, const certs::SealKey& key)
      : store_(store), key_(key) {}

  Result<StoredRecords> Load() override {
    auto stored = store_.Load();
    if (stored) {
      for (model::Record& record : stored->records) UnsealRecord(record, key_);
    }
    return stored;
  }
  Result<std::uint64_t> Put(const model::Record& record, std::uint64_t expected) override {
    const auto sealed = SealRecord(record, key_);
    if (!sealed) return Forward(sealed.error());
    return store_.Put(*sealed, expected);
  }
  Result<std::uint64_t> DeleteAt(const model::ServiceName& service, std::uint64_t expected,
                                 std::int64_t made_unix_ms) override {
    return store_.DeleteAt(service, expected, made_unix_ms);
  }
  Result<ports::SharedRecord> Get(const model::ServiceName& service) override {
    auto held = store_.Get(service);
    if (held && held->record) UnsealRecord(*held->record, key_);
    return held;
  }
  Result<Changes> Watch(const ports::SharedPosition& after, Duration wait) override {
    auto changes = store_.Watch(after, wait);
    if (changes) {
      for (model::Record& record : changes->upserts) UnsealRecord(record, key_);
    }
    return changes;
  }
  Result<std::vector<ports::Replica>> Announce(const ports::Replica& self) override {
    return store_.Announce(self);
  }
  Status Withdraw() override { return store_.Withdraw(); }
  void Cancel() override { store_.Cancel(); }

 private:
  ports::SharedStore& store_;
  certs::SealKey key_;
};

}  // namespace

std::unique_ptr<ports::SharedStore> SealShared(ports::SharedStore& store,
                                               const certs::SealKey& key) {
  return std::make_unique<SealedSharedStore>(store, key);
}

consul::ConsulOptions ConsulOptionsOf(const Options& options) {
  consul::ConsulOptions consul;
  consul.servers = options.consul_servers;
  consul.prefix = options.instance_name;
  consul.token = options.consul_token;
  consul.ca_file = options.consul_ca_file;
  consul.cert_file = options.consul_cert_file;
  consul.key_file = options.consul_key_file;
  consul.verify_peer = options.consul_verify;
  return consul;
}

}  // namespace swarmgate::app
