// Detector: faces of a picture by MTCNN (Zhang et al. 2016), with the cascade of davidsandberg/facenet's detect_face.py
// reproduced to the rounding: same boxes, same landmarks, same order but for equal scores.
#pragma once

#include <wajah/cpu.hpp>
#include <wajah/detect/box.hpp>
#include <wajah/image.hpp>
#include <wajah/weights.hpp>

#include <array>
#include <functional>
#include <memory>
#include <vector>

namespace wajah {

class CardWatch;
class Cuda;

struct DetectorOptions {
  double min_size = 20;                               // pixels of the smallest face to look for, 1 or more
  std::array<float, 3> thresholds{0.6F, 0.7F, 0.7F};  // of P-, R- and O-Net's probabilities, each inside (0, 1)
  double factor = 0.709;                              // from one level of the pyramid to the next, inside (0, 1)

  friend bool operator==(const DetectorOptions&, const DetectorOptions&) = default;
};

// The two settings of the original service: finding one face in an enrolment photo, and recognising.
inline constexpr DetectorOptions enrol_options{20, {0.5F, 0.6F, 0.6F}, 0.709};
inline constexpr DetectorOptions recognise_options{30, {0.7F, 0.8F, 0.8F}, 0.709};

// Throws Error (usage) with a sentence unless every value lies in its range.
void validate(const DetectorOptions& options);

class DetectorModel;  // the three loaded networks: shared, const

// Loads P-Net, R-Net and O-Net from the scopes "pnet", "rnet", "onet". Throws Error (model) naming the tensor that is
// missing, misshapen or left over.
[[nodiscard]] std::shared_ptr<const DetectorModel> load_detector(const Weights& mtcnn, const Cpu& cpu);

// The same on a card, in fp32 whatever the card's arithmetic: faces are the CPU's but for rounding. Throws Error
// (model), and Error (device_memory) if the card has too little memory.
[[nodiscard]] std::shared_ptr<const DetectorModel> load_detector(const Weights& mtcnn, const Cuda& cuda);

// Detects as `card` does while `watch` (card_watch.hpp) has it in use, and as `spare` what fails there (an Error of a
// device, or numbers that are not finite) and while it is not, in all threads.
[[nodiscard]] std::shared_ptr<const DetectorModel> with_spare(std::shared_ptr<const DetectorModel> card,
                                                              std::shared_ptr<const DetectorModel> spare,
                                                              std::shared_ptr<CardWatch> watch);

// The end of a stage: how many places or crops it had, and how many of them the network itself has seen. A large
// picture goes through pyramid and P-Net in bands, so they end several times. Only a card has the first, after which
// the picture is there; its pyramid ends with its P-Net.
enum class DetectorStage { upload, pyramid, pnet, proposals, rnet, onet };
struct StageEnd {
  DetectorStage stage;
  std::size_t seen = 0, judged = 0;
};
using DetectorWatch = std::function<void(const StageEnd&)>;

// How: by kernels made for it that skip what cannot change the result, or plainly, every network layer by layer on
// everything. Both find the same faces to the last bit.
enum class DetectorWay { fast, plain };

// One thread's detector; it keeps its scratch memory between calls. It computes on the device that the model was loaded
// for: on a Cpu with the threads of `cpu`, on a card on a stream of its own.
class Detector {
 public:
  Detector(std::shared_ptr<const DetectorModel> model, const Cpu& cpu, DetectorWay way = DetectorWay::fast);
  ~Detector();
  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;

  // Faces of an upright picture of any size from 1x1, best score first. Throws Error (usage) on options out of range
  // and Error (input) on an empty picture or one that min_size would enlarge beyond what the pyramid may hold,
  // Error (device) if a card fails.
  // watch, if any, is called by this thread at the end of every stage.
  [[nodiscard]] std::vector<Face> detect(const Image& image, const DetectorOptions& options = {},
                                         const DetectorWatch& watch = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wajah
