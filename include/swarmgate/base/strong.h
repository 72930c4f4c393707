// Identifiers that can be mixed up are types of their own: a ServiceName is not a BackendName.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace swarmgate {

template <typename Tag>
class StrongString {
 public:
  StrongString() = default;
  explicit StrongString(std::string value) : value_(std::move(value)) {}
  [[nodiscard]] const std::string& str() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  friend auto operator<=>(const StrongString&, const StrongString&) = default;

 private:
  std::string value_;
};

}  // namespace swarmgate

template <typename Tag>
struct std::hash<swarmgate::StrongString<Tag>> {
  std::size_t operator()(const swarmgate::StrongString<Tag>& value) const noexcept {
    return std::hash<std::string>()(value.str());
  }
};
