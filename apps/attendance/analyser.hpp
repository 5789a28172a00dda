// The Analyser on wajah::Recognizer: decode, detect, choose faces, embed.
#pragma once

#include "attendance/engine.hpp"

#include <wajah/cpu.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/embed/crop.hpp>
#include <wajah/embed/embedder.hpp>
#include <wajah/image_io.hpp>
#include <wajah/recognizer.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wajah::attendance {

struct AnalyserOptions {
  DetectorOptions enrol = enrol_options;
  DetectorOptions recognise = recognise_options;
  std::size_t max_faces = 32;  // of a picture to recognise: the best ones
  DecodeLimits limits;
  Orientation orientation = Orientation::applied;
  std::optional<Crop> crop;    // nothing: the model card's
  bool keep_pictures = false;  // hand the upright picture back when enrolling
  int picture_quality = 95;    // of that JPEG
};

// Weights, crop and the views that enrolled faces are embedded by say what a stored embedding means: the model's
// identity in the store. Whether faces to recognise are mirrored as well changes nothing that is stored.
[[nodiscard]] std::string model_id(const ModelCard& card, const Crop& crop);

// `workers` analysers that share the models and the threads of `cpu`: one that is at work alone uses them all.
[[nodiscard]] std::vector<std::unique_ptr<Analyser>> make_analysers(const std::shared_ptr<const Models>& models,
                                                                    const Cpu& cpu, std::size_t workers,
                                                                    const AnalyserOptions& options);

}  // namespace wajah::attendance
