// The engine's snapshot as JSON texts. Pure: same snapshot, same bytes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "swarmgate/base/log.h"
#include "swarmgate/codec/json.h"
#include "swarmgate/engine/engine.h"
#include "swarmgate/engine/snapshot.h"
#include "swarmgate/model/replica.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::admin {

[[nodiscard]] std::string StatusJson(const engine::Snapshot& snapshot, const std::string& version);
[[nodiscard]] std::string ServicesJson(const engine::Snapshot& snapshot);
/// One service with everything that is known of it.
[[nodiscard]] std::string ServiceJson(const engine::Snapshot& snapshot,
                                      const engine::ServiceStatus& service);
[[nodiscard]] std::string RoutesJson(const engine::Snapshot& snapshot);
[[nodiscard]] std::string WhyJson(const engine::Snapshot& snapshot,
                                  const routing::Question& question,
                                  const routing::Explanation& explanation);
/// The listener's get-services: an array of flat maps of texts.
[[nodiscard]] std::string ListenerServicesJson(const engine::Snapshot& snapshot);
/// The listener's get-nodes: the same of the Swarm's machines.
[[nodiscard]] std::string ListenerNodesJson(const engine::Snapshot& snapshot);
/// The predecessor's config?type=json: {"<service>": {…}}.
[[nodiscard]] std::string ConfigJson(const engine::Snapshot& snapshot);
/// The answer to reconfigure, remove and their like. `given`: the call's parameters. `others`: what
/// other replicas answered; null: they were not asked.
[[nodiscard]] std::string OutcomeJson(const engine::Outcome& outcome,
                                      const std::map<std::string, std::string>& given,
                                      const std::vector<model::PeerAnswer>* others = nullptr);
/// What refusals of this API have as their code.
[[nodiscard]] std::string OutcomeCode(int status);
/// The answer to PUT and DELETE …/cert.
[[nodiscard]] std::string CertOutcomeJson(const engine::Outcome& outcome,
                                          const std::vector<model::PeerAnswer>* others = nullptr);
/// Into an object: what each replica answered.
void WriteAnswers(codec::JsonWriter& json, const std::vector<model::PeerAnswer>* others);
/// All certificates, without keys.
[[nodiscard]] std::string CertsJson(const engine::Snapshot& snapshot);
/// One event, one line, without its newline.
[[nodiscard]] std::string EventJson(const LoggedEvent& event);

/// Null when there is none of this name.
[[nodiscard]] const engine::ServiceStatus* FindService(const engine::Snapshot& snapshot,
                                                       const std::string& name);

}  // namespace swarmgate::admin
