#include "engine/reconciler.h"

#include <algorithm>
#include <utility>

#include "swarmgate/base/log.h"

namespace swarmgate::engine {
namespace {

using routing::Built;

void Observe(Histogram& histogram, SteadyTime since, SteadyTime now) {
  const double seconds = std::chrono::duration<double>(now - since).count();
  std::size_t bucket = 0;
  while (bucket < kLatencyBounds.size() && seconds > kLatencyBounds[bucket]) ++bucket;
  ++histogram.buckets[bucket];
  ++histogram.count;
  histogram.sum_seconds += seconds;
}

void SetPartner(PartnerStatus& partner, bool ok, std::string detail, WallTime now) {
  if (partner.ok != ok || partner.since == WallTime()) partner.since = now;
  partner.ok = ok;
  partner.detail = std::move(detail);
}

}  // namespace

Reconciler::Reconciler(const EngineOptions& options, const Engine::Ports& ports, Sources& sources,
                       Cell<Snapshot>& cell)
    : options_(options),
      ports_(ports),
      sources_(sources),
      cell_(cell),
      clock_(*ports.clock),
      facts_(FactsKeeper::Options{}),
      assembler_(options.parse, options.static_services),
      store_(*ports.store, *ports.clock),
      applier_(options, *ports.proxy, *ports.files, *ports.clock, counters_),
      desk_(options, ports.docker != nullptr, sources, *ports.clock),
      names_(options.resolve_interval, static_cast<bool>(ports.resolve), sources, *ports.clock) {
  shown_.started = clock_.WallNow();
  shown_.instance = options.parse.instance_name;
  shown_.desired = std::make_shared<const model::Desired>();
  shown_.not_ready_reason = not_started_reason_;
  const haproxy::Version& version = options.proxy.version;
  shown_.proxy_version = std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
                         std::to_string(version.patch);
  if (ports.docker == nullptr) {
    docker_tried_ = true;
    SetPartner(shown_.docker, false, "not configured", shown_.started);
  } else {
    SetPartner(shown_.docker, false, "not connected yet", shown_.started);
  }
}

void Reconciler::Start() {
  (void)store_.Load();  // failing: Flush tries again
  std::optional<ports::AppliedState> state = store_.LoadApplied();
  if (state) {
    saved_slots_ = state->slots;
    saved_names_ = state->names;
    saved_structure_ = std::pair(state->structure, state->proxy_pid);
    applier_.Restore(state->slots, state->structure, state->proxy_pid);
    names_.Restore(std::move(state->names));
    facts_.Restore(std::move(state->facts));
  }
  desk_.SetAllIds(facts_.SwarmIds());
  RunDue();
}

void Reconciler::Handle(Message message) {
  std::visit([this](auto&& taken) { On(std::forward<decltype(taken)>(taken)); },
             std::move(message));
}

// --- Docker ------------------------------------------------------------------------------------

void Reconciler::NoteDocker(bool ok, std::string detail) {
  const bool changed = shown_.docker.ok != ok || !docker_tried_;
  SetPartner(shown_.docker, ok, std::move(detail), clock_.WallNow());
  if (!docker_tried_) dirty_ = true;  // what was found at start may be complete now
  docker_tried_ = true;
  if (!changed) return;
  if (ok) {
    LogEvent(LogLevel::kInfo, "DOCKER_CONNECTED", "Docker answers",
             {{"api", facts_.facts().api_version}});
  } else {
    LogEvent(LogLevel::kWarning, "DOCKER_LOST",
             "Docker does not answer; services are served as they were last known",
             {{"error", shown_.docker.detail}});
  }
  PublishPartners();
}

void Reconciler::On(DockerConnected) {
  if (docker_connected_once_) ++counters_.docker_reconnects;
  docker_connected_once_ = true;
  desk_.WantList();
}

void Reconciler::On(DockerLost message) { NoteDocker(false, message.error.ToString()); }

// Could this container be of concern? Health probes, `docker exec` and foreign containers would
// otherwise cost a list each.
bool Reconciler::IsIrrelevant(const ports::DockerEvent& event) const {
  if (event.type != "container") return false;
  const std::string verb = event.action.substr(0, event.action.find(':'));
  if (verb.starts_with("exec_") || verb == "top" || verb == "attach" || verb == "resize" ||
      verb == "create" || verb == "archive-path" || verb == "extract-to-dir") {
    return true;
  }
  // A task of a service that is not listed: were it new, the service's own event would tell.
  if (!event.service_id.empty()) return facts_.FindById(event.service_id) == nullptr;
  const bool ends = verb == "kill" || verb == "die" || verb == "stop" || verb == "oom" ||
                    verb == "destroy" || verb == "pause" || verb == "unpause";
  return ends && !facts_.HasContainer(event.id) && facts_.FindById(event.id) == nullptr;
}

void Reconciler::On(DockerHint message) {
  const ports::DockerEvent& event = message.event;
  TakeNews(facts_.TakeEvent(event, clock_.Now()));
  if (IsIrrelevant(event)) return;
  if (!hint_at_) hint_at_ = clock_.Now();
  if (event.type == "container" && !event.service_id.empty()) {
    desk_.WantTasks({event.service_id});
    desk_.QuickenPolls();
    if (event.action == "start" || event.action.starts_with("health_status")) desk_.SprintPolls();
    return;
  }
  desk_.WantList();
}

void Reconciler::TakeNews(const FactsKeeper::News& news) {
  for (const FactsKeeper::Note& note : news.notes) {
    LogFields fields;
    if (!note.service.empty()) fields.emplace_back("service", note.service);
    LogEvent(LogLevel::kWarning, note.id, note.text, std::move(fields));
  }
  if (news.list_again_in) desk_.WantListIn(*news.list_again_in);
  if (!news.changed) return;
  desk_.QuickenPolls();
  desk_.SetAllIds(facts_.SwarmIds());
  dirty_ = true;
}

void Reconciler::On(DockerListed message) {
  desk_.ListDone(message.facts.has_value());
  if (!message.facts) {
    NoteDocker(false, message.facts.error().ToString());
    AnswerListWaiters(message.generation, &message.facts.error());
    return;
  }
  const bool first = facts_.facts().daemon_id.empty();
  TakeNews(facts_.TakeList(std::move(*message.facts), clock_.Now()));
  if (first) dirty_ = true;
  NoteDocker(true, "API " + facts_.facts().api_version);
  if (!started_) dirty_ = true;
  if (!dirty_ && desk_.idle()) hint_at_.reset();
  AnswerListWaiters(message.generation, nullptr);
}

void Reconciler::On(TasksListed message) {
  desk_.TasksDone(message.tasks.has_value());
  if (!message.tasks) return;  // the full list tells whether Docker is lost
  TakeNews(facts_.TakeTasks(*message.tasks, clock_.Now()));
  if (!dirty_ && desk_.idle()) hint_at_.reset();
}

void Reconciler::On(NamesResolved message) {
  if (names_.Take(message)) dirty_ = true;
  if (!dirty_) AnswerPending();
}

void Reconciler::On(FilesChecked message) {
  check_in_flight_ = false;
  if (message.status || message.status.error().code != Code::kRejected) {
    // A check that could not be run is tried again with the next change.
    checked_writes_ = message.writes;
    return;
  }
  // While files are replaced one by one, a check may see a mixture.
  if (message.writes != applier_.writes()) return;
  checked_writes_ = message.writes;
  LogEvent(LogLevel::kError, "FILES_REFUSED",
           "HAProxy would refuse its files at the next start; the service at fault is looked for",
           {{"error", message.status.error().ToString()}});
  const Assembly assembly = assembler_.Assemble(facts_, store_.records(), quarantine_);
  if (Quarantine(assembly, message.status.error())) dirty_ = true;
}

// --- what is due ---------------------------------------------------------------------------------

void Reconciler::RunDue() {
  const SteadyTime now = clock_.Now();
  TakeNews(facts_.Expire(now));
  if (applier_.PollDrains()) dirty_ = true;
  const bool was_up = applier_.proxy_up();
  if (applier_.PollPid()) dirty_ = true;
  if (applier_.structure_retry_at() && *applier_.structure_retry_at() <= now) dirty_ = true;
  if (retry_at_ && *retry_at_ <= now) {
    retry_at_.reset();
    dirty_ = true;
  }
  if (store_.retry_at() && *store_.retry_at() <= now) {
    if (store_.Flush()) dirty_ = true;
    if (save_wanted_) Save();
    PublishPartners();
  }
  if (dirty_) {
    Converge();
  } else if (was_up != applier_.proxy_up()) {
    PublishPartners();
  }
  AnswerPending();
  names_.RunDue();
  desk_.RunDue();
  CheckInBackground();
}

SteadyTime Reconciler::Next() const {
  if (dirty_) return clock_.Now();
  SteadyTime next = std::min({desk_.Next(), names_.Next(), applier_.NextPoll()});
  const auto consider = [&next](const std::optional<SteadyTime>& time) {
    if (time) next = std::min(next, *time);
  };
  consider(facts_.NextExpiry());
  consider(applier_.structure_retry_at());
  consider(retry_at_);
  consider(store_.retry_at());
  consider(NextAnswer());
  return next;
}

void Reconciler::CheckInBackground() {
  if (check_in_flight_ || checked_writes_ == applier_.writes() || !applier_.files_complete()) {
    return;
  }
  check_in_flight_ = true;
  sources_.CheckFiles(applier_.writes());
}

// --- from facts to HAProxy
// -------------------------------------------------------------------------

routing::BuildContext Reconciler::Context() const {
  const model::DockerFacts& facts = facts_.facts();
  routing::BuildContext context;
  context.networks = facts.networks;
  context.own_network_ids = facts.own_network_ids;
  context.on_host = facts.on_host;
  context.gateway_addresses = facts.gateway_addresses;
  context.names = names_.resolved();
  for (const haproxy::Bind& bind : options_.proxy.binds) context.bound_ports.push_back(bind.port);
  context.reserved_ports = options_.reserved_ports;
  context.reserved_ports.insert(context.reserved_ports.end(), taken_ports_.begin(),
                                taken_ports_.end());
  return context;
}

void Reconciler::DropObsolete(const std::vector<model::ServiceName>& names) {
  for (const model::ServiceName& name : names) {
    LogEvent(LogLevel::kInfo, "SERVICE_RETURNED", "the labels have changed: not withdrawn any more",
             {{"service", name.str()}});
    (void)store_.Set(name, std::nullopt);
    store_.Persist(name);
  }
}

Applied Reconciler::ApplyDesired(const model::Desired& desired) {
  if (!reload_wanted_) return applier_.Apply(desired);
  Applied applied = applier_.ForceReload(desired);
  reload_wanted_ = false;
  if (applied.state == Applied::State::kLive) return applied;
  for (Pending& pending : pending_) {
    if (pending.command.kind != Command::Kind::kReload || !pending.command.reply) continue;
    Outcome outcome;
    outcome.status = 500;
    outcome.message = applied.error.ToString();
    pending.command.reply(std::move(outcome));
    pending.command.reply = nullptr;
  }
  std::erase_if(pending_, [](const Pending& pending) { return !pending.command.reply; });
  return applied;
}

void Reconciler::Converge() {
  dirty_ = false;
  taken_ports_.clear();
  Assembly assembly = std::move(previous_);
  Built built;
  Applied applied;
  for (;;) {
    assembly = assembler_.Assemble(facts_, store_.records(), quarantine_, std::move(assembly));
    DropObsolete(assembly.obsolete);
    built = routing::Build(assembly.inputs, Context());
    if (ProbePorts(built.desired)) continue;
    if (!Judge(assembly, built)) continue;
    applied = ApplyDesired(built.desired);
    if (QuarantinePorts(assembly, built.desired)) continue;
    // Each round takes at least one service out, so this ends.
    if (applied.state == Applied::State::kRefused && Quarantine(assembly, applied.error)) continue;
    break;
  }
  AfterApply(assembly, built, applied);
  // The definitions point into the facts, which go on changing.
  assembly.definitions.clear();
  previous_ = std::move(assembly);
}

void Reconciler::AfterApply(const Assembly& assembly, Built& built, const Applied& applied) {
  const bool live = applied.state == Applied::State::kLive;
  live_ = live;
  if (live) {
    retry_at_.reset();
    retry_backoff_.Reset();
  } else if (applier_.proxy_up() || applied.state == Applied::State::kRefused ||
             !applier_.files_complete()) {
    // A HAProxy that is away is looked for by PollPid.
    retry_at_ = clock_.Now() + retry_backoff_.Next();
  }
  if (applied.changed) {
    ++revision_;
    shown_.changed = clock_.WallNow();
    ObserveLatencies(live);
  } else if (live && desk_.idle()) {
    hint_at_.reset();
  }
  if (live) {
    accepted_.clear();
    for (const Definition& definition : assembly.definitions) {
      if (definition.served()) accepted_.emplace_back(definition.name, definition.parsed);
    }
  }
  names_.SetWanted(built.names_wanted);
  std::set<std::string> converging;
  for (const model::ServiceName& name : built.converging) {
    const Definition* definition = assembly.Find(name);
    if (definition != nullptr && definition->facts != nullptr &&
        definition->facts->kind == model::ServiceKind::kSwarm) {
      converging.insert(definition->facts->id);
    }
  }
  desk_.SetConverging(std::move(converging));
  include_ = assembly.include;
  if (held_back_.empty()) desk_.SetInclude(include_);
  if (!files_told_ && applier_.files_complete()) {
    files_told_ = true;
    if (ports_.files_ready) ports_.files_ready();
  }
  if (!started_) {
    if (!docker_tried_) {
      not_started_reason_ = "Docker has not been asked yet";
    } else if (!live) {
      not_started_reason_ = applied.error.ToString();
    } else {
      started_ = true;
      LogEvent(LogLevel::kInfo, "READY", "the state found at start is served",
               {{"services", std::to_string(assembly.inputs.size())}});
    }
  }
  if (store_.Flush()) dirty_ = true;
  Publish(&assembly, &built);
  AnswerPending();
  save_wanted_ = true;
  Save();
}

void Reconciler::ObserveLatencies(bool live) {
  if (!live) return;
  const SteadyTime now = clock_.Now();
  if (hint_at_) Observe(counters_.event_to_live, *hint_at_, now);
  if (desk_.idle()) {
    hint_at_.reset();
  } else if (hint_at_) {
    hint_at_ = now;
  }
  for (const Pending& pending : pending_) {
    if (pending.command.kind != Command::Kind::kReload) {
      Observe(counters_.api_to_live, pending.command.received, now);
    }
  }
}

void Reconciler::Save() {
  if (store_.TakeLost()) {
    facts_.SaveAllAgain();
    saved_slots_ = {};
    saved_names_.clear();
    saved_structure_.reset();
  }
  ports::AppliedDelta delta;
  facts_.MoveChangesTo(delta);
  const haproxy::SlotMap& slots = applier_.slots();
  for (const auto& [backend, slot] : slots.assigned) {
    auto saved = saved_slots_.assigned.find(backend);
    if (saved == saved_slots_.assigned.end() || saved->second != slot) {
      delta.slots_set.emplace(backend, slot);
    }
  }
  for (const auto& [backend, slot] : saved_slots_.assigned) {
    if (!slots.assigned.contains(backend)) delta.slots_removed.push_back(backend);
  }
  if (slots.declared != saved_slots_.declared) delta.declared = slots.declared;
  if (names_.resolved() != saved_names_) delta.names = names_.resolved();
  const std::optional<std::pair<std::string, int>> structure = applier_.structure();
  if (structure && structure != saved_structure_) delta.structure = structure;
  const bool empty = delta.upserts.empty() && delta.removals.empty() && !delta.host &&
                     delta.slots_set.empty() && delta.slots_removed.empty() && !delta.declared &&
                     !delta.names && !delta.structure;
  save_wanted_ = false;
  if (empty) return;
  if (store_.SaveApplied(delta)) {
    if (!delta.slots_set.empty() || !delta.slots_removed.empty() || delta.declared) {
      saved_slots_ = slots;
    }
    if (delta.names) saved_names_ = *delta.names;
    if (delta.structure) saved_structure_ = structure;
    return;
  }
  save_wanted_ = true;
  facts_.TakeBack(delta);
}

// --- what others see -----------------------------------------------------------------------------

void Reconciler::UpdateReady() {
  shown_.ready = started_ && applier_.proxy_up();
  if (shown_.ready) {
    shown_.not_ready_reason.clear();
  } else if (!started_) {
    shown_.not_ready_reason = not_started_reason_;
  } else {
    shown_.not_ready_reason = "HAProxy does not answer: " + applier_.proxy_error().ToString();
  }
}

void Reconciler::PublishServices(const Assembly& assembly,
                                 const std::vector<model::Diagnostic>& diagnostics) {
  const StatusContext context{assembly,
                              *shown_.desired,
                              diagnostics,
                              applier_.slots(),
                              [this](const model::SlotName& slot, const std::string& prefix) {
                                return applier_.IsDraining(slot, prefix);
                              },
                              live_                 ? ""
                              : applier_.proxy_up() ? "HAProxy has not taken it yet"
                                                    : "HAProxy does not answer"};
  std::vector<std::shared_ptr<const ServiceStatus>> before = std::move(shown_.services);
  shown_.services = book_.Update(context);
  DiagnosticsLog::TellChanges(before, shown_.services);
  shown_.diagnostics.clear();
  for (const model::Diagnostic& diagnostic : diagnostics) {
    if (assembly.Find(diagnostic.service) == nullptr) shown_.diagnostics.push_back(diagnostic);
  }
  std::vector<model::Diagnostic> all = shown_.diagnostics;
  for (const std::shared_ptr<const ServiceStatus>& service : shown_.services) {
    all.insert(all.end(), service->diagnostics.begin(), service->diagnostics.end());
  }
  log_.Update(all);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  counters_.diagnostics.clear();
  for (const model::Diagnostic& diagnostic : all) ++counters_.diagnostics[diagnostic.code];
}

void Reconciler::Publish(const Assembly* assembly, Built* built) {
  const WallTime now = clock_.WallNow();
  const bool up = applier_.proxy_up();
  SetPartner(shown_.proxy, up, up ? shown_.proxy_version : applier_.proxy_error().ToString(), now);
  SetPartner(shown_.store, store_.ok(), store_.ok() ? "" : store_.error().ToString(), now);
  shown_.revision = revision_;
  shown_.store_revision = store_.revision();
  shown_.proxy_pid = up ? applier_.pid() : 0;
  shown_.draining_servers = applier_.draining_servers();
  UpdateReady();
  if (assembly != nullptr) {
    if (*shown_.desired != built->desired) {
      shown_.desired = std::make_shared<const model::Desired>(std::move(built->desired));
    }
    if (*shown_.slots != applier_.slots().assigned) {
      shown_.slots = std::make_shared<const std::map<model::BackendName, model::SlotName>>(
          applier_.slots().assigned);
    }
    PublishServices(*assembly, built->diagnostics);
  }
  shown_.counters = counters_;
  cell_.Set(std::make_shared<const Snapshot>(shown_));
}

}  // namespace swarmgate::engine
