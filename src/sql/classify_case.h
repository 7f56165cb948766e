// One row of the classification table that classify_test.cc checks and classify_fuzz.cc starts
// from.
#pragma once

#include "sql/reason.h"

namespace fairlead::sql {

/// kRead and kEmpty are reads; every other reason goes to the primary.
struct ClassifyCase {
  const char* text;
  Reason reason;
};

}  // namespace fairlead::sql
