// What the engine keeps from change to change is what it would make of everything anew: whatever
// comes, goes, changes its name, claims another's or is put out, in any order.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/assemble.h"
#include "engine/diagnostics_log.h"
#include "engine/facts_keeper.h"
#include "engine/status.h"
#include "support/fake_docker.h"
#include "support/rounds.h"
#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::engine {
namespace {

using model::Record;
using model::ServiceName;

/// An assembler, and what follows it.
struct Kept {
  Kept(const labels::ParseOptions& options, const std::vector<Parameters>& given,
       Assembler::ReadTemplate read)
      : assembler(options, given, std::move(read)) {}

  Assembler assembler;
  StatusBook book;
  DiagnosticsLog log;
};

class World {
 public:
  explicit World(unsigned seed) : random_(seed), keeper_({}) {
    options_.allow_raw = true;
    given_ = {{{"serviceName", "a"}, {"servicePath", "/static"}, {"port", "80"}},
              {{"serviceName", "x"}, {"servicePath", "/x"}, {"port", "80"}},
              {{"serviceName", "x"}, {"servicePath", "/later"}, {"port", "80"}}};
    read_ = [this](const std::string& path) -> Result<std::string> {
      const auto file = files_.find(path);
      if (file == files_.end()) return Fail(Code::kNotFound, "there is no such file");
      return file->second;
    };
  }

  void Run() {
    Kept kept(options_, given_, read_);
    for (int step = 0; step < 40; ++step) {
      for (int changes = Below(4); changes >= 0; --changes) Change();
      SCOPED_TRACE("step " + std::to_string(step));
      Bring(kept, records_.TakeChanged());
      Kept fresh(options_, given_, read_);
      std::set<ServiceName> all;
      for (const auto& [name, record] : records_) all.insert(name);
      Bring(fresh, all);
      ExpectSame(kept, fresh);
      TryOne(kept);
      if (::testing::Test::HasFailure()) return;
    }
  }

 private:
  // Never two of these in one expression: see PropertyTest.
  int Below(int n) {
    return static_cast<int>(random_() % static_cast<std::minstd_rand::result_type>(n));
  }
  std::string Name() { return std::string(1, static_cast<char>('a' + Below(5))); }
  std::string Path() { return "/" + std::string(1, static_cast<char>('p' + Below(4))); }

  void Change() {
    switch (Below(8)) {
      case 0:
      case 1:
      case 2:
        ChangeService();
        return;
      case 3:
        services_.erase("id-" + std::to_string(Below(7)));
        return TakeList();
      case 4:
        return ChangeRecord();
      case 5: {
        const std::string name = Name();
        if (Below(2) == 0) {
          quarantine_.erase(ServiceName(name));
        } else if (last_hash_.contains(ServiceName(name))) {
          quarantine_[ServiceName(name)] = {last_hash_[ServiceName(name)],
                                            "reason " + std::to_string(Below(2))};
        }
        return;
      }
      case 6:
        files_["fe"] = "use_backend b" + std::to_string(Below(3)) + "\n";
        if (Below(4) == 0) files_.erase("fe");
        return;
      default:
        address_ = Below(3);
        not_applied_ = Below(3) == 0 ? "not yet" : "";
        draining_ = Below(3) == 0 ? "t-task" + std::to_string(Below(3)) : "";
        return;
    }
  }

  void ChangeService() {
    const std::string id = "id-" + std::to_string(Below(7));
    auto service = testing::MakeService(Name(), Path(), Tasks(), ++version_);
    service.id = id;
    service.created_unix_ns += Below(3);
    const int what = Below(8);
    if (what == 0) service.labels.Set("com.df.serviceName", Name());
    if (what == 1) service.labels.Set("com.df.notify", "false");
    if (what == 2) service.labels.Set("com.df.port", "nonsense");
    if (what == 3) service.labels = {};
    if (what == 4) service.misplaced_labels = {{"com.df.servicePath", "/y"}};
    if (what == 5) {
      service.labels.Set("com.df.templateFePath", "fe");
      service.labels.Set("com.df.templateBePath", "be");
    }
    if (what == 6) {
      service.labels.Set("com.df.reqMode", "tcp");
      service.labels.Set("com.df.srcPort", std::to_string(7000 + Below(2)));
    }
    if (what == 7 && services_.contains(id)) {
      // Only its tasks are other ones.
      services_[id].tasks = service.tasks;
    } else {
      services_[id] = service;
    }
    TakeList();
  }

  std::vector<model::TaskFacts> Tasks() {
    std::vector<model::TaskFacts> tasks;
    for (int i = Below(3); i > 0; --i) {
      const std::string number = std::to_string(i);
      tasks.push_back(
          testing::MakeTask("task" + number + "-" + std::to_string(Below(9)), "10.0.0." + number));
      tasks.back().running = Below(4) != 0;
      tasks.back().desired_running = Below(4) != 0;
      tasks.back().state = tasks.back().running ? "running" : "failed";
    }
    return tasks;
  }

  void TakeList() {
    model::DockerFacts list;
    list.daemon_id = "daemon";
    list.swarm_manager = true;
    list.networks = {{"net1", "net1", "overlay", true, false}};
    list.own_network_ids = {"net1"};
    for (const auto& [id, service] : services_) list.services.push_back(service);
    // Far enough from the last one that an empty list is believed.
    (void)keeper_.TakeList(list, SteadyTime(Duration(++lists_ * 100000)));
    (void)keeper_.TakeList(list, SteadyTime(Duration(++lists_ * 100000)));
  }

  void ChangeRecord() {
    const ServiceName name(Below(4) == 0 ? "x" : Name());
    const int what = Below(4);
    if (what == 0) {
      (void)records_.erase(name);
      return;
    }
    Record record;
    record.service = name;
    record.created_unix_ms = Below(3);
    if (what == 1) {
      record.kind = Record::Kind::kWithdrawn;
      record.labels_hash = Below(3) == 0 ? "other" : last_parameters_hash_[name];
    } else {
      record.parameters = {{"serviceName", name.str()}, {"servicePath", Path()}, {"port", "80"}};
      if (Below(3) == 0) record.parameters["outboundHostname"] = "host.test";
      if (Below(3) == 0) {
        record.parameters["reqMode"] = "tcp";
        record.parameters["srcPort"] = "7000";
      }
      if (Below(4) == 0) {
        record.parameters["templateFePath"] = "fe";
        record.parameters["templateBePath"] = "be";
      }
    }
    records_.insert_or_assign(name, record);
  }

  [[nodiscard]] routing::BuildContext Context() const {
    routing::BuildContext context;
    context.networks = keeper_.host().networks;
    context.own_network_ids = keeper_.host().own_network_ids;
    if (address_ > 0) context.names["host.test"] = {"192.0.2." + std::to_string(address_)};
    return context;
  }

  void Bring(Kept& kept, const std::set<ServiceName>& changed_records) {
    const Assembly& assembly =
        kept.assembler.Update(keeper_.services(), records_, changed_records, quarantine_);
    routing::Built built = routing::Build(assembly.inputs, Context());
    // As the engine does with those of certificates.
    built.services[ServiceName("of-nobody")].diagnostics.push_back(
        {model::Severity::kWarning, "certificate-none", {}, "", "", "", ""});
    haproxy::SlotMap slots;
    for (const model::Backend& backend : built.desired.backends) {
      slots.assigned.emplace(backend.name, model::SlotName("slot"));
    }
    const StatusContext context{assembly,
                                kept.assembler.TakeChanged(),
                                built.services,
                                built.desired,
                                slots,
                                [this](const model::SlotName&, const std::string& prefix) {
                                  return !draining_.empty() && prefix.starts_with(draining_);
                                },
                                !draining_.empty(),
                                not_applied_};
    kept.log.Update(kept.book.Update(context));
    for (const auto& [name, definition] : assembly.definitions) {
      last_hash_[name] = definition.parsed->hash;
      last_parameters_hash_[name] = HexOf(definition.parsed->parameters_hash);
    }
  }

  static void ExpectSame(const Definition& a, const Definition& b) {
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.origin, b.origin);
    EXPECT_EQ(a.overrides_labels, b.overrides_labels);
    EXPECT_EQ(a.withdrawn, b.withdrawn);
    EXPECT_EQ(a.quarantined, b.quarantined);
    EXPECT_EQ(a.parsed->hash, b.parsed->hash);
    EXPECT_EQ(a.parsed->parameters, b.parsed->parameters);
    EXPECT_EQ(a.parsed->opted_in, b.parsed->opted_in);
    EXPECT_EQ(a.parsed->diagnostics, b.parsed->diagnostics);
    EXPECT_EQ(a.parsed->spec, b.parsed->spec);
    EXPECT_EQ(a.facts, b.facts);
    EXPECT_EQ(a.diagnostics, b.diagnostics);
    EXPECT_EQ(a.created_unix_ns, b.created_unix_ns);
  }

  static void ExpectSame(const routing::Inputs& a, const routing::Inputs& b) {
    ASSERT_EQ(a.size(), b.size());
    auto other = b.begin();
    for (const auto& input : a) {
      EXPECT_EQ(input->spec, (*other)->spec);
      EXPECT_EQ(input->origin, (*other)->origin);
      EXPECT_EQ(input->created_unix_ns, (*other)->created_unix_ns);
      EXPECT_EQ(input->facts, (*other)->facts);
      ++other;
    }
  }

  static void ExpectSame(const Kept& kept, const Kept& fresh) {
    const Assembly& a = kept.assembler.assembly();
    const Assembly& b = fresh.assembler.assembly();
    ASSERT_EQ(a.definitions.size(), b.definitions.size());
    for (const auto& [name, definition] : a.definitions) {
      SCOPED_TRACE(name.str());
      ASSERT_NE(b.Find(name), nullptr);
      ExpectSame(definition, *b.Find(name));
    }
    ExpectSame(a.inputs, b.inputs);
    EXPECT_EQ(a.obsolete, b.obsolete);
    EXPECT_EQ(a.include, b.include);
    EXPECT_EQ(a.with_certificate, b.with_certificate);
    EXPECT_EQ(kept.assembler.remembered(), fresh.assembler.remembered());
    ASSERT_EQ(kept.book.services().size(), fresh.book.services().size());
    auto other = fresh.book.services().begin();
    for (const StatusPtr& status : kept.book.services()) {
      EXPECT_EQ(*status, **other) << status->name.str() << ": " << status->reason.str();
      ++other;
    }
    EXPECT_EQ(kept.book.others(), fresh.book.others());
    EXPECT_EQ(kept.log.by_code(), fresh.log.by_code());
  }

  /// A trial says what the record would make, and leaves everything as it was.
  void TryOne(Kept& kept) {
    const ServiceName name(Name());
    Record record;
    record.service = name;
    record.parameters = {{"serviceName", name.str()}, {"servicePath", Path()}, {"port", "80"}};
    const Assembler::Trial trial = kept.assembler.Try(record);
    Records with = records_;
    with.insert_or_assign(name, record);
    Kept fresh(options_, given_, read_);
    std::set<ServiceName> all;
    for (const auto& [known, held] : with) all.insert(known);
    const Assembly& wanted = fresh.assembler.Update(keeper_.services(), with, all, quarantine_);
    ExpectSame(trial.inputs, wanted.inputs);
    ASSERT_EQ(trial.definition.has_value(), wanted.Find(name) != nullptr);
    if (trial.definition) ExpectSame(*trial.definition, *wanted.Find(name));
    EXPECT_TRUE(kept.assembler.TakeChanged().empty());
  }

  std::minstd_rand random_;
  labels::ParseOptions options_;
  std::vector<Parameters> given_;
  Assembler::ReadTemplate read_;
  std::map<std::string, std::string> files_ = {{"fe", "use_backend b\n"}, {"be", "backend b\n"}};
  FactsKeeper keeper_;
  std::map<std::string, model::ServiceFacts> services_;
  std::uint64_t version_ = 1;
  std::int64_t lists_ = 0;
  Records records_;
  Quarantines quarantine_;
  std::map<ServiceName, std::uint64_t> last_hash_;
  std::map<ServiceName, std::string> last_parameters_hash_;
  int address_ = 0;  ///< of a name that records lead to
  std::string not_applied_;
  std::string draining_;
};

TEST(KeptState, IsWhatEverythingMadeAnewWouldBe) {
  (void)SetLogLevel("error");
  for (unsigned seed = 1; seed <= testing::Rounds(60); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    world.Run();
    if (HasFailure()) break;
  }
  (void)SetLogLevel("info");
}

}  // namespace
}  // namespace swarmgate::engine
