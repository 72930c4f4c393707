#include "engine/reconciler.h"

#include <algorithm>
#include <utility>

#include "swarmgate/base/log.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::engine {
namespace {

using routing::Built;

constexpr Duration kCertificateLook{3'600'000};
// By then every replica has listed Docker's services anew.
constexpr Duration kSettleLabels{60'000};
// Probing a port costs a converge.
constexpr Duration kPortsInterval{10'000};

void Observe(Histogram& histogram, SteadyTime since, SteadyTime now) {
  const double seconds = std::chrono::duration<double>(now - since).count();
  std::size_t bucket = 0;
  while (bucket < kLatencyBounds.size() && seconds > kLatencyBounds[bucket]) ++bucket;
  ++histogram.buckets[bucket];
  ++histogram.count;
  histogram.sum_seconds += seconds;
}

}  // namespace

void SetPartner(PartnerStatus& partner, bool ok, std::string detail, WallTime now) {
  if (partner.ok != ok || partner.since == WallTime()) partner.since = now;
  partner.ok = ok;
  partner.detail = std::move(detail);
}

Reconciler::Reconciler(const EngineOptions& options, const Engine::Ports& ports, Sources& sources,
                       Cell<Snapshot>& cell)
    : options_(options),
      ports_(ports),
      sources_(sources),
      cell_(cell),
      clock_(*ports.clock),
      facts_(FactsKeeper::Options{}),
      assembler_(options.parse, options.static_services, ports.read_template),
      store_(*ports.store, ports.shared != nullptr, *ports.clock),
      shared_(options.sharing, ports.shared != nullptr, store_, sources, *ports.clock),
      applier_(options, *ports.proxy, *ports.files, *ports.clock, counters_),
      desk_(options, ports.docker != nullptr, sources, *ports.clock),
      task_containers_(ports.clock->WallNow()),
      names_(options.resolve_interval, static_cast<bool>(ports.resolve), sources, *ports.clock),
      certificates_(options.certificates, haproxy::ManagesCertificates(options.proxy)) {
  shown_.started = clock_.WallNow();
  shown_.instance = options.parse.instance_name;
  shown_.desired = std::make_shared<const model::Desired>();
  shown_.not_ready_reason = not_started_reason_;
  const haproxy::Version& version = options.proxy.version;
  shown_.proxy_version = std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
                         std::to_string(version.patch);
  if (ports.docker == nullptr) {
    docker_tried_ = docker_listed_ = true;
    SetPartner(shown_.docker, false, "not configured", shown_.started);
  } else {
    SetPartner(shown_.docker, false, "not connected yet", shown_.started);
  }
}

void Reconciler::Handle(Message message) {
  std::visit([this](auto&& taken) { On(std::forward<decltype(taken)>(taken)); },
             std::move(message));
}

// --- what other sources say ----------------------------------------------------------------------

void Reconciler::On(NameResolved message) {
  if (names_.Take(message)) {
    // Each name has a message of its own: many that change at once are taken together.
    const SteadyTime now = clock_.Now();
    if (now >= names_not_before_) {
      dirty_ = true;
      names_not_before_ = now + options_.coalesce;
    } else {
      names_due_ = names_not_before_;
    }
  }
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
  if (Quarantine(Assemble(), message.status.error())) dirty_ = true;
}

// --- what is due ---------------------------------------------------------------------------------

void Reconciler::RunDue() {
  const SteadyTime now = clock_.Now();
  TakeNews(facts_.Expire(now));
  docker_health_.RunDue(now);
  if (applier_.PollDrains()) dirty_ = true;
  const bool was_up = applier_.proxy_up();
  if (applier_.PollPid()) dirty_ = true;
  if (applier_.structure_retry_at() && *applier_.structure_retry_at() <= now) dirty_ = true;
  if (retry_at_ && *retry_at_ <= now) {
    retry_at_.reset();
    dirty_ = true;
  }
  if (ports_look_again_ && *ports_look_again_ <= now) dirty_ = true;
  if (names_due_ && *names_due_ <= now) {
    names_not_before_ = now + options_.coalesce;
    dirty_ = true;
  }
  if (certificates_.next_news() && *certificates_.next_news() <= clock_.WallNow()) dirty_ = true;
  TakeSettled();
  TakeSharedNews();
  if (awaits_shared_ && !shared_.ShouldAwaitStart()) dirty_ = true;
  if (dirty_) {
    Converge();
  } else if (was_up != applier_.proxy_up()) {
    PublishPartners();
  }
  // After the calls that came in are judged: until then what they set is known to the memory only,
  // and a store that is read again would put the old record in its place.
  if (store_.retry_at() && *store_.retry_at() <= now) {
    if (store_.Flush()) dirty_ = true;
    if (save_wanted_) Save();
    PublishPartners();
  }
  // Nothing is unjudged after Converge.
  TakeSettled();
  TakeSharedNews();
  shared_.RunDue(live_ && !dirty_);
  if (!dirty_) TellFilesReady();
  AnswerPending();
  DropLate();
  names_.RunDue();
  desk_.RunDue();
  CheckInBackground();
}

SteadyTime Reconciler::Next() const {
  if (dirty_) return clock_.Now();
  SteadyTime next = std::min(
      {desk_.Next(), docker_health_.Next(), names_.Next(), applier_.NextPoll(), shared_.Next()});
  const auto consider = [&next](const std::optional<SteadyTime>& time) {
    if (time) next = std::min(next, *time);
  };
  consider(facts_.NextExpiry());
  consider(applier_.structure_retry_at());
  consider(retry_at_);
  consider(ports_look_again_);
  consider(names_due_);
  consider(store_.retry_at());
  if (!files_told_ && MayKnowMoreSoon()) next = std::min(next, start_until_);
  consider(NextAnswer());
  consider(NextDeadline());
  // The time of day may be set anew: looked at every hour.
  if (certificates_.next_news()) next = std::min(next, clock_.Now() + kCertificateLook);
  return next;
}

void Reconciler::CheckInBackground() {
  if (check_in_flight_ || checked_writes_ == applier_.writes() || !applier_.files_complete()) {
    return;
  }
  check_in_flight_ = true;
  sources_.CheckFiles(applier_.writes());
}

// --- from facts to HAProxy -----------------------------------------------------------------------

const Assembly& Reconciler::Assemble() {
  return assembler_.Update(facts_.services(), store_.records(), store_.TakeChanged(), quarantine_);
}

const routing::BuildContext& Reconciler::Context() {
  const std::pair<std::uint64_t, std::uint64_t> now(facts_.host_version(), names_.version());
  if (now == context_of_ && context_ports_ == taken_ports_) return context_;
  context_of_ = now;
  context_ports_ = taken_ports_;
  const model::DockerFacts& host = facts_.host();
  context_ = routing::BuildContext();
  context_.networks = host.networks;
  context_.own_network_ids = host.own_network_ids;
  context_.on_host = host.on_host;
  context_.gateway_addresses = host.gateway_addresses;
  context_.names = names_.resolved();
  for (const haproxy::Bind& bind : options_.proxy.binds) {
    context_.bound_ports.push_back(bind.port);
    context_.tls = context_.tls || bind.tls;
  }
  context_.label_prefix = options_.parse.label_prefix;
  context_.reserved_ports = options_.reserved_ports;
  context_.reserved_ports.insert(context_.reserved_ports.end(), taken_ports_.begin(),
                                 taken_ports_.end());
  return context_;
}

void Reconciler::DropObsolete(const std::set<model::ServiceName>& names) {
  std::erase_if(obsolete_, [&](const auto& entry) { return !names.contains(entry.first); });
  for (const model::ServiceName& name : names) {
    // Another replica may have seen newer labels than we: those that it has withdrawn. The record
    // counts for nothing meanwhile.
    const std::int64_t made = store_.records().at(name).updated_unix_ms;
    const WallTime written{Duration(made)};
    const WallTime now = clock_.WallNow();
    // By a clock that is ahead of ours: no reason to wait until then.
    const bool recent = now < written + kSettleLabels && written < now + kSettleLabels;
    if (ports_.shared != nullptr) {
      if (recent) {
        obsolete_.erase(name);  // of an earlier withdrawal
        continue;
      }
      // Nor need ours be those of now: after a start, or while Docker was away.
      const auto [seen, first] = obsolete_.try_emplace(name, 0);
      if (first && ports_.docker != nullptr) seen->second = desk_.ForceList();
      if (listed_generation_ < seen->second) continue;
    }
    LogEvent(LogLevel::kInfo, "SERVICE_RETURNED", "the labels have changed: not withdrawn any more",
             {{"service", name.str()}});
    (void)store_.Set(name, std::nullopt);
    // It ends that withdrawal, and nothing that anybody has asked for since, here or elsewhere.
    store_.Persist(name, made + 1);
  }
}

Applied Reconciler::ApplyDesired(const model::Desired& desired) {
  if (MustLeaveAsFound()) {
    return {Applied::State::kWaiting, false,
            Error{Code::kUnavailable,
                  "what an earlier run knew is lost, and its configuration is served as it is "
                  "until Docker has been listed",
                  {}}};
  }
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
  names_due_.reset();
  taken_ports_.clear();
  ports_look_again_.reset();
  const Assembly& assembly = assembler_.assembly();
  Built built;
  Applied applied;
  for (;;) {
    (void)Assemble();
    DropObsolete(assembly.obsolete);
    std::erase_if(quarantine_, [&](const auto& entry) {
      return assembly.Find(entry.first) == nullptr;  // a name that is gone is judged anew
    });
    built = router_.Update(assembly.inputs, Context());
    if (ProbePorts(built.desired)) continue;
    if (!Judge(assembly, built)) continue;
    AddCertificates(assembly, built);
    applied = ApplyDesired(built.desired);
    if (QuarantinePorts(assembly, built.desired)) continue;
    // Each round takes at least one service out, so this ends.
    if (applied.state == Applied::State::kRefused && Quarantine(assembly, applied.error)) continue;
    break;
  }
  AfterApply(assembly, built, applied);
}

void Reconciler::Accept(const Assembly& assembly) {
  for (const model::ServiceName& name : std::exchange(unaccepted_, {})) {
    const Definition* definition = assembly.Find(name);
    if (definition != nullptr && definition->served()) {
      accepted_.insert_or_assign(name, definition->parsed->hash);
    } else {
      accepted_.erase(name);
    }
  }
}

// What Docker is to be asked for more often, or beside what has labels.
void Reconciler::AskDocker(const Assembly& assembly, const Built& built) {
  std::set<std::string> converging;
  for (const model::ServiceName& name : built.converging) {
    const Definition* definition = assembly.Find(name);
    if (definition != nullptr && definition->facts &&
        definition->facts->kind == model::ServiceKind::kSwarm) {
      converging.insert(definition->facts->id);
    }
  }
  desk_.SetConverging(std::move(converging));
  if (include_version_ != assembly.include_version) {
    include_version_ = assembly.include_version;
    include_.assign(assembly.include.begin(), assembly.include.end());
    include_told_ = false;
  }
  if (!include_told_ && held_back_.empty()) {
    desk_.SetInclude(include_);
    include_told_ = true;
  }
}

void Reconciler::AfterApply(const Assembly& assembly, Built& built, const Applied& applied) {
  if (!taken_ports_.empty()) ports_look_again_ = clock_.Now() + kPortsInterval;
  const bool live = applied.state == Applied::State::kLive;
  live_ = live;
  if (live && applier_.files_complete()) {
    retry_at_.reset();
    retry_backoff_.Reset();
  } else if (applier_.proxy_up() || applied.state == Applied::State::kRefused ||
             !applier_.files_complete()) {
    // A HAProxy that is away is looked for by PollPid.
    retry_at_ = clock_.Now() + retry_backoff_.Next();
  }
  // HAProxy may have begun with all that there is: that is a revision, too.
  if (applied.changed || (live && revision_ == 0)) {
    ++revision_;
    shown_.changed = clock_.WallNow();
    ObserveLatencies(live);
  } else if (live && desk_.idle()) {
    hint_at_.reset();
  }
  names_.SetWanted(built.names_wanted);
  AskDocker(assembly, built);
  TellFilesReady();
  UpdateStarted(assembly, applied);
  if (store_.Flush()) dirty_ = true;
  Publish(&assembly, &built);
  if (live) Accept(assembly);
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

// --- what others see -----------------------------------------------------------------------------

void Reconciler::PublishServices(const Assembly& assembly, const Built& built) {
  const std::set<model::ServiceName> changed = assembler_.TakeChanged();
  unaccepted_.insert(changed.begin(), changed.end());
  const StatusContext context{assembly,
                              changed,
                              built.services,
                              *shown_.desired,
                              applier_.slots(),
                              [this](const model::SlotName& slot, const std::string& prefix) {
                                return applier_.IsDraining(slot, prefix);
                              },
                              applier_.draining_servers() > 0,
                              live_                 ? ""
                              : applier_.proxy_up() ? "HAProxy has not taken it yet"
                                                    : "HAProxy does not answer"};
  const StatusNews news = book_.Update(context);
  shown_.services = book_.services();
  shown_.of_other_instances = assembly.of_other_instances;
  if (!news.gone.empty() || !news.come.empty()) shown_.diagnostics = book_.others();
  log_.Update(news);
  counters_.diagnostics = log_.by_code();
}

void Reconciler::Publish(const Assembly* assembly, Built* built) {
  const WallTime now = clock_.WallNow();
  const bool up = applier_.proxy_up();
  SetPartner(shown_.proxy, up, up ? shown_.proxy_version : applier_.proxy_error().ToString(), now);
  SetPartner(shown_.store, store_.ok(), store_.ok() ? "" : store_.error().ToString(), now);
  shared_.Describe(shown_.shared);
  shown_.revision = revision_;
  shown_.store_revision = store_.revision();
  shown_.proxy_pid = up ? applier_.pid() : 0;
  shown_.draining_servers = applier_.draining_servers();
  shown_.certificates = certificates_.status();
  if (*shown_.nodes != facts_.host().nodes) {
    shown_.nodes = std::make_shared<const std::vector<model::NodeFacts>>(facts_.host().nodes);
  }
  UpdateReady();
  if (assembly != nullptr) {
    built->desired.tls = {};  // what others see holds no key
    if (*shown_.desired != built->desired) {
      shown_.desired = std::make_shared<const model::Desired>(std::move(built->desired));
    }
    if (*shown_.lost != built->lost) {
      shown_.lost = std::make_shared<const Chunked<routing::LostRoute>>(std::move(built->lost));
    }
    if (*shown_.slots != applier_.slots().assigned) {
      shown_.slots = std::make_shared<const SharedMap<model::BackendName, model::SlotName>>(
          applier_.slots().assigned);
    }
    PublishServices(*assembly, *built);
  }
  shown_.counters = counters_;
  cell_.Set(std::make_shared<const Snapshot>(shown_));
}

}  // namespace swarmgate::engine
