// Identifiers that can be mixed up are types of their own: a ServiceName is not a BackendName.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <utility>

#include "swarmgate/base/text.h"

namespace swarmgate {

/// One identifier stands in very many places (a service is named by its routes, backends, shares,
/// statuses …), each of them a pointer's size.
template <typename Tag>
class StrongString {
 public:
  StrongString() = default;
  explicit StrongString(Text value) : text_(std::move(value)) {}
  [[nodiscard]] TextView str() const { return text_.str(); }
  [[nodiscard]] const Text& text() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  friend auto operator<=>(const StrongString&, const StrongString&) = default;

 private:
  Text text_;
};

}  // namespace swarmgate

template <typename Tag>
struct std::hash<swarmgate::StrongString<Tag>> {
  std::size_t operator()(const swarmgate::StrongString<Tag>& value) const noexcept {
    return std::hash<swarmgate::Text>()(value.text());
  }
};
