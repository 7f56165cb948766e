// Where the decisions of a random run come from: a seeded generator, or a fuzzer's bytes.
#pragma once

#include <cstdint>
#include <random>
#include <span>

namespace fairlead::sim {

class Choices {
 public:
  virtual ~Choices() = default;
  /// 0 … n-1; `n` is at least 1.
  virtual uint32_t below(uint32_t n) = 0;
  /// There is nothing left to decide by: the run ends.
  virtual bool exhausted() const = 0;

  bool one_in(uint32_t n) { return below(n) == 0; }
};

class SeededChoices final : public Choices {
 public:
  SeededChoices(uint64_t seed, uint32_t choices_max) : random_(seed), left_(choices_max) {}
  uint32_t below(uint32_t n) override {
    if (left_ > 0) --left_;
    return static_cast<uint32_t>(random_() % n);
  }
  bool exhausted() const override { return left_ == 0; }

 private:
  std::mt19937_64 random_;
  uint32_t left_;
};

class ByteChoices final : public Choices {
 public:
  explicit ByteChoices(std::span<const uint8_t> bytes) : rest_(bytes) {}
  uint32_t below(uint32_t n) override {
    if (rest_.empty()) return 0;
    const uint32_t choice = rest_.front() % n;
    rest_ = rest_.subspan(1);
    return choice;
  }
  bool exhausted() const override { return rest_.empty(); }

 private:
  std::span<const uint8_t> rest_;
};

}  // namespace fairlead::sim
