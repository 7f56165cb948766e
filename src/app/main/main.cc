// The program. Everything that it does is in src/app, so that tests can call it.
#include "app/program.h"

int main(int argc, char** argv) { return static_cast<int>(fairlead::app::run(argc, argv)); }
