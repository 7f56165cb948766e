// What it costs to know where a statement goes: a known shape against libpg_query, for the bound
// "classification of a known shape <= 1/20 of pg_query_parse, no allocation" (design: performance).
// bench/run compares the ratios of one run, never times of two.
#include <benchmark/benchmark.h>
#include <pg_query.h>

#include <cstddef>
#include <iterator>
#include <string>

#include "report_allocations.h"
#include "sql/classify.h"
#include "sql/hints.h"
#include "sql/shape_cache.h"

namespace fairlead::sql {
namespace {

constexpr const char* kStatements[] = {
    "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;",
    "SELECT 1",
    "UPDATE pgbench_tellers SET tbalance = tbalance + -42 WHERE tid = 7;",
    "SELECT u.id, u.name, u.email, o.total FROM users u JOIN orders o ON o.user_id = u.id WHERE "
    "u.created_at > '2024-01-01' AND o.status IN ('a', 'b') ORDER BY u.id LIMIT 20",
    "SELECT \"users\".\"id\", \"users\".\"email\" FROM \"users\" WHERE \"users\".\"id\" = $1 LIMIT "
    "$2 /* app='shop',route='/users' */",
    "BEGIN",
    "SET app.tenant = '1b671a64-40d5-491e-99b0-da01ff1f3341'",
};

std::string statement(benchmark::State& state) {
  const char* text = kStatements[static_cast<size_t>(state.range(0))];
  state.SetLabel(text);
  return text;
}

void pg_query_parse_only(benchmark::State& state) {
  const std::string text = statement(state);
  for ([[maybe_unused]] auto _ : state) {
    PgQueryParseResult result = pg_query_parse(text.c_str());
    benchmark::DoNotOptimize(result.parse_tree);
    pg_query_free_parse_result(result);
  }
}

// The way of every statement: shape, look-up, the decision of a catalog, hints if there is a
// comment.
void known_shape(benchmark::State& state) {
  const std::string text = statement(state);
  ShapeCache cache;
  const auto catalog = FunctionCatalog::build({}, 1);
  cache.decide(cache.find(text), catalog.get());
  const bench::ReportAllocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    const auto& entry = cache.find(text);
    benchmark::DoNotOptimize(cache.decide(entry, catalog.get()));
  }
}

void new_shape(benchmark::State& state) {
  const std::string text = statement(state);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(classify(text));
}

void shape_only(benchmark::State& state) {
  const std::string text = statement(state);
  Shape shape;
  for ([[maybe_unused]] auto _ : state) {
    make_shape(text, {}, LiteralPolicy::kKeepInUtility, shape);
    benchmark::DoNotOptimize(shape.text());
  }
}

void hints(benchmark::State& state) {
  const std::string text = statement(state);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(find_hints(text));
}

constexpr int kLast = static_cast<int>(std::size(kStatements)) - 1;
BENCHMARK(pg_query_parse_only)->DenseRange(0, kLast);
BENCHMARK(known_shape)->DenseRange(0, kLast);
BENCHMARK(shape_only)->DenseRange(0, kLast);
BENCHMARK(new_shape)->DenseRange(0, kLast);
BENCHMARK(hints)->DenseRange(0, kLast);

}  // namespace
}  // namespace fairlead::sql
