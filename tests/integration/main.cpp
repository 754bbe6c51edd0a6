// Catch2's own main, alone in this file because it takes seven seconds to compile.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
