#include "sql/shape_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "sql/classify.h"

namespace fairlead::sql {
namespace {

// 32 KiB of pointers: enough for the statements that an application repeats.
constexpr size_t kExactSlots = 4096;
// Longer texts are looked up by shape.
constexpr size_t kExactBytesMax = 1024;

__extension__ typedef unsigned __int128 Wide;

uint64_t mix(uint64_t a, uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t load(const char* from, size_t size) {
  uint64_t value = 0;
  std::memcpy(&value, from, size);
  return value;
}

// What an entry weighs besides its shape: rough, but it grows with what a client can make grow.
size_t weight_of(const QueryFacts& facts) {
  size_t bytes = sizeof(QueryFacts) + sizeof(ShapeCache::Entry) + 64;
  for (const std::string& name : facts.functions) bytes += sizeof(std::string) + name.capacity();
  for (const std::string& name : facts.attributes) bytes += sizeof(std::string) + name.capacity();
  for (const std::string& name : facts.operators) bytes += sizeof(std::string) + name.capacity();
  for (const std::string& name : facts.with_names) bytes += sizeof(std::string) + name.capacity();
  for (const Relation& relation : facts.relations)
    bytes += sizeof(relation) + relation.schema.capacity() + relation.name.capacity();
  for (const VariableCommand& command : facts.variables)
    bytes += sizeof(command) + command.argument.capacity();
  bytes += facts.transaction.size() * sizeof(TransactionCommand);
  return bytes;
}

// Whether the facts hold for every text of the same shape, and are worth their place.
bool is_cacheable(const QueryFacts& facts) {
  return facts.prepared.empty() && !facts.changes_catalog && !facts.opaque_side_effects;
}

}  // namespace

// Multiply and fold, eight bytes at a time, in the manner of wyhash. Seeded, because clients choose
// the keys.
size_t ShapeCache::Hash::operator()(std::string_view text) const noexcept {
  constexpr uint64_t kOdd1 = 0xa0761d6478bd642fULL;
  constexpr uint64_t kOdd2 = 0xe7037ed1a0b428dbULL;
  uint64_t hash = mix(seed ^ kOdd1, text.size() ^ kOdd2);
  const char* at = text.data();
  size_t left = text.size();
  for (; left >= 16; at += 16, left -= 16)
    hash = mix(load(at, 8) ^ kOdd1 ^ hash, load(at + 8, 8) ^ kOdd2);
  if (left >= 8) {
    hash = mix(load(at, 8) ^ kOdd1 ^ hash, kOdd2);
    at += 8;
    left -= 8;
  }
  if (left > 0) hash = mix(load(at, left) ^ kOdd2 ^ hash, kOdd1);
  return hash;
}

ShapeCache::ShapeCache(ShapeCacheLimits limits)
    : limits_(limits),
      exact_(kExactSlots, nullptr),
      young_(0, Hash{limits.hash_seed}),
      old_(0, Hash{limits.hash_seed}) {
  // All buckets from the start, so that no insertion ever has to move the others.
  young_.reserve(limits_.entries_max / 2 + 1);
  old_.reserve(limits_.entries_max / 2 + 1);
}

const ShapeCache::Entry& ShapeCache::find(std::string_view text, LexOptions options) {
  if (!options.ascii_safe_encoding || text.size() > kClassifyBytesMax)
    return classify_uncached(text, options);
  const size_t slot = Hash{limits_.hash_seed}(text) % kExactSlots;
  if (const Entry* const exact = find_exact(text, options, slot)) return *exact;
  make_shape(text, options, LiteralPolicy::kKeepInUtility, shape_);
  // The shape of a text that ends inside a literal would be that of a good one.
  if (shape_.ambiguous_strings || !shape_.terminated ||
      shape_.text().size() > limits_.shape_bytes_max)
    return classify_uncached(text, options);
  if (const auto found = young_.find(shape_.text()); found != young_.end())
    return hit(found->second, text, options, slot);
  if (const auto found = old_.find(shape_.text()); found != old_.end())
    return promote(found, text, options, slot);
  QueryFacts facts = classify(text, options);
  if (is_cacheable(facts)) return remember(std::move(facts), text, options);
  ++counters_.uncacheable;
  uncached_ = Entry{};
  uncached_.facts = std::make_shared<const QueryFacts>(std::move(facts));
  uncached_.has_comment = shape_.has_comment;
  show_without_literals(uncached_, text, options);
  return uncached_;
}

const ShapeCache::Entry* ShapeCache::find_exact(std::string_view text, LexOptions options,
                                                size_t slot) {
  const Entry* const entry = exact_[slot];
  if (entry == nullptr || entry->exact_text_ != text || entry->exact_options_ != options)
    return nullptr;
  ++counters_.hits;
  entry->has_comment = entry->exact_has_comment_;
  return entry;
}

const ShapeCache::Entry& ShapeCache::hit(Entry& entry, std::string_view text, LexOptions options,
                                         size_t slot) {
  ++counters_.hits;
  entry.has_comment = shape_.has_comment;
  // From the second time on: most texts come once. A comment may be another each time, so its
  // length is bounded, and after the first such text there is nothing left to allocate.
  if (!shape_.has_dropped_literal && text.size() <= kExactBytesMax) {
    entry.exact_text_ = text;
    entry.exact_options_ = options;
    entry.exact_has_comment_ = shape_.has_comment;
    exact_[slot] = &entry;
  }
  return entry;
}

// An entry of the older half that is still wanted moves to the younger, with its node: no
// allocation.
const ShapeCache::Entry& ShapeCache::promote(Generation::iterator found, std::string_view text,
                                             LexOptions options, size_t slot) {
  auto node = old_.extract(found);
  const size_t bytes = node.mapped().bytes_;
  old_bytes_ -= bytes;
  age();
  young_bytes_ += bytes;
  return hit(young_.insert(std::move(node)).position->second, text, options, slot);
}

const ShapeCache::Entry& ShapeCache::classify_uncached(std::string_view text, LexOptions options) {
  ++counters_.uncacheable;
  uncached_ = Entry{};
  uncached_.facts = std::make_shared<const QueryFacts>(classify(text, options));
  uncached_.has_comment = true;  // Perhaps: nobody looked.
  if (text.size() <= kClassifyBytesMax) show_without_literals(uncached_, text, options);
  return uncached_;
}

ShapeCache::Entry& ShapeCache::remember(QueryFacts facts, std::string_view text,
                                        LexOptions options) {
  ++counters_.misses;
  age();
  Entry fresh;
  fresh.bytes_ = shape_.text().size() + weight_of(facts) + kExactBytesMax;
  fresh.facts = std::make_shared<const QueryFacts>(std::move(facts));
  fresh.has_comment = shape_.has_comment;
  young_bytes_ += fresh.bytes_;
  const auto added = young_.emplace(std::string(shape_.text()), std::move(fresh)).first;
  added->second.shape = added->first;
  if (shape_.has_utility) show_without_literals(added->second, text, options);
  return added->second;
}

void ShapeCache::show_without_literals(Entry& entry, std::string_view text, LexOptions options) {
  make_shape(text, options, LiteralPolicy::kDropAll, shown_shape_);
  entry.shown_ = shown_shape_.text();
  entry.shape = entry.shown_;
}

// Makes room for one more: a full younger half becomes the older one, whose entries were not asked
// for since they became the older one, and go.
void ShapeCache::age() {
  if (young_.size() < limits_.entries_max / 2 && young_bytes_ < limits_.bytes_max / 2) return;
  counters_.evictions += old_.size();
  old_.clear();
  std::swap(young_, old_);
  old_bytes_ = std::exchange(young_bytes_, 0);
  std::ranges::fill(exact_, nullptr);
}

Decision ShapeCache::decide(const Entry& entry, const FunctionCatalog* catalog) {
  if (catalog == nullptr) return sql::decide(*entry.facts, nullptr);
  if (entry.decided_for_ != catalog->generation()) {
    entry.decision_ = sql::decide(*entry.facts, catalog);
    entry.decided_for_ = catalog->generation();
  }
  return entry.decision_;
}

void ShapeCache::clear() {
  young_.clear();
  old_.clear();
  young_bytes_ = old_bytes_ = 0;
  std::ranges::fill(exact_, nullptr);
}

}  // namespace fairlead::sql
