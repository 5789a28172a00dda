// DetectorModel: what Detector needs of a device. Included by who brings another device; users want detector.hpp.
#pragma once

#include <wajah/detect/detector.hpp>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace wajah {

// One thread's way through the cascade; as Detector::detect.
class DetectorPass {
 public:
  DetectorPass() = default;
  virtual ~DetectorPass() = default;
  DetectorPass(const DetectorPass&) = delete;
  DetectorPass& operator=(const DetectorPass&) = delete;
  DetectorPass(DetectorPass&&) = delete;
  DetectorPass& operator=(DetectorPass&&) = delete;

  [[nodiscard]] virtual std::vector<Face> detect(const Image& image, const DetectorOptions& options,
                                                 const DetectorWatch& watch) = 0;
};

class DetectorModel {
 public:
  // `cpu` is for what is done on one, `way` for passes that have more than one.
  using Open = std::function<std::unique_ptr<DetectorPass>(const Cpu& cpu, DetectorWay way)>;

  explicit DetectorModel(Open how) : open(std::move(how)) {}

  Open open;
};

// Throws Error (model) if the three networks have left tensors over: they were given the wrong file.
void require_only_mtcnn(const Weights& weights);

}  // namespace wajah
