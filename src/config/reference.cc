// The generated documents: etc/fairlead.toml and docs/CONFIG.md.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/availability.h"
#include "config/describe.h"
#include "config/layers.h"

namespace fairlead::config {
namespace {

constexpr size_t kLineMax = 96;

/// Breaks a sentence into lines that begin with `prefix`.
std::string wrapped(std::string_view sentence, std::string_view prefix) {
  std::string out;
  std::string line(prefix);
  while (!sentence.empty()) {
    const size_t end = std::min(sentence.find(' '), sentence.size());
    const std::string_view word = sentence.substr(0, end);
    if (line.size() + 1 + word.size() > kLineMax) {
      out += line + "\n";
      line = prefix;
    }
    line.append(" ").append(word);
    sentence.remove_prefix(std::min(end + 1, sentence.size()));
  }
  return out + line + "\n";
}

std::string reference_value(const Section& section, const Key& key) {
  return key.example.empty() ? key.print(default_section(section.id)) : std::string(key.example);
}

std::vector<std::string_view> words_not_available(const Section& section, const Key& key) {
  std::vector<std::string_view> words;
  for (const NotAvailable& row : not_available()) {
    if (row.section == section.id && row.key == key.name) words.push_back(row.value);
  }
  return words;
}

/// A comment for each thing that is refused, so that nobody fills it in first.
std::string refusals(const Section& section, const Key& key) {
  std::string out;
  for (const std::string_view word : words_not_available(section, key)) {
    out += wrapped(word.empty() ? "Not available in this version: any other value is refused."
                                : fmt::format("Not available in this version: {}.", word),
                   "#");
  }
  return out;
}

/// "1 to 64", "trust, md5", "not yet: cert": what a value may be, beyond its type.
std::string limits_of(const Section& section, const Key& key) {
  std::vector<std::string> parts;
  if (key.words != nullptr) parts.push_back(fmt::format("`{}`", fmt::join(key.words(), "`, `")));
  if (key.min < key.max) {
    parts.push_back(fmt::format("{} to {}", key.print_bound(key.min), key.print_bound(key.max)));
  }
  for (const std::string_view word : words_not_available(section, key)) {
    parts.push_back(word.empty() ? "not available in this version"
                                 : fmt::format("`{}` is not available in this version", word));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string on_reload(const Key& key) {
  if (key.apply == Apply::kRestart) return "needs a restart";
  if (key.restarts_with.empty()) return "changes";
  return fmt::format("changes, but with `{}` needs a restart", key.restarts_with);
}

std::string markdown_section(const Section& section) {
  std::string out = fmt::format("\n## [{}]\n\n{}\n\n", full_name(section, section.example_name),
                                section.sentence);
  out += "| key | type | default | limits | on reload | what it is |\n|---|---|---|---|---|---|\n";
  for (const Key& key : section.keys) {
    out += fmt::format("| `{}` | {} | `{}` | {} | {} | {} |\n", key.name, key.type,
                       key.print(default_section(section.id)), limits_of(section, key),
                       on_reload(key), key.sentence);
  }
  return out;
}

constexpr std::string_view kTomlHead =
    R"(# Every key of Fairlead's configuration with its default. Generated from src/config; see
# docs/CONFIG.md. Durations and sizes carry units ("5s", "64MiB"); ${VARIABLE} in a text is
# replaced from the environment. A flag beats FAIRLEAD_SECTION_KEY, which beats this file.
#
# What must be set, because it has no good default: in [cluster.main] nodes, which are examples
# here, or patroni_urls with topology = "patroni"; monitor_password, unless the nodes trust its
# user; and in [auth] users_file, unless the method is "trust". [user.reports] is an example,
# too. Everything else may be left out.
)";

constexpr std::string_view kMarkdownHead = R"(# Configuration

Generated from `src/config/keys_*.cc` by `make generate`; do not edit.

One TOML file: `fairlead up -c FILE`. `etc/fairlead.toml` is such a file with every default. Without a file, `DATABASE_URL` and
`REPLICA_URLS`, or `--primary URL` and `--replica URL`, are enough.

* **Precedence:** flag, then environment variable, then file or connection URL, then default. `fairlead config show --origin` tells which one it was.
* **Variables:** `FAIRLEAD_LISTEN_PORT` is `port` in `[listen]`. With a name in it, `FAIRLEAD_CLUSTER_MAIN_NODES` is `nodes` in `[cluster.main]`, and
  `FAIRLEAD_DATABASE_SHOP_POOL_SIZE` is `pool_size` in `[database.shop]`; for `[database."*"]` the name is left out. Letters become
  capitals, digits stay, other characters become `_`. A list is separated by commas. A variable never makes a table, but `[cluster.main]`: without `[database.shop]` that one
  is an error. Whatever else begins with `FAIRLEAD_` and the name of a section is warned of, but for what `${VARIABLE}` in the file names and what
  Kubernetes sets for a service.
* **Units:** durations are whole numbers of `us`, `ms`, `s`, `min`, `h` or `d`; sizes of `B`, `KiB`, `MiB` or `GiB`. A number without its unit is an error.
* **Secrets:** `${VARIABLE}` inside any text is replaced from the environment (`$${` is a plain `${`); a `*_file` key reads the secret from a file. Output masks them.
* **Mistakes:** an unknown key is an error with its line, column and the nearest known key. All mistakes are reported at once.
* **Reload:** `SIGHUP` reads the file again. A mistake leaves everything as it was; keys that need a restart keep their old value and are named in the log. If
  old and new do not fit together then, as when a database names a cluster that only the restart adds, nothing is carried out, and the log says why.
)";

}  // namespace

std::string reference_toml() {
  std::string out(kTomlHead);
  for (const Section& section : sections()) {
    out += "\n" + wrapped(section.sentence, "#");
    out += fmt::format("[{}]\n", full_name(section, section.example_name));
    for (const Key& key : section.keys) {
      out += wrapped(key.sentence, "#");
      if (key.words != nullptr)
        out += wrapped(fmt::format("{}: {}.", key.type == "word" ? "One of" : "Any of",
                                   fmt::join(key.words(), ", ")),
                       "#");
      out += refusals(section, key);
      out += fmt::format("{} = {}\n", key.name, reference_value(section, key));
    }
  }
  return out;
}

std::string reference_markdown() {
  std::string out(kMarkdownHead);
  for (const Section& section : sections()) out += markdown_section(section);
  return out;
}

}  // namespace fairlead::config
