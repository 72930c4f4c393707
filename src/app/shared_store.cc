#include "app/shared_store.h"

#include <unistd.h>

#include <array>
#include <random>
#include <string>
#include <utility>

#include "app/sealed_store.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::app {
namespace {

using ports::Changes;
using ports::StoredRecords;

class SealedSharedStore final : public ports::SharedStore {
 public:
  SealedSharedStore(std::unique_ptr<ports::SharedStore> store, const certs::SealKey& key)
      : store_(std::move(store)), key_(key) {}

  Result<StoredRecords> Load() override {
    auto stored = store_->Load();
    if (stored) {
      for (model::Record& record : stored->records) UnsealRecord(record, key_);
    }
    return stored;
  }
  Result<std::uint64_t> Put(const model::Record& record, std::uint64_t expected) override {
    const auto sealed = SealRecord(record, key_);
    if (!sealed) return Forward(sealed.error());
    return store_->Put(*sealed, expected);
  }
  Result<std::uint64_t> DeleteAt(const model::ServiceName& service, std::uint64_t expected,
                                 std::int64_t made_unix_ms) override {
    return store_->DeleteAt(service, expected, made_unix_ms);
  }
  Result<ports::SharedRecord> Get(const model::ServiceName& service) override {
    auto held = store_->Get(service);
    if (held && held->record) UnsealRecord(*held->record, key_);
    return held;
  }
  Result<Changes> Watch(const ports::SharedPosition& after, Duration wait) override {
    auto changes = store_->Watch(after, wait);
    if (changes) {
      for (model::Record& record : changes->upserts) UnsealRecord(record, key_);
    }
    return changes;
  }
  Result<std::vector<ports::Replica>> Announce(const ports::Replica& self) override {
    return store_->Announce(self);
  }
  Status Withdraw() override { return store_->Withdraw(); }
  void Cancel() override { store_->Cancel(); }

 private:
  std::unique_ptr<ports::SharedStore> store_;
  certs::SealKey key_;
};

}  // namespace

std::unique_ptr<ports::SharedStore> SealShared(std::unique_ptr<ports::SharedStore> store,
                                               const certs::SealKey& key) {
  return std::make_unique<SealedSharedStore>(std::move(store), key);
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

std::unique_ptr<ports::SharedStore> MakeSharedStore(const Options& options,
                                                    const std::optional<certs::SealKey>& key) {
  if (options.consul_servers.empty()) return nullptr;
  auto store = consul::MakeStore(ConsulOptionsOf(options));
  return key ? SealShared(std::move(store), *key) : std::move(store);
}

ports::Replica SelfOf(const Options& options, WallTime now) {
  std::array<char, 256> host{};
  // Fails for longer names only, and leaves their beginning.
  (void)gethostname(host.data(), host.size() - 1);
  ports::Replica self;
  self.address = std::string(host.data()) + ":" + std::to_string(options.port);
  std::random_device random;
  const std::string noise = std::to_string(random()) + "." + std::to_string(random());
  self.id = std::string(host.data()) + "-" + HashHex(noise).substr(0, 8);
  self.started_unix_ms = std::chrono::duration_cast<Duration>(now.time_since_epoch()).count();
  self.version = SWARMGATE_VERSION;
  return self;
}

}  // namespace swarmgate::app
