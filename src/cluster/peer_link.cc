#include "cluster/peer_link.h"

#include <utility>

#include "swarmgate/base/strings.h"
#include "swarmgate/certs/proof.h"

namespace swarmgate::cluster {
namespace {

constexpr std::size_t kMaxIdentity = 16U << 10U;
constexpr const char* kProofHeader = "x-swarmgate-proof";

http::Endpoint EndpointOf(const std::string& address) {
  http::Endpoint endpoint;
  endpoint.base_url = "http://" + address;
  return endpoint;
}

std::string TargetOf(const model::PeerCall& call) {
  std::string target = call.path;
  for (const auto& [name, value] : call.query) {
    target += (target.size() == call.path.size() ? "?" : "&") + http::EscapeQuery(name) + "=" +
              http::EscapeQuery(value);
  }
  return target;
}

http::Request RequestOf(const model::PeerCall& call, SteadyTime deadline) {
  http::Request request;
  request.method = call.method;
  request.target = TargetOf(call);
  request.body = call.body;
  request.deadline = deadline;
  // An idle connection would hold a thread of the other one's API.
  request.headers.emplace_back("Connection", "close");
  return request;
}

}  // namespace

PeerLink::PeerLink(const Membership& self, const std::string& address)
    : self_(self), credentials_(self.token, self.run), client_(EndpointOf(address)) {}

Result<model::ReplicaIdentity> PeerLink::Identify(const std::string& digest, SteadyTime deadline) {
  model::PeerCall call;
  call.path = "/v1/replica";
  const std::string nonce = certs::MakeNonce();
  call.query = {{"nonce", nonce}, {"instance", self_.instance}, {"digest", digest}};
  http::Request request = RequestOf(call, deadline);
  request.max_body = kMaxIdentity;
  const auto response = client_.Send(request);
  if (!response) return Forward(response.error());
  if (response->status != 200) {
    return Fail(Code::kCorrupt,
                "it is no replica: GET /v1/replica answers " + std::to_string(response->status));
  }
  auto identity = codec::DecodeIdentity(response->body);
  if (!identity) {
    return Fail(Code::kCorrupt, "it is no replica: " + Printable(identity.error().message, 200));
  }
  if (identity->cluster != self_.cluster || identity->service != self_.service) {
    return Fail(Code::kNotFound, "it is a replica of another proxy: PROXY_INSTANCE_NAME=" +
                                     Printable(identity->cluster, 80) +
                                     ", SERVICE_NAME=" + Printable(identity->service, 80));
  }
  const std::string_view proof = response->Header(kProofHeader);
  if (credentials_.has_token() && !credentials_.IsProof(proof, nonce, response->body)) {
    return Fail(Code::kRejected, "it does not prove that it knows our ADMIN_TOKEN");
  }
  return identity;
}

Result<std::string> PeerLink::Ask(const model::ReplicaIdentity& peer, model::PeerCall call,
                                  SteadyTime deadline) {
  const std::string nonce = certs::MakeNonce();
  call.query["nonce"] = nonce;
  auto response = Send(peer, call, deadline);
  if (!response) return Forward(response.error());
  if (response->status != 200) {
    return Fail(response->status == 503 ? Code::kUnavailable : Code::kRejected,
                "it tells nothing: HTTP " + std::to_string(response->status) + " " +
                    Printable(response->body, 200));
  }
  if (!credentials_.has_token()) return std::move(response->body);
  if (!credentials_.IsProof(response->Header(kProofHeader), nonce, response->body)) {
    return Fail(Code::kRejected, "its answer is not proved to be from one who knows ADMIN_TOKEN");
  }
  return credentials_.Open(response->body, nonce);
}

Result<codec::DocumentList> PeerLink::Documents(const model::ReplicaIdentity& peer,
                                                std::uint64_t revision, SteadyTime deadline) {
  model::PeerCall call;
  call.path = "/v1/replica/records";
  call.query = {{"after", std::to_string(revision)}, {"epoch", peer.epoch}};
  const auto text = Ask(peer, std::move(call), deadline);
  if (!text) return Forward(text.error());
  return codec::DecodeDocuments(*text);
}

Result<codec::FactsList> PeerLink::Facts(const model::ReplicaIdentity& peer,
                                         const std::string& epoch, std::uint64_t revision,
                                         Duration wait, SteadyTime deadline) {
  model::PeerCall call;
  call.path = "/v1/replica/facts";
  call.query = {{"after", std::to_string(revision)},
                {"epoch", epoch},
                {"wait", std::to_string(wait.count())}};
  const auto text = Ask(peer, std::move(call), deadline);
  if (!text) return Forward(text.error());
  return codec::DecodeFacts(*text);
}

Result<http::Response> PeerLink::Send(const model::ReplicaIdentity& peer,
                                      const model::PeerCall& call, SteadyTime deadline) {
  model::PeerCall sent = call;
  if (credentials_.has_token() && !call.body.empty()) {
    auto sealed = credentials_.Seal(call.body, peer.challenge);
    if (!sealed) return Forward(sealed.error());
    sent.body = *std::move(sealed);
  }
  http::Request request = RequestOf(sent, deadline);
  if (sent.made_unix_ms != 0) {
    request.headers.emplace_back("X-Swarmgate-Made", std::to_string(sent.made_unix_ms));
  }
  if (credentials_.has_token()) {
    request.max_body = certs::MostSealed(request.max_body);
    request.headers.emplace_back("Authorization", "Swarmgate " + peer.challenge + " " +
                                                      credentials_.Sign(sent, peer.challenge));
  }
  return client_.Send(request);
}

}  // namespace swarmgate::cluster
