// The adapter is asked for some services: it asks the daemon for these and for no other, and tells
// of them what a list of everything tells.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "support/rounds.h"
#include "unit/docker/recorded_daemon.h"

namespace swarmgate::docker {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

constexpr const char* kDemo = "qdpn7eceb9z9e5avlc6trk5k5";
constexpr const char* kGlob = "lmslpddwznjtqfp0ty0ulkwb7";
constexpr const char* kPlain = "65lp1rpvhs664ho5le0a4lijl";

/// The ids that a request filters by: "id" of services, "service" of tasks; nothing: it asks for
/// all.
std::optional<std::vector<std::string>> FilteredIds(const std::string& target, const char* key) {
  const std::size_t at = target.find("filters=");
  if (at == std::string::npos) return std::nullopt;
  std::string text;
  for (std::size_t i = at + 8; i < target.size() && target[i] != '&'; ++i) {
    if (target[i] != '%') {
      text += target[i];
      continue;
    }
    text += static_cast<char>(std::stoi(target.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  const auto json = codec::JsonValue::Parse(text);
  if (!json || !(*json)[key].is_array()) return std::nullopt;
  std::vector<std::string> ids;
  for (const codec::JsonValue& id : (*json)[key].items()) ids.push_back(id.StringOr());
  return ids;
}

/// Services and their tasks, filtered as dockerd does it.
class Swarm {
 public:
  struct Service {
    std::string text;
    std::vector<std::string> tasks;
  };

  explicit Swarm(RecordedDaemon& daemon) {
    daemon.SetScript("/services", [this](const Exchange& x) {
      const auto ids = FilteredIds(x.target, "id");
      std::vector<std::string> texts;
      for (const auto& [id, service] : services) {
        // By the beginnings of ids.
        const auto begins = [&id = id](const std::string& asked) { return id.starts_with(asked); };
        if (!ids || std::any_of(ids->begin(), ids->end(), begins)) texts.push_back(service.text);
      }
      Reply(x, texts);
    });
    daemon.SetScript("/tasks", [this](const Exchange& x) {
      const auto ids = FilteredIds(x.target, "service");
      std::vector<std::string> texts;
      for (const std::string& id : ids.value_or(std::vector<std::string>())) {
        if (services.contains(id) && id != missing_tasks_of) continue;
        return x.Reply(404, R"({"message":"service )" + id + R"( not found"})");
      }
      for (const auto& [id, service] : services) {
        if (ids && std::find(ids->begin(), ids->end(), id) == ids->end()) continue;
        texts.insert(texts.end(), service.tasks.begin(), service.tasks.end());
      }
      Reply(x, texts);
    });
  }

  /// Labelled as a service of ours, unless `labels` says otherwise.
  void Set(const std::string& id, int version,
           const std::string& labels = R"("com.df.notify":"true","com.df.port":"8080")") {
    services[id].text = R"({"ID":")" + id + R"(","Version":{"Index":)" + std::to_string(version) +
                        R"(},"Spec":{"Name":"name-)" + id + R"(","Labels":{)" + labels +
                        R"(},"TaskTemplate":{"Networks":[{"Target":"net"}]}}})";
  }
  static std::string Task(const std::string& service, int n, const std::string& state,
                          const std::string& desired = "running") {
    const std::string id = service + "t" + std::to_string(n);
    return R"({"ID":")" + id + R"(","ServiceID":")" + service +
           R"(","NodeID":"mlscr89vz6lhwktnwrdyifmt6","DesiredState":")" + desired +
           R"(","Status":{"State":")" + state + R"(","ContainerStatus":{"ContainerID":"c)" + id +
           R"("}},"NetworksAttachments":[{"Network":{"ID":"net"},"Addresses":["10.0.0.)" +
           std::to_string(n) + R"(/24"]}]})";
  }

  std::map<std::string, Service> services;
  std::string missing_tasks_of;  ///< goes between the question for services and that for tasks

 private:
  static void Reply(const Exchange& x, const std::vector<std::string>& texts) {
    std::string body;
    for (const std::string& text : texts) body += (body.empty() ? "" : ",") + text;
    x.Reply(200, "[" + body + "]");
  }
};

class SomeServicesTest : public DockerAdapterTest {
 protected:
  using Some = Result<ports::DockerApi::SomeServices>;

  void SetUp() override { ASSERT_TRUE(List(lister_)); }
  Some Ask(const std::vector<std::string>& ids) {
    before_ = daemon_.server().targets().size();
    return lister_.ListServices(ids, In(20s));
  }
  /// Since Ask; paths without version, in their order.
  std::vector<std::string> Asked() {
    std::vector<std::string> paths;
    const std::vector<std::string> targets = daemon_.server().targets();
    for (std::size_t i = before_; i < targets.size(); ++i) {
      const std::string path = targets[i].substr(0, targets[i].find('?'));
      const bool all = (path == "/v1.41/services" && !FilteredIds(targets[i], "id")) ||
                       (path == "/v1.41/tasks" && !FilteredIds(targets[i], "service"));
      paths.push_back(path.substr(std::string("/v1.41").size()) + (all ? " of all" : ""));
    }
    return paths;
  }

  Lister lister_ = MakeLister();
  std::size_t before_ = 0;
};

TEST_F(SomeServicesTest, OneServiceIsAskedForAloneAndToldAsAListOfAllTellsIt) {
  const auto some = Ask({kGlob});
  ASSERT_TRUE(some) << some.error().ToString();
  // Which the daemon has not filtered: it has told all.
  ASSERT_EQ(some->services.size(), 1U);
  EXPECT_EQ(Asked(),
            (std::vector<std::string>{"/services", "/tasks", "/networks/docker_gwbridge"}));
  EXPECT_EQ(some->services[0], *Find(*List(lister_), "glob"));
  EXPECT_TRUE(some->unlabelled_ids.empty());
}

TEST_F(SomeServicesTest, AServiceWithoutALabelIsToldToBeThereUnlessItIsIncluded) {
  auto some = Ask({kPlain, "nobody"});
  ASSERT_TRUE(some) << some.error().ToString();
  EXPECT_TRUE(some->services.empty());
  EXPECT_EQ(some->unlabelled_ids, std::vector<std::string>{kPlain});
  EXPECT_EQ(Asked(), std::vector<std::string>{"/services"}) << "of its tasks nothing is wanted";
  lister_.Include({"plain"});
  some = Ask({kPlain});
  ASSERT_TRUE(some) << some.error().ToString();
  ASSERT_EQ(some->services.size(), 1U);
  EXPECT_EQ(some->services[0], *Find(*List(lister_), "plain"));
}

TEST_F(SomeServicesTest, AFailureIsNeverAServiceLess) {
  const struct {
    const char* path;
    int status;
    std::string body;
    Code code;
  } cases[] = {
      {"/services", 500, R"({"message":"no"})", Code::kUnavailable},
      {"/services", 503, R"({"message":"This node is not a swarm manager."})", Code::kUnavailable},
      {"/services", 404, R"({"message":"no"})", Code::kNotFound},
      {"/services", 200, R"([{"ID":)", Code::kCorrupt},
      {"/services", 200, R"({"message":"hello"})", Code::kCorrupt},
      {"/tasks", 500, R"({"message":"no"})", Code::kUnavailable},
      {"/tasks", 404, R"({"message":"page not found"})", Code::kNotFound},
      {"/tasks", 200, "[", Code::kCorrupt},
      {"/networks/docker_gwbridge", 500, R"({"message":"no"})", Code::kUnavailable},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.path + (" " + std::to_string(test.status)) + test.body);
    RecordedDaemon daemon;
    Lister lister(daemon.options(), daemon.endpoint(), {}, true, clock_);
    ASSERT_TRUE(List(lister));
    daemon.Set(test.path, test.status, test.body);
    const auto some = lister.ListServices({kDemo}, In(20s));
    ASSERT_FALSE(some);
    EXPECT_EQ(some.error().code, test.code) << some.error().ToString();
    if (std::string(test.path) != "/tasks") continue;
    const auto tasks = lister.ListTasks({kDemo}, In(20s));
    ASSERT_FALSE(tasks) << "as are tasks";
    EXPECT_EQ(tasks.error().code, test.code);
  }
}

TEST_F(SomeServicesTest, OneThatCannotBeReadIsNamedAndHidesNoOther) {
  Swarm swarm(daemon_);
  swarm.Set("good", 1);
  swarm.Set("bad", 1, R"("com.df.notify":[1])");
  swarm.Set("half", 1);
  swarm.services["half"].tasks = {R"({"ID":"t","ServiceID":"half","Status":{"State":1}})"};
  const auto some = Ask({"good", "bad", "half"});
  ASSERT_TRUE(some) << some.error().ToString();
  ASSERT_EQ(some->services.size(), 1U);
  EXPECT_EQ(some->services[0].id, "good");
  EXPECT_EQ(some->unreadable_ids, (std::vector<std::string>{"bad", "half"}));
  EXPECT_TRUE(some->unlabelled_ids.empty());
}

TEST_F(SomeServicesTest, OnesWhoseImageCannotBeInspectedAreNamed) {
  daemon_.Set("/images/swarmgate/echo:1/json", 500, R"({"message":"no"})");
  Lister lister = MakeLister();
  ASSERT_TRUE(List(lister));
  const auto some = lister.ListServices({kDemo, kGlob}, In(20s));
  ASSERT_TRUE(some) << some.error().ToString();
  EXPECT_EQ(some->services.size(), 2U);
  EXPECT_EQ(some->ports_unknown_ids, std::vector<std::string>{kGlob}) << "demo names its port";
}

TEST_F(SomeServicesTest, OnesThatShareTheBeginningOfAnIdAreNotMixedUp) {
  Swarm swarm(daemon_);
  swarm.Set("abc", 1);
  swarm.Set("abcdef", 1);
  const auto some = Ask({"abc"});
  ASSERT_TRUE(some) << some.error().ToString();
  ASSERT_EQ(some->services.size(), 1U);
  EXPECT_EQ(some->services[0].id, "abc");
  EXPECT_TRUE(some->unlabelled_ids.empty());
}

// dockerd refuses a filter that names a service which it no longer has.
TEST_F(SomeServicesTest, AServiceThatGoesBetweenTwoCallsDoesNotHideTheTasksOfTheOthers) {
  Swarm swarm(daemon_);
  for (const char* id : {"goes", "stays"}) {
    swarm.Set(id, 1);
    swarm.services[id].tasks = {Swarm::Task(id, 1, "running")};
  }
  daemon_.SetScript("/tasks", [&, tasks = daemon_.Script("/tasks")](const Exchange& x) {
    swarm.services.erase("goes");
    tasks(x);
  });
  Lister lister = MakeLister();
  auto facts = List(lister);
  ASSERT_TRUE(facts) << facts.error().ToString();
  ASSERT_NE(Find(*facts, "name-stays"), nullptr);
  EXPECT_EQ(Find(*facts, "name-stays")->tasks.size(), 1U);
  EXPECT_EQ(Find(*facts, "name-goes"), nullptr);
  EXPECT_EQ(facts->unreadable_service_ids, std::vector<std::string>{"goes"})
      << "an event tells whether it has gone";

  swarm.Set("goes", 1);
  const auto some = Ask({"goes", "stays"});
  ASSERT_TRUE(some) << some.error().ToString();
  ASSERT_EQ(some->services.size(), 1U);
  EXPECT_EQ(some->services[0].tasks, Find(*facts, "name-stays")->tasks);
  EXPECT_EQ(some->unreadable_ids, std::vector<std::string>{"goes"});
  EXPECT_EQ(Asked(), (std::vector<std::string>{"/services", "/tasks", "/services", "/tasks",
                                               "/networks/docker_gwbridge"}))
      << "and never for all";

  const auto tasks = lister_.ListTasks({"goes", "stays"}, In(20s));
  ASSERT_TRUE(tasks) << tasks.error().ToString();
  ASSERT_EQ(tasks->size(), 1U);
  EXPECT_EQ(tasks->at(0).tasks, Find(*facts, "name-stays")->tasks);
}

TEST_F(SomeServicesTest, ARefusalThatNoServiceExplainsIsNoListWithoutTasks) {
  Swarm swarm(daemon_);
  swarm.Set("web", 1);
  swarm.services["web"].tasks = {Swarm::Task("web", 1, "running")};
  swarm.missing_tasks_of = "web";
  EXPECT_FALSE(Ask({"web"}));
  EXPECT_FALSE(lister_.ListTasks({"web"}, In(20s)));
  swarm.missing_tasks_of.clear();
  EXPECT_TRUE(Ask({"web"}));
}

TEST_F(SomeServicesTest, WhatIsToldOfSomeIsWhatAListOfAllTellsOfThem) {
  Swarm swarm(daemon_);
  std::minstd_rand random(7);
  const auto below = [&](unsigned n) { return static_cast<int>(random() % n); };
  const auto id_of = [&] { return "s" + std::to_string(below(8)); };
  for (unsigned round = 0; round < testing::Rounds(200); ++round) {
    const std::string id = id_of();
    const int what = below(6);
    if (what == 0) {
      swarm.services.erase(id);
    } else {
      swarm.Set(id, static_cast<int>(round), what == 1 ? "" : R"("com.df.notify":"true")");
      if (what == 2) swarm.Set(id, static_cast<int>(round), R"("com.df.notify":7)");
      auto& tasks = swarm.services[id].tasks;
      tasks.clear();
      for (int n = below(4); n > 0; --n) {
        static constexpr const char* kStates[] = {"running", "failed", "starting", "shutdown"};
        const char* state = kStates[below(4)];
        tasks.push_back(Swarm::Task(id, n, state, below(3) == 0 ? "shutdown" : "running"));
      }
      if (below(10) == 0) tasks.push_back(R"({"ID":"t","ServiceID":")" + id + R"(","Status":1})");
    }
    const std::set<std::string> ids = {id_of(), id_of(), id};
    const auto some = Ask({ids.begin(), ids.end()});
    const auto all = List(lister_);
    ASSERT_TRUE(some && all);
    const auto asked = [&](const std::string& of) { return ids.contains(of); };
    std::vector<model::ServiceFacts> services = all->services;
    std::erase_if(services, [&](const auto& service) { return !asked(service.id); });
    auto told = some->services;
    std::sort(told.begin(), told.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    EXPECT_EQ(told, services);
    std::vector<std::string> unreadable = all->unreadable_service_ids;
    std::erase_if(unreadable, [&](const std::string& of) { return !asked(of); });
    EXPECT_EQ(some->unreadable_ids, unreadable);
    for (const std::string& of : some->unlabelled_ids) EXPECT_TRUE(swarm.services.contains(of));
    for (const std::string& of : ids) {
      const bool nowhere =
          std::none_of(told.begin(), told.end(), [&](const auto& s) { return s.id == of; }) &&
          std::count(unreadable.begin(), unreadable.end(), of) == 0 &&
          std::count(some->unlabelled_ids.begin(), some->unlabelled_ids.end(), of) == 0;
      EXPECT_EQ(nowhere, !swarm.services.contains(of)) << of;
    }
    if (HasFailure()) FAIL() << "round " << round;
  }
}

TEST_F(SomeServicesTest, ListTasksIsOneCall) {
  Lister& lister = lister_;
  ASSERT_TRUE(List(lister));
  const std::size_t before = daemon_.server().targets().size();
  const auto tasks =
      lister.ListTasks({"lmslpddwznjtqfp0ty0ulkwb7", "qdpn7eceb9z9e5avlc6trk5k5"}, In(20s));
  ASSERT_TRUE(tasks) << tasks.error().ToString();
  ASSERT_EQ(tasks->size(), 2U);
  EXPECT_EQ(tasks->at(1).service_id, "qdpn7eceb9z9e5avlc6trk5k5");
  EXPECT_EQ(tasks->at(1).tasks, Find(*List(lister), "demo")->tasks) << "as a full list says it";
  EXPECT_EQ(daemon_.server().targets().at(before).rfind("/v1.41/tasks?", 0), 0U);
  EXPECT_NE(daemon_.server().targets().at(before + 1).rfind("/v1.41/tasks?", 0), 0U);
  EXPECT_TRUE(lister.ListTasks({}, In(20s)));
}

}  // namespace
}  // namespace swarmgate::docker
