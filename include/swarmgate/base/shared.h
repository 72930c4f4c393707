// A value that is never changed and whose copies are one object: read like a std::optional,
// compared by content, copied for nothing. It costs a pointer where it is.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

#include "swarmgate/base/counted.h"

namespace swarmgate {

template <typename T>
class Cow;

/// Thread: as Counted.
template <typename T>
class Shared {
 public:
  Shared() = default;
  Shared(T value)  // NOLINT(google-explicit-constructor): the same value
      : body_(new Body(std::move(value))) {}
  Shared(std::optional<T> value)  // NOLINT(google-explicit-constructor): the same value
      : body_(value ? new Body(std::move(*value)) : nullptr) {}

  [[nodiscard]] bool has_value() const { return body_.get() != nullptr; }
  explicit operator bool() const { return has_value(); }
  /// REQUIRES: has_value().
  const T& operator*() const { return body_.get()->value; }
  const T* operator->() const { return &body_.get()->value; }

  friend bool operator==(const Shared& a, const Shared& b) {
    if (a.IsSame(b)) return true;
    return a.has_value() && b.has_value() && *a == *b;
  }
  /// One object, or both none.
  [[nodiscard]] bool IsSame(const Shared& other) const { return body_.get() == other.body_.get(); }

 private:
  friend class Cow<T>;
  struct Body {
    explicit Body(T held) : value(std::move(held)) {}
    static void Destroy(Body* body) { delete body; }
    T value;
    std::atomic<std::uint32_t> uses{1};
  };
  Counted<Body> body_;  ///< null: no value
};

}  // namespace swarmgate
