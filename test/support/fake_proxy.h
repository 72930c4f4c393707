// A HAProxy in memory: what it holds, the files that it would load at a start, and the ways in
// which it can fail. It refuses what the real one refuses; the contract suite holds the two against
// each other.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "swarmgate/ports/proxy_control.h"

namespace swarmgate::testing {

/// What HAProxy holds after it has loaded these files.
[[nodiscard]] haproxy::Image LoadImage(const haproxy::Files& files);

/// Both ports of HAProxy. Thread: any.
class FakeProxy final : public ports::ProxyControl, public ports::ConfigFiles {
 public:
  // --- the process ---
  /// Loads the files under a new pid. False when there are none, or when they are refused.
  bool Start();
  /// Nothing answers until Start. Run-time state is lost.
  void Kill();
  [[nodiscard]] bool running() const;

  // --- faults ---
  /// The next `calls` calls of ProxyControl (of any kind) fail so; HAProxy itself is unharmed.
  void FailNext(Code code, int calls = 1);
  /// The same for ConfigFiles.
  void FailFilesNext(Code code, int calls = 1);
  /// Ends what FailNext and FailFilesNext began.
  void StopFailing();
  /// The next reloads are refused although the check lets the files pass (a port in use), with this
  /// alert.
  void RejectReloads(int reloads, std::string alert = "refused as the test asked");
  /// The n-th step from now (1: the next) is refused; those before it take effect.
  void RefuseStep(std::size_t n);
  /// Steps for which it says true are refused until it is set to nullptr.
  void RefuseSteps(std::function<bool(const haproxy::Step&)> refused);
  /// A set of files that holds this text is refused by CheckFiles, Reload and Start.
  void RefuseConfigWith(std::string text);
  void AcceptAllConfig();
  /// After n more changes (files written one by one, steps, reloads) no call has any effect: as if
  /// the caller had been killed there. Thaw ends it.
  void FreezeAfter(std::size_t n);
  void Thaw();
  [[nodiscard]] bool frozen() const;
  /// Requests in flight: a server that has some cannot be retired.
  void SetSessions(const model::SlotName& slot, const model::ServerName& server,
                   std::uint64_t sessions);

  // --- what tests look at ---
  [[nodiscard]] haproxy::Held held() const;
  [[nodiscard]] haproxy::Files disk() const;
  void SetDisk(haproxy::Files files);
  [[nodiscard]] int pid() const;
  [[nodiscard]] std::uint64_t reloads() const;
  [[nodiscard]] std::uint64_t steps() const;   ///< carried out, ever
  [[nodiscard]] std::uint64_t writes() const;  ///< files written, ever

  // --- ports::ProxyControl ---
  Result<int> Pid(SteadyTime deadline) override;
  Result<std::size_t> Execute(const std::vector<haproxy::Step>& steps,
                              SteadyTime deadline) override;
  Result<haproxy::Held> ReadBack(const haproxy::Image& assumed, SteadyTime deadline) override;
  Result<std::map<model::ServerName, std::uint64_t>> Sessions(const model::SlotName& slot,
                                                              SteadyTime deadline) override;
  Result<ports::ReloadOutcome> Reload(SteadyTime deadline) override;
  Status CheckFiles(const std::string& directory, SteadyTime deadline) override;

  // --- ports::ConfigFiles ---
  Status Write(const haproxy::Files& changed, const std::vector<std::string>& removed) override;
  Result<haproxy::Files> Load() override;
  Result<std::string> Stage(const haproxy::Files& files) override;

 private:
  [[nodiscard]] Status Enter();       ///< a call of ProxyControl
  [[nodiscard]] Status EnterFiles();  ///< a call of ConfigFiles
  [[nodiscard]] Status Change();      ///< one change; fails when frozen
  [[nodiscard]] Status CheckText(const haproxy::Files& files) const;
  [[nodiscard]] std::string WhyRefused(const haproxy::Step& step) const;
  bool LoadFromDisk();

  mutable std::mutex mutex_;
  haproxy::Held held_;
  haproxy::Files disk_;
  haproxy::Files staged_;
  bool running_ = false;
  int pid_ = 1000;
  std::vector<Code> failures_;
  std::vector<Code> file_failures_;
  std::size_t refuse_at_ = 0;
  std::function<bool(const haproxy::Step&)> refused_;
  std::string refused_text_;
  int reject_reloads_ = 0;
  std::string alert_;
  std::optional<std::size_t> freeze_in_;
  std::map<std::pair<model::SlotName, model::ServerName>, std::uint64_t> sessions_;
  std::uint64_t reloads_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t writes_ = 0;
};

}  // namespace swarmgate::testing
