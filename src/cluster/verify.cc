// The nodes one by one, then the databases one by one.
#include "cluster/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cluster/verify_tables.h"
#include "cluster/verify_write.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;
using Kind = NodeVerdict::Kind;

void blame(NodeVerdict& verdict, Kind kind, std::string why) {
  verdict.kind = kind;
  verdict.why = std::move(why);
}

/// What can be said of a node before anything is written or compared.
NodeVerdict first_look(const StatusRow& row, const StatusRow& primary) {
  NodeVerdict verdict;
  verdict.status = row;
  if (!row.answers())
    blame(verdict, Kind::kUnreachable, row.state);
  else if (row.system_identifier != primary.system_identifier)
    blame(verdict, Kind::kDiffers,
          fmt::format("it belongs to another cluster: its system identifier is {}, not {}",
                      row.system_identifier, primary.system_identifier));
  else if (row.role == Role::kPrimary && row.name != primary.name)
    blame(verdict, Kind::kDiffers,
          fmt::format("it is a primary of its own, on timeline {}", row.timeline));
  else if (row.state == "replay paused")
    blame(verdict, Kind::kDiffers, "its replay is paused");
  return verdict;
}

/// One run over a cluster: the nodes that are still compared, and what was found.
class Run {
 public:
  Run(const Cluster& cluster, const VerifyOptions& options, ProgressSink& progress,
      const StopFlag& stop)
      : cluster_(cluster), options_(options), progress_(progress), stop_(stop) {}

  Result<Verification> go() {
    auto databases = look();
    if (!databases) return std::unexpected(databases.error());
    steps_ = 1 + databases->size();
    if (auto done = step(text_of_write(), [this] { return write(); }); !done)
      return std::unexpected(done.error());
    const auto deadline = Clock::now() + options_.timeout;
    for (const std::string& database : *databases)
      if (auto done = step(text_of_compare(database), [&] { return compare(database, deadline); });
          !done)
        return std::unexpected(done.error());
    result_.databases = databases->size();
    look_again();
    return std::move(result_);
  }

  /// What go() would do, a step a line.
  Result<std::string> describe() {
    const auto databases = look();
    if (!databases) return std::unexpected(databases.error());
    std::string text = fmt::format("{:2}. {}\n", 1, text_of_write());
    size_t number = 1;
    for (const std::string& database : *databases)
      text += fmt::format("{:2}. {}\n", ++number, text_of_compare(database));
    return text;
  }

 private:
  /// Who is the primary, what is to be said of each node at once, and which databases there are.
  Result<std::vector<std::string>> look() {
    auto rows = ask_nodes(cluster_);
    const StatusRow* primary = primary_of(rows);
    if (primary == nullptr)
      return fail(ErrorCode::kConnectionFailure,
                  "no node of the cluster is known to be the primary", {},
                  "fairlead cluster status shows what each of them is");
    primary_ = cluster_.find(primary->name);
    for (const StatusRow& row : rows) result_.nodes.push_back(first_look(row, *primary));
    // Listed before the write: whoever shows the write has these, too.
    return list_databases();
  }

  std::string text_of_write() const {
    return fmt::format("write on {}, and see it on the replicas", primary_->name);
  }
  static std::string text_of_compare(const std::string& database) {
    return fmt::format("compare database {}", database);
  }

  Result<std::vector<std::string>> list_databases() {
    auto sql = SqlConnection::open(cluster_.as_superuser(*primary_));
    if (!sql) return std::unexpected(sql.error());
    auto found = sql->query("SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1");
    if (!found) return std::unexpected(found.error());
    std::vector<std::string> names;
    for (const auto& row : found->rows) names.push_back(row[0].value_or(""));
    return names;
  }

  template <class Work>
  Result<void> step(std::string text, Work&& work) {
    if (stop_.load()) return fail(ErrorCode::kQueryCanceled, "stopped on request");
    const StepView view{++step_, steps_, std::move(text)};
    progress_.started(view);
    const auto began = Clock::now();
    auto done = work();
    if (done)
      progress_.finished(view, std::chrono::duration_cast<Duration>(Clock::now() - began));
    else
      progress_.failed(view, done.error());
    return done;
  }

  /// Those that nothing speaks against yet, the primary first.
  std::vector<size_t> compared() const {
    std::vector<size_t> out;
    for (size_t i = 0; i < result_.nodes.size(); ++i) {
      if (!result_.nodes[i].why.empty()) continue;
      if (&cluster_.nodes[i] == primary_)
        out.insert(out.begin(), i);
      else
        out.push_back(i);
    }
    return out;
  }

  std::vector<const Node*> nodes_of(const std::vector<size_t>& indexes) const {
    std::vector<const Node*> out;
    for (const size_t i : indexes) out.push_back(&cluster_.nodes[i]);
    return out;
  }

  Result<void> write() {
    auto written = VerifyWrite::make(cluster_, *primary_, stop_);
    if (!written) return std::unexpected(written.error());
    std::vector<size_t> replicas = compared();
    replicas.erase(replicas.begin());
    const auto seen = written->await(nodes_of(replicas), options_.wait);
    for (size_t i = 0; i < seen.size(); ++i) {
      NodeVerdict& verdict = result_.nodes[replicas[i]];
      if (seen[i])
        verdict.write_seen_after = *seen[i];
      else
        blame(verdict, Kind::kDiffers, seen[i].error().message);
    }
    auto removed = written->remove();
    if (stop_.load()) return fail(ErrorCode::kQueryCanceled, "stopped on request");
    return removed;
  }

  Result<void> compare(const std::string& database, SameMoment::Deadline deadline) {
    const std::vector<size_t> indexes = compared();
    SameMoment moment(cluster_, nodes_of(indexes), database, stop_);
    auto found = verify_tables(moment, database, {options_.wait, deadline, options_.may_hold});
    if (!found) return std::unexpected(found.error());
    if (stop_.load()) return fail(ErrorCode::kQueryCanceled, "stopped on request");
    result_.tables += found->tables;
    result_.rows += found->rows;
    for (size_t i = 0; i < indexes.size(); ++i) {
      NodeVerdict& verdict = result_.nodes[indexes[i]];
      std::ranges::move(found->nodes[i], std::back_inserter(verdict.differences));
      if (found->trouble[i]) blame(verdict, Kind::kUndecided, found->trouble[i]->message);
    }
    return {};
  }

  /// Where the nodes stand now, and what the differences come to.
  void look_again() {
    const auto rows = ask_nodes(cluster_);
    for (size_t i = 0; i < rows.size(); ++i) {
      NodeVerdict& verdict = result_.nodes[i];
      verdict.status = rows[i];
      for (const Difference& difference : verdict.differences) {
        const bool decided = difference.what != Difference::What::kUndecided;
        if (decided || verdict.kind == Kind::kEqual)
          verdict.kind = decided ? Kind::kDiffers : Kind::kUndecided;
        if (decided) break;
      }
      if (!rows[i].answers() && verdict.kind != Kind::kDiffers)
        blame(verdict, Kind::kUnreachable, rows[i].state);
    }
  }

  const Cluster& cluster_;
  const VerifyOptions& options_;
  ProgressSink& progress_;
  const StopFlag& stop_;
  const Node* primary_ = nullptr;
  Verification result_;
  size_t step_ = 0;
  size_t steps_ = 0;
};

}  // namespace

std::string_view to_string(Kind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"equal", "differs", "undecided",
                                                      "unreachable"};
  return kNames[static_cast<size_t>(kind)];
}

Kind Verification::kind() const {
  for (const Kind worst : {Kind::kDiffers, Kind::kUndecided, Kind::kUnreachable})
    if (std::ranges::find(nodes, worst, &NodeVerdict::kind) != nodes.end()) return worst;
  return Kind::kEqual;
}

Result<Verification> verify(const std::string& dir, const VerifyOptions& options,
                            ProgressSink& progress, const StopFlag& stop) {
  const auto cluster = load(dir);
  if (!cluster) return std::unexpected(cluster.error());
  return Run(*cluster, options, progress, stop).go();
}

Result<std::string> describe_verify(const std::string& dir) {
  const auto cluster = load(dir);
  if (!cluster) return std::unexpected(cluster.error());
  const VerifyOptions options;
  SilentProgress silent;
  const StopFlag never = false;
  return Run(*cluster, options, silent, never).describe();
}

}  // namespace fairlead::cluster
