// The part of Reconciler that begins: what an earlier run has left, when HAProxy is to start, and
// when this replica is ready.
#include <optional>
#include <string>
#include <utility>

#include "engine/reconciler.h"
#include "swarmgate/base/log.h"

namespace swarmgate::engine {
namespace {

// How long HAProxy is not started in order that it begins with all that there is.
constexpr Duration kStartWait{5000};

// Has an earlier run left routes for HAProxy?
bool FoundRoutes(ports::ConfigFiles& files) {
  const Result<haproxy::Files> disk = files.Load();
  if (!disk) return false;
  const auto routes = disk->find(std::string(haproxy::MapFile(haproxy::MapId::kRoutes)));
  return routes != disk->end() && routes->second.find(" sg_") != std::string::npos;
}

}  // namespace

void Reconciler::Start() {
  (void)store_.Load();  // failing: Flush tries again
  std::optional<ports::AppliedState> state = store_.LoadApplied();
  if (state) {
    // A state is saved even before any list was had, and tells of no service then.
    restored_ = !state->facts.daemon_id.empty();
    saved_slots_ = state->slots;
    // The last change may have been told to its caller, and not saved.
    revision_ = state->revision + 1;
    saved_structure_ = std::pair(state->structure, state->proxy_pid);
    applier_.Restore(state->slots, state->structure, state->proxy_pid);
    names_.Restore(std::move(state->names));
    saved_names_ = names_.version();
    facts_.Restore(std::move(state->facts));
  }
  found_nothing_ = !state && store_.records().empty();
  leaves_as_found_ =
      !state && ports_.docker != nullptr && !options_.docker_optional && FoundRoutes(*ports_.files);
  if (leaves_as_found_) {
    LogEvent(LogLevel::kWarning, "STATE_LOST",
             "what an earlier run knew is lost, but not its configuration: HAProxy serves that as "
             "it is until Docker has been listed");
  }
  start_until_ = clock_.Now() + kStartWait;
  desk_.SetAllIds(facts_.SwarmIds());
  // Now, not when the thread comes to it: the first configuration must not lack them.
  if (ports_.certificates != nullptr) On(CertificatesRead{ports_.certificates->Read()});
  RunDue();
}

// An earlier run's state is served at once. Without one there is nothing yet to answer with but
// 503, while a port that nobody listens on sends the client, or a balancer, to another replica.
bool Reconciler::MayKnowMoreSoon() const {
  return found_nothing_ && (!docker_tried_ || shared_.ShouldAwaitStart()) &&
         clock_.Now() < start_until_;
}

bool Reconciler::MustLeaveAsFound() const {
  return leaves_as_found_ && (!docker_listed_ || shared_.ShouldAwaitStart());
}

void Reconciler::TellFilesReady() {
  if (files_told_) return;
  const bool good = applier_.files_complete() && !MayKnowMoreSoon();
  if (!good && !MustLeaveAsFound()) return;
  files_told_ = true;
  if (ports_.files_ready) ports_.files_ready();
  if (!applier_.proxy_up()) applier_.ExpectProxy();
}

// Ready too early, with no service, a replica would be sent requests that it answers with 503.
void Reconciler::UpdateStarted(const Assembly& assembly, const Applied& applied) {
  if (started_) return;
  if (!docker_tried_) {
    not_started_reason_ = "Docker has not been asked yet";
  } else if (!docker_listed_ && !restored_ && !options_.docker_optional) {
    not_started_reason_ =
        "Docker could not be listed yet, and nothing is stored of an earlier run: " +
        shown_.docker.detail;
  } else if (shared_.ShouldAwaitStart()) {
    awaits_shared_ = true;
    not_started_reason_ = "what the replicas share has not been read yet";
  } else if (!live_) {
    awaits_shared_ = false;
    not_started_reason_ = applied.error.ToString();
  } else {
    awaits_shared_ = false;
    started_ = true;
    LogEvent(LogLevel::kInfo, "READY", "the state found at start is served",
             {{"services", std::to_string(assembly.inputs.size())}});
  }
}

void Reconciler::UpdateReady() {
  shown_.was_ready = started_;
  shown_.ready = started_ && applier_.proxy_up();
  if (shown_.ready) {
    shown_.not_ready_reason.clear();
  } else if (!started_) {
    shown_.not_ready_reason = not_started_reason_;
  } else {
    shown_.not_ready_reason = "HAProxy does not answer: " + applier_.proxy_error().ToString();
  }
}

}  // namespace swarmgate::engine
