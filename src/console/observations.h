// One worker's books of observe mode, one for each database. Pure; the worker's thread only.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "console/report.h"
#include "core/observation.h"
#include "sql/lexer.h"
#include "sql/shape.h"

namespace fairlead::console {

class Observations {
 public:
  /// Charges a request with this text to `database`, as clients call it.
  void record(std::string_view database, const core::Observation& observation,
              std::string_view text, sql::LexOptions options, Time now);

  /// For the report; the shapes only if they are asked for, because they are many.
  std::vector<ObservedDatabase> report(bool with_shapes, Time now) const;

 private:
  core::ObservationBook& book(std::string_view database, Time now);

  std::map<std::string, core::ObservationBook, std::less<>> books_;
  sql::Shape shape_;  // Scratch.
};

}  // namespace fairlead::console
