// The state of a Router between two updates.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "routing/endpoints.h"
#include "routing/route_book.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::routing {

class Router::Impl {
 public:
  explicit Impl(std::size_t max_inserted) : max_inserted_(max_inserted) {}

  const Built& Update(const Inputs& services, const BuildContext& context);
  [[nodiscard]] std::size_t rebuilds() const { return rebuilds_; }

 private:
  // --- services -> drafts
  /// Services that use an address that is another one in `context`.
  void NoteAddresses(const BuildContext& context, std::set<model::ServiceName>& changed);
  [[nodiscard]] std::shared_ptr<const ServiceInput> InputOf(const model::ServiceName& name) const;
  void Take(Entry& entry, std::shared_ptr<const ServiceInput> input);
  void Look(Entry& entry, std::shared_ptr<const ServiceInput> input) const;
  void KeepReachable(Entry& entry, std::vector<model::Diagnostic>& told) const;
  void NoteConverging(const Entry& entry);
  bool KeepDrafts(Entry& entry, const std::shared_ptr<const ServiceInput>& input);
  void Draw(Entry& entry);
  /// False: that does not do; everything has to be made anew.
  bool UpdateSome(const std::set<model::ServiceName>& changed,
                  const std::set<model::ServiceName>& gone);
  void UpdateAll();

  // --- drafts -> routes
  bool JudgeRegions(const std::set<Region>& regions);
  /// False: that reaches further.
  bool TakeRegion(const Region& region, const std::vector<const Draft*>& drafts, Judged& judged);
  [[nodiscard]] bool SpecialsStandAlone() const;
  /// Takes its part of the result out, or puts it in.
  void LeaveOut(Draft& draft);
  void PutIn(Draft& draft);
  /// What is told of those that its outcome concerns is made anew.
  void TouchSharers(const Draft& draft);

  // --- what follows from the routes
  void Tell();
  void TellBackends(Entry& entry);
  /// Replaces those that the service has had. A name may be another service's by now, and stays
  /// then.
  void SetBackends(const model::ServiceName& service, std::vector<model::BackendName>& held,
                   std::vector<model::Backend> backends);
  void Forget(const model::ServiceName& name, Entry& entry);
  void SetNames(Entry& entry, std::set<std::string> names);
  void DropNames(const std::set<std::string>& names);
  void TellRaw();
  void TellTcp();
  void SettleShares();
  [[nodiscard]] model::MatchEntry Settled(model::MatchEntry entry) const;
  [[nodiscard]] std::vector<model::Share> SettledShares(std::vector<model::Share> shares) const;
  [[nodiscard]] ServiceOutcome OutcomeOf(const Entry& entry) const;

  const std::size_t max_inserted_;
  Inputs inputs_;
  std::optional<BuildContext> context_;
  std::optional<EndpointChooser> chooser_;  ///< of the context
  RouteBook book_;
  Built built_;

  std::size_t rebuilds_ = 0;
  bool always_all_ = false;                   ///< what there is now cannot be changed in parts
  std::size_t inserted_ = 0;                  ///< at most so many entries under more specific hosts
  std::set<Draft*> shared_;                   ///< kept ones with shares
  std::map<std::string, std::size_t> names_;  ///< wanted, and by how many
  std::set<model::ServiceName> converging_;

  // Of one update.
  std::set<model::ServiceName> touched_;  ///< what is told of them is made anew
  bool raw_changed_ = false;
  bool tcp_changed_ = false;
  bool names_changed_ = false;
  bool converging_changed_ = false;
};

}  // namespace swarmgate::routing
