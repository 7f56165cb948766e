// What nearly every file of src/app reads: the command line's library alone takes seconds.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "precompiled.h"
