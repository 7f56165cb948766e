// What nearly every test reads; see precompile() in fairlead.cmake.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "precompiled.h"
