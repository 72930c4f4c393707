// Desired → Image, again and again: a change costs what it changes. Pure, and without memory as far
// as anybody can see: the image is a function of the last desired state, slots and settings.
#pragma once

#include <memory>

#include "swarmgate/haproxy/image.h"
#include "swarmgate/model/routes.h"

namespace swarmgate::haproxy {

/// Keeps the state that the last image was made of (whose chunks it shares), and works out only
/// what differs from it.
class Renderer {
 public:
  explicit Renderer(Settings settings);
  Renderer(Renderer&&) noexcept;
  Renderer& operator=(Renderer&&) noexcept;
  ~Renderer();

  /// As Render, of which it REQUIRES the same. The image stays until the next call.
  const Image& Update(const model::Desired& desired, const SlotMap& slots);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace swarmgate::haproxy
