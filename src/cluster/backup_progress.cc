#include "cluster/backup_progress.h"

#include <charconv>
#include <optional>

namespace fairlead::cluster {

namespace {

/// A line of the tool is short; one without an end is not kept for ever.
constexpr size_t kLineMax = 4096;

struct Figure {
  uint64_t done_kb = 0;
  uint64_t total_kb = 0;
};

/// "  65536/102400 kB (64%), ..."
std::optional<Figure> figure_of(std::string_view line) {
  while (line.starts_with(' ')) line.remove_prefix(1);
  Figure figure;
  const char* end = line.data() + line.size();
  const auto done = std::from_chars(line.data(), end, figure.done_kb);
  if (done.ec != std::errc() || done.ptr == end || *done.ptr != '/') return std::nullopt;
  const auto total = std::from_chars(done.ptr + 1, end, figure.total_kb);
  if (total.ec != std::errc() || !std::string_view(total.ptr, end).starts_with(" kB"))
    return std::nullopt;
  return figure;
}

bool is_end(char c) { return c == '\n' || c == '\r'; }

}  // namespace

void BackupProgress::take(std::string_view piece) {
  for (const char c : piece) {
    if (!is_end(c)) {
      if (line_.size() < kLineMax) line_.push_back(c);
      continue;
    }
    if (const auto figure = figure_of(line_)) {
      done_bytes_ = figure->done_kb * 1024;
      total_bytes_ = figure->total_kb * 1024;
    }
    line_.clear();
  }
}

std::string without_progress(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t end = 0;
    while (end < text.size() && !is_end(text[end])) ++end;
    const std::string_view line = text.substr(0, end);
    if (!line.empty() && !figure_of(line)) {
      if (!out.empty()) out.push_back('\n');
      out += line;
    }
    text.remove_prefix(end == text.size() ? end : end + 1);
  }
  return out;
}

}  // namespace fairlead::cluster
