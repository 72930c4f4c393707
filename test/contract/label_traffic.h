// From the labels of several services to requests through the real HAProxy: what tests of labels
// share whose effect depends on other services, on ports or on names.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "contract/proxy_traffic.h"
#include "swarmgate/labels/parse.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::testing {

using Labels = std::map<std::string, std::string>;

class LabelTrafficTest : public ProxyTrafficTest {
 protected:
  LabelTrafficTest() { options_.allow_raw = true; }

  /// A service by its labels, without a complaint; its task is on this machine.
  routing::ServiceInput Parsed(const std::string& name, Labels labels) {
    labels["outboundHostname"] = "192.0.2.1";
    labels::ParsedService parsed =
        labels::ParseParameters(model::ServiceName(name), labels, options_);
    for (const auto& diagnostic : parsed.diagnostics) ADD_FAILURE() << diagnostic.ToString();
    routing::ServiceInput input;
    input.spec = std::move(*parsed.spec);
    // Where the servers of tests are; labels must not name it.
    for (auto& dest : input.spec.Edit().dests) dest.outbound_hostname = "127.0.0.1";
    return input;
  }
  /// The n-th port of the web server.
  [[nodiscard]] std::string Upstream(int n) const {
    return std::to_string(ports_[static_cast<std::size_t>(n)]);
  }
  /// Serves it; says why HAProxy had to be reloaded, if it had.
  std::string Change(const std::vector<routing::ServiceInput>& services) {
    context_.bound_ports.clear();
    for (const auto& bind : haproxy_.settings().binds) {
      context_.bound_ports.push_back(bind.port);
      context_.tls = context_.tls || bind.tls;
    }
    model::Desired desired = routing::Build(routing::MakeInputs(services), context_).desired;
    desired.tls.default_pem = model::Secret(pem_);
    desired.tls.default_print = pem_.empty() ? "" : "print";
    slots_ = AssignSlots(slots_, desired.backends, Busy(), 8);
    const haproxy::Image image = Render(desired, slots_, haproxy_.settings());
    const haproxy::Plan plan = MakePlan(held_, image);
    EXPECT_TRUE(haproxy_.files().Write(RenderFiles(image, plan.files), {}));
    if (haproxy_.master() == 0) {
      EXPECT_TRUE(haproxy_.Start()) << proxy::HaproxyLogTail(haproxy_.settings().run_dir);
      held_ = {image, {}};
      return "start";
    }
    if (!plan.reload_reason.empty()) {
      const auto outcome = haproxy_.control().Reload(In(std::chrono::seconds(20)));
      EXPECT_TRUE(outcome) << outcome.error().ToString();
      held_ = {image, {}};
      return plan.reload_reason;
    }
    const auto done = haproxy_.control().Execute(plan.steps, In(std::chrono::seconds(10)));
    EXPECT_TRUE(done) << done.error().ToString();
    for (const auto& step : plan.steps) ApplyStep(held_, step);
    return "";
  }
  /// Which of the web server's ports answered; its number, -1 for none.
  [[nodiscard]] int Who(const HttpResponse& response) const {
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      if (response.body.find("port=" + std::to_string(ports_[i]) + " ") != std::string::npos) {
        return static_cast<int>(i);
      }
    }
    return -1;
  }
  /// The same behind a port of the proxy.
  [[nodiscard]] int Who(int port) const { return Who(Get({.port = port}, "/")); }

  labels::ParseOptions options_;
  routing::BuildContext context_;
  std::string pem_;  ///< what is served where no certificate fits; empty: there is no TLS
};

}  // namespace swarmgate::testing
