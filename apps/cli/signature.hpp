// The signature: one number that changes when results do.
#pragma once

#include "cli/command.hpp"

namespace wajah::cli {

// bench --signature: runs drawn faces through detector and embedder and prints one hash of boxes, landmarks and
// embeddings, rounded to three decimals. Instruction sets round differently beyond that, so compare on one machine.
[[nodiscard]] int print_signature(Arguments arguments);

}  // namespace wajah::cli
