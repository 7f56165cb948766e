// Remembers the facts of texts by their shape, so that libpg_query runs once per shape.
//
// One per worker thread and, because shapes are only compared and never judged by the database,
// shared by all its clients. Not thread-safe. Entries are compared by every byte of the shape: two
// shapes are never mixed up. Bounded in entries and bytes; when half of the bound is reached, the
// entries that were not asked for since the last time are dropped.
//
// Drivers that use parameters send the same text again and again. In front of the shapes stands a
// small table of such texts, byte for byte, which saves even the shape.
//
// Not remembered: what depends on more than the shape. Texts with SQL PREPARE/EXECUTE/DEALLOCATE
// (byte offsets), DDL (long, rare, may hold secrets), parse errors, oversized texts, and strings
// whose reading depends on standard_conforming_strings. Comment hints and set_config() values are
// not part of facts: ask hints.h and extract_set_config() with the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sql/facts.h"
#include "sql/functions.h"
#include "sql/lexer.h"
#include "sql/shape.h"

namespace fairlead::sql {

struct ShapeCacheLimits {
  size_t entries_max = 20000;
  size_t bytes_max = 32 * 1024 * 1024;  // Of shapes and facts, roughly.
  size_t shape_bytes_max = 16 * 1024;   // A longer shape is classified each time.
  uint64_t hash_seed = 0;               // Random in production: clients choose the keys.
};

struct ShapeCacheCounters {
  uint64_t hits = 0;
  uint64_t misses = 0;       // Classified and remembered.
  uint64_t uncacheable = 0;  // Classified and not remembered.
  uint64_t evictions = 0;
};

class ShapeCache {
 public:
  /// One classified text. The reference that find() returns is valid until the next find() or
  /// clear(); copy `facts` to keep them longer, as a prepared statement does.
  struct Entry {
    std::shared_ptr<const QueryFacts> facts;
    /// The shape without any literal, also of commands: safe to store and to show (F54). Dies with
    /// the entry; empty for a text too large to have one.
    std::string_view shape;
    mutable bool has_comment =
        false;  // Of the text just asked for, not of the shape: look for hints.

   private:
    friend class ShapeCache;
    size_t bytes_ = 0;
    std::string shown_;  // `shape`, where it is not the key.
    // The last text of this shape that held no literal, and how it was read.
    std::string exact_text_;
    LexOptions exact_options_;
    bool exact_has_comment_ = false;
    mutable uint64_t decided_for_ = 0;  // The catalog generation of `decision_`; 0 none.
    mutable Decision decision_;
  };

  explicit ShapeCache(ShapeCacheLimits limits = {});

  /// The facts of `text`. A hit allocates nothing and touches no reference count.
  const Entry& find(std::string_view text, LexOptions options = {});

  /// decide(), remembered per entry and catalog generation. `entry` must come from the last find().
  Decision decide(const Entry& entry, const FunctionCatalog* catalog);

  void clear();
  const ShapeCacheCounters& counters() const { return counters_; }
  size_t entries() const { return young_.size() + old_.size(); }
  size_t bytes() const { return young_bytes_ + old_bytes_; }

 private:
  struct Hash {
    using is_transparent = void;
    uint64_t seed = 0;
    size_t operator()(std::string_view text) const noexcept;
  };
  using Generation = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

  const Entry& classify_uncached(std::string_view text, LexOptions options);
  const Entry* find_exact(std::string_view text, LexOptions options, size_t slot);
  const Entry& hit(Entry& entry, std::string_view text, LexOptions options, size_t slot);
  const Entry& promote(Generation::iterator found, std::string_view text, LexOptions options,
                       size_t slot);
  Entry& remember(QueryFacts facts, std::string_view text, LexOptions options);
  void show_without_literals(Entry& entry, std::string_view text, LexOptions options);
  void age();

  ShapeCacheLimits limits_;
  ShapeCacheCounters counters_;
  Shape shape_;
  Shape shown_shape_;
  Entry uncached_;
  std::vector<Entry*> exact_;  // By hash of the text; emptied whenever an entry goes.
  Generation young_;
  Generation old_;
  size_t young_bytes_ = 0;
  size_t old_bytes_ = 0;
};

}  // namespace fairlead::sql
