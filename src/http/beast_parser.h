// Beast's parser, included in one place: with sanitizers on, g++ 12 takes an empty boost::optional in it for an
// uninitialised one, even though the header is a system header.
#pragma once

#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <boost/beast/http/basic_parser.hpp>
#pragma GCC diagnostic pop
