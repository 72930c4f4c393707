// An image of the program as it was just built, made without Debian's mirror and in a second: it,
// HAProxy and their libraries as this machine has them, with the settings of the project's
// Dockerfile. (The image that is shipped has a test of its own: scripts/test --only image.)
#ifndef SWARMGATE_TEST_CLUSTER_PROXY_IMAGE_H_
#define SWARMGATE_TEST_CLUSTER_PROXY_IMAGE_H_

#include <string>
#include <vector>

#include "support/test_root.h"

namespace swarmgate::testing {

class ProxyImage {
 public:
  /// Why there can be none here; empty when there can.
  static std::string WhyNot();

  ProxyImage();

  /// A tar archive for Dockerd::ImportArchive.
  [[nodiscard]] std::string archive() const { return dir_.File("image.tar"); }
  /// The settings, as lines of a Dockerfile.
  [[nodiscard]] const std::vector<std::string>& changes() const { return changes_; }

 private:
  TempDir dir_{"image"};
  std::vector<std::string> changes_;
};

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_CLUSTER_PROXY_IMAGE_H_
