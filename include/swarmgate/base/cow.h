// A value that costs a pointer where it is what T() is, and that copies share: for parts of an
// object that nearly nobody sets, or that stand in many places. Read like a pointer, changed by
// Edit, compared by content.
#pragma once

#include <compare>
#include <utility>

#include "swarmgate/base/shared.h"

namespace swarmgate {

template <typename T>
class Cow {
 public:
  Cow() = default;
  Cow(T value)  // NOLINT(google-explicit-constructor): the same value
      : value_(std::move(value)) {
    Settle();
  }
  /// None is T().
  Cow(Shared<T> value)  // NOLINT(google-explicit-constructor): the same value
      : value_(std::move(value)) {}

  const T& operator*() const { return value_ ? *value_ : Default(); }
  const T* operator->() const { return &**this; }
  operator const T&() const { return **this; }  // NOLINT(google-explicit-constructor): as above
  /// To be changed; holds until the value is copied.
  T& Edit() {
    if (!value_) {
      value_ = Shared<T>(T());
    } else if (!value_.body_.alone()) {
      value_ = Shared<T>(T(*value_));
    }
    return value_.body_.get()->value;
  }
  /// After changes: one that is T() again costs nothing again.
  void Settle() {
    if (value_ && *value_ == Default()) value_ = {};
  }

  friend bool operator==(const Cow& a, const Cow& b) {
    return a.value_.IsSame(b.value_) || *a == *b;
  }
  friend bool operator==(const Cow& a, const T& b) { return *a == b; }

 private:
  static const T& Default() {
    static const T value{};
    return value;
  }
  Shared<T> value_;  ///< none: T(); changed only while nobody shares it
};

template <std::three_way_comparable T>
auto operator<=>(const Cow<T>& a, const Cow<T>& b) {
  return *a <=> *b;
}

}  // namespace swarmgate
