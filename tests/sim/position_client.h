// A client of the simulation of positions: what it asks for, what it has been told, and what its
// answers must therefore show. Only position_world's sources include this.
#pragma once

#include "core/token.h"
#include "sim/position_world.h"

namespace fairlead::sim {

class PositionWorld::Client final : public SimSession {
 public:
  Client(PositionWorld& world, SimWorker& worker)
      : SimSession(world.fairlead_, worker), world_(world) {}

  void begin_something();
  /// One step of what is under way.
  void go_on();
  bool is_idle() const { return phase_ == Phase::kIdle && !token_wished_at_; }
  bool waits_for_token() const { return token_wished_at_.has_value(); }

  void on_positions() override;
  void on_positions_timeout() override;

 private:
  friend class PositionWorld;

  void begin_read();
  void begin_write();
  void begin_token();
  void run_statement();
  void run_write();
  void take_answer();

  void on_refused(const Error& error) override;
  void on_sent() override;
  void on_too_new() override { ++world_.counts_.too_new; }
  void on_lost() override;

  PositionWorld& world_;
  sql::ReadConsistency level_{};
  bool writes_ = false;
  Table table_{};
  CommitSet must_;                    // What this read has to show …
  CommitSet must_of_others_;          // … and of that, what counts by table (level "app").
  CommitSet schema_told_;             // The changes of the view that were told when it came.
  std::optional<HandedToken> token_;  // It has to satisfy.
  CommitSet own_, seen_;              // Acknowledged to it; shown to it.
  std::optional<size_t> commit_;      // Of the write under way.
  CommitSet shown_;                   // By the read under way.
  core::WrittenTables written_;
  std::optional<Time> token_wished_at_;
  CommitSet token_must_;
};

}  // namespace fairlead::sim
