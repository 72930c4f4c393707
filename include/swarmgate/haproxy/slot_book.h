// Which slots are given out, again and again: a change costs what it changes. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "swarmgate/base/chunked.h"
#include "swarmgate/haproxy/image.h"
#include "swarmgate/model/ids.h"
#include "swarmgate/model/routes.h"

namespace swarmgate::haproxy {

/// Assign(x) is AssignSlots(slots(), x).
class SlotBook {
 public:
  explicit SlotBook(SlotMap slots = {}) : slots_(std::move(slots)) {}

  /// REQUIRES: `backends` sorted by name, names unique.
  const SlotMap& Assign(const Chunked<model::Backend>& backends,
                        const std::vector<model::SlotName>& busy, std::uint32_t minimum);

  [[nodiscard]] const SlotMap& slots() const { return slots_; }

 private:
  /// The numbers of a class that are given out.
  class Numbers {
   public:
    /// False when it was taken already.
    bool Take(std::uint32_t number);
    void Free(std::uint32_t number);
    [[nodiscard]] bool Has(std::uint32_t number) const;
    [[nodiscard]] std::uint32_t lowest_free() const { return lowest_free_; }
    [[nodiscard]] bool empty() const { return count_ == 0; }

   private:
    std::vector<bool> taken_;
    std::uint32_t lowest_free_ = 1;
    std::size_t count_ = 0;
  };
  using AllNumbers = std::map<model::BackendClass, Numbers>;
  struct Newcomer {
    const model::Backend* backend;
    model::BackendClass backend_class;
  };
  struct Change;
  using Busy = std::map<model::BackendClass, std::set<std::uint32_t>>;

  void Compare(const Chunked<model::Backend>& backends, Change& change);
  void Adopt(const Chunked<model::Backend>& backends, Change& change);
  bool Admit(std::vector<Newcomer> newcomers, const Busy& busy);
  void DropUnused(const Busy& busy);
  bool Declare(std::uint32_t minimum);
  [[nodiscard]] bool Fits(const model::SlotName& slot, const model::BackendClass& wanted) const;
  static AllNumbers Count(const SlotMap& slots);

  SlotMap slots_;
  /// Whose slots these are, where known: each fits, and no two are the same.
  Chunked<model::Backend> backends_;
  bool known_ = false;
  AllNumbers numbers_;
};

}  // namespace swarmgate::haproxy
