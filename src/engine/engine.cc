#include "swarmgate/engine/engine.h"

#include <cstddef>
#include <exception>
#include <thread>
#include <utility>
#include <variant>

#include "engine/message.h"
#include "engine/reconciler.h"
#include "engine/sources.h"
#include "swarmgate/base/log.h"

namespace swarmgate::engine {
namespace {

// Messages that are taken together before anything is carried out.
constexpr int kBurst = 512;

}  // namespace

class Engine::Impl {
 public:
  Impl(EngineOptions options, Ports ports)
      : options_(std::move(options)),
        ports_(std::move(ports)),
        cell_(std::make_shared<const Snapshot>()),
        sources_(ports_, options_, inbox_) {}

  ~Impl() { Stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void Start() {
    owner_ = std::thread([this] {
      try {
        Run();
      } catch (const std::exception& failure) {
        LogEvent(LogLevel::kError, "THREAD_ENDED", "the engine ended by an exception",
                 {{"error", failure.what()}});
        std::terminate();  // the supervisor starts the controller anew; no request is lost
      }
    });
    sources_.Start();
  }

  void Stop() {
    inbox_.Close();
    sources_.Stop();
    if (owner_.joinable()) owner_.join();
  }

  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const { return cell_.Get(); }

  void WantFacts() { inbox_.Push(FactsWanted{}); }

  Outcome Call(Command::Kind kind, std::map<std::string, std::string> parameters,
               SteadyTime deadline, std::int64_t made_unix_ms = 0) {
    // An inbox of one is the way back; a caller that stopped waiting leaves it to the message.
    auto answer = std::make_shared<Inbox<Outcome>>();
    Command command;
    command.kind = kind;
    command.parameters = std::move(parameters);
    command.made_unix_ms = made_unix_ms;
    command.received = ports_.clock->Now();
    command.deadline = deadline;
    command.reply = [answer](Outcome outcome) { answer->Push(std::move(outcome)); };
    Outcome outcome;
    if (!inbox_.Push(std::move(command))) {
      outcome.status = 503;
      outcome.message = "the engine is stopping";
      return outcome;
    }
    std::optional<Outcome> received = answer->PopUntil(deadline);
    if (received) return std::move(*received);
    outcome.status = 504;
    outcome.message = kTooLate;
    return outcome;
  }

 private:
  void Run() {
    Reconciler reconciler(options_, ports_, sources_, cell_);
    reconciler.Start();
    while (!inbox_.closed()) {
      std::optional<Message> message = inbox_.PopUntil(reconciler.Next());
      for (int taken = 0; message && taken < kBurst; ++taken) {
        reconciler.Handle(std::move(*message));
        message = inbox_.PopUntil(SteadyTime());
      }
      // The burst's last one, when there were too many.
      if (message) reconciler.Handle(std::move(*message));
      reconciler.RunDue();
    }
  }

  EngineOptions options_;
  Ports ports_;
  Inbox<Message> inbox_;
  Cell<Snapshot> cell_;
  ThreadSources sources_;
  std::thread owner_;
};

Engine::Engine(EngineOptions options, Ports ports)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(ports))) {}

Engine::~Engine() = default;

void Engine::Start() { impl_->Start(); }
void Engine::Stop() { impl_->Stop(); }

std::shared_ptr<const Snapshot> Engine::snapshot() const { return impl_->snapshot(); }

Outcome Engine::Reconfigure(const std::map<std::string, std::string>& parameters,
                            SteadyTime deadline, std::int64_t made_unix_ms) {
  return impl_->Call(Command::Kind::kReconfigure, parameters, deadline, made_unix_ms);
}

Outcome Engine::Validate(const std::map<std::string, std::string>& parameters,
                         SteadyTime deadline) {
  return impl_->Call(Command::Kind::kValidate, parameters, deadline);
}

Outcome Engine::Remove(const std::map<std::string, std::string>& parameters, SteadyTime deadline,
                       std::int64_t made_unix_ms) {
  return impl_->Call(Command::Kind::kRemove, parameters, deadline, made_unix_ms);
}

Outcome Engine::PutCertificate(const std::string& name, const std::string& pem, SteadyTime deadline,
                               std::int64_t made_unix_ms) {
  return impl_->Call(Command::Kind::kPutCertificate,
                     {{"certName", name}, {model::kPemParameter, pem}}, deadline, made_unix_ms);
}

Outcome Engine::RemoveCertificate(const std::string& name, SteadyTime deadline,
                                  std::int64_t made_unix_ms) {
  return impl_->Call(Command::Kind::kRemoveCertificate, {{"certName", name}}, deadline,
                     made_unix_ms);
}

Outcome Engine::Reload(SteadyTime deadline) {
  return impl_->Call(Command::Kind::kReload, {}, deadline);
}

Outcome Engine::Resync(SteadyTime deadline) {
  return impl_->Call(Command::Kind::kResync, {}, deadline);
}

void Engine::WantFacts() { impl_->WantFacts(); }

Result<std::string> Engine::ConfigText(SteadyTime deadline) {
  Outcome outcome = impl_->Call(Command::Kind::kConfigText, {}, deadline);
  if (outcome.status == 200) return std::move(outcome.message);
  return Fail(outcome.status == 504 ? Code::kDeadlineExceeded : Code::kUnavailable,
              std::move(outcome.message));
}

}  // namespace swarmgate::engine
