// What this build was made from and how, as a bug report needs it.
#pragma once

#include <string_view>

namespace wajah {

struct BuildFacts {
  std::string_view git;    // the commit, with "-dirty" where files were changed; empty outside a repository
  std::string_view build;  // "Release, g++ 12.2.0"
  bool cuda = false;       // computes on cards
};

[[nodiscard]] BuildFacts build_facts();

}  // namespace wajah
