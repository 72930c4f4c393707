// The heart: holds all mutable state of the engine on one thread, takes messages, and makes HAProxy
// serve what facts and records say. Has no thread and no clock of its own, so that a test drives it
// message by message.
//
// Reasons that something has to be done are noted as they come in (`dirty_`, wishes of DockerDesk,
// times); RunDue does what is due. So a burst of messages costs one Build.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/applier.h"
#include "engine/assemble.h"
#include "engine/backoff.h"
#include "engine/cert_keeper.h"
#include "engine/diagnostics_log.h"
#include "engine/docker_desk.h"
#include "engine/docker_health.h"
#include "engine/facts_keeper.h"
#include "engine/message.h"
#include "engine/names.h"
#include "engine/shared_desk.h"
#include "engine/status.h"
#include "engine/store_keeper.h"
#include "engine/task_containers.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/base/inbox.h"
#include "swarmgate/engine/engine.h"
#include "swarmgate/engine/snapshot.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::engine {

class Reconciler {
 public:
  /// All outlive the reconciler. Thread: owner, for everything.
  Reconciler(const EngineOptions& options, const Engine::Ports& ports, Sources& sources,
             Cell<Snapshot>& cell);

  /// Reads the store and serves what was served last.
  void Start();
  void Handle(Message message);
  /// Does what is due now.
  void RunDue();
  /// When RunDue has something to do, if no message comes in before.
  [[nodiscard]] SteadyTime Next() const;
  /// Sets of parameters whose parsing is remembered: what must not grow by calls that are refused.
  [[nodiscard]] std::size_t remembered() const { return assembler_.remembered(); }
  /// Calls that have not been answered yet.
  [[nodiscard]] std::size_t waiting() const {
    return pending_.size() + held_back_.size() + list_waiters_.size();
  }

 private:
  /// A call that was accepted, and is answered when HAProxy has confirmed it.
  struct Pending {
    Command command;
    model::ServiceName service;
    bool judged = false;
    std::optional<model::Record> previous;  ///< of this name, to go back to when it is refused
    Outcome outcome;
    /// StoreKeeper::DeletedAt before it, to go back to where there is no `previous`.
    std::int64_t deleted_before_unix_ms = 0;
    bool of_nothing = false;  ///< HAProxy need not confirm it
  };
  /// A call that waits for a list of Docker's before it is looked at.
  struct HeldBack {
    Command command;
    std::uint64_t generation = 0;
    model::ServiceName service;  ///< that it defines or removes
  };

  // --- messages
  void On(DockerConnected message);
  void On(DockerLost message);
  void On(DockerHint message);
  void On(DockerListed message);
  void On(ServicesListed message);
  void On(TasksListed message);
  void On(ContainerSeen message);
  void On(NameResolved message);
  void On(FilesChecked message);
  void On(CertificatesRead message);
  void On(SharedNews message);
  void On(ShareDone message);
  void On(ReplicasSeen message);
  void On(FactsWanted message);
  void TakeSharedNews();
  void TakeSettled();
  void Settle(const ShareDone& message);
  [[nodiscard]] bool AllJudged() const;
  void On(Command message);
  [[nodiscard]] bool IsIrrelevant(const ports::DockerEvent& event) const;
  void TakeNews(const FactsKeeper::News& news);
  void NoteDocker(bool ok, std::string detail);

  // --- commands
  void Reconfigure(Command command, bool after_list);
  void Validate(Command command);
  /// A later change of the same record, or its deletion, is known here already.
  [[nodiscard]] bool IsOutdated(const Command& command, const model::ServiceName& name) const;
  static void AnswerOutdated(const Command& command);
  /// Docker has not been asked yet, and nothing is known from an earlier run.
  [[nodiscard]] bool KnowsNoLabels() const;
  /// A removal, until Docker was asked once.
  void HoldBack(Command command, const model::ServiceName& name);
  /// Gives it a time, unless another replica has.
  void Stamp(Command& command) const;
  void Remove(Command command, bool after_list);
  void RemoveRecord(Command command, const model::ServiceName& name, std::string message);
  /// Changes the memory only; returns what to tell the caller. `nothing`: nothing was there.
  std::string Unmake(const model::ServiceName& name, std::int64_t made_unix_ms, bool& nothing);
  [[nodiscard]] bool WantsList(const model::ServiceName& name,
                               const model::ServiceSpec& spec) const;
  void PutCertificate(Command command);
  void RemoveCertificate(Command command);
  /// Refuses calls that cannot be served, and takes back their records. False: there were some.
  bool Judge(const Assembly& assembly, const routing::Built& built);
  /// `definition`: of the service; may be null.
  [[nodiscard]] Outcome Verdict(const model::ServiceName& service, const Definition* definition,
                                const routing::Built& built) const;
  void AnswerPending();
  [[nodiscard]] std::optional<SteadyTime> NextAnswer() const;
  /// Calls for this name that are not answered yet are; how many there were.
  std::size_t CancelDefinitions(const model::ServiceName& name);
  /// Carries out what waited for a list. False: it is no change, and left as it is.
  bool GoOn(Command& command);
  /// Nobody waits for these any longer: what they asked for stays, they go.
  void DropLate();
  [[nodiscard]] std::optional<SteadyTime> NextDeadline() const;
  void AnswerListWaiters(std::uint64_t generation, const Error* error);
  [[nodiscard]] bool AwaitsName(const Pending& pending) const;

  // --- from facts to HAProxy
  void Converge();
  /// Of all that is known now.
  const Assembly& Assemble();
  /// As of now; the reference holds until the next call.
  const routing::BuildContext& Context();
  void DropObsolete(const std::set<model::ServiceName>& names);
  Applied ApplyDesired(const model::Desired& desired);
  /// Certificates, into what is desired and what is told.
  void AddCertificates(const Assembly& assembly, routing::Built& built);
  /// Finds the certificates that HAProxy's check refuses. False: none.
  bool QuarantineCertificates();
  /// Finds the services that HAProxy's check refuses. False: none; the error is somebody else's.
  bool Quarantine(const Assembly& assembly, const Error& error);
  /// Takes them out until their parameters change. REQUIRES: all are in the assembly.
  void Accuse(const Assembly& assembly, const std::map<model::ServiceName, std::string>& offenders);
  void RefuseOffenders(const std::map<model::ServiceName, std::string>& offenders);
  /// Finds ports of reqMode=tcp that somebody else listens on. True: there are further ones.
  bool ProbePorts(const model::Desired& desired);
  /// Takes out the services on whose ports HAProxy could not listen. False: none.
  bool QuarantinePorts(const Assembly& assembly, const model::Desired& desired);
  using Suspects = std::vector<std::shared_ptr<const routing::ServiceInput>>;
  void FindOffenders(const Suspects& good, Suspects suspects, int& checks, Suspects& accepted,
                     std::map<model::ServiceName, std::string>& offenders);
  /// `built` loses its desired state to the snapshot.
  void AfterApply(const Assembly& assembly, routing::Built& built, const Applied& applied);
  /// What is served now has gone live.
  void Accept(const Assembly& assembly);
  void AskDocker(const Assembly& assembly, const routing::Built& built);
  void ObserveLatencies(bool live);
  void CheckInBackground();
  /// Lets HAProxy start, once there is something to start it with.
  void TellFilesReady();
  [[nodiscard]] bool MayKnowMoreSoon() const;
  /// HAProxy serves what nobody here knows any more: an empty state must not take its place.
  [[nodiscard]] bool MustLeaveAsFound() const;
  void Save();
  /// To those who have no Docker. `delta`: what is to be saved.
  void TellFacts(const ports::AppliedDelta& delta);

  // --- what others see
  void Publish(const Assembly* assembly, routing::Built* built);
  void PublishServices(const Assembly& assembly, const routing::Built& built);
  void PublishPartners() { Publish(nullptr, nullptr); }
  void UpdateReady();
  void UpdateStarted(const Assembly& assembly, const Applied& applied);

  const EngineOptions& options_;
  const Engine::Ports& ports_;
  Sources& sources_;
  Cell<Snapshot>& cell_;
  const Clock& clock_;

  Counters counters_;
  FactsKeeper facts_;
  Assembler assembler_;
  StoreKeeper store_;
  SharedDesk shared_;
  std::vector<ShareDone> settled_;  ///< taken when no call is being judged
  Applier applier_;
  DockerDesk desk_;
  DockerHealth docker_health_;
  TaskContainers task_containers_;
  Names names_;
  CertKeeper certificates_;
  bool certificates_unread_ = false;  ///< their directory cannot be listed; told once
  DiagnosticsLog log_;
  StatusBook book_;
  routing::Router router_;
  routing::BuildContext context_;
  /// What of all that changes `context_` was made of: versions of Docker's host and of the names.
  std::optional<std::pair<std::uint64_t, std::uint64_t>> context_of_;
  std::set<std::uint16_t> context_ports_;  ///< that it was made with, of `taken_ports_`

  bool dirty_ = true;
  bool live_ = false;  ///< the last Apply ended well
  bool reload_wanted_ = false;
  std::optional<SteadyTime> retry_at_;
  SteadyTime names_not_before_;          ///< changed addresses are taken together until then
  std::optional<SteadyTime> names_due_;  ///< some have changed
  Backoff retry_backoff_{Duration(100), Duration(5000)};
  Quarantines quarantine_;
  std::set<std::uint16_t> taken_ports_;         ///< as the last Converge found them
  std::optional<SteadyTime> ports_look_again_;  ///< whether they are still taken
  /// Services that have gone live, with Parsed::hash, and names that may have to be there, or not
  /// any more.
  SharedMap<model::ServiceName, std::uint64_t> accepted_;
  std::set<model::ServiceName> unaccepted_;
  std::vector<Pending> pending_;
  std::vector<HeldBack> held_back_;
  std::vector<HeldBack> list_waiters_;
  std::vector<std::string> include_;  ///< of the assembly
  std::optional<std::uint64_t> include_version_;
  bool include_told_ = false;  ///< the desk has `include_`, and nothing besides

  std::uint64_t checked_writes_ = 0;
  bool check_in_flight_ = false;
  bool files_told_ = false;
  bool found_nothing_ = false;    ///< no earlier run has left anything
  bool leaves_as_found_ = false;  ///< its state is lost, its configuration has routes
  SteadyTime start_until_;        ///< until then HAProxy's start may wait

  bool docker_tried_ = false;
  /// What is to be served is known: by a good list, or because there is no Docker.
  bool docker_listed_ = false;
  std::uint64_t listed_generation_ = 0;  ///< of the last good list
  /// Withdrawals whose labels are not ours, and the list that is to confirm it.
  std::map<model::ServiceName, std::uint64_t> obsolete_;
  bool awaits_shared_ = false;  ///< readiness does, until its deadline
  bool restored_ = false;       ///< … or, once Docker has been tried, by the store
  bool docker_connected_once_ = false;
  bool started_ = false;  ///< the state found at start has been applied
  std::string not_started_reason_ = "starting";
  std::optional<SteadyTime> hint_at_;

  std::uint64_t revision_ = 0;  ///< see Snapshot::revision
  Snapshot shown_;              ///< the snapshot under construction
  haproxy::SlotMap saved_slots_;
  std::optional<std::uint64_t> saved_names_;  ///< version; nothing: none were ever saved
  std::optional<std::pair<std::string, int>> saved_structure_;
  std::uint64_t saved_revision_ = 0;
  bool save_wanted_ = false;
  bool facts_wanted_ = false;
  bool facts_told_ = false;
};

/// Notes what is known of a partner, and since when.
void SetPartner(PartnerStatus& partner, bool ok, std::string detail, WallTime now);

}  // namespace swarmgate::engine
