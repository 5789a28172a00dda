// depthwise_conv2d_int8: the loops of maps of floats (depthwise.hpp), which are bound by how fast numbers come and go.
// Bytes are a quarter of them. They become floats when they are loaded, less the zero point, so that padding adds
// nothing; one conversion serves up to nine products. Sums become bytes when they are stored.
#include <wajah/layers/depthwise_conv2d_int8.hpp>

#include "depthwise.hpp"
#include "vec_int8.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

// With y as what it consists of. Padding lies outside of what loops keep in registers, since those that may be written
// through a pointer to bytes do not stay there.
template <class Word>
struct ByteArgs : DepthwiseConv2dInt8Args {
  View<Word> y;
  const uint8_t* padding;  // a vector of the zero point
};

template <class Word>
class ByteMaps {
 public:
  using X = uint8_t;
  using Y = Word;

  WAJAH_VEC ByteMaps(const ByteArgs<Word>& args, int)
      : padding_(args.padding),
        zero_(static_cast<float>(args.zero_point)),
        floor_(args.floor),
        ceiling_(args.ceiling) {}

  WAJAH_VEC const uint8_t* padding() const { return padding_; }
  WAJAH_VEC Vec load(const uint8_t* p, Lanes channels) const { return load_bytes(p, channels) - zero_; }
  WAJAH_VEC void store(float* p, Lanes channels, Vec sums) const { clamped(sums).store(p, channels); }
  WAJAH_VEC void store(uint8_t* p, Lanes channels, Vec sums) const { store_bytes(p, channels, clamped(sums)); }

 private:
  WAJAH_VEC Vec clamped(Vec sums) const { return min(max(sums, floor_), ceiling_); }

  const uint8_t* padding_;
  Vec zero_, floor_, ceiling_;
};

}  // namespace

void depthwise_conv2d_int8(const DepthwiseConv2dInt8Args& args, Part part) {
  uint8_t padding[lanes];
  for (uint8_t& byte : padding) byte = static_cast<uint8_t>(args.zero_point);
  if (args.bytes == nullptr) return depthwise<ByteMaps<float>>(ByteArgs<float>{args, args.y, padding}, part);
  const View<uint8_t> bytes(args.bytes, args.y.shape, args.y.stride);
  depthwise<ByteMaps<uint8_t>>(ByteArgs<uint8_t>{args, bytes, padding}, part);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
