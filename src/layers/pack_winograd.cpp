#include <wajah/layers/conv2d_winograd.hpp>
#include <wajah/layers/pack.hpp>
#include <wajah/layers/winograd_line.hpp>

#include <vector>

namespace wajah {
namespace {

// The matrix that turns the taps of one direction into values at points: (points, taps), row by row.
struct TapMatrix {
  int points = 1, taps = 1;
  std::vector<double> at{1};
};

template <int Points, int Taps>
TapMatrix flat(const Matrix<Points, Taps>& g) {
  TapMatrix matrix{Points, Taps, {}};
  for (const auto& row : g.at) matrix.at.insert(matrix.at.end(), std::begin(row), std::end(row));
  return matrix;
}

// Of a direction that has_winograd() knows.
TapMatrix tap_matrix(int outputs, int taps) {
  if (taps == 1) return {};
  if (taps == 7) return flat(WinogradLine<4, 7>().g);
  if (outputs == 2) return flat(WinogradLine<2, 3>().g);
  return outputs == 3 ? flat(WinogradLine<3, 3>().g) : flat(WinogradLine<4, 3>().g);
}

// (taps, in, out) -> (points, in, out), every number summed in double and rounded once.
std::vector<float> transformed(const Conv2dWeights& from, const TapMatrix& rows, const TapMatrix& columns) {
  const auto pairs = static_cast<std::size_t>(from.in) * static_cast<std::size_t>(from.out);
  std::vector<float> to(pairs * static_cast<std::size_t>(rows.points * columns.points));
  std::vector<double> sums(pairs);
  float* point = to.data();
  for (int i = 0; i < rows.points; ++i) {
    for (int j = 0; j < columns.points; ++j, point += pairs) {
      sums.assign(pairs, 0);
      const float* tap = from.weights;
      for (int v = 0; v < rows.taps; ++v) {
        for (int u = 0; u < columns.taps; ++u, tap += pairs) {
          const double factor = rows.at[static_cast<std::size_t>(i * rows.taps + v)] *
                                columns.at[static_cast<std::size_t>(j * columns.taps + u)];
          if (factor == 0) continue;
          for (std::size_t k = 0; k < pairs; ++k) sums[k] += factor * static_cast<double>(tap[k]);
        }
      }
      for (std::size_t k = 0; k < pairs; ++k) point[k] = static_cast<float>(sums[k]);
    }
  }
  return to;
}

}  // namespace

PackedConv2d pack_conv2d_winograd(const Cpu& device, const Conv2dWeights& from, WinogradTile tile) {
  const std::vector<float> weights =
      transformed(from, tap_matrix(tile.rows, from.window.h), tap_matrix(tile.columns, from.window.w));
  const int points = winograd_points(from.window, tile);
  const auto floats = static_cast<std::size_t>(round_up(from.out)) * static_cast<std::size_t>(points * from.in);
  PackedConv2d packed{allocate_weights(device, floats * sizeof(float)), pack_rows(device, from.biases, 1, from.out),
                      pack_slopes(device, from.activation, from.out)};
  pack_panels(device, PackPanelsArgs{weights.data(), packed.weights.as<float>(), points, from.in, from.out, 0});
  return packed;
}

}  // namespace wajah
