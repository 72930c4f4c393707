#include "support/dockerd.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "support/child_process.h"
#include "support/json.h"
#include "support/paths.h"
#include "support/test_root.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kApiVersion[] = "/v1.41";

[[noreturn]] void Fail(const std::string& message) { throw std::runtime_error(message); }

size_t CountOf(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

std::string JsonList(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) text += (text.size() > 1 ? "," : "") + JsonQuote(item);
  return text + "]";
}

std::string JsonLabels(const Labels& labels) {
  std::string text = "{";
  for (const auto& [name, value] : labels) {
    text += (text.size() > 1 ? "," : "") + JsonQuote(name) + ":" + JsonQuote(value);
  }
  return text + "}";
}

constexpr char kHealthCheck[] =
    R"({"Test":["CMD","/echo_server","--check"],"Interval":500000000,"Timeout":2000000000,"Retries":2})";

std::string ServiceJson(const ServiceOptions& options) {
  std::string networks;
  for (const std::string& network : options.networks) {
    networks += (networks.empty() ? "" : ",") + ("{\"Target\":" + JsonQuote(network)) + "}";
  }
  std::string container = "\"Image\":" + JsonQuote(options.image) +
                          ",\"Env\":" + JsonList(options.env) + ",\"StopGracePeriod\":10000000000";
  if (!options.args.empty()) container += ",\"Args\":" + JsonList(options.args);
  if (options.health_check) container += std::string(",\"Healthcheck\":") + kHealthCheck;
  return "{\"Name\":" + JsonQuote(options.name) + ",\"Labels\":" + JsonLabels(options.labels) +
         ",\"TaskTemplate\":{\"ContainerSpec\":{" + container + "},\"Networks\":[" + networks +
         "],\"RestartPolicy\":{\"Condition\":\"any\",\"Delay\":500000000},\"ForceUpdate\":" +
         std::to_string(options.force_update) +
         "},\"Mode\":{\"Replicated\":{\"Replicas\":" + std::to_string(options.replicas) +
         "}},\"UpdateConfig\":{\"Parallelism\":1,\"Delay\":200000000,\"Monitor\":300000000,"
         "\"FailureAction\":\"continue\",\"Order\":" +
         JsonQuote(options.update_order) +
         "},\"EndpointSpec\":{\"Mode\":" + JsonQuote(options.endpoint_mode) + "}}";
}

/// Percent-encodes what may stand in a filter.
std::string UrlEscape(const std::string& text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string escaped;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.') {
      escaped += c;
    } else {
      escaped += '%';
      escaped += kDigits[byte >> 4];
      escaped += kDigits[byte & 15];
    }
  }
  return escaped;
}

std::vector<Task> ParseTasks(const std::string& json) {
  std::vector<Task> tasks(JsonCount(json, ""));
  for (size_t i = 0; i < tasks.size(); ++i) {
    const std::string at = "/" + std::to_string(i);
    Task& task = tasks[i];
    task.id = JsonText(json, at + "/ID");
    task.state = JsonText(json, at + "/Status/State");
    task.desired = JsonText(json, at + "/DesiredState");
    task.container = JsonText(json, at + "/Status/ContainerStatus/ContainerID");
    for (size_t n = 0; n < JsonCount(json, at + "/NetworksAttachments"); ++n) {
      const std::string address =
          JsonText(json, at + "/NetworksAttachments/" + std::to_string(n) + "/Addresses/0");
      task.addresses.push_back(address.substr(0, address.find('/')));
    }
  }
  return tasks;
}

bool IsOver(const Task& task) {
  static const std::vector<std::string> over{"complete", "shutdown", "failed",
                                             "rejected", "orphaned", "remove"};
  return std::find(over.begin(), over.end(), task.state) != over.end();
}

}  // namespace

std::string Dockerd::WhyNot() {
  if (geteuid() != 0) return "a Docker daemon needs root";
  for (const char* program : {"dockerd", "containerd", "iptables", "tar"}) {
    if (!HaveProgram(program)) return std::string(program) + " is not installed";
  }
  return {};
}

Dockerd::Dockerd(std::string host_name)
    : host_name_(std::move(host_name)),
      control_group_(ControlGroupName() + (host_name_.empty() ? "" : "/" + host_name_)),
      dir_(std::make_unique<TempDir>("docker")) {
  if (const std::string reason = WhyNot(); !reason.empty()) Fail(reason);
  PowerOn();
  StartDaemon();
  ImportImage(kEchoImage, "EXPOSE 8080");
  ImportImage(kTwoPortImage, "EXPOSE 8080 8081");
}

void Dockerd::PowerOn() {
  ChildOptions options;
  options.argv = {SandboxBinary(), dir_->path(), control_group_};
  if (!host_name_.empty()) options.argv.push_back(host_name_);
  options.input_pipe = true;
  sandbox_ = std::make_unique<ChildProcess>(options);
  if (!sandbox_->WaitForOutput("init ", seconds(10))) Fail("sandbox: " + sandbox_->Output());
  init_ = static_cast<pid_t>(atoi(sandbox_->Output().c_str() + 5));
  ended_seen_ = 0;
}

void Dockerd::PowerOff() {
  if (sandbox_ != nullptr && sandbox_->Running()) sandbox_->Kill();
  sandbox_.reset();
  WaitUntil([&] { return CommandLineOf(init_).empty(); });
}

Dockerd::~Dockerd() {
  // The namespaces take everything with them; no need for an orderly end.
  PowerOff();
  WaitUntil(
      [&] {
        RemoveControlGroups(control_group_);
        std::error_code error;
        std::filesystem::remove_all(dir_->path(), error);
        return !error;
      },
      seconds(5), milliseconds(50));
}

std::string Dockerd::socket() const { return dir_->File("docker.sock"); }

std::string Dockerd::network() const { return "/proc/" + std::to_string(init_) + "/ns/net"; }

std::string Dockerd::Log() const {
  const std::string log = ReadFile(dir_->File("dockerd.log"));
  return log.size() > 4000 ? log.substr(log.size() - 4000) : log;
}

std::string Dockerd::NetworkOf(const std::string& container) {
  const std::string pid = JsonText(Call("GET", "/containers/" + container + "/json"), "/State/Pid");
  if (pid.empty() || pid == "0") Fail("container " + container + " does not run");
  // The daemon's ids mean something in its own process namespace only, whose
  // /proc is seen through the root of its first process.
  return "/proc/" + std::to_string(init_) + "/root/proc/" + pid + "/ns/net";
}

std::string Dockerd::Call(const std::string& method, const std::string& path,
                          const std::string& json, int* status) {
  Endpoint endpoint;
  endpoint.unix_path = socket();
  HttpRequest request;
  request.method = method;
  request.target = kApiVersion + path;
  request.body = json;
  if (!json.empty()) request.headers.emplace_back("Content-Type", "application/json");
  const HttpResponse response = Fetch(endpoint, request, seconds(60));
  if (status != nullptr) {
    *status = response.status;
  } else if (response.status < 200 || response.status > 299) {
    Fail("dockerd: " + method + " " + path + ": " + response.Summary());
  }
  return response.body;
}

void Dockerd::ImportImage(const std::string& tag, const std::string& ports_option) {
  const TempDir root("rootfs");
  std::filesystem::create_directories(root.File("tmp"));
  std::filesystem::copy_file(EchoServerBinary(), root.File("echo_server"));
  ChildOptions tar;
  const std::string archive = root.path() + ".tar";
  tar.argv = {"tar", "-C", root.path(), "-cf", archive, "."};
  if (RunCommand(tar).exit_code != 0) Fail("cannot make " + archive);
  ImportArchive(archive, tag, {"ENTRYPOINT [\"/echo_server\"]", "CMD [\"8080\"]", ports_option});
  std::filesystem::remove(archive);
}

void Dockerd::ImportArchive(const std::string& archive, const std::string& tag,
                            const std::vector<std::string>& changes) {
  std::string query = "/images/create?fromSrc=-&repo=" + UrlEscape(tag.substr(0, tag.find(':'))) +
                      "&tag=" + UrlEscape(tag.substr(tag.find(':') + 1));
  for (const std::string& change : changes) query += "&changes=" + UrlEscape(change);
  Call("POST", query, ReadFile(archive));
}

void Dockerd::SwarmInit(const std::string& address) {
  Call("POST", "/swarm/init",
       "{\"ListenAddr\":" + JsonQuote(address + ":2377") +
           ",\"AdvertiseAddr\":" + JsonQuote(address) + "}");
}

void Dockerd::SwarmJoin(const std::string& address, Dockerd* manager,
                        const std::string& manager_address) {
  const std::string token = JsonText(manager->Call("GET", "/swarm"), "/JoinTokens/Manager");
  Call("POST", "/swarm/join",
       "{\"ListenAddr\":" + JsonQuote(address + ":2377") +
           ",\"AdvertiseAddr\":" + JsonQuote(address) + ",\"RemoteAddrs\":[" +
           JsonQuote(manager_address + ":2377") + "],\"JoinToken\":" + JsonQuote(token) + "}");
}

void Dockerd::CreateOverlay(const std::string& name) {
  Call("POST", "/networks/create",
       "{\"Name\":" + JsonQuote(name) + ",\"Driver\":\"overlay\",\"Attachable\":true}");
}

void Dockerd::CreateBridge(const std::string& name) {
  Call("POST", "/networks/create", "{\"Name\":" + JsonQuote(name) + ",\"Driver\":\"bridge\"}");
}

std::string Dockerd::CreateService(const ServiceOptions& options) {
  return JsonText(Call("POST", "/services/create", ServiceJson(options)), "/ID");
}

void Dockerd::UpdateService(const ServiceOptions& options) {
  // The swarm itself updates the service's record while tasks come and go;
  // a lost race is repeated with the newer version.
  std::string answer;
  const bool done = WaitUntil(
      [&] {
        const std::string version =
            JsonText(Call("GET", "/services/" + options.name), "/Version/Index");
        int status = 0;
        answer = Call("POST", "/services/" + options.name + "/update?version=" + version,
                      ServiceJson(options), &status);
        return status == 200;
      },
      seconds(5));
  if (!done) Fail("cannot update " + options.name + ": " + answer);
}

bool Dockerd::RemoveService(const std::string& name) {
  int status = 0;
  Call("DELETE", "/services/" + name, {}, &status);
  return status == 200;
}

std::vector<Task> Dockerd::Tasks(const std::string& service) {
  return ParseTasks(Call(
      "GET", "/tasks?filters=" + UrlEscape("{\"service\":{" + JsonQuote(service) + ":true}}")));
}

std::vector<Task> Dockerd::WaitRunning(const std::string& service, size_t count,
                                       milliseconds limit) {
  std::vector<Task> running;
  const bool done = WaitUntil(
      [&] {
        running.clear();
        bool settled = true;
        for (const Task& task : Tasks(service)) {
          if (IsOver(task)) continue;
          if (task.state == "running" && task.desired == "running") {
            running.push_back(task);
          } else {
            settled = false;
          }
        }
        return settled && running.size() == count;
      },
      limit, milliseconds(20));
  if (!done) {
    Fail(service + ": " + std::to_string(running.size()) + " of " + std::to_string(count) +
         " tasks run; " + Call("GET", "/tasks") + "\n" + Log());
  }
  return running;
}

std::string Dockerd::RunContainer(const ContainerOptions& options) {
  std::string json = "{\"Image\":" + JsonQuote(options.image) +
                     ",\"Labels\":" + JsonLabels(options.labels) +
                     ",\"Env\":" + JsonList(options.env);
  if (!options.args.empty()) json += ",\"Cmd\":" + JsonList(options.args);
  json += ",\"HostConfig\":{\"NetworkMode\":" +
          JsonQuote(options.network.empty() ? "default" : options.network) + "}}";
  const std::string id =
      JsonText(Call("POST", "/containers/create?name=" + UrlEscape(options.name), json), "/Id");
  Call("POST", "/containers/" + id + "/start");
  return id;
}

void Dockerd::StopContainer(const std::string& container) {
  Call("POST", "/containers/" + container + "/stop?t=10");
}

void Dockerd::RemoveContainer(const std::string& container) {
  Call("DELETE", "/containers/" + container + "?force=1");
}

std::string Dockerd::AddressOf(const std::string& container, const std::string& network) {
  return JsonText(Call("GET", "/containers/" + container + "/json"),
                  "/NetworkSettings/Networks" + JsonStep(network) + "/IPAddress");
}

void Dockerd::RemoveEverything(const std::string& keep) {
  const std::string services = Call("GET", "/services");
  for (size_t i = 0; i < JsonCount(services, ""); ++i) {
    RemoveService(JsonText(services, "/" + std::to_string(i) + "/ID"));
  }
  const auto remaining = [&] {
    std::vector<std::pair<std::string, bool>> found;  // id, of the swarm
    const std::string list = Call("GET", "/containers/json?all=1");
    for (size_t i = 0; i < JsonCount(list, ""); ++i) {
      const std::string at = "/" + std::to_string(i);
      if (JsonText(list, at + "/Names/0").rfind("/" + keep, 0) == 0) continue;
      found.emplace_back(JsonText(list, at + "/Id"),
                         JsonAt(list, at + "/Labels/com.docker.swarm.service.id").has_value());
    }
    return found;
  };
  for (const auto& [id, of_swarm] : remaining()) {
    // Those of the swarm too: their grace period is of no interest any more.
    int status = 0;
    Call("DELETE", "/containers/" + id + "?force=1", {}, &status);
  }
  if (!WaitUntil([&] { return remaining().empty(); }, seconds(30), milliseconds(50))) {
    Fail("containers do not go away: " + Call("GET", "/containers/json?all=1"));
  }
}

void Dockerd::WaitDaemonEnded() {
  const bool ended =
      WaitUntil([&] { return CountOf(sandbox_->Output(), "ended ") > ended_seen_; }, seconds(40));
  if (!ended) Fail("dockerd does not end:\n" + Log());
  ++ended_seen_;
}

void Dockerd::StopDaemon() {
  sandbox_->Write("t");
  WaitDaemonEnded();
}

void Dockerd::KillDaemon() {
  sandbox_->Write("k");
  WaitDaemonEnded();
}

void Dockerd::PauseDaemon() { sandbox_->Write("p"); }

void Dockerd::ResumeDaemon() { sandbox_->Write("c"); }

void Dockerd::StartDaemon() {
  sandbox_->Write("s");
  const bool ready = WaitUntil(
      [&] {
        int status = 0;
        Call("GET", "/_ping", {}, &status);
        return status == 200 || CountOf(sandbox_->Output(), "ended ") > ended_seen_;
      },
      seconds(60), milliseconds(20));
  int status = 0;
  Call("GET", "/_ping", {}, &status);
  if (!ready || status != 200) Fail("dockerd does not answer:\n" + Log());
}

Anchor::Anchor(Dockerd* docker, const std::string& name, const std::vector<std::string>& networks)
    : docker_(docker) {
  ContainerOptions options;
  options.name = name;
  options.network = networks.front();
  // On a port that nobody else takes: the proxy binds its own in this namespace.
  options.args = {"65500"};
  // A daemon that has just started may not know the networks of the Swarm yet.
  std::string problem;
  const bool started = WaitUntil(
      [&] {
        try {
          id_ = docker_->RunContainer(options);
        } catch (const std::runtime_error& error) {
          problem = error.what();
          int status = 0;
          docker_->Call("DELETE", "/containers/" + name + "?force=1", {}, &status);
        }
        return !id_.empty();
      },
      seconds(30), milliseconds(100));
  if (!started) Fail(problem);
  for (size_t i = 1; i < networks.size(); ++i) {
    docker_->Call("POST", "/networks/" + networks[i] + "/connect",
                  "{\"Container\":" + JsonQuote(id_) + "}");
  }
  network_ = docker_->NetworkOf(id_);
}

Anchor::~Anchor() {
  int status = 0;
  docker_->Call("DELETE", "/containers/" + id_ + "?force=1", {}, &status);
}

}  // namespace swarmgate::testing
