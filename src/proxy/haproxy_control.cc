#include "swarmgate/proxy/haproxy_control.h"

#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "proxy/expectation.h"
#include "proxy/master.h"
#include "proxy/run_command.h"
#include "proxy/unix_exchange.h"
#include "swarmgate/base/check.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/proxy/process.h"

namespace swarmgate::proxy {

using haproxy::MapId;
using haproxy::Step;

namespace {

/// How long a server that was idle a moment ago may hold on to a connection.
constexpr Duration kRetirePatience{500};
/// The old worker answers some more connections while it lets go of the socket.
constexpr int kAnswersInARow = 4;
constexpr off_t kMaxLog = 4 << 20;

bool IsAlert(std::string_view line) {
  return line.find("[ALERT]") != std::string_view::npos ||
         line.find("[WARNING]") != std::string_view::npos;
}

/// What `haproxy -c` complains about, as one line.
std::string Alerts(const std::string& output) {
  std::string alerts;
  for (const std::string_view line : Split(output, '\n')) {
    if (!IsAlert(line)) continue;
    if (!alerts.empty()) alerts += " | ";
    alerts += std::string(Trim(line));
  }
  return Printable(alerts.empty() ? Trim(output) : std::string_view(alerts), 1500);
}

}  // namespace

class HaproxyControl::Impl {
 public:
  explicit Impl(ControlOptions options)
      : options_(std::move(options)),
        runtime_(RuntimeSocket(options_.settings.run_dir)),
        master_(MasterSocket(options_.settings.run_dir)),
        cancel_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    SWARMGATE_CHECK(cancel_.valid());
  }

  void Cancel() {
    const std::uint64_t one = 1;
    // The counter cannot overflow by this, and whoever waits sees it either way.
    (void)!write(cancel_.get(), &one, sizeof one);
  }

  Result<int> Pid(SteadyTime deadline) {
    const auto reply = Ask("show info\n", deadline);
    if (!reply) return Forward(reply.error());
    return haproxy::ParsePid(*reply);
  }

  Result<std::size_t> Execute(const std::vector<Step>& steps, SteadyTime deadline) {
    std::vector<Step> run;
    for (const Step& step : steps) {
      const auto* replace = std::get_if<haproxy::ReplaceMap>(&step);
      const bool certificate = haproxy::IsCertificateStep(step);
      if (replace == nullptr && !certificate) {
        run.push_back(step);
        continue;
      }
      const Status before = Send(run, deadline);
      if (!before) return Forward(before.error());
      run.clear();
      if (certificate) {
        const Status changed = ChangeCertificate(step, deadline);
        if (!changed) return Forward(changed.error());
        continue;
      }
      const Status replaced = Replace(*replace, deadline);
      if (!replaced) return Forward(replaced.error(), MapFile(replace->map));
    }
    const Status sent = Send(run, deadline);
    if (!sent) return Forward(sent.error());
    const Status verified = Verify(Expectation(steps), deadline);
    if (!verified) return Forward(verified.error(), "reading back");
    return steps.size();
  }

  Result<haproxy::Held> ReadBack(const haproxy::Image& assumed, SteadyTime deadline) {
    const Result<int> pid = Pid(deadline);
    if (!pid) return Forward(pid.error());
    haproxy::Held held;
    held.image.base = assumed.base;
    held.image.declared = assumed.declared;
    for (const MapId id : haproxy::kMapIds) {
      const auto reply = Ask(haproxy::AskMap(id) + "\n", deadline);
      if (!reply) return Forward(reply.error());
      auto entries = haproxy::ParseShowMap(*reply);
      if (!entries) return Forward(entries.error(), MapFile(id));
      ApplyStep(held, haproxy::ReplaceMap{id, std::move(*entries)});
    }
    const auto reply = Ask("show servers state\n", deadline);
    if (!reply) return Forward(reply.error());
    const auto servers = haproxy::ParseServersState(*reply);
    if (!servers) return Forward(servers.error());
    for (const haproxy::ServerState& state : *servers) TakeServer(state, held);
    haproxy::TakeOptions(held.image, assumed);
    if (const Status read = ReadCertificates(held.image, deadline); !read) {
      return Forward(read.error());
    }
    haproxy::TakePems(held.image, assumed);
    const Result<int> after = Pid(deadline);
    if (!after) return Forward(after.error());
    if (*after != *pid) return Fail(Code::kUnavailable, "HAProxy was replaced meanwhile");
    pid_ = *pid;
    return held;
  }

  Result<std::map<model::ServerName, std::uint64_t>> Sessions(const model::SlotName& slot,
                                                              SteadyTime deadline) {
    const auto reply = Ask(haproxy::AskSessions(slot) + "\n", deadline);
    if (!reply) return Forward(reply.error());
    return haproxy::ParseSessions(*reply);
  }

  Result<ports::ReloadOutcome> Reload(SteadyTime deadline) {
    ports::ReloadOutcome outcome;
    // Without an answer there may still be a master whose worker is just starting.
    if (const Result<int> old = Pid(deadline)) outcome.old_pid = *old;
    TrimLog();
    const Result<MasterState> master = ReloadMaster(master_, deadline, cancel_.get());
    if (!master) {
      Error error = master.error();
      if (error.code == Code::kRejected) error.message += "; " + LastAlerts();
      return Forward(std::move(error));
    }
    for (int in_a_row = 0; in_a_row < kAnswersInARow;) {
      const Result<int> now = Pid(deadline);
      const auto& workers = master->workers;
      const bool young = now && *now != outcome.old_pid &&
                         std::find(workers.begin(), workers.end(), *now) != workers.end();
      in_a_row = young ? in_a_row + 1 : 0;
      if (young) {
        outcome.new_pid = *now;
        continue;
      }
      if (!now && now.error().code == Code::kCancelled) return Forward(now.error());
      const Status paused = Pause(Duration(1), deadline, cancel_.get());
      if (!paused) return Forward(paused.error(), "waiting for the new worker");
    }
    pid_ = outcome.new_pid;
    return outcome;
  }

  Status CheckFiles(const std::string& directory, SteadyTime deadline) {
    const auto result =
        RunCommand({options_.binary, "-c", "-f", directory + "/conf"}, deadline, cancel_.get());
    if (!result) return Forward(result.error(), "haproxy -c");
    if (result->exit_code == 0) return Ok();
    return Fail(Code::kRejected, Alerts(result->output), "haproxy -c");
  }

 private:
  Result<std::string> Ask(const std::string& question, SteadyTime deadline) {
    return Exchange(runtime_, question, deadline, cancel_.get());
  }

  /// Steps without ReplaceMap.
  Status Send(const std::vector<Step>& steps, SteadyTime deadline) {
    std::vector<Step> plain;
    for (const Step& step : steps) {
      const auto* retire = std::get_if<haproxy::RetireServer>(&step);
      if (retire == nullptr) {
        plain.push_back(step);
        continue;
      }
      const Status before = SendPlain(plain, deadline);
      if (!before) return before;
      plain.clear();
      const Status retired = Retire(*retire, deadline);
      if (!retired) return retired;
    }
    return SendPlain(plain, deadline);
  }

  Status SendPlain(const std::vector<Step>& steps, SteadyTime deadline) {
    for (const haproxy::Batch& batch : EncodeSteps(steps, options_.settings)) {
      const auto reply = Ask(batch.text, deadline);
      if (!reply) return Forward(reply.error());
      const Status checked = CheckReply(batch, *reply);
      if (!checked) return checked;
    }
    return Ok();
  }

  /// A connection that was just given back keeps a server from being deleted for some milliseconds.
  Status Retire(const haproxy::RetireServer& step, SteadyTime deadline) {
    const SteadyTime end = std::min(deadline, std::chrono::steady_clock::now() + kRetirePatience);
    const haproxy::Batch batch = EncodeSteps({step}, options_.settings).front();
    for (;;) {
      const auto reply = Ask(batch.text, deadline);
      if (!reply) return Forward(reply.error());
      Status checked = CheckReply(batch, *reply);
      if (checked) return checked;
      if (reply->find("still has connections") == std::string::npos) return checked;
      if (!Pause(Duration(5), end, cancel_.get())) return checked;
    }
  }

  Status Replace(const haproxy::ReplaceMap& step, SteadyTime deadline) {
    const auto prepared = Ask(EncodePrepare(step.map, options_.settings), deadline);
    if (!prepared) return Forward(prepared.error());
    const auto version = haproxy::ParsePrepareReply(*prepared);
    if (!version) return Forward(version.error());
    haproxy::Batch one;
    one.commands = 1;
    for (const std::string& text : EncodeReplace(step, *version, options_.settings)) {
      const auto reply = Ask(text, deadline);
      if (!reply) return Forward(reply.error());
      const Status checked = CheckReply(one, *reply);
      if (!checked) return checked;
    }
    return Ok();
  }

  Status ChangeCertificate(const Step& step, SteadyTime deadline) {
    for (const haproxy::CertificateCommand& command : haproxy::EncodeCertificate(step)) {
      const auto reply = Ask(command.text, deadline);
      if (!reply) return Forward(reply.error());
      Status checked = CheckCertificateReply(command, *reply);
      if (checked) continue;
      // A transaction that stays open would keep every other certificate from being changed.
      (void)Ask(haproxy::EncodeAbort(step), deadline);
      return checked;
    }
    return Ok();
  }

  Status ReadCertificates(haproxy::Image& image, SteadyTime deadline) {
    if (!haproxy::ManagesCertificates(options_.settings)) return Ok();
    const auto reply = Ask(haproxy::AskCertificateList() + "\n", deadline);
    if (!reply) return Forward(reply.error());
    auto list = haproxy::ParseCertificateList(*reply);
    if (!list) return Forward(list.error());
    for (auto& [file, names] : *list) {
      image.certificates.emplace(file, haproxy::ImageCertificate{std::move(names), {}});
    }
    const auto fallback = Ask(haproxy::AskDefaultCertificate() + "\n", deadline);
    if (!fallback) return Forward(fallback.error());
    image.default_print = haproxy::ParseCertificatePrint(*fallback);
    // What a controller that was killed left open.
    const auto open = Ask("show ssl cert\n", deadline);
    if (!open) return Forward(open.error());
    for (const std::string_view line : Split(*open, '\n')) {
      if (line.substr(0, 1) != "*") continue;
      const auto aborted = Ask("abort ssl cert " + std::string(line.substr(1)) + "\n", deadline);
      if (!aborted) return Forward(aborted.error());
    }
    return Ok();
  }

  Status Verify(const Expectation& expectation, SteadyTime deadline) {
    std::vector<std::string> answers;
    for (const std::string& question : expectation.questions()) {
      auto reply = Ask(question, deadline);
      if (!reply) return Forward(reply.error());
      answers.push_back(std::move(*reply));
    }
    const Result<int> pid = expectation.Compare(answers);
    if (!pid) return Forward(pid.error());
    const int known = std::exchange(pid_, *pid);
    if (known != 0 && known != *pid) {
      return Fail(Code::kUnavailable, "HAProxy was replaced (pid " + std::to_string(known) +
                                          ", now " + std::to_string(*pid) + ")");
    }
    return Ok();
  }

  static void TakeServer(const haproxy::ServerState& state, haproxy::Held& held) {
    // HAProxy has backends of its own (its HTTP client), and services have some by templates
    // ("sg_web:own"), whose servers are none of ours.
    const std::string_view name = state.slot.str();
    if (name.rfind("sg_", 0) != 0 || name.find(':') != std::string::npos) return;
    if (state.drain || state.maint) {
      held.draining[state.slot].insert(state.server);
      return;
    }
    model::Server server;
    server.name = state.server;
    server.address = state.address;
    server.port = state.port;
    ApplyStep(held, haproxy::AddServer{state.slot, std::move(server), false});
  }

  /// 2.6 writes a line for each backend at each reload.
  void TrimLog() const {
    const std::string log = HaproxyLog(options_.settings.run_dir);
    struct stat info {};
    if (stat(log.c_str(), &info) == 0 && info.st_size > kMaxLog) {
      // HAProxy appends, so that it goes on at the new end. A failure costs only space.
      (void)!truncate(log.c_str(), 0);
    }
  }

  [[nodiscard]] std::string LastAlerts() const {
    std::string alerts;
    const std::string tail = HaproxyLogTail(options_.settings.run_dir, 4000);
    for (const std::string_view line : Split(tail, '\n')) {
      if (line.find("[ALERT]") != std::string_view::npos) alerts = std::string(line);
    }
    return alerts;
  }

  ControlOptions options_;
  std::string runtime_;
  std::string master_;
  Fd cancel_;
  int pid_ = 0;  ///< of the worker that was read back or verified last; 0: none yet
};

HaproxyControl::HaproxyControl(ControlOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
HaproxyControl::~HaproxyControl() = default;

Result<int> HaproxyControl::Pid(SteadyTime deadline) { return impl_->Pid(deadline); }
Result<std::size_t> HaproxyControl::Execute(const std::vector<Step>& steps, SteadyTime deadline) {
  return impl_->Execute(steps, deadline);
}
Result<haproxy::Held> HaproxyControl::ReadBack(const haproxy::Image& assumed, SteadyTime deadline) {
  return impl_->ReadBack(assumed, deadline);
}
Result<std::map<model::ServerName, std::uint64_t>> HaproxyControl::Sessions(
    const model::SlotName& slot, SteadyTime deadline) {
  return impl_->Sessions(slot, deadline);
}
Result<ports::ReloadOutcome> HaproxyControl::Reload(SteadyTime deadline) {
  return impl_->Reload(deadline);
}
Status HaproxyControl::CheckFiles(const std::string& directory, SteadyTime deadline) {
  return impl_->CheckFiles(directory, deadline);
}
void HaproxyControl::Cancel() { impl_->Cancel(); }

}  // namespace swarmgate::proxy
