// The command line: reads it, finds the command, runs it, and helps when there is none.
#pragma once

#include "app/exit_code.h"

namespace fairlead::app {

ExitCode run(int argc, const char* const* argv);

}  // namespace fairlead::app
