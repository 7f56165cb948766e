#include "config/availability.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/assert.h"
#include "config/field.h"

namespace fairlead::config {
namespace {

// One row for each thing that is not built yet.
constexpr std::array kNotAvailable{
    NotAvailable{SectionId::kListen, "tls_client_ca_file", "",
                 "leave it out: clients prove who they are by auth.method"},
    NotAvailable{SectionId::kListen, "tls_min_version", "1.3",
                 "leave it out: clients may use TLS 1.2 and 1.3"},
    NotAvailable{SectionId::kAuth, "method", "cert", "write \"scram-sha-256\""},
    NotAvailable{SectionId::kAuth, "auth_query", "", "list the users in users_file"},
};

bool matches(const NotAvailable& row, const Key& key, ConstSectionRef section) {
  const std::string printed = key.print(section);
  return row.value.empty() ? printed != key.print(default_section(row.section))
                           : printed == quoted(row.value);
}

}  // namespace

std::span<const NotAvailable> not_available() { return kNotAvailable; }

void refuse_not_available(Draft& draft) {
  const Config& config = std::as_const(draft).config();
  for (const NotAvailable& row : kNotAvailable) {
    const Section& section = section_of(row.section);
    const Key* key = find_key(section, row.key);
    require(key != nullptr, "the table names keys that exist");
    for (const std::string& name : names_in(config, section)) {
      if (!matches(row, *key, section_in(config, section, name))) continue;
      const std::string what =
          row.value.empty() ? std::string(row.key) : fmt::format("{} \"{}\"", row.key, row.value);
      draft.report(full_name({&section, name, key}),
                   {ErrorCode::kConfig, what + " is not available in this version",
                    "what would be ignored is refused", std::string(row.instead)});
    }
  }
}

}  // namespace fairlead::config
