// The file: from entries with paths to keys, and what to say about paths that are no keys.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/layers.h"
#include "config/substitute.h"

namespace fairlead::config {
namespace {

std::string join(const std::vector<std::string>& path) {
  return fmt::format("{}", fmt::join(path, "."));
}

/// Puts environment variables into every string of the value; false: a problem was reported.
bool substitute_in(Value& value, const Sources& sources, const std::string& name, Position at,
                   Draft& draft) {
  const Environment environment = [&](std::string_view variable) -> std::optional<std::string> {
    draft.take_variable(variable);
    return sources.environment ? sources.environment(variable) : std::nullopt;
  };
  const auto replace = [&](std::string& text) {
    auto result = substitute(text, environment);
    if (!result) {
      draft.report_at(at, name, std::move(result.error()));
      return false;
    }
    text = std::move(*result);
    return true;
  };
  if (auto* text = std::get_if<std::string>(&value)) return replace(*text);
  if (auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (std::string& text : *list) {
      if (!replace(text)) return false;
    }
  }
  return true;
}

/// Tells the kinds of entries apart: the header of a section, a key in one, and neither.
class FilePass {
 public:
  FilePass(const Sources& sources, Draft& draft) : sources_(sources), draft_(draft) {}

  void apply(Entry& entry) {
    const Section* section = find_section(entry.path.front());
    if (section == nullptr) return unknown_section(entry);
    const size_t header_size = section->named() ? 2 : 1;
    if (entry.path.size() <= header_size) return header(*section, entry, header_size);
    const std::string name = section->named() ? entry.path[1] : "";
    const Key* key = find_key(*section, entry.path[header_size]);
    if (key == nullptr) return unknown_key(*section, entry, header_size);
    if (entry.path.size() > header_size + 1) return;  // Below a key: its type was refused already.
    const KeyRef ref{section, name, key};
    if (!substitute_in(entry.value, sources_, full_name(ref), entry.at, draft_)) return;
    const std::string where = fmt::format("{}:{}", sources_.file_name, entry.at.line);
    draft_.set(ref, entry.value, {Origin::Kind::kFile, where}, entry.at);
  }

 private:
  void problem(const Entry& entry, std::string message, std::string hint = {}) {
    draft_.report_at(entry.at, join(entry.path),
                     {ErrorCode::kConfig, std::move(message), {}, std::move(hint)});
  }

  void unknown_section(const Entry& entry) {
    if (entry.path.size() > 1) return;  // Reported with its header.
    const bool table = std::holds_alternative<TableHeader>(entry.value);
    problem(entry, table ? "unknown section" : "unknown key outside of any section",
            hint_for_section(entry.path.front()));
  }

  void unknown_key(const Section& section, const Entry& entry, size_t header_size) {
    if (entry.path.size() > header_size + 1) return;
    problem(entry, "unknown key", hint_for_key(section, entry.path.back()));
  }

  void header(const Section& section, const Entry& entry, size_t header_size) {
    const bool table = std::holds_alternative<TableHeader>(entry.value);
    if (table && entry.path.size() == header_size) {
      const std::string name = section.named() ? entry.path[1] : "";
      return draft_.add_section(section, name, entry.at);
    }
    if (table) return;  // [cluster] around [cluster.main].
    if (entry.path.size() == 2 && find_key(section, entry.path[1]) != nullptr) {
      return problem(entry, fmt::format("[{}] needs a name", section.name),
                     fmt::format("write [{}]", full_name(section, section.example_name)));
    }
    problem(entry, "this must be a table, not a value",
            fmt::format("write [{}]", full_name(section, section.example_name)));
  }

  const Sources& sources_;
  Draft& draft_;
};

}  // namespace

bool apply_file(const Sources& sources, Draft& draft) {
  if (!sources.file_text) return true;
  auto entries = parse_document(*sources.file_text);
  if (!entries) {
    draft.report_at(entries.error().at, "", std::move(entries.error().error));
    return false;
  }
  FilePass pass(sources, draft);
  for (Entry& entry : *entries) pass.apply(entry);
  return true;
}

}  // namespace fairlead::config
