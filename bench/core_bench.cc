// What the pure functions of the core cost, with few and with many services.
//
//   core_bench [--benchmark_…]   times, by Google Benchmark: `core_bench --help`
//   core_bench --count [MOST]    instructions, under `valgrind --tool=callgrind
//   --instr-atstart=no`,
//                                with at most so many services: one dump of callgrind's for each
//                                operation, whose trigger is "<operation>/<services>"
//
// The second run of an operation is counted, and no time of day or chance is part of it: the number
// of instructions is the same in every run.
#include <benchmark/benchmark.h>
#include <valgrind/callgrind.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core_world.h"
#include "support/paths.h"
#include "support/test_root.h"
#include "swarmgate/codec/docker_json.h"
#include "swarmgate/codec/json_splitter.h"
#include "swarmgate/codec/record_json.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::bench {
namespace {

struct Operation {
  std::function<void()> run;
  std::function<void()> prepare = [] {};  ///< before each run, and no part of it
};

// --- labels and routes ----------------------------------------------------------------

Operation ParseLabels(std::size_t) {
  return {.run = [facts = NthService(0)] {
    benchmark::DoNotOptimize(
        labels::ParseParameters(model::ServiceName(facts.name), Parameters(facts), {}));
  }};
}

Operation RouteAll(std::size_t services) {
  auto router = std::make_shared<std::optional<routing::Router>>();
  return {
      .run =
          [&world = WorldOf(services), router] {
            router->emplace();
            benchmark::DoNotOptimize(&(*router)->Update(world.before().inputs, world.context()));
          },
      .prepare = [router] { router->reset(); }};
}

template <Change kChange>
Operation Route(std::size_t services) {
  struct Held {
    routing::Router router;
    routing::Built published;  ///< what readers hold of the state before the change
  };
  const World& world = WorldOf(services);
  const auto [from, to] = world.Of(kChange);
  auto held = std::make_shared<Held>();
  return {
      .run =
          [&world, to = to, held] {
            benchmark::DoNotOptimize(&held->router.Update(to->inputs, world.context()));
          },
      .prepare = [&world, from = from,
                  held] { held->published = held->router.Update(from->inputs, world.context()); }};
}

/// A request for the service in the middle.
routing::Question QuestionOf(const World& world) {
  return {.host = NthHost(world.changed()), .path = NthPath(world.changed()) + "/x", .headers = {}};
}

Operation Explain(std::size_t services) {
  const World& world = WorldOf(services);
  const routing::Built& built = world.before().built;
  SWARMGATE_CHECK(
      routing::Explain(built.desired, QuestionOf(world), built.lost).winner.has_value());
  return {.run = [&built, question = QuestionOf(world)] {
    benchmark::DoNotOptimize(routing::Explain(built.desired, question, built.lost));
  }};
}

Operation Lookup(std::size_t services) {
  const World& world = WorldOf(services);
  const model::MatchTable& table = world.before().built.desired.matches;
  SWARMGATE_CHECK(routing::Lookup(table, QuestionOf(world)).has_value());
  return {.run = [&table, question = QuestionOf(world)] {
    benchmark::DoNotOptimize(routing::Lookup(table, question));
  }};
}

// --- slots, image and plan ------------------------------------------------------------

Operation AssignAll(std::size_t services) {
  auto book = std::make_shared<haproxy::SlotBook>();
  return {.run =
              [&world = WorldOf(services), book] {
                benchmark::DoNotOptimize(
                    &book->Assign(world.before().built.desired.backends, {}, MinimumSlots()));
              },
          .prepare = [book] { *book = haproxy::SlotBook(); }};
}

Operation AssignOne(std::size_t services) {
  struct Held {
    haproxy::SlotBook book;
    haproxy::SlotMap published;
  };
  const auto [from, to] = WorldOf(services).Of(Change::kCreate);
  auto held = std::make_shared<Held>();
  const auto assign = [held](const State& state) -> const haproxy::SlotMap& {
    return held->book.Assign(state.built.desired.backends, {}, MinimumSlots());
  };
  return {.run = [assign, to = to] { benchmark::DoNotOptimize(&assign(*to)); },
          .prepare = [assign, from = from, held] { held->published = assign(*from); }};
}

Operation RenderAll(std::size_t services) {
  auto renderer = std::make_shared<std::optional<haproxy::Renderer>>();
  return {.run =
              [&state = WorldOf(services).before(), renderer] {
                renderer->emplace(Settings());
                benchmark::DoNotOptimize(&(*renderer)->Update(state.built.desired, state.slots));
              },
          .prepare = [renderer] { renderer->reset(); }};
}

template <Change kChange>
Operation Render(std::size_t services) {
  struct Held {
    haproxy::Renderer renderer{Settings()};
    haproxy::Image published;
  };
  const auto [from, to] = WorldOf(services).Of(kChange);
  auto held = std::make_shared<Held>();
  const auto update = [held](const State& state) -> const haproxy::Image& {
    return held->renderer.Update(state.built.desired, state.slots);
  };
  return {.run = [update, to = to] { benchmark::DoNotOptimize(&update(*to)); },
          .prepare = [update, from = from, held] { held->published = update(*from); }};
}

/// By which a change of the path goes to HAProxy.
haproxy::Plan PlanOfPath(const World& world) {
  const auto [from, to] = world.Of(Change::kPath);
  haproxy::Plan plan = haproxy::MakePlan({.image = from->image, .draining = {}}, to->image);
  SWARMGATE_CHECK(!plan.steps.empty() && plan.reload_reason.empty());
  return plan;
}

template <Change kChange>
Operation MakePlan(std::size_t services) {
  const auto [from, to] = WorldOf(services).Of(kChange);
  return {.run = [held = haproxy::Held{.image = from->image, .draining = {}}, to = to] {
    benchmark::DoNotOptimize(haproxy::MakePlan(held, to->image));
  }};
}

Operation ApplyPlan(std::size_t services) {
  const World& world = WorldOf(services);
  const auto [from, to] = world.Of(Change::kPath);
  auto held = std::make_shared<haproxy::Held>();
  return {.run = [plan = PlanOfPath(world), to = to,
                  held] { haproxy::ApplyPlan(*held, plan, to->image); },
          .prepare = [from = from, held] { held->image = from->image; }};
}

Operation EncodeSteps(std::size_t services) {
  return {.run = [plan = PlanOfPath(WorldOf(services)), settings = Settings()] {
    benchmark::DoNotOptimize(haproxy::EncodeSteps(plan.steps, settings));
  }};
}

Operation RenderFiles(std::size_t services) {
  const World& world = WorldOf(services);
  return {.run = [plan = PlanOfPath(world), to = world.Of(Change::kPath).second] {
    benchmark::DoNotOptimize(haproxy::RenderFiles(to->image, plan.files));
  }};
}

/// As HAProxy answers `show map`.
Operation ParseShowMap(std::size_t services) {
  std::string reply;
  for (const auto& [key, value] : WorldOf(services).before().image.routes) {
    reply += "0x55d0c0ffee00 " + key + " " + value + "\n";
  }
  reply += "\n";
  SWARMGATE_CHECK(haproxy::ParseShowMap(reply).has_value());
  return {.run = [reply] { benchmark::DoNotOptimize(haproxy::ParseShowMap(reply)); }};
}

// --- JSON -----------------------------------------------------------------------------

void ReplaceAll(std::string& text, std::string_view old, std::string_view by) {
  for (std::size_t at = text.find(old); at != std::string::npos; at = text.find(old, at)) {
    text.replace(at, old.size(), by);
    at += by.size();
  }
}

/// The element of a list that a real daemon has answered, which has all of these parts.
std::string Recorded(const char* list, const std::vector<std::string_view>& parts) {
  std::string found;
  codec::JsonSplitter splitter(
      codec::JsonSplitter::Form::kArray, 1U << 20U, [&](std::string_view element) {
        bool has_all = true;
        for (const std::string_view part : parts) {
          has_all = has_all && element.find(part) != std::string_view::npos;
        }
        if (has_all) found = element;
        return Ok();
      });
  const std::string text =
      testing::ReadFile(testing::SourcePath("fixtures/docker/20.10/") + list + ".json");
  SWARMGATE_CHECK(splitter.Feed(text) && splitter.Finish() && !found.empty());
  return found;
}

constexpr std::string_view kRecordedService = "qdpn7eceb9z9e5avlc6trk5k5";

std::string ServiceJson(std::size_t number) {
  static const std::string recorded = Recorded("services", {R"("Name":"demo")"});
  std::string text = recorded;
  ReplaceAll(text, kRecordedService, std::string(20, 's') + Digits(number));
  ReplaceAll(text, R"("demo")", '"' + NthName(number) + '"');
  ReplaceAll(text, "/demo", NthPath(number));
  return text;
}

bool DecodeService(std::string_view text) {
  const auto json = codec::JsonValue::Parse(text, {}, &codec::ServiceShape());
  return json && codec::DecodeService(*json, "com.df.");
}

bool DecodeTask(std::string_view text) {
  const auto json = codec::JsonValue::Parse(text, {}, &codec::TaskShape());
  return json && codec::DecodeTask(*json);
}

Operation DecodeOne(std::size_t) {
  const std::string task = Recorded("tasks", {kRecordedService, R"("State":"running")"});
  return {.run = [service = ServiceJson(0), task] {
    SWARMGATE_CHECK(DecodeService(service) && DecodeTask(task) && DecodeTask(task));
  }};
}

/// As the adapter reads GET /services.
Operation DecodeList(std::size_t services) {
  std::string list;
  for (std::size_t i = 0; i < services; ++i) list += (i == 0 ? '[' : ',') + ServiceJson(i);
  list += ']';
  return {.run = [list] {
    codec::JsonSplitter splitter(codec::JsonSplitter::Form::kArray, 1U << 20U,
                                 [](std::string_view element) {
                                   SWARMGATE_CHECK(DecodeService(element));
                                   return Ok();
                                 });
    SWARMGATE_CHECK(splitter.Feed(list) && splitter.Finish());
  }};
}

model::Record SomeRecord() {
  model::Record record;
  record.service = model::ServiceName(NthName(0));
  record.parameters = Parameters(NthService(0));
  record.revision = 7;
  record.updated_unix_ms = record.created_unix_ms = 1'600'000'000'000;
  return record;
}

Operation EncodeRecord(std::size_t) {
  return {
      .run = [record = SomeRecord()] { benchmark::DoNotOptimize(codec::EncodeRecord(record)); }};
}

Operation DecodeRecord(std::size_t) {
  return {.run = [text = codec::EncodeRecord(SomeRecord())] {
    SWARMGATE_CHECK(codec::DecodeRecord(text).has_value());
  }};
}

// --- all of them, timed and counted ---------------------------------------------------

struct Named {
  const char* name;  ///< bench/suite/section_core.py says what it is
  bool grows;        ///< is there a number of services that it may depend on?
  Operation (*make)(std::size_t services);
};

constexpr Named kOperations[] = {
    {"labels", false, ParseLabels},
    {"route-all", true, RouteAll},
    {"route-create", true, Route<Change::kCreate>},
    {"route-path", true, Route<Change::kPath>},
    {"route-front", true, Route<Change::kFront>},
    {"route-task", true, Route<Change::kTask>},
    {"route-remove", true, Route<Change::kRemove>},
    {"slots-all", true, AssignAll},
    {"slots-create", true, AssignOne},
    {"render-all", true, RenderAll},
    {"render-create", true, Render<Change::kCreate>},
    {"render-path", true, Render<Change::kPath>},
    {"render-task", true, Render<Change::kTask>},
    {"plan-create", true, MakePlan<Change::kCreate>},
    {"plan-path", true, MakePlan<Change::kPath>},
    {"plan-task", true, MakePlan<Change::kTask>},
    {"commands-path", true, EncodeSteps},
    {"apply-path", true, ApplyPlan},
    {"files-path", true, RenderFiles},
    {"lookup", true, Lookup},
    {"explain", true, Explain},
    {"show-map", true, ParseShowMap},
    {"docker-list", true, DecodeList},
    {"docker-service", false, DecodeOne},
    {"record-encode", false, EncodeRecord},
    {"record-decode", false, DecodeRecord},
};

std::vector<std::int64_t> SizesOf(const Named& named) {
  if (!named.grows) return {1};
  return {10, 1000, 10000};
}

void Time(benchmark::State& state, const Named& named) {
  // Google Benchmark begins several times, until it knows how many runs it needs.
  static std::optional<std::pair<std::string, Operation>> made;
  const std::string name = named.name + std::to_string(state.range(0));
  if (!made || made->first != name) {
    made.emplace(name, named.make(static_cast<std::size_t>(state.range(0))));
  }
  const Operation& operation = made->second;
  for (auto _ : state) {
    operation.prepare();
    const auto begin = std::chrono::steady_clock::now();
    operation.run();
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  state.SetComplexityN(state.range(0));
}

void Register() {
  for (const Named& named : kOperations) {
    auto* const registered = benchmark::RegisterBenchmark(
        named.name, [&named](benchmark::State& state) { Time(state, named); });
    registered->UseManualTime()->Unit(benchmark::kMicrosecond);
    for (const std::int64_t services : SizesOf(named)) registered->Arg(services);
    if (named.grows) registered->Complexity();
  }
}

int Count(std::int64_t most) {
  if (RUNNING_ON_VALGRIND == 0) {
    std::fprintf(stderr,
                 "core_bench: --count needs valgrind --tool=callgrind --instr-atstart=no\n");
    return 2;
  }
  for (const Named& named : kOperations) {
    for (const std::int64_t services : SizesOf(named)) {
      if (services > most) continue;
      const Operation operation = named.make(static_cast<std::size_t>(services));
      const std::string name = std::string(named.name) + "/" + std::to_string(services);
      operation.prepare();
      operation.run();
      operation.prepare();
      CALLGRIND_START_INSTRUMENTATION;
      CALLGRIND_ZERO_STATS;
      operation.run();
      CALLGRIND_DUMP_STATS_AT(name.c_str());
      CALLGRIND_STOP_INSTRUMENTATION;
    }
  }
  return 0;
}

}  // namespace
}  // namespace swarmgate::bench

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--count") == 0) {
    return swarmgate::bench::Count(argc > 2 ? std::atoll(argv[2])
                                            : std::numeric_limits<std::int64_t>::max());
  }
  swarmgate::bench::Register();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
