#include "swarmgate/base/system.h"

#include <unistd.h>

#include <array>
#include <random>

#include "swarmgate/base/strings.h"

namespace swarmgate {

std::string HostName() {
  std::array<char, 256> name{};
  // Fails for longer names only, and leaves their beginning.
  (void)gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string MakeUniqueName() {
  std::random_device random;
  return HashHex(std::to_string(random()) + "-" + std::to_string(random()) + "-" +
                 std::to_string(random()));
}

}  // namespace swarmgate
