#include <wajah/convert/batch_norm.hpp>
#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <cmath>

namespace wajah {
namespace {

std::vector<double> scales(const BatchNorm& norm, std::string_view scope) {
  std::vector<double> scale(norm.variance.size());
  for (std::size_t c = 0; c < scale.size(); ++c) {
    const double spread = static_cast<double>(norm.variance[c]) + norm.epsilon;
    if (!(spread > 0)) {
      fail(ErrorKind::model, "{}: the batch norm's variance is {} in channel {}, expected a positive number",
           quote(scope), norm.variance[c], c);
    }
    scale[c] = (norm.gamma.empty() ? 1.0 : static_cast<double>(norm.gamma[c])) / std::sqrt(spread);
  }
  return scale;
}

}  // namespace

Folded fold(std::span<const float> weights, std::span<const float> biases, const BatchNorm& norm,
            std::string_view scope) {
  const std::vector<double> scale = scales(norm, scope);
  Folded folded{std::vector<float>(weights.size()), std::vector<float>(scale.size())};
  for (std::size_t row = 0; row < weights.size(); row += scale.size()) {
    for (std::size_t c = 0; c < scale.size(); ++c) {
      folded.weights[row + c] = static_cast<float>(static_cast<double>(weights[row + c]) * scale[c]);
    }
  }
  for (std::size_t c = 0; c < scale.size(); ++c) {
    const double bias = biases.empty() ? 0.0 : static_cast<double>(biases[c]);
    folded.biases[c] =
        static_cast<float>((bias - static_cast<double>(norm.mean[c])) * scale[c] + static_cast<double>(norm.beta[c]));
  }
  return folded;
}

}  // namespace wajah
