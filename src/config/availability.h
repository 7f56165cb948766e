// What the configuration can say and this version cannot do.
//
// Such a value is refused with a clear error, never ignored. The table in availability.cc is meant
// to shrink: whoever builds the feature removes its row.
#pragma once

#include <span>
#include <string_view>

#include "config/draft.h"

namespace fairlead::config {

struct NotAvailable {
  SectionId section;
  std::string_view key;
  std::string_view value;    // As in the file; empty: everything but the default.
  std::string_view instead;  // What to do in this version.
};

std::span<const NotAvailable> not_available();

/// Reports each value of the draft that the table names.
void refuse_not_available(Draft& draft);

}  // namespace fairlead::config
