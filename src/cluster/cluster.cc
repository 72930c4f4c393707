#include "swarmgate/cluster/cluster.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

#include "cluster/credentials.h"
#include "cluster/directory.h"
#include "cluster/facts_feed.h"
#include "cluster/fan_out.h"
#include "cluster/peer_docker.h"
#include "cluster/peer_store.h"
#include "swarmgate/codec/replica_json.h"

namespace swarmgate::cluster {
namespace {

// A question that waits holds a thread of the API, and would hold up our end.
constexpr Duration kLongestWait{2000};
constexpr const char* kProxyRole = "proxy";

SteadyTime Now() { return std::chrono::steady_clock::now(); }

PeerStoreOptions StoreOptionsOf(const ClusterOptions& options) {
  PeerStoreOptions store;
  store.poll = options.poll;
  store.stranger = 5 * options.poll;
  store.deadline = options.deadline;
  store.catch_up = options.catch_up;
  return store;
}

}  // namespace

class Cluster::Impl {
 public:
  Impl(ClusterOptions options, const std::vector<ports::Peers*>& sources, ports::PeerLog* log,
       const Clock& clock)
      : options_(std::move(options)),
        credentials_(options_.self.token, options_.self.run),
        directory_(sources, options_.find_every),
        feed_(options_.self.run) {
    if (log != nullptr) {
      store_.emplace(StoreOptionsOf(options_), options_.self, directory_, *log, clock);
    }
  }

  void OnFollower(std::function<void()> told) { feed_.OnFollower(std::move(told)); }
  void Start() {
    directory_.Start();
    if (store_) store_->Start();
  }
  void Stop() {
    feed_.Stop();
    if (store_) store_->Stop();
    directory_.Stop();
  }

  bool AwaitPeers(Duration wait) { return !store_ || store_->AwaitPeers(wait); }
  ports::SharedStore* store() { return store_ ? &*store_ : nullptr; }

  std::vector<model::PeerAnswer> Send(const model::PeerCall& call) {
    const std::vector<std::string> addresses = directory_.Addresses();
    std::vector<model::PeerAnswer> answers;
    if (under_way_.fetch_add(1) < kMostAtATime) {
      answers = FanOut(options_.self, addresses, call, options_.deadline);
    } else {
      for (const std::string& address : addresses) {
        answers.push_back(
            {address, "", false, 0, "not called: too many calls are handed on at this moment", ""});
      }
    }
    --under_way_;
    return answers;
  }

  ports::SignedAnswer Identify(const std::string& nonce, const std::string& instance,
                               const std::string& digest, bool ready) {
    const Membership& self = options_.self;
    model::ReplicaIdentity identity;
    identity.cluster = self.cluster;
    identity.service = self.service;
    identity.instance = self.instance;
    identity.run = self.run;
    identity.version = self.version;
    identity.role = self.role;
    identity.started_unix_ms = self.started_unix_ms;
    identity.ready = ready;
    identity.challenge = credentials_.MakeChallenge(Now());
    if (store_) {
      store_->Describe(identity);
      store_->Heard(instance, digest);
    }
    return Signed(nonce, codec::EncodeIdentity(identity));
  }

  Result<ports::SignedAnswer> Documents(const std::string& nonce, const std::string& epoch,
                                        std::uint64_t revision) {
    if (!store_) return Fail(Code::kNotFound, "records are shared through Consul");
    const auto list = store_->DocumentsAfter(epoch, revision);
    if (!list) return Forward(list.error());
    return Sealed(nonce, codec::EncodeDocuments(*list));
  }

  Result<ports::SignedAnswer> Facts(const std::string& nonce, const std::string& epoch,
                                    std::uint64_t revision, SteadyTime deadline) {
    if (options_.self.role == kProxyRole) return Fail(Code::kNotFound, "no Docker socket here");
    auto text = feed_.After(epoch, revision, std::min(deadline, Now() + kLongestWait));
    if (!text) return Forward(text.error());
    return Sealed(nonce, *std::move(text));
  }
  std::unique_ptr<ports::DockerApi> MakeDocker() {
    return std::make_unique<PeerDocker>(options_.self, directory_);
  }
  void TakeFacts(const ports::AppliedDelta& delta) { feed_.Take(delta); }
  void TakeDocker(bool answers) { feed_.SetHeard(answers); }

  [[nodiscard]] std::optional<std::string> BodyOf(const model::PeerCall& call,
                                                  std::string_view challenge,
                                                  std::string_view signature) const {
    if (!credentials_.Accepts(call, challenge, signature, Now())) return std::nullopt;
    if (call.body.empty()) return std::string();
    auto body = credentials_.Open(call.body, challenge);
    if (!body) return std::nullopt;
    return *std::move(body);
  }
  [[nodiscard]] bool IsHostOfPeer(std::string_view host) const {
    return directory_.IsHostOfPeer(host);
  }

 private:
  /// Where it cannot be proved to anybody, it is not encrypted either: somebody asks by hand.
  [[nodiscard]] Result<ports::SignedAnswer> Sealed(const std::string& nonce,
                                                   std::string body) const {
    if (!credentials_.has_token() || nonce.empty()) return Signed(nonce, std::move(body));
    auto sealed = credentials_.Seal(body, nonce);
    if (!sealed) return Forward(sealed.error());
    return Signed(nonce, *std::move(sealed));
  }
  [[nodiscard]] ports::SignedAnswer Signed(const std::string& nonce, std::string body) const {
    std::string proof = credentials_.ProofOf(nonce, body);
    return {std::move(body), std::move(proof)};
  }

  const ClusterOptions options_;
  const Credentials credentials_;
  Directory directory_;
  FactsFeed feed_;
  std::optional<PeerStore> store_;
  std::atomic<int> under_way_{0};
};

Cluster::Cluster(ClusterOptions options, std::vector<ports::Peers*> sources, ports::PeerLog* log,
                 const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), sources, log, clock)) {}
Cluster::~Cluster() = default;
void Cluster::OnFollower(std::function<void()> told) { impl_->OnFollower(std::move(told)); }
void Cluster::Start() { impl_->Start(); }
void Cluster::Stop() { impl_->Stop(); }
bool Cluster::AwaitPeers(Duration wait) { return impl_->AwaitPeers(wait); }
ports::SharedStore* Cluster::store() { return impl_->store(); }
std::vector<model::PeerAnswer> Cluster::Send(const model::PeerCall& call) {
  return impl_->Send(call);
}
ports::SignedAnswer Cluster::Identify(const std::string& nonce, const std::string& instance,
                                      const std::string& digest, bool ready) {
  return impl_->Identify(nonce, instance, digest, ready);
}
Result<ports::SignedAnswer> Cluster::Documents(const std::string& nonce, const std::string& epoch,
                                               std::uint64_t revision) {
  return impl_->Documents(nonce, epoch, revision);
}
Result<ports::SignedAnswer> Cluster::Facts(const std::string& nonce, const std::string& epoch,
                                           std::uint64_t revision, SteadyTime deadline) {
  return impl_->Facts(nonce, epoch, revision, deadline);
}
std::unique_ptr<ports::DockerApi> Cluster::MakeDocker() { return impl_->MakeDocker(); }
void Cluster::TakeFacts(const ports::AppliedDelta& delta) { impl_->TakeFacts(delta); }
void Cluster::TakeDocker(bool answers) { impl_->TakeDocker(answers); }
std::optional<std::string> Cluster::BodyOf(const model::PeerCall& call, std::string_view challenge,
                                           std::string_view signature) const {
  return impl_->BodyOf(call, challenge, signature);
}
bool Cluster::IsHostOfPeer(std::string_view host) const { return impl_->IsHostOfPeer(host); }

}  // namespace swarmgate::cluster
