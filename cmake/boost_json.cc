// Boost.JSON's own code, compiled once: the library is used header-only.
#include <boost/json/src.hpp>
