#include "server/build_facts.hpp"

namespace wajah {

BuildFacts build_facts() { return {WAJAH_GIT, WAJAH_BUILD ", g++ " __VERSION__, WAJAH_WITH_CUDA != 0}; }

}  // namespace wajah
