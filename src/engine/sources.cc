#include "engine/sources.h"

#include <algorithm>
#include <exception>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "engine/backoff.h"
#include "swarmgate/base/log.h"

namespace swarmgate::engine {
namespace {

constexpr Duration kListDeadline{15000};
constexpr Duration kTasksDeadline{5000};
constexpr Duration kCheckDeadline{60000};
constexpr Duration kReconnectFirst{50};
constexpr Duration kReconnectLast{1000};
constexpr Duration kLookBack{60'000};
// A stream that ends sooner counts as one that could not be had.
constexpr Duration kStreamStays{5000};

}  // namespace

ThreadSources::ThreadSources(const Engine::Ports& ports, const EngineOptions& options,
                             Inbox<Message>& inbox)
    : ports_(ports), options_(options), inbox_(inbox) {}

ThreadSources::~ThreadSources() { Stop(); }

void ThreadSources::Spawn(void (ThreadSources::*loop)()) {
  threads_.emplace_back([this, loop] {
    try {
      (this->*loop)();
    } catch (const std::exception& failure) {
      LogEvent(LogLevel::kError, "THREAD_ENDED", "a source of the engine ended by an exception",
               {{"error", failure.what()}});
      std::terminate();  // the supervisor starts the controller anew; no request is lost
    }
  });
}

void ThreadSources::Start() {
  if (ports_.docker != nullptr) {
    Spawn(&ThreadSources::WatchLoop);
    Spawn(&ThreadSources::ListLoop);
  }
  for (std::size_t i = 0; ports_.resolve && i < kResolverThreads; ++i) {
    Spawn(&ThreadSources::ResolveLoop);
  }
  if (ports_.certificates != nullptr) Spawn(&ThreadSources::CertificateLoop);
  if (ports_.shared != nullptr) {
    Spawn(&ThreadSources::SharedWatchLoop);
    Spawn(&ThreadSources::ShareLoop);
  }
  Spawn(&ThreadSources::CheckLoop);
}

void ThreadSources::Stop() {
  watch_wakeup_.Close();
  certificate_wakeup_.Close();
  shared_wakeup_.Close();
  share_requests_.Close();
  list_requests_.Close();
  resolve_requests_.Close();
  check_requests_.Close();
  if (ports_.docker != nullptr && !threads_.empty()) ports_.docker->Cancel();
  if (ports_.shared != nullptr && !threads_.empty()) ports_.shared->Cancel();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void ThreadSources::List(std::uint64_t generation, std::vector<std::string> include) {
  list_requests_.Push({ListerRequest::Kind::kEverything, generation, std::move(include), ""});
}

void ThreadSources::ListServices(std::vector<std::string> ids) {
  list_requests_.Push({ListerRequest::Kind::kServices, 0, std::move(ids), ""});
}

void ThreadSources::ListTasks(std::vector<std::string> ids) {
  list_requests_.Push({ListerRequest::Kind::kTasks, 0, std::move(ids), ""});
}

void ThreadSources::LookAt(std::string container_id, std::string service_id) {
  list_requests_.Push(
      {ListerRequest::Kind::kContainer, 0, {std::move(service_id)}, std::move(container_id)});
}

void ThreadSources::Resolve(std::string name) { resolve_requests_.Push(std::move(name)); }

void ThreadSources::CheckFiles(std::uint64_t writes) { check_requests_.Push(writes); }

void ThreadSources::WatchLoop() {
  std::minstd_rand random(static_cast<std::minstd_rand::result_type>(
      ports_.clock->WallNow().time_since_epoch().count() & 0x7fffffff));
  Backoff backoff(kReconnectFirst, kReconnectLast);
  // Docker lists a container that is about to end as running; who was told to end before we came is
  // known from the events only.
  std::int64_t since_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                              (ports_.clock->WallNow() - kLookBack).time_since_epoch())
                              .count();
  while (!watch_wakeup_.closed()) {
    std::optional<SteadyTime> opened;
    const Error error = ports_.docker->Watch(
        since_ns,
        [&] {
          opened = ports_.clock->Now();
          inbox_.Push(DockerConnected{});
        },
        [&](const ports::DockerEvent& event) {
          since_ns = std::max(since_ns, event.time_ns);
          inbox_.Push(DockerHint{event});
        });
    if (watch_wakeup_.closed()) return;
    inbox_.Push(DockerLost{error});
    if (opened && ports_.clock->Now() >= *opened + kStreamStays) backoff.Reset();
    // Replicas that lost one daemon together do not come back together.
    const Duration pause = backoff.Next();
    const auto jitter = std::uniform_int_distribution<std::int64_t>(0, pause.count())(random);
    (void)watch_wakeup_.PopUntil(ports_.clock->Now() + pause + Duration(jitter));
  }
}

void ThreadSources::ListLoop() {
  while (!list_requests_.closed()) {
    std::optional<ListerRequest> request =
        list_requests_.PopUntil(ports_.clock->Now() + Duration(60000));
    if (request) inbox_.Push(AnswerOf(*std::move(request)));
  }
}

Message ThreadSources::AnswerOf(ListerRequest request) {
  ports::DockerApi& docker = *ports_.docker;
  const SteadyTime started = ports_.clock->Now();
  std::vector<std::string>& names = request.names;
  switch (request.kind) {
    case ListerRequest::Kind::kEverything:
      docker.Include(std::move(names));
      return DockerListed{request.generation, started, docker.List(started + kListDeadline)};
    case ListerRequest::Kind::kServices: {
      auto services = docker.ListServices(names, started + kListDeadline);
      return ServicesListed{std::move(names), std::move(services)};
    }
    case ListerRequest::Kind::kTasks: {
      auto tasks = docker.ListTasks(names, started + kTasksDeadline);
      return TasksListed{started, std::move(names), std::move(tasks)};
    }
    case ListerRequest::Kind::kContainer:
      break;
  }
  auto task = docker.LookAt(request.container, started + kTasksDeadline);
  return ContainerSeen{std::move(request.container), std::move(names.front()), std::move(task)};
}

void ThreadSources::ResolveLoop() {
  while (!resolve_requests_.closed()) {
    std::optional<std::string> name =
        resolve_requests_.PopUntil(ports_.clock->Now() + Duration(60000));
    if (!name) continue;
    Result<std::vector<std::string>> addresses = ports_.resolve(*name);
    inbox_.Push(NameResolved{std::move(*name), std::move(addresses)});
  }
}

void ThreadSources::CheckLoop() {
  while (!check_requests_.closed()) {
    std::optional<std::uint64_t> writes =
        check_requests_.PopUntil(ports_.clock->Now() + Duration(60000));
    if (!writes) continue;
    inbox_.Push(FilesChecked{
        *writes,
        ports_.proxy->CheckFiles(options_.proxy.files_dir, ports_.clock->Now() + kCheckDeadline)});
  }
}

void ThreadSources::CertificateLoop() {
  std::string known;
  while (!certificate_wakeup_.closed()) {
    // Taken before the files are read: what changes meanwhile shows the next time.
    std::string stamp = ports_.certificates->Stamp();
    if (stamp != known) {
      known = std::move(stamp);
      inbox_.Push(CertificatesRead{ports_.certificates->Read()});
    }
    (void)certificate_wakeup_.PopUntil(ports_.clock->Now() + options_.certificates.poll);
  }
}

}  // namespace swarmgate::engine
