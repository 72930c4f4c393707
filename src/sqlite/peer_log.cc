#include "swarmgate/sqlite/peer_log.h"

#include <utility>

#include "sqlite/file.h"
#include "swarmgate/base/system.h"
#include "swarmgate/codec/record_json.h"

namespace swarmgate::sqlite {
namespace {

using model::SharedDocument;
using ports::PeerLogDelta;
using ports::PeerLogState;

constexpr std::int64_t kSchemaVersion = 1;
constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS documents("
    " name TEXT PRIMARY KEY, changed INTEGER NOT NULL, sequence INTEGER NOT NULL,"
    " record TEXT NOT NULL) WITHOUT ROWID;"  // record: empty for a deletion
    "CREATE TABLE IF NOT EXISTS history(one INTEGER PRIMARY KEY CHECK(one=1),"
    " epoch TEXT NOT NULL, revision INTEGER NOT NULL);";

std::int64_t Signed(std::uint64_t number) { return static_cast<std::int64_t>(number); }
std::uint64_t Unsigned(std::int64_t number) { return static_cast<std::uint64_t>(number); }

class SqlitePeerLog final : public ports::PeerLog {
 public:
  explicit SqlitePeerLog(std::string path) : file_(std::move(path), kSchema, kSchemaVersion) {}

  Result<PeerLogState> Load() override {
    return Guarded<PeerLogState>("loading what replicas share", [&] { return DoLoad(); });
  }
  Status Save(const PeerLogDelta& delta) override {
    return Guarded<void>("saving what replicas share", [&] { return DoSave(delta); });
  }

 private:
  template <typename T, typename Work>
  Result<T> Guarded(const char* what, const Work& work) {
    const Status open = file_.EnsureOpen();
    Result<T> result = open ? work() : Result<T>(Forward(open.error()));
    if (result) return result;
    if (result.error().code == Code::kCorrupt) file_.SetAside();
    return Forward(result.error(), what);
  }

  Result<PeerLogState> DoLoad() {
    PeerLogState state;
    Statement history(file_.database(), "SELECT epoch,revision FROM history");
    Result<bool> row = history.Step();
    if (!row) return Forward(row.error());
    if (!*row) return Begin();
    state.epoch = history.Text(0);
    state.revision = Unsigned(history.Number(1));
    if (state.epoch.empty()) return Fail(Code::kCorrupt, "the history has no name");
    Statement rows(file_.database(), "SELECT name,changed,sequence,record FROM documents");
    for (row = rows.Step(); row && *row; row = rows.Step()) {
      SharedDocument document{model::ServiceName(rows.Text(0)), std::nullopt, rows.Number(1),
                              Unsigned(rows.Number(2))};
      if (const std::string text = rows.Text(3); !text.empty()) {
        auto record = codec::DecodeRecord(text);
        // Of a newer version, before a rollback: left where it is.
        if (!record && record.error().code == Code::kRejected) continue;
        if (!record) return Fail(Code::kCorrupt, record.error().message, rows.Text(0));
        document.record = std::move(*record);
      }
      state.documents.push_back(std::move(document));
    }
    if (!row) return Forward(row.error());
    return state;
  }

  Result<PeerLogState> Begin() {
    PeerLogState state;
    state.epoch = MakeUniqueName();
    Statement put(file_.database(), "INSERT OR REPLACE INTO history VALUES(1,?1,0)");
    if (const Status done = put.Bind(1, state.epoch).Run(); !done) return Forward(done.error());
    return state;
  }

  Status DoSave(const PeerLogDelta& delta) {
    Result<std::unique_ptr<Transaction>> transaction = Transaction::Begin(file_.database(), false);
    if (!transaction) return Forward(transaction.error());
    // A new file in the place of a damaged one lacks all that came before.
    Statement history(file_.database(), "SELECT epoch FROM history");
    const Result<bool> begun = history.Step();
    if (!begun) return Forward(begun.error());
    if (!*begun) return Fail(Code::kCorrupt, "the file has no history");
    Statement put(file_.database(), "INSERT OR REPLACE INTO documents VALUES(?1,?2,?3,?4)");
    for (const SharedDocument& document : delta.upserts) {
      const Status saved = put.Bind(1, document.name.str())
                               .Bind(2, document.changed_unix_ms)
                               .Bind(3, Signed(document.sequence))
                               .Bind(4, TextOf(document))
                               .Run();
      if (!saved) return saved;
    }
    Statement forget(file_.database(), "DELETE FROM documents WHERE name=?1");
    for (const model::ServiceName& name : delta.forgotten) {
      if (const Status done = forget.Bind(1, name.str()).Run(); !done) return done;
    }
    Statement revision(file_.database(), "UPDATE history SET revision=?1");
    if (const Status done = revision.Bind(1, Signed(delta.revision)).Run(); !done) return done;
    return (*transaction)->Commit();
  }

  static std::string TextOf(const SharedDocument& document) {
    return document.record ? codec::EncodeRecord(*document.record) : std::string();
  }

  File file_;
};

}  // namespace

std::unique_ptr<ports::PeerLog> MakePeerLog(std::string path) {
  return std::make_unique<SqlitePeerLog>(std::move(path));
}

}  // namespace swarmgate::sqlite
