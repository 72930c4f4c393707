#include "cluster/hub.h"

#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "support/wait.h"

namespace swarmgate::testing {
namespace {

constexpr char kPrefix[] = "10.99.0.";

std::string Address(int last) { return kPrefix + std::to_string(last); }

std::string NamespaceOf(const std::string& path) {
  std::error_code error;
  return std::filesystem::read_symlink(path, error);
}

}  // namespace

std::string RunIn(const std::string& network, std::vector<std::string> argv) {
  ChildOptions options;
  options.argv = std::move(argv);
  options.network = network;
  const CommandResult result = RunCommand(options);
  if (result.exit_code != 0) {
    std::string line;
    for (const std::string& word : options.argv) line += word + " ";
    throw std::runtime_error(line + "failed: " + result.output);
  }
  return result.output;
}

std::string Hub::WhyNot() {
  if (geteuid() != 0) return "network namespaces need root";
  for (const char* program : {"ip", "unshare"}) {
    if (!HaveProgram(program)) return std::string(program) + " is not installed";
  }
  return {};
}

Hub::Hub() {
  ChildOptions options;
  // It ends with its input, at the latest when this program does.
  options.argv = {"unshare", "--net", "cat"};
  options.input_pipe = true;
  holder_ = std::make_unique<ChildProcess>(options);
  const bool moved = WaitUntil([&] {
    const std::string theirs = NamespaceOf(network());
    return !theirs.empty() && theirs != NamespaceOf("/proc/self/ns/net");
  });
  if (!moved) throw std::runtime_error("no network namespace: " + holder_->Output());
  RunIn(network(), {"ip", "link", "set", "lo", "up"});
  RunIn(network(), {"ip", "link", "add", "hub", "type", "bridge"});
  RunIn(network(), {"ip", "link", "set", "hub", "up"});
}

std::string Hub::network() const { return "/proc/" + std::to_string(holder_->pid()) + "/ns/net"; }

std::string Hub::AddAddress(int last) {
  RunIn(network(), {"ip", "addr", "add", Address(last) + "/24", "dev", "hub"});
  return Address(last);
}

std::string Hub::Attach(const std::string& machine, pid_t init, int last) {
  RunIn(network(), {"ip", "link", "add", machine, "type", "veth", "peer", "name", "eth0", "netns",
                    std::to_string(init)});
  SetLink(machine, true);
  RunIn(network(), {"ip", "link", "set", machine, "master", "hub"});
  const std::string theirs = "/proc/" + std::to_string(init) + "/ns/net";
  RunIn(theirs, {"ip", "addr", "add", Address(last) + "/24", "dev", "eth0"});
  RunIn(theirs, {"ip", "link", "set", "eth0", "up"});
  // No default route: who looks for an image in a registry is told at once that there is none.
  return Address(last);
}

void Hub::SetLink(const std::string& machine, bool up) {
  RunIn(network(), {"ip", "link", "set", machine, up ? "up" : "down"});
}

}  // namespace swarmgate::testing
