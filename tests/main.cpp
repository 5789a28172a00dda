#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "places.hpp"

#include <doctest/doctest.h>

namespace wajah {

std::filesystem::path source_folder() { return WAJAH_SOURCE_DIR; }

std::filesystem::path built_program() {
#ifdef WAJAH_BINARY
  return WAJAH_BINARY;
#else
  return {};
#endif
}

std::optional<std::filesystem::path> frozen_graph() {
#ifdef WAJAH_FROZEN_GRAPH
  return WAJAH_FROZEN_GRAPH;
#else
  return std::nullopt;
#endif
}

}  // namespace wajah
