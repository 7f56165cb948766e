// What it costs to know where a statement goes: a known shape against libpg_query, for the bound
// "classification of a known shape <= 1/20 of pg_query_parse, no allocation" (design: performance).
// Compare the ratios of one run, not times of two.
//
// Built as: add_executable(classify_bench classify_bench.cc)
//           target_link_libraries(classify_bench PRIVATE fairlead_sql fairlead_pg_query
//           benchmark::benchmark_main)
// Run as:   classify_bench --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true
#include <benchmark/benchmark.h>
#include <pg_query.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>

#include "sql/classify.h"
#include "sql/hints.h"
#include "sql/shape_cache.h"

// Counts allocations of the measured thread, so that "no allocation" is measured too.
static thread_local size_t allocations = 0;

void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

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

std::string statement(const benchmark::State& state) {
  return kStatements[static_cast<size_t>(state.range(0))];
}

void BM_PgQueryParse(benchmark::State& state) {
  const std::string text = statement(state);
  for (auto _ : state) {
    PgQueryParseResult result = pg_query_parse(text.c_str());
    benchmark::DoNotOptimize(result.parse_tree);
    pg_query_free_parse_result(result);
  }
}

// The way of every statement: shape, look-up, the decision of a catalog, hints if there is a
// comment.
void BM_KnownShape(benchmark::State& state) {
  const std::string text = statement(state);
  ShapeCache cache;
  const auto catalog = FunctionCatalog::build({}, 1);
  cache.decide(cache.find(text), catalog.get());
  const size_t before = allocations;
  for (auto _ : state) {
    const auto& entry = cache.find(text);
    benchmark::DoNotOptimize(cache.decide(entry, catalog.get()));
  }
  state.counters["allocations"] = static_cast<double>(allocations - before);
}

void BM_NewShape(benchmark::State& state) {
  const std::string text = statement(state);
  for (auto _ : state) benchmark::DoNotOptimize(classify(text));
}

void BM_ShapeOnly(benchmark::State& state) {
  const std::string text = statement(state);
  Shape shape;
  for (auto _ : state) {
    make_shape(text, {}, LiteralPolicy::kKeepInUtility, shape);
    benchmark::DoNotOptimize(shape.text());
  }
}

void BM_Hints(benchmark::State& state) {
  const std::string text = statement(state);
  for (auto _ : state) benchmark::DoNotOptimize(find_hints(text));
}

constexpr int kLast = static_cast<int>(std::size(kStatements)) - 1;
BENCHMARK(BM_PgQueryParse)->DenseRange(0, kLast);
BENCHMARK(BM_KnownShape)->DenseRange(0, kLast);
BENCHMARK(BM_ShapeOnly)->DenseRange(0, kLast);
BENCHMARK(BM_NewShape)->DenseRange(0, kLast);
BENCHMARK(BM_Hints)->DenseRange(0, kLast);

}  // namespace
}  // namespace fairlead::sql
