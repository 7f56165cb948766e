// Environment variables, command-line flags, and the files that *_file keys name.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "config/layers.h"

namespace fairlead::config {
namespace {

/// The clusters, databases or users whose variables are looked for.
std::vector<std::string> names_to_ask_for(const Config& config, const Section& section) {
  std::vector<std::string> names = names_in(config, section);
  // So that a container runs from variables alone.
  if (section.id == SectionId::kCluster && !config.clusters.contains("main")) {
    names.emplace_back("main");
  }
  return names;
}

/// A variable for database "*" where there is no such table: creating one would let clients into
/// every database, and ignoring it would be silent.
void refuse_variables_of_missing_star(const Sources& sources, Draft& draft) {
  if (draft.config().databases.contains("*")) return;
  const Section& section = section_of(SectionId::kDatabase);
  for (const Key& key : section.keys) {
    const KeyRef ref{&section, "*", &key};
    const std::string variable = variable_name(ref);
    draft.take_variable(variable);
    if (!sources.environment(variable)) continue;
    draft.report_at({}, full_name(ref),
                    {ErrorCode::kConfig,
                     fmt::format("{} is set, but there is no [database.\"*\"]", variable),
                     {},
                     "write FAIRLEAD_DATABASE_NAME_KEY for one database, or add [database.\"*\"]"});
  }
}

void apply_secret_file(const KeyRef& file, std::string content, Draft& draft) {
  const std::string_view secret_name =
      file.key->name.substr(0, file.key->name.size() - std::string_view("_file").size());
  const KeyRef secret{file.section, file.name, find_key(*file.section, secret_name)};
  const Origins& origins = draft.config().origins;
  const Origin from = origins.find(full_name(file))->second;
  if (const auto other = origins.find(full_name(secret)); other != origins.end()) {
    if (other->second.kind > from.kind) return;  // The stronger layer wins.
    if (other->second.kind == from.kind) {
      return draft.report(full_name(file), {ErrorCode::kConfig,
                                            fmt::format("{} is set too", full_name(secret)),
                                            {},
                                            "remove one of the two"});
    }
  }
  if (content.ends_with('\n')) content.pop_back();
  if (content.ends_with('\r')) content.pop_back();
  if (content.empty()) {
    return draft.report(full_name(file), {ErrorCode::kConfig, "the file is empty"});
  }
  draft.set(secret, Text{std::move(content)}, from);
}

void apply_one_file(const Sources& sources, const KeyRef& ref, const std::string& path,
                    Draft& draft) {
  auto content = sources.read_file ? sources.read_file(path)
                                   : fail(ErrorCode::kConfig, "no files can be read here");
  if (!content) {
    return draft.report(
        full_name(ref),
        {ErrorCode::kConfig, fmt::format("cannot read \"{}\"", path),
         content.error().detail.empty() ? content.error().message : content.error().detail,
         content.error().hint});
  }
  if (ref.key->file == FileUse::kSecret) apply_secret_file(ref, std::move(*content), draft);
}

}  // namespace

std::string in_capitals(std::string_view text) {
  std::string out = upper(text);
  std::ranges::replace_if(out, [](char c) { return !is_letter_or_digit(c); }, '_');
  return out;
}

std::string variable_name(const KeyRef& ref) {
  const std::string key = in_capitals(ref.key->name);
  if (ref.name.empty() || ref.name == "*") {
    return fmt::format("FAIRLEAD_{}_{}", in_capitals(ref.section->name), key);
  }
  return fmt::format("FAIRLEAD_{}_{}_{}", in_capitals(ref.section->name), in_capitals(ref.name),
                     key);
}

void apply_environment(const Sources& sources, Draft& draft) {
  if (!sources.environment) return;
  refuse_variables_of_missing_star(sources, draft);
  for (const Section& section : sections()) {
    for (const std::string& name : names_to_ask_for(draft.config(), section)) {
      for (const Key& key : section.keys) {
        const KeyRef ref{&section, name, &key};
        const std::string variable = variable_name(ref);
        draft.take_variable(variable);
        const auto value = sources.environment(variable);
        if (value) draft.set(ref, Text{*value}, {Origin::Kind::kEnvironment, variable});
      }
    }
  }
}

void apply_flags(const Sources& sources, Draft& draft) {
  for (const FlagValue& flag : sources.flags) {
    auto ref = parse_full_name(flag.key);
    if (!ref) {
      ref.error().detail = "from " + flag.flag;
      draft.report_at({}, flag.key, std::move(ref.error()), Origin::Kind::kFlag);
      continue;
    }
    draft.set(*ref, Text{flag.value}, {Origin::Kind::kFlag, flag.flag});
  }
}

void apply_files(const Sources& sources, Draft& draft) {
  for (const Section& section : sections()) {
    for (const std::string& name : names_in(draft.config(), section)) {
      for (const Key& key : section.keys) {
        if (key.file == FileUse::kNone) continue;
        const KeyRef ref{&section, name, &key};
        const std::string path =
            *key.text(section_in(std::as_const(draft).config(), section, name));
        if (!path.empty()) apply_one_file(sources, ref, path, draft);
      }
    }
  }
}

}  // namespace fairlead::config
