#include "swarmgate/sqlite/store.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "sqlite/file.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/codec/applied_json.h"

namespace swarmgate::sqlite {
namespace {

using ports::AppliedDelta;
using ports::AppliedState;
using ports::StoredRecords;

// Bumped with every change that an older program could not read.
constexpr std::int64_t kSchemaVersion = 3;

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS records("
    " service TEXT PRIMARY KEY, kind INTEGER NOT NULL, origin INTEGER NOT NULL,"
    " parameters TEXT NOT NULL, labels_hash TEXT NOT NULL,"
    " revision INTEGER NOT NULL, updated INTEGER NOT NULL,"
    " created INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS services(id TEXT PRIMARY KEY, facts TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS slots(backend TEXT PRIMARY KEY, slot TEXT NOT NULL) WITHOUT ROWID;"
    "DROP TABLE IF EXISTS declared;"  // of schema 1: counts without profiles
    "CREATE TABLE IF NOT EXISTS classes(class TEXT PRIMARY KEY, slots INTEGER NOT NULL,"
    " head TEXT NOT NULL, lines TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS texts(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    // An older program may use the file without these: what it writes does not wait.
    "CREATE TABLE IF NOT EXISTS shared(service TEXT PRIMARY KEY, revision INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS waiting(service TEXT PRIMARY KEY, revision INTEGER NOT NULL,"
    " since INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS shared_position(one INTEGER PRIMARY KEY CHECK(one=1),"
    " epoch TEXT NOT NULL, revision INTEGER NOT NULL);";

constexpr std::uint64_t kMaxRevision = 1ULL << 62U;

constexpr std::int64_t Signed(std::uint64_t number) { return static_cast<std::int64_t>(number); }

std::int64_t UnixMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

class SqliteStore final : public ports::StateStore {
 public:
  SqliteStore(std::string path, bool shares)
      : file_(std::move(path), kSchema, kSchemaVersion), shares_(shares) {}

  Result<StoredRecords> Load() override {
    return Guarded<StoredRecords>("loading records", [&] { return DoLoad(); });
  }
  Result<std::uint64_t> Put(const model::Record& record, std::uint64_t expected) override {
    return Guarded<std::uint64_t>("storing a record", [&] { return DoPut(record, expected); });
  }
  Result<std::uint64_t> Delete(const model::ServiceName& service, std::uint64_t expected) override {
    return Guarded<std::uint64_t>("deleting a record", [&] { return DoDelete(service, expected); });
  }
  Status SaveApplied(const AppliedDelta& delta) override {
    return Guarded<void>("saving the applied state", [&] { return DoSave(delta); });
  }
  Result<std::optional<AppliedState>> LoadApplied() override {
    return Guarded<std::optional<AppliedState>>("loading the applied state",
                                                [&] { return DoLoadApplied(); });
  }
  Result<std::uint64_t> SaveShared(const ports::SharedDelta& delta) override {
    return Guarded<std::uint64_t>("saving what is shared", [&] { return DoSaveShared(delta); });
  }
  Result<ports::SharedState> LoadShared() override {
    return Guarded<ports::SharedState>("loading what is shared", [&] { return DoLoadShared(); });
  }

 private:
  // Opens the file where needed; sets a damaged one aside.
  template <typename T, typename Work>
  Result<T> Guarded(const char* what, const Work& work) {
    Status open = file_.EnsureOpen();
    if (!open) {
      if (open.error().code == Code::kCorrupt) file_.SetAside();
      return Forward(open.error(), what);
    }
    Result<T> result = work();
    if (!result && result.error().code == Code::kCorrupt && !applied_cleared_) file_.SetAside();
    applied_cleared_ = false;
    if (!result) return Forward(result.error(), what);
    return result;
  }

  Result<std::uint64_t> Revision() {
    Result<std::int64_t> value =
        file_.database().QueryNumber("SELECT value FROM counters WHERE name='revision'");
    if (!value) return Forward(value.error());
    return static_cast<std::uint64_t>(*value);
  }

  Result<std::uint64_t> NextRevision() {
    Statement next(file_.database(),
                   "INSERT INTO counters VALUES('revision',1)"
                   " ON CONFLICT(name) DO UPDATE SET value=value+1");
    Status ran = next.Run();
    if (!ran) return Forward(ran.error());
    return Revision();
  }

  Result<StoredRecords> DoLoad() {
    StoredRecords stored;
    Result<std::uint64_t> revision = Revision();
    if (!revision) return Forward(revision.error());
    stored.revision = *revision;
    Statement rows(file_.database(),
                   "SELECT service,kind,origin,parameters,labels_hash,revision,updated,"
                   "created"
                   " FROM records ORDER BY service");
    Result<bool> row = rows.Step();
    for (; row && *row; row = rows.Step()) {
      Result<std::map<std::string, std::string>> parameters = codec::DecodeStringMap(rows.Text(3));
      const std::int64_t kind = rows.Number(1);
      const std::int64_t origin = rows.Number(2);
      if (!parameters) return Forward(parameters.error(), rows.Text(0));
      if (kind < 0 || kind > static_cast<int>(model::Record::Kind::kCertificate) || origin < 0 ||
          origin > static_cast<int>(model::Origin::kStatic)) {
        return Fail(Code::kCorrupt, "a record has an unknown kind or origin", rows.Text(0));
      }
      model::Record record;
      record.service = model::ServiceName(rows.Text(0));
      record.kind = static_cast<model::Record::Kind>(kind);
      record.origin = static_cast<model::Origin>(origin);
      record.parameters = std::move(*parameters);
      record.labels_hash = rows.Text(4);
      record.revision = static_cast<std::uint64_t>(rows.Number(5));
      record.updated_unix_ms = rows.Number(6);
      record.created_unix_ms = rows.Number(7);
      stored.records.push_back(std::move(record));
    }
    if (!row) return Forward(row.error());
    return stored;
  }

  // The revision of the record that is there, 0 when there is none.
  Result<std::uint64_t> Held(const model::ServiceName& service) {
    Statement held(file_.database(), "SELECT revision FROM records WHERE service=?1");
    Result<bool> row = held.Bind(1, service.str()).Step();
    if (!row) return Forward(row.error());
    return *row ? static_cast<std::uint64_t>(held.Number(0)) : 0;
  }

  // Runs `write` in a durable transaction when the record has the expected revision.
  Result<std::uint64_t> CompareAndWrite(
      const model::ServiceName& service, std::uint64_t expected, bool must_exist,
      const std::function<Status(std::uint64_t revision)>& write) {
    Result<std::unique_ptr<Transaction>> transaction = Transaction::Begin(file_.database(), true);
    if (!transaction) return Forward(transaction.error());
    Result<std::uint64_t> held = Held(service);
    if (!held) return Forward(held.error());
    if (must_exist && *held == 0) return Fail(Code::kNotFound, "no such record", service.str());
    if (*held != expected) {
      return Fail(Code::kConflict,
                  "the record has revision " + std::to_string(*held) + ", expected was " +
                      std::to_string(expected),
                  service.str());
    }
    Result<std::uint64_t> revision = NextRevision();
    if (!revision) return Forward(revision.error());
    const Result<bool> waits = Waits();
    if (!waits) return Forward(waits.error());
    Status written = write(*revision);
    if (written && *waits) written = Wait(service, {*revision, UnixMs()});
    if (!written) return Forward(written.error());
    Status done = (*transaction)->Commit();
    if (!done) return Forward(done.error());
    return *revision;
  }

  Result<std::uint64_t> DoPut(const model::Record& record, std::uint64_t expected) {
    return CompareAndWrite(record.service, expected, false,
                           [&](std::uint64_t revision) { return WriteRow(record, revision); });
  }

  Status WriteRow(const model::Record& record, std::uint64_t revision) {
    Statement put(file_.database(),
                  "INSERT OR REPLACE INTO records VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
    return put.Bind(1, record.service.str())
        .Bind(2, static_cast<std::int64_t>(record.kind))
        .Bind(3, static_cast<std::int64_t>(record.origin))
        .Bind(4, codec::EncodeStringMap(record.parameters))
        .Bind(5, record.labels_hash)
        .Bind(6, Signed(revision))
        .Bind(7, record.updated_unix_ms)
        .Bind(8, record.created_unix_ms)
        .Run();
  }

  Status RemoveRow(const char* sql, const model::ServiceName& service) {
    Statement remove(file_.database(), sql);
    return remove.Bind(1, service.str()).Run();
  }

  Result<std::uint64_t> DoDelete(const model::ServiceName& service, std::uint64_t expected) {
    return CompareAndWrite(service, expected, true,
                           [&](std::uint64_t) { return RemoveRow(kDeleteRecord, service); });
  }

  /// What is written is to be shared: now, or by a later run that has a shared store again.
  Result<bool> Waits() {
    if (shares_) return true;
    const auto known = file_.database().QueryNumber("SELECT count(*) FROM shared_position");
    if (!known) return Forward(known.error());
    return *known > 0;
  }

  Status Wait(const model::ServiceName& service, const ports::Waiting& waiting) {
    Statement put(file_.database(), "INSERT OR REPLACE INTO waiting VALUES(?1,?2,?3)");
    return put.Bind(1, service.str())
        .Bind(2, Signed(waiting.revision))
        .Bind(3, waiting.since_unix_ms)
        .Run();
  }

  Result<std::uint64_t> DoSaveShared(const ports::SharedDelta& delta) {
    Result<std::unique_ptr<Transaction>> transaction = Transaction::Begin(file_.database(), false);
    if (!transaction) return Forward(transaction.error());
    Result<std::uint64_t> revision = NextRevision();
    if (!revision) return Forward(revision.error());
    Status saved = Ok();
    for (const model::Record& record : delta.upserts) {
      if (saved) saved = WriteRow(record, *revision);
    }
    for (const model::ServiceName& service : delta.deletes) {
      if (saved) saved = RemoveRow(kDeleteRecord, service);
    }
    if (saved) saved = SaveSharedRevisions(delta);
    for (const model::ServiceName& service : delta.settled) {
      if (saved) saved = RemoveRow("DELETE FROM waiting WHERE service=?1", service);
    }
    for (const auto& [service, waiting] : delta.waiting) {
      if (saved) saved = Wait(service, waiting);
    }
    if (saved && delta.position) {
      Statement put(file_.database(), "INSERT OR REPLACE INTO shared_position VALUES(1,?1,?2)");
      saved = put.Bind(1, delta.position->epoch).Bind(2, Signed(delta.position->revision)).Run();
    }
    if (saved && delta.latest_unix_ms > 0) {
      Statement put(file_.database(), "INSERT OR REPLACE INTO counters VALUES('latest_change',?1)");
      saved = put.Bind(1, delta.latest_unix_ms).Run();
    }
    if (saved) saved = (*transaction)->Commit();
    if (!saved) return Forward(saved.error());
    return *revision;
  }

  Status SaveSharedRevisions(const ports::SharedDelta& delta) {
    Statement put(file_.database(), "INSERT OR REPLACE INTO shared VALUES(?1,?2)");
    for (const auto& [service, revision] : delta.revisions) {
      const Status saved = revision == 0
                               ? RemoveRow("DELETE FROM shared WHERE service=?1", service)
                               : put.Bind(1, service.str()).Bind(2, Signed(revision)).Run();
      if (!saved) return saved;
    }
    return Ok();
  }

  Result<ports::SharedState> DoLoadShared() {
    ports::SharedState state;
    Statement position(file_.database(), "SELECT epoch,revision FROM shared_position");
    Result<bool> row = position.Step();
    if (!row) return Forward(row.error());
    if (*row) state.position = {position.Text(0), static_cast<std::uint64_t>(position.Number(1))};
    Statement latest(file_.database(), "SELECT value FROM counters WHERE name='latest_change'");
    row = latest.Step();
    if (!row) return Forward(row.error());
    if (*row) state.latest_unix_ms = latest.Number(0);
    Statement revisions(file_.database(), "SELECT service,revision FROM shared");
    for (row = revisions.Step(); row && *row; row = revisions.Step()) {
      state.revisions[model::ServiceName(revisions.Text(0))] =
          static_cast<std::uint64_t>(revisions.Number(1));
    }
    if (!row) return Forward(row.error());
    Statement waiting(file_.database(), "SELECT service,revision,since FROM waiting");
    for (row = waiting.Step(); row && *row; row = waiting.Step()) {
      state.waiting[model::ServiceName(waiting.Text(0))] = {
          static_cast<std::uint64_t>(waiting.Number(1)), waiting.Number(2)};
    }
    if (!row) return Forward(row.error());
    return state;
  }

  Status PutText(const char* name, const std::string& value) {
    Statement put(file_.database(), "INSERT OR REPLACE INTO texts VALUES(?1,?2)");
    return put.Bind(1, name).Bind(2, value).Run();
  }

  Status DoSave(const AppliedDelta& delta) {
    Result<std::unique_ptr<Transaction>> transaction = Transaction::Begin(file_.database(), false);
    if (!transaction) return Forward(transaction.error());
    Status saved = SaveServices(delta);
    if (saved) saved = SaveSlots(delta);
    if (saved && delta.host) saved = PutText("host", codec::EncodeHostFacts(*delta.host));
    if (saved && delta.names) saved = PutText("names", codec::EncodeStringLists(*delta.names));
    if (saved && delta.structure) {
      saved = PutText("structure", delta.structure->first);
      if (saved) saved = PutText("pid", std::to_string(delta.structure->second));
    }
    if (saved && delta.revision) saved = PutText("revision", std::to_string(*delta.revision));
    if (saved) saved = PutText("applied", "1");
    if (!saved) return saved;
    return (*transaction)->Commit();
  }

  Status SaveServices(const AppliedDelta& delta) {
    Statement remove(file_.database(), "DELETE FROM services WHERE id=?1");
    for (const std::string& id : delta.removals) {
      Status removed = remove.Bind(1, id).Run();
      if (!removed) return removed;
    }
    Statement put(file_.database(), "INSERT OR REPLACE INTO services VALUES(?1,?2)");
    for (const model::ServiceFacts& facts : delta.upserts) {
      Status stored = put.Bind(1, facts.id.str()).Bind(2, codec::EncodeServiceFacts(facts)).Run();
      if (!stored) return stored;
    }
    return Ok();
  }

  Status SaveSlots(const AppliedDelta& delta) {
    Statement remove(file_.database(), "DELETE FROM slots WHERE backend=?1");
    for (const model::BackendName& backend : delta.slots_removed) {
      Status removed = remove.Bind(1, backend.str()).Run();
      if (!removed) return removed;
    }
    Statement put(file_.database(), "INSERT OR REPLACE INTO slots VALUES(?1,?2)");
    for (const auto& [backend, slot] : delta.slots_set) {
      Status stored = put.Bind(1, backend.str()).Bind(2, slot.str()).Run();
      if (!stored) return stored;
    }
    if (!delta.declared) return Ok();
    Status cleared = file_.database().Exec("DELETE FROM classes");
    if (!cleared) return cleared;
    Statement declare(file_.database(), "INSERT INTO classes VALUES(?1,?2,?3,?4)");
    for (const auto& [backend_class, slots] : *delta.declared) {
      Status stored = declare.Bind(1, backend_class.str())
                          .Bind(2, slots.count)
                          .Bind(3, slots.head)
                          .Bind(4, slots.lines)
                          .Run();
      if (!stored) return stored;
    }
    return Ok();
  }

  Result<std::optional<AppliedState>> DoLoadApplied() {
    Result<std::map<std::string, std::string>> texts = LoadTexts();
    if (!texts) return Forward(texts.error());
    if (!texts->contains("applied")) return std::optional<AppliedState>();
    AppliedState state;
    Status loaded = LoadHost(*texts, state);
    if (loaded) loaded = LoadServices(state);
    if (loaded) loaded = LoadSlots(state);
    if (loaded) return std::optional<AppliedState>(std::move(state));
    if (loaded.error().code == Code::kCorrupt && decode_failed_) {
      // The file itself is sound: only what can be listed again is thrown away, not the records.
      decode_failed_ = false;
      applied_cleared_ = file_.database()
                             .Exec(
                                 "DELETE FROM services; DELETE FROM slots; DELETE FROM classes;"
                                 " DELETE FROM texts")
                             .has_value();
    }
    return Forward(loaded.error());
  }

  Result<std::map<std::string, std::string>> LoadTexts() {
    std::map<std::string, std::string> texts;
    Statement rows(file_.database(), "SELECT name,value FROM texts");
    Result<bool> row = rows.Step();
    for (; row && *row; row = rows.Step()) texts[rows.Text(0)] = rows.Text(1);
    if (!row) return Forward(row.error());
    return texts;
  }

  template <typename T>
  Status Decoded(Result<T> value, T& out) {
    if (!value) {
      decode_failed_ = true;
      return Forward(value.error());
    }
    out = std::move(*value);
    return Ok();
  }

  Status LoadHost(std::map<std::string, std::string>& texts, AppliedState& state) {
    Status good = Ok();
    if (texts.contains("host")) good = Decoded(codec::DecodeHostFacts(texts["host"]), state.facts);
    if (good && texts.contains("names")) {
      good = Decoded(codec::DecodeStringLists(texts["names"]), state.names);
    }
    state.structure = texts["structure"];
    // 0 when they are no numbers.
    (void)std::sscanf(texts["pid"].c_str(), "%9d", &state.proxy_pid);
    state.revision = ParseUint(texts["revision"], kMaxRevision).value_or(0);
    return good;
  }

  Status LoadServices(AppliedState& state) {
    Statement rows(file_.database(), "SELECT facts FROM services");
    Result<bool> row = rows.Step();
    for (; row && *row; row = rows.Step()) {
      model::ServiceFacts facts;
      Status good = Decoded(codec::DecodeServiceFacts(rows.Text(0)), facts);
      if (!good) return good;
      state.facts.services.push_back(std::move(facts));
    }
    if (!row) return Forward(row.error());
    std::sort(state.facts.services.begin(), state.facts.services.end(),
              [](const model::ServiceFacts& a, const model::ServiceFacts& b) {
                return std::tie(a.name, a.id) < std::tie(b.name, b.id);
              });
    return Ok();
  }

  Status LoadSlots(AppliedState& state) {
    Statement slots(file_.database(), "SELECT backend,slot FROM slots");
    Result<bool> row = slots.Step();
    for (; row && *row; row = slots.Step()) {
      state.slots.assigned.emplace(model::BackendName(slots.Text(0)),
                                   model::SlotName(slots.Text(1)));
    }
    if (!row) return Forward(row.error());
    Statement declared(file_.database(), "SELECT class,slots,head,lines FROM classes");
    row = declared.Step();
    for (; row && *row; row = declared.Step()) {
      const std::int64_t count = declared.Number(1);
      if (!haproxy::IsClass(declared.Text(0)) || count < 0 || count > 10'000'000) {
        decode_failed_ = true;
        return Fail(Code::kCorrupt, "declared slots in the store have an unexpected form");
      }
      state.slots.declared[model::BackendClass(declared.Text(0))] = {
          static_cast<std::uint32_t>(count), declared.Text(2), declared.Text(3)};
    }
    if (!row) return Forward(row.error());
    return Ok();
  }

  static constexpr const char* kDeleteRecord = "DELETE FROM records WHERE service=?1";

  File file_;
  bool shares_;
  bool decode_failed_ = false;    ///< a cell, not the file, is damaged
  bool applied_cleared_ = false;  ///< the damage was removed without the file
};

}  // namespace

std::unique_ptr<ports::StateStore> MakeStore(std::string path, bool shares) {
  return std::make_unique<SqliteStore>(std::move(path), shares);
}

}  // namespace swarmgate::sqlite
