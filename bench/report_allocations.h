// Lets a benchmark report how much it allocates: the counter "allocations", per iteration.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

#include "count_allocations.h"

namespace fairlead::bench {

/// Counts from its making to its end. Make it right before the loop, so that the set-up does not
/// count.
class ReportAllocations {
 public:
  explicit ReportAllocations(benchmark::State& state) : state_(state), before_(allocations()) {}
  ~ReportAllocations() {
    const auto made = static_cast<double>(allocations() - before_);
    state_.counters["allocations"] = benchmark::Counter(made, benchmark::Counter::kAvgIterations);
  }
  ReportAllocations(const ReportAllocations&) = delete;
  ReportAllocations& operator=(const ReportAllocations&) = delete;

 private:
  benchmark::State& state_;
  uint64_t before_;
};

}  // namespace fairlead::bench
