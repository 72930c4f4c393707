// A vector that is nearly always empty: it costs a pointer where it is. Read like a vector, changed
// by Edit or by what it has of a vector's changes.
#pragma once

#include <compare>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace swarmgate {

template <typename T>
class Few {
 public:
  using Vector = std::vector<T>;
  using value_type = T;
  using const_iterator = typename Vector::const_iterator;

  Few() = default;
  Few(Vector items)  // NOLINT(google-explicit-constructor): the same value
      : items_(items.empty() ? nullptr : std::make_unique<Vector>(std::move(items))) {}
  Few(std::initializer_list<T> items) : Few(Vector(items)) {}
  Few(const Few& other) : items_(other.empty() ? nullptr : std::make_unique<Vector>(*other)) {}
  Few(Few&& other) noexcept = default;
  Few& operator=(Few other) noexcept {
    items_ = std::move(other.items_);
    return *this;
  }
  ~Few() = default;

  const Vector& operator*() const {
    static const Vector none;
    return items_ ? *items_ : none;
  }
  operator const Vector&() const {  // NOLINT(google-explicit-constructor): the same value
    return **this;
  }
  [[nodiscard]] bool empty() const { return !items_ || items_->empty(); }
  [[nodiscard]] std::size_t size() const { return items_ ? items_->size() : 0; }
  [[nodiscard]] const_iterator begin() const { return (**this).begin(); }
  [[nodiscard]] const_iterator end() const { return (**this).end(); }
  /// REQUIRES: index < size().
  const T& operator[](std::size_t index) const { return (*items_)[index]; }
  /// REQUIRES: not empty.
  [[nodiscard]] const T& front() const { return items_->front(); }
  [[nodiscard]] const T& back() const { return items_->back(); }

  /// To be changed.
  Vector& Edit() {
    if (!items_) items_ = std::make_unique<Vector>();
    return *items_;
  }
  void push_back(T item) { Edit().push_back(std::move(item)); }
  template <typename... Args>
  T& emplace_back(Args&&... args) {
    return Edit().emplace_back(std::forward<Args>(args)...);
  }
  void clear() { items_ = nullptr; }

  bool operator==(const Few& other) const { return **this == *other; }
  bool operator==(const Vector& other) const { return **this == other; }

 private:
  std::unique_ptr<Vector> items_;  ///< null: none
};

template <std::three_way_comparable T>
auto operator<=>(const Few<T>& a, const Few<T>& b) {
  return *a <=> *b;
}

}  // namespace swarmgate
