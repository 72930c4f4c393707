// The part of Reconciler that answers calls of the API. Statuses and texts of `reconfigure` are
// those that users of Docker Flow Proxy know.
#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/reconciler.h"
#include "engine/sharing.h"
#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::engine {
namespace {

using model::Diagnostic;
using model::Origin;
using model::Record;
using model::ServiceName;
using model::Severity;

// How long an answer may wait for the first addresses of a name.
constexpr Duration kAwaitName{1500};

// More calls than this never wait at a time: the API has far fewer callers.
constexpr std::size_t kMostWaiting = 512;

constexpr const char* kNoName = "serviceName parameter is mandatory.";
constexpr const char* kNoNameQuery = "The serviceName query is mandatory";
constexpr const char* kNoPath =
    "When using reqMode http, servicePath or serviceDomain are mandatory";
constexpr const char* kNoPort =
    "When MODE is set to \"service\" or \"swarm\", the port query is mandatory";
constexpr const char* kNoSrcPort =
    "When NOT using reqMode http (e.g. tcp), srcPort and port parameters are mandatory.";

Outcome Answer(int status, std::string message) {
  Outcome outcome;
  outcome.status = status;
  outcome.message = std::move(message);
  return outcome;
}

std::string Sentence(const Diagnostic& diagnostic) {
  std::string text = diagnostic.label.empty() ? "" : diagnostic.label + ": ";
  text += diagnostic.message;
  if (!diagnostic.hint.empty()) text += " (" + diagnostic.hint + ")";
  return text;
}

const Diagnostic* FindCode(const std::vector<Diagnostic>& diagnostics, std::string_view code) {
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.code == code) return &diagnostic;
  }
  return nullptr;
}

// What to answer to parameters of which nothing can be served.
Outcome Refusal(std::vector<Diagnostic> diagnostics) {
  Outcome outcome = Answer(400, "the parameters define no route");
  if (FindCode(diagnostics, "missing-path") != nullptr) {
    outcome = Answer(409, kNoPath);
  } else if (const Diagnostic* bad = FindCode(diagnostics, "quarantined"); bad != nullptr) {
    outcome = Answer(500, bad->message);
  } else if (FindCode(diagnostics, "missing-port") != nullptr) {
    outcome = Answer(400, kNoPort);
  } else if (FindCode(diagnostics, "missing-src-port") != nullptr) {
    outcome = Answer(400, kNoSrcPort);
  } else if (const Diagnostic* conflict = FindCode(diagnostics, "conflict"); conflict != nullptr) {
    outcome = Answer(409, Sentence(*conflict));
  } else {
    for (const Diagnostic& diagnostic : diagnostics) {
      if (diagnostic.severity != Severity::kError) continue;
      outcome.message = Sentence(diagnostic);
      break;
    }
  }
  outcome.diagnostics = std::move(diagnostics);
  return outcome;
}

std::string Get(const Parameters& parameters, const std::string& name) {
  auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

}  // namespace

void Reconciler::On(Command message) {
  const bool waits =
      message.kind != Command::Kind::kValidate && message.kind != Command::Kind::kConfigText;
  if (waits && waiting() >= kMostWaiting) {
    return message.reply(Answer(503, "too many calls wait to be confirmed; nothing was done"));
  }
  switch (message.kind) {
    case Command::Kind::kReconfigure:
      Reconfigure(std::move(message), false);
      return;
    case Command::Kind::kValidate:
      Validate(std::move(message));
      return;
    case Command::Kind::kRemove:
      Remove(std::move(message), false);
      return;
    case Command::Kind::kReload:
      reload_wanted_ = true;
      dirty_ = true;
      pending_.push_back({std::move(message), ServiceName(), true, std::nullopt, Outcome()});
      return;
    case Command::Kind::kResync:
      if (ports_.docker == nullptr) {
        dirty_ = true;
        pending_.push_back({std::move(message), ServiceName(), true, std::nullopt, Outcome()});
      } else {
        list_waiters_.push_back({std::move(message), desk_.ForceList(), ServiceName()});
      }
      return;
    case Command::Kind::kPutCertificate:
      PutCertificate(std::move(message));
      return;
    case Command::Kind::kRemoveCertificate:
      RemoveCertificate(std::move(message));
      return;
    case Command::Kind::kConfigText: {
      std::string text = applier_.ConfigText();
      message.reply(text.empty() ? Answer(503, "no configuration has been written yet")
                                 : Answer(200, std::move(text)));
      return;
    }
  }
}

// A call that another replica hands on may come after a later one for the same record.
bool Reconciler::IsOutdated(const Command& command, const ServiceName& name) const {
  const auto held = store_.records().find(name);
  const std::int64_t known =
      held == store_.records().end() ? store_.DeletedAt(name) : held->second.updated_unix_ms;
  return command.made_unix_ms != 0 && known > command.made_unix_ms;
}

// With its time: handed on without one it would be a new change there.
void Reconciler::AnswerOutdated(const Command& command) {
  Outcome outcome = Answer(200, kOutdated);
  outcome.made_unix_ms = command.made_unix_ms;
  command.reply(std::move(outcome));
}

void Reconciler::Stamp(Command& command) const {
  if (command.made_unix_ms == 0) command.made_unix_ms = store_.NextStamp();
}

// Docker lists a service without labels only when it is asked to: what such a service listens on is
// not known before the next list.
bool Reconciler::WantsList(const ServiceName& name, const model::ServiceSpec& spec) const {
  if (ports_.docker == nullptr || !shown_.docker.ok) return false;
  const bool by_tasks =
      std::any_of(spec.dests.begin(), spec.dests.end(),
                  [](const model::DestSpec& dest) { return dest.outbound_hostname.empty(); });
  if (!by_tasks || std::binary_search(include_.begin(), include_.end(), name.str())) return false;
  return !FindByName(facts_.services(), name.str());
}

void Reconciler::Reconfigure(Command command, bool after_list) {
  const std::string given = Get(command.parameters, "serviceName");
  if (given.empty()) return command.reply(Answer(400, kNoName));
  ParsedPtr parsed = assembler_.ParseOnce(Origin::kManual, ServiceName(given), command.parameters);
  if (parsed->other_instance) {
    // Meant for another proxy: nothing is wrong, nothing is done.
    return command.reply(Answer(200, "meant for another proxy instance; nothing was done"));
  }
  if (!parsed->spec) return command.reply(Refusal(parsed->diagnostics));
  const model::ServiceSpec& spec = *parsed->spec;
  const ServiceName name = spec.name;
  if (spec.replicas == 0U) {
    if (KnowsNoLabels()) return HoldBack(std::move(command), name);
    RemoveRecord(std::move(command), name, "replicas=0: the service is removed");
    return;
  }
  if (!after_list && WantsList(name, spec)) {
    std::vector<std::string> include = include_;
    include.push_back(name.str());
    for (const HeldBack& held : held_back_) include.push_back(held.service.str());
    std::sort(include.begin(), include.end());
    include.erase(std::unique(include.begin(), include.end()), include.end());
    desk_.SetInclude(std::move(include));
    include_told_ = false;
    held_back_.push_back({std::move(command), desk_.ForceList(), name});
    return;
  }
  Record record;
  record.kind = Record::Kind::kReconfigure;
  record.service = name;
  record.origin = Origin::kManual;
  record.parameters = std::move(command.parameters);
  auto held = store_.records().find(name);
  if (IsOutdated(command, name)) return AnswerOutdated(command);
  Stamp(command);
  record.updated_unix_ms = command.made_unix_ms;
  record.created_unix_ms = record.updated_unix_ms;
  if (held != store_.records().end()) {
    record.revision = held->second.revision;
    if (held->second.kind == Record::Kind::kReconfigure) {
      record.created_unix_ms = held->second.created_unix_ms;
    }
  }
  Pending pending{std::move(command), name, false, std::nullopt, Outcome()};
  pending.deleted_before_unix_ms = store_.DeletedAt(name);
  pending.previous = store_.Set(name, std::move(record));
  pending_.push_back(std::move(pending));
  dirty_ = true;
}

void Reconciler::Validate(Command command) {
  const std::string given = Get(command.parameters, "serviceName");
  if (given.empty()) return command.reply(Answer(400, kNoName));
  ParsedPtr parsed = assembler_.ParseOnce(Origin::kManual, ServiceName(given), command.parameters);
  if (!parsed->spec) {
    return command.reply(parsed->other_instance ? Answer(200, "meant for another proxy instance")
                                                : Refusal(parsed->diagnostics));
  }
  Record record;
  record.service = parsed->spec->name;
  record.parameters = command.parameters;
  const auto held = store_.records().find(record.service);
  record.created_unix_ms =
      held != store_.records().end() ? held->second.created_unix_ms : INT64_MAX / 1'000'000;
  (void)Assemble();
  const Assembler::Trial trial = assembler_.Try(record);
  // The next Converge goes back to what is in force, and from there on.
  Outcome outcome = Verdict(record.service, trial.definition ? &*trial.definition : nullptr,
                            router_.Update(trial.inputs, Context()));
  outcome.revision = revision_;
  command.reply(std::move(outcome));
}

Outcome Reconciler::Verdict(const ServiceName& service, const Definition* definition,
                            const routing::Built& built) const {
  std::vector<Diagnostic> diagnostics;
  if (definition != nullptr) {
    diagnostics = definition->parsed->diagnostics;
    diagnostics.insert(diagnostics.end(), definition->diagnostics.begin(),
                       definition->diagnostics.end());
  }
  const auto built_of = built.services.find(service);
  const routing::ServiceOutcome of_service =
      built_of == built.services.end() ? routing::ServiceOutcome() : built_of->second;
  diagnostics.insert(diagnostics.end(), of_service.diagnostics.begin(),
                     of_service.diagnostics.end());
  if (!of_service.served()) return Refusal(std::move(diagnostics));
  Outcome outcome;
  if (definition != nullptr) {
    outcome.spec = definition->parsed->spec;
    if (outcome.spec) {
      if (auto refused = certificates_.Judge(*outcome.spec)) {
        diagnostics.push_back(*std::move(refused));
      }
    }
  }
  outcome.diagnostics = std::move(diagnostics);
  return outcome;
}

bool Reconciler::Judge(const Assembly& assembly, const routing::Built& built) {
  bool all_good = true;
  // The newest first: several calls for one name are taken back in the reverse order.
  for (auto pending = pending_.rbegin(); pending != pending_.rend(); ++pending) {
    if (pending->judged) continue;
    pending->outcome = Verdict(pending->service, assembly.Find(pending->service), built);
    if (pending->outcome.status == 200) continue;
    all_good = false;
    (void)store_.Set(pending->service, std::move(pending->previous));
    pending->outcome.revision = revision_;
    pending->command.reply(std::move(pending->outcome));
    pending->command.reply = nullptr;
    // A refused call for a name decides those before it anew.
    break;
  }
  std::erase_if(pending_, [](const Pending& pending) { return !pending.command.reply; });
  if (!all_good) return false;
  for (Pending& pending : pending_) {
    if (pending.judged) continue;
    pending.judged = true;
    const auto record = store_.records().find(pending.service);
    // Told by another replica what the shared store has told before: nothing to store.
    const bool known = pending.previous && record != store_.records().end() &&
                       SameContent(*pending.previous, record->second);
    if (!known) store_.Persist(pending.service, pending.command.made_unix_ms);
  }
  return true;
}

void Reconciler::Remove(Command command, bool after_list) {
  const std::string given = Get(command.parameters, "serviceName");
  if (given.empty()) return command.reply(Answer(400, kNoNameQuery));
  const ServiceName name(given);
  if (!labels::IsValidServiceName(given)) {
    return command.reply(Answer(200, "nothing was removed: no service can have this name"));
  }
  if (!after_list && KnowsNoLabels()) return HoldBack(std::move(command), name);
  RemoveRecord(std::move(command), name, {});
}

// A labelled service that is not known yet would come back with the first list.
bool Reconciler::KnowsNoLabels() const { return !docker_tried_ && !restored_; }

void Reconciler::HoldBack(Command command, const ServiceName& name) {
  command.kind = Command::Kind::kRemove;
  Stamp(command);
  (void)desk_.ForceList();
  held_back_.push_back({std::move(command), 0, name});  // any list will do
}

void Reconciler::RemoveRecord(Command command, const ServiceName& name, std::string message) {
  if (IsOutdated(command, name)) return AnswerOutdated(command);
  Stamp(command);
  command.kind = Command::Kind::kRemove;  // or a definition with no replicas
  const std::int64_t made = command.made_unix_ms;
  Pending pending{std::move(command), name, true, std::nullopt, Outcome()};
  const bool cancelled = CancelDefinitions(name) > 0;
  pending.outcome.message = Unmake(name, made, pending.of_nothing);
  if (cancelled && pending.of_nothing) {
    pending.outcome.message =
        "a call that was to define the service is cancelled; it was not served yet";
  }
  if (!message.empty()) pending.outcome.message = std::move(message);
  store_.Persist(name, made);
  pending_.push_back(std::move(pending));
  dirty_ = true;
}

std::string Reconciler::Unmake(const ServiceName& name, std::int64_t made_unix_ms, bool& nothing) {
  const auto held = store_.records().find(name);
  if (held != store_.records().end() && held->second.kind == Record::Kind::kReconfigure) {
    (void)store_.Set(name, std::nullopt);
    const Definition* definition = Assemble().Find(name);
    if (definition == nullptr || !definition->served()) return {};
    return "the override is removed; " +
           std::string(definition->origin == Origin::kStatic ? "the variables DFP_SERVICE_*"
                                                             : "the service's labels") +
           " count again";
  }
  const Definition* definition = Assemble().Find(name);
  if (definition == nullptr || definition->withdrawn || !definition->parsed->opted_in) {
    // As in Docker Flow Proxy, whose callers repeat themselves: not there is as good as removed.
    // It is stored nevertheless: another replica may have been told of a definition before this
    // call, which has not come here yet.
    if (held != store_.records().end() && held->second.kind == Record::Kind::kWithdrawn) {
      Record again = held->second;
      again.updated_unix_ms = made_unix_ms;
      (void)store_.Set(name, std::move(again));
    }
    nothing = true;
    return std::string("nothing was removed: no service of this name is served") +
           (docker_listed_ || restored_ ? "" : "; Docker could not be asked yet");
  }
  Record record;
  record.kind = Record::Kind::kWithdrawn;
  record.service = name;
  record.origin = definition->origin;
  record.labels_hash = HexOf(definition->parsed->parameters_hash);
  record.updated_unix_ms = record.created_unix_ms = made_unix_ms;
  (void)store_.Set(name, std::move(record));
  return "the service is withdrawn until its labels change";
}

std::size_t Reconciler::CancelDefinitions(const ServiceName& name) {
  std::vector<Command> cancelled;
  std::erase_if(held_back_, [&](HeldBack& held) {
    if (held.service != name || held.command.kind != Command::Kind::kReconfigure) return false;
    cancelled.push_back(std::move(held.command));
    return true;
  });
  std::erase_if(pending_, [&](Pending& pending) {
    if (pending.service != name || pending.command.kind != Command::Kind::kReconfigure) {
      return false;
    }
    cancelled.push_back(std::move(pending.command));
    return true;
  });
  for (const Command& command : cancelled) {
    command.reply(Answer(409, "the service was removed by a later call before this one was done"));
  }
  return cancelled.size();
}

bool Reconciler::GoOn(Command& command) {
  if (command.kind == Command::Kind::kReconfigure) {
    Reconfigure(std::move(command), true);
  } else if (command.kind == Command::Kind::kRemove) {
    Remove(std::move(command), true);
  } else {
    return false;
  }
  return true;
}

void Reconciler::DropLate() {
  const SteadyTime now = clock_.Now();
  std::vector<HeldBack> late;
  for (std::vector<HeldBack>* waiting : {&held_back_, &list_waiters_}) {
    std::erase_if(*waiting, [&](HeldBack& held) {
      if (held.command.deadline > now) return false;
      late.push_back(std::move(held));
      return true;
    });
  }
  for (HeldBack& held : late) {
    // What changes something is done without what the list would have said.
    if (GoOn(held.command)) continue;
    held.command.reply(Answer(504, "Docker has not answered in time"));
  }
  // What is not judged yet is, by the Converge that it has asked for.
  std::erase_if(pending_, [&](const Pending& pending) {
    if (!pending.judged || pending.command.deadline > now) return false;
    pending.command.reply(Answer(504, kTooLate));
    return true;
  });
}

std::optional<SteadyTime> Reconciler::NextDeadline() const {
  SteadyTime next = SteadyTime::max();
  for (const Pending& pending : pending_) next = std::min(next, pending.command.deadline);
  for (const std::vector<HeldBack>* waiting : {&held_back_, &list_waiters_}) {
    for (const HeldBack& held : *waiting) next = std::min(next, held.command.deadline);
  }
  if (next == SteadyTime::max()) return std::nullopt;
  return next;
}

bool Reconciler::AwaitsName(const Pending& pending) const {
  if (pending.command.kind != Command::Kind::kReconfigure || !names_.unanswered()) return false;
  if (clock_.Now() - pending.command.received >= kAwaitName) return false;
  const std::vector<model::BackendName> backends = book_.BackendsOf(pending.service);
  return std::none_of(backends.begin(), backends.end(), [&](const model::BackendName& name) {
    const model::Backend* backend = model::FindBackend(shown_.desired->backends, name);
    return backend != nullptr && !backend->servers.empty();
  });
}

std::optional<SteadyTime> Reconciler::NextAnswer() const {
  SteadyTime next = SteadyTime::max();
  for (const Pending& pending : pending_) {
    if (!live_ && !pending.of_nothing) continue;
    const bool shared = shared_.ShouldAwait(pending.service, pending.command.received);
    next = std::min(
        next, pending.command.received + (shared ? shared_.options().answer_wait : kAwaitName));
  }
  if (next == SteadyTime::max()) return std::nullopt;
  return next;
}

void Reconciler::AnswerPending() {
  const bool applied = live_ && !dirty_ && !names_due_;
  for (Pending& pending : pending_) {
    if (!applied && !pending.of_nothing) continue;
    if (!pending.judged || AwaitsName(pending)) continue;
    if (shared_.ShouldAwait(pending.service, pending.command.received)) continue;
    pending.outcome.revision = revision_;
    pending.outcome.made_unix_ms = pending.command.made_unix_ms;
    // HAProxy has it, and would have it again after a restart.
    pending.outcome.persisted = store_.IsPersisted(pending.service) && applier_.files_complete();
    pending.command.reply(std::move(pending.outcome));
    pending.command.reply = nullptr;
  }
  std::erase_if(pending_, [](const Pending& pending) { return !pending.command.reply; });
}

void Reconciler::AnswerListWaiters(std::uint64_t generation, const Error* error) {
  std::vector<HeldBack> answered;
  for (std::vector<HeldBack>* waiting : {&list_waiters_, &held_back_}) {
    auto rest = std::stable_partition(waiting->begin(), waiting->end(), [&](const HeldBack& held) {
      return held.generation > generation;
    });
    std::move(rest, waiting->end(), std::back_inserter(answered));
    waiting->erase(rest, waiting->end());
  }
  for (HeldBack& held : answered) {
    if (GoOn(held.command)) continue;
    if (error != nullptr) {
      held.command.reply(Answer(500, "Docker cannot be listed now: " + error->ToString()));
    } else {
      // Answered when HAProxy has confirmed what the list said.
      dirty_ = true;
      pending_.push_back({std::move(held.command), ServiceName(), true, std::nullopt, Outcome()});
    }
  }
}

}  // namespace swarmgate::engine
