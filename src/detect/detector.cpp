#include <wajah/detect/cascade.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/error.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/mtcnn.hpp>

#include <algorithm>
#include <cmath>
#include <deque>

namespace wajah {

namespace {

constexpr std::array stage_names{"P-Net", "R-Net", "O-Net"};
constexpr double steepest = 0.99;  // beyond it the pyramid has hundreds of nearly equal levels

// P-Net's tensors for the kernel that does all its layers.
std::unique_ptr<const PNetWeights> scan_weights(const Weights& pnet) {
  auto net = std::make_unique<PNetWeights>();
  const auto copy = [&](const char* scope, const char* name, std::initializer_list<std::int64_t> shape, float* to) {
    const Values values = pnet.scope(scope).get(name, shape);
    std::copy_n(values.data(), values.size(), to);
  };
  copy("conv1", "weights", {3, 3, 3, 10}, net->conv1);
  copy("conv1", "biases", {10}, net->bias1);
  copy("PReLU1", "alpha", {10}, net->slope1);
  copy("conv2", "weights", {3, 3, 10, 16}, net->conv2);
  copy("conv2", "biases", {16}, net->bias2);
  copy("PReLU2", "alpha", {16}, net->slope2);
  copy("conv3", "weights", {3, 3, 16, 32}, net->conv3);
  copy("conv3", "biases", {32}, net->bias3);
  copy("PReLU3", "alpha", {32}, net->slope3);
  std::array<float, 32 * 2> face;
  std::array<float, 32 * 4> box;
  copy("conv4-1", "weights", {1, 1, 32, 2}, face.data());
  copy("conv4-2", "weights", {1, 1, 32, 4}, box.data());
  for (std::size_t c = 0; c < 32; ++c) {
    std::copy_n(&face[2 * c], 2, net->heads + c * pnet_head_row);
    std::copy_n(&box[4 * c], 4, net->heads + c * pnet_head_row + 2);
  }
  copy("conv4-1", "biases", {2}, net->bias4);
  copy("conv4-2", "biases", {4}, net->bias4 + 2);
  return net;
}

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

class DetectorModel {
 public:
  DetectorModel(const Weights& weights, const Cpu& cpu)
      : pnet(std::make_shared<const Model<PNet, Cpu>>(cpu, weights.scope("pnet"))),
        rnet(std::make_shared<const Model<RNet, Cpu>>(cpu, weights.scope("rnet"))),
        onet(std::make_shared<const Model<ONet, Cpu>>(cpu, weights.scope("onet"))),
        scan(scan_weights(weights.scope("pnet"))) {
    if (const auto unused = weights.unused(); !unused.empty()) {
      fail(ErrorKind::model, "{}: {} tensors belong to no layer of MTCNN, first '{}': is this the right network?",
           weights.source(), unused.size(), unused.front());
    }
  }

  SharedModel<PNet> pnet;
  SharedModel<RNet> rnet;
  SharedModel<ONet> onet;
  std::unique_ptr<const PNetWeights> scan;
};

struct Detector::Impl {
  Impl(std::shared_ptr<const DetectorModel> shared, const Cpu& cpu)
      : model(std::move(shared)),
        pnet(model->pnet, cpu),
        cascade(cpu) {
    const Cpu alone(1, cpu.isa());
    for (int i = 0; i < cpu.threads(); ++i) {
      rnet.emplace_back(model->rnet, alone);
      onet.emplace_back(model->onet, alone);
    }
    networks = {call(pnet), {}, {}, model->scan.get()};
    for (auto& session : rnet) networks.rnet.push_back(call(session));
    for (auto& session : onet) networks.onet.push_back(call(session));
  }

  static Networks::Forward call(auto& session) {
    return [&session](ConstView<float> x) -> ConstView<float> { return session.forward(x); };
  }

  std::shared_ptr<const DetectorModel> model;
  Session<PNet, Cpu> pnet;
  std::deque<Session<RNet, Cpu>> rnet;  // one a thread
  std::deque<Session<ONet, Cpu>> onet;
  Networks networks;
  Cascade cascade;
};

std::shared_ptr<const DetectorModel> load_detector(const Weights& mtcnn, const Cpu& cpu) {
  return std::make_shared<const DetectorModel>(mtcnn, cpu);
}

Detector::Detector(std::shared_ptr<const DetectorModel> model, const Cpu& cpu)
    : impl_(std::make_unique<Impl>(std::move(model), cpu)) {}
Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;

std::vector<Face> Detector::detect(const Image& image, const DetectorOptions& options) {
  return impl_->cascade.run(image, options, impl_->networks);
}

}  // namespace wajah
