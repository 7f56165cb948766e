// What it costs to cut a byte stream into messages and to read those that name something: the work
// that every byte of every client and server goes through. items_per_second counts messages.
#include <benchmark/benchmark.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "report_allocations.h"
#include "wire/backend_encode.h"
#include "wire/frame.h"
#include "wire/frame_policy.h"
#include "wire/frontend.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"

namespace fairlead::wire {
namespace {

constexpr std::string_view kSelect = "SELECT abalance FROM pgbench_accounts WHERE aid = $1";
constexpr std::array<std::optional<std::string_view>, 1> kAid{"4711"};

// As pgbench -M prepared sends it, and as most drivers do that do not prepare.
std::string prepared_read() {
  std::string out;
  append_bind(out, "", "P0_1", kAid);
  append_describe(out, NameKind::kPortal, "");
  append_execute(out, "");
  append_sync(out);
  return out;
}

std::string unnamed_read() {
  std::string out;
  append_parse(out, "", kSelect);
  return out + prepared_read();
}

// What a server answers to one read: a row description, `rows` short rows, the end.
std::string answer(int64_t rows) {
  constexpr std::array<std::string_view, 1> kColumns{"abalance"};
  constexpr std::array<std::optional<std::string_view>, 1> kValues{"-1234"};
  std::string out;
  append_text_row_description(out, kColumns);
  for (int64_t i = 0; i < rows; ++i) append_text_data_row(out, kValues);
  append_command_complete(out, "SELECT 1");
  append_ready_for_query(out, TxStatus::kIdle);
  return out;
}

// How many messages were cut.
int64_t cut_until_done(benchmark::State& state, const FramePolicy& policy,
                       const std::string& bytes) {
  int64_t messages = 0;
  const bench::ReportAllocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    FrameCutter cutter(policy);
    std::string_view rest = bytes;
    while (!rest.empty()) {
      const Result<Piece> piece = cutter.next(rest);
      if (!piece || piece->kind != Piece::Kind::kWhole) {
        state.SkipWithError("not a message");
        return 0;
      }
      ++messages;
      benchmark::DoNotOptimize(piece->bytes.data());
    }
  }
  return messages;
}

void cut_all(benchmark::State& state, const FramePolicy& policy, const std::string& bytes) {
  state.SetItemsProcessed(cut_until_done(state, policy, bytes));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}

void cut_simple_query(benchmark::State& state) {
  std::string bytes;
  append_query(bytes, "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;");
  cut_all(state, kFrontendPolicy, bytes);
}
void cut_prepared_read(benchmark::State& state) {
  cut_all(state, kFrontendPolicy, prepared_read());
}
void cut_answer(benchmark::State& state) { cut_all(state, kBackendPolicy, answer(state.range(0))); }

// Cuts, and decodes what names a statement or holds a text.
void decode_unnamed_read(benchmark::State& state) {
  const std::string bytes = unnamed_read();
  const bench::ReportAllocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    FrameCutter cutter(kFrontendPolicy);
    std::string_view rest = bytes;
    while (!rest.empty()) {
      const Result<Piece> piece = cutter.next(rest);
      if (!piece) return state.SkipWithError("not a message");
      if (piece->type == frontend::kParse)
        benchmark::DoNotOptimize(Parse::decode(piece->body()));
      else if (piece->type == frontend::kBind)
        benchmark::DoNotOptimize(Bind::decode(piece->body()));
    }
  }
}

BENCHMARK(cut_simple_query);
BENCHMARK(cut_prepared_read);
BENCHMARK(cut_answer)->Arg(1)->Arg(100);
BENCHMARK(decode_unnamed_read);

}  // namespace
}  // namespace fairlead::wire
