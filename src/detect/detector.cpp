#include <wajah/detect/cascade.hpp>
#include <wajah/detect/detector_model.hpp>
#include <wajah/error.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/mtcnn.hpp>

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>

namespace wajah {

namespace {

constexpr std::array stage_names{"P-Net", "R-Net", "O-Net"};
constexpr double steepest = 0.99;  // beyond it the pyramid has hundreds of nearly equal levels

template <class Net>
using SharedModel = std::shared_ptr<const Model<Net, Cpu>>;

}  // namespace

void validate(const DetectorOptions& options) {
  if (!std::isfinite(options.min_size) || options.min_size < 1) {
    fail(ErrorKind::usage, "min size is {}, expected 1 pixel or more", options.min_size);
  }
  if (!(options.factor > 0 && options.factor <= steepest)) {
    fail(ErrorKind::usage, "factor is {}, expected more than 0 and at most {}", options.factor, steepest);
  }
  for (std::size_t i = 0; i < options.thresholds.size(); ++i) {
    if (!(options.thresholds[i] > 0 && options.thresholds[i] < 1)) {
      fail(ErrorKind::usage, "threshold of {} is {}, expected a probability between 0 and 1", stage_names[i],
           options.thresholds[i]);
    }
  }
}

namespace {

struct CpuMtcnn {
  CpuMtcnn(const Weights& weights, const Cpu& cpu)
      : pnet(std::make_shared<const Model<PNet, Cpu>>(cpu, weights.scope("pnet"))),
        rnet(std::make_shared<const Model<RNet, Cpu>>(cpu, weights.scope("rnet"))),
        onet(std::make_shared<const Model<ONet, Cpu>>(cpu, weights.scope("onet"))),
        scan(load_pnet_weights(weights.scope("pnet"))) {
    // Plain vectors multiply bytes fast enough for O-Net's guesses alone: P-Net takes longer with its screen, and
    // R-Net's guesses with weights of 7 bits need margins so wide that they save nothing.
    if (has_byte_products(cpu.isa())) {
      screen = make_pnet_screen(*scan, cpu.isa());
      rnet_guesser = CropGuesser::of_rnet(weights.scope("rnet"), cpu.isa());
    }
    if (cpu.isa() != Isa::scalar) onet_guesser = CropGuesser::of_onet(weights.scope("onet"), cpu.isa());
  }

  SharedModel<PNet> pnet;
  SharedModel<RNet> rnet;
  SharedModel<ONet> onet;
  std::unique_ptr<const PNetWeights> scan;
  // Where this CPU gains by them.
  std::unique_ptr<const PNetScreen> screen;
  std::optional<CropGuesser> rnet_guesser, onet_guesser;
};

struct CpuDetector final : DetectorPass {
  CpuDetector(std::shared_ptr<const CpuMtcnn> shared, const Cpu& cpu, DetectorWay way)
      : model(std::move(shared)), alone(1, cpu.isa()), pnet(model->pnet, cpu), cascade(cpu) {
    const bool fast = way == DetectorWay::fast;
    networks.pnet = call(pnet);
    networks.scan = fast ? model->scan.get() : nullptr;
    networks.screen = fast ? model->screen.get() : nullptr;
    for (int i = 0; i < cpu.threads(); ++i) {
      networks.rnet.push_back(call(rnet.emplace_back(model->rnet, alone)));
      networks.onet.push_back(call(onet.emplace_back(model->onet, alone)));
      if (fast && model->rnet_guesser) networks.rnet_guess.push_back(guess(model->rnet_guesser->net()));
      if (fast && model->onet_guesser) networks.onet_guess.push_back(guess(model->onet_guesser->net()));
    }
  }

  [[nodiscard]] std::vector<Face> detect(const Image& image, const DetectorOptions& options,
                                         const DetectorWatch& watch) override {
    return cascade.run(image, options, networks, watch);
  }

  static Networks::Forward call(auto& session) {
    return [&session](ConstView<float> x) -> ConstView<float> { return session.forward(x); };
  }

  Networks::Guess guess(const GuessNet& net) {
    return [this, &net, &memory = scratch.emplace_back()](const Image& image, std::span<const CropWindow> windows,
                                                          CropGuess* guesses) {
      const std::ptrdiff_t floats = guess_crops_scratch(net, image.width);
      const std::size_t bytes = static_cast<std::size_t>(floats) * sizeof(float);
      if (memory.size() < bytes) memory = Buffer(bytes);
      guess_crops(alone, {&net,
                          {image.pixels.data(), {1, image.height, image.width, 3}},
                          windows.data(),
                          static_cast<int>(windows.size()),
                          guesses,
                          memory.as<float>(),
                          floats});
    };
  }

  std::shared_ptr<const CpuMtcnn> model;
  Cpu alone;
  Session<PNet, Cpu> pnet;
  std::deque<Session<RNet, Cpu>> rnet;  // one a thread
  std::deque<Session<ONet, Cpu>> onet;
  std::deque<Buffer> scratch;
  Networks networks;
  Cascade cascade;
};

}  // namespace

void require_only_mtcnn(const Weights& weights) {
  if (const auto unused = weights.unused(); !unused.empty()) {
    fail(ErrorKind::model, "{}: {} tensors belong to no layer of MTCNN, first '{}': is this the right network?",
         weights.source(), unused.size(), unused.front());
  }
}

std::shared_ptr<const DetectorModel> load_detector(const Weights& mtcnn, const Cpu& cpu) {
  auto model = std::make_shared<const CpuMtcnn>(mtcnn, cpu);
  require_only_mtcnn(mtcnn);
  return std::make_shared<const DetectorModel>([model = std::move(model)](const Cpu& on, DetectorWay way) {
    return std::make_unique<CpuDetector>(model, on, way);
  });
}

struct Detector::Impl {
  std::shared_ptr<const DetectorModel> model;
  std::unique_ptr<DetectorPass> pass;
};

Detector::Detector(std::shared_ptr<const DetectorModel> model, const Cpu& cpu, DetectorWay way)
    : impl_(std::make_unique<Impl>()) {
  impl_->pass = model->open(cpu, way);
  impl_->model = std::move(model);
}
Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;

std::vector<Face> Detector::detect(const Image& image, const DetectorOptions& options, const DetectorWatch& watch) {
  return impl_->pass->detect(image, options, watch);
}

}  // namespace wajah
