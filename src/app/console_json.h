// Tables of the console as JSON: an object for each row, numbers as numbers. Pure.
#pragma once

#include <boost/json.hpp>

#include "app/console_client.h"

namespace fairlead::app {

boost::json::object row_json(const ConsoleTable& table, size_t row);
boost::json::array rows_json(const ConsoleTable& table);

}  // namespace fairlead::app
