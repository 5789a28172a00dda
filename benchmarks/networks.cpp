// Whole networks, one picture and 32 at once, one thread and two.
#include "layers.hpp"

#include <wajah/model.hpp>

#include <fmt/format.h>

namespace wajah::benchmarks {
namespace {

// A session with its input.
template <class Net>
class NetworkWork {
 public:
  NetworkWork(Shape shape, int threads)
      : input_(cli::random_input(shape)),
        x_(input_.data(), shape),
        session_(std::make_shared<const Model<Net, Cpu>>(Cpu(threads, chosen_isa()),
                                                         cli::random_weights<Net>(shape.images(1)))) {}

  void operator()() { (void)session_.forward(x_); }

 private:
  std::vector<float> input_;
  ConstView<float> x_;
  Session<Net, Cpu> session_;
};

template <class Net>
void add_network(const char* name, Shape image) {
  for (const int batch : {1, 32}) {
    const Shape shape = image.images(batch);
    double macs = 0;
    for (const LayerInfo& layer : describe<Net>(shape)) macs += static_cast<double>(layer.macs);
    for (const int threads : {1, 2}) {
      add(fmt::format("networks/{}/batch:{}/threads:{}", name, batch, threads), macs, threads,
          [=] { return NetworkWork<Net>(shape, threads); });
    }
  }
}

const bool added = [] {
  add_network<InceptionResnetV1Tuned>("inception-resnet-v1", {1, 160, 160, 3});
  add_network<InceptionResnetV1Int8>("inception-resnet-v1-int8", {1, 160, 160, 3});
  add_network<MobileFaceNet>("mobilefacenet", {1, 112, 112, 3});
  add_network<MobileFaceNetInt8>("mobilefacenet-int8", {1, 112, 112, 3});
  return true;
}();

}  // namespace
}  // namespace wajah::benchmarks
