// On how many people the decision of an embedder was calibrated, so that a measurement can say that they are others.
#pragma once

#include "cli/options.hpp"

#include <wajah/embed/embedder.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace wajah::cli {

struct CalibratedOn {
  std::int64_t people = 0;
  std::string source;  // which people, in words
};

// From the card beside the embedder's file, or from the card that is shipped for a public model with the same curve;
// nothing where nobody has written it down. Throws Error (model) if the card cannot be read.
[[nodiscard]] std::optional<CalibratedOn> calibrated_on(const CommonOptions& options, const ModelCard& model);

// "the curve was fitted on 2208 people (LFW, every second ...)", or that nothing is known.
[[nodiscard]] std::string text_of(const std::optional<CalibratedOn>& calibrated);

}  // namespace wajah::cli
