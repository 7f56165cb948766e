// Asio's own code, compiled once: everywhere else it is only declared.
#include <boost/asio/impl/src.hpp>
