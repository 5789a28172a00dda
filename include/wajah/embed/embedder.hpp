// Embedder: 160x160 (or 112x112) crops to unit vectors, whichever network the weights belong to.
#pragma once

#include <wajah/cpu.hpp>
#include <wajah/decision_curve.hpp>
#include <wajah/embed/crop.hpp>
#include <wajah/image.hpp>
#include <wajah/weights.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wajah {

class CardWatch;
class Cuda;

// The views of a face that make its embedding: the crop, or the crop and its mirror image, whose embeddings are added
// and brought back to unit length. Both take twice the time and differ less from photo to photo.
enum class Views { photo, both };

// Where both views are used. An embedding of one view may be held against one of both, so a person can be enrolled by
// both, which costs nothing at the door, and recognised by one.
enum class Mirror { never, enrol, always };

[[nodiscard]] std::string_view name_of(Mirror mirror);
[[nodiscard]] Mirror parse_mirror(std::string_view text);  // throws Error (model) on another word
[[nodiscard]] Views views_of(Mirror mirror, CropUse use);

// What belongs to an embedding network besides its weights; from the file's metadata, or the defaults of its
// architecture.
struct ModelCard {
  std::string architecture;  // "inception-resnet-v1", "mobilefacenet"
  std::string id;            // architecture and fingerprint of the weights: embeddings of different ids never meet
  int input = 160;           // pixels of the square crop
  int dimension = 512;
  Crop crop;
  DecisionCurve curve;
  Mirror mirror = Mirror::enrol;
};

// What a network computes in. fp32: each convolution in the way that is fastest (networks/tuned.hpp), which moves
// results by rounding only; fp32_direct: as its definition says, for comparisons bit for bit. int8: convolutions on
// bytes, everything else in float32 (networks/int8.hpp); fp16: on maps of halves (networks/half.hpp), for CPUs that have
// half arithmetic. Embeddings of all may meet: they differ by far less than two photos of a person do.
enum class Precision { fp32, fp32_direct, int8, fp16 };

[[nodiscard]] std::string_view name_of(Precision precision);

class EmbedderModel;  // the loaded network: shared, const

// One thread's embedder; copies of the model pointer share the weights. It computes on the device that the model was
// loaded for: on a Cpu with the threads of `cpu`, on a card on a stream of its own.
class Embedder {
 public:
  // Throws Error (device_memory) if a card has no memory left for it.
  Embedder(std::shared_ptr<const EmbedderModel> model, const Cpu& cpu);
  ~Embedder();
  Embedder(Embedder&&) noexcept;
  Embedder& operator=(Embedder&&) noexcept;

  [[nodiscard]] const ModelCard& card() const;

  // Embeds crops of card().input pixels square; gives crops.size() rows of card().dimension floats, each of L2 norm 1.
  // Throws Error (input) naming the crop whose size does not fit, Error (device) if a card fails.
  [[nodiscard]] std::vector<float> embed(std::span<const Image> crops, Views views = Views::photo);

  // The same for (n, input, input, 3) floats that are already normalised as the network wants them.
  [[nodiscard]] std::vector<float> embed_normalised(ConstView<float> x);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Loads the network that the weights' metadata name ("architecture"); every tensor must fit and none be left over.
// Throws Error (model), also if int8 is asked of weights whose ranges were never measured (embed/int8_calibration.hpp).
[[nodiscard]] std::shared_ptr<const EmbedderModel> load_embedder(const Weights& weights, const Cpu& cpu,
                                                                 Precision precision = Precision::fp32);

// The same on a card, in its arithmetic (docs/cuda.md says how near to the CPU's). Throws Error (model), and Error
// (device_memory) if the card has too little memory.
[[nodiscard]] std::shared_ptr<const EmbedderModel> load_embedder(const Weights& weights, const Cuda& cuda);

// The same network twice: embeds as `card` does while `watch` (card_watch.hpp) has it in use, and as `spare` what fails
// there (an Error of a device, or numbers that are not finite) and while it is not, in all threads. Throws Error
// (model) if the two are not of one id.
[[nodiscard]] std::shared_ptr<const EmbedderModel> with_spare(std::shared_ptr<const EmbedderModel> card,
                                                              std::shared_ptr<const EmbedderModel> spare,
                                                              std::shared_ptr<CardWatch> watch);

[[nodiscard]] const ModelCard& card_of(const EmbedderModel& model);

// The card that load_embedder gives these weights. Throws Error (model).
[[nodiscard]] ModelCard card_of(const Weights& weights);

// The centre of a crop as the card's network wants it: y is (1, card.input, card.input, 3). Throws Error (input) if the
// crop is smaller.
void normalise(const ModelCard& card, const Image& crop, View<float> y);

}  // namespace wajah
