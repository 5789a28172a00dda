// Counts this thread's calls of operator new, to prove that a hot path makes none.
#pragma once

#include <cstddef>

namespace wajah::test {

[[nodiscard]] std::size_t allocations();

}  // namespace wajah::test
