// Operations that only cards have as kernels, because on a CPU they are a few lines of plain code: what joins networks
// to a pipeline that does not leave the card.
#pragma once

#include <wajah/cpu.hpp>
#include <wajah/detect/pnet_card.hpp>
#include <wajah/detect/resample.hpp>

#ifdef WAJAH_KERNEL_ISA
#define WAJAH_CARD_KERNEL(name, Args) WAJAH_KERNEL(name, Args)
#else
#define WAJAH_CARD_KERNEL(name, Args) WAJAH_KERNEL_CUDA_DECLARE(name, Args)
#endif

namespace wajah {

// Divides the channels of every pixel by their length; y may be x.
struct L2NormaliseArgs {
  ConstView<float> x;
  View<float> y;
};
WAJAH_CARD_KERNEL(l2_normalise, L2NormaliseArgs)

// Of every two pixels of x, which are one face's two views, the sum of both brought to unit length, itself brought to
// it. y has half of x's images.
struct UniteViewsArgs {
  ConstView<float> x;
  View<float> y;
};
WAJAH_CARD_KERNEL(unite_views, UniteViewsArgs)

// prewhiten (embed/prewhiten.hpp) of every image of x by itself: (byte - mean) / max(deviation, 1 / sqrt(numbers)).
// Where y's images are smaller they are the centres of x's. With two views, y's images 2 i and 2 i + 1 are image i and
// its mirror image.
struct PrewhitenArgs {
  ConstView<uint8_t> x;
  View<float> y;
  int views = 1;
};
WAJAH_CARD_KERNEL(prewhiten, PrewhitenArgs)

// standardise (embed/prewhiten.hpp), with the same centres and views: (byte / 255 - mean) / deviation.
struct StandardiseArgs {
  ConstView<uint8_t> x;
  View<float> y;
  float mean[3], deviation[3];
  int views = 1;
};
WAJAH_CARD_KERNEL(standardise, StandardiseArgs)

// Windows of a picture at y's width and height, as AreaResizer (detect/resize.hpp) cuts crops: cv::resize(INTER_AREA)
// bit for bit, then (value - 127.5) * 0.0078125. y is dense.
struct ResizeWindowsArgs {
  ConstView<uint8_t> x{};               // one dense picture of 3 channels
  const CropWindow* windows = nullptr;  // of each image of y
  View<float> y{};
  const int* first = nullptr;  // on the card, if any: the first image's window is windows[*first],
  const int* count = nullptr;  // and images beyond windows[*count - 1] have that one
};
WAJAH_CARD_KERNEL(resize_windows, ResizeWindowsArgs)

// A level of the pyramid on the card, R G B in bytes. Rows begin at multiples of four bytes.
struct LevelPixels {
  uint8_t* data = nullptr;
  int width = 0, height = 0;

  [[nodiscard]] WAJAH_INLINE int pitch() const { return (3 * width + 3) / 4 * 4; }
  [[nodiscard]] WAJAH_INLINE size_t bytes() const { return static_cast<size_t>(pitch()) * static_cast<size_t>(height); }
  [[nodiscard]] WAJAH_INLINE uint8_t* row(int y) const { return data + static_cast<ptrdiff_t>(y) * pitch(); }
};

// So many levels one launch takes. There are rarely more; those are another launch's.
inline constexpr int most_levels = 32;

// The whole picture at the size of every level, none of which is larger either way, as AreaResizer makes rows of them:
// cv::resize(INTER_AREA) bit for bit.
struct ResizeLevelsArgs {
  ConstView<uint8_t> x{};  // one dense picture of 3 channels
  LevelPixels levels[most_levels]{};
  int count = 0;  // of levels
};
WAJAH_CARD_KERNEL(resize_levels, ResizeLevelsArgs)

// A place of a level where P-Net's probability of a face is at least the threshold.
struct PNetPlace {
  int level, column, row;
  float score, regression[4];
};

// Arrays on the card for what P-Net finds in a picture.
struct PNetFinds {
  int* found = nullptr;         // how many places; those beyond `room` are counted only
  int* of_level = nullptr;      // how many of them on each level
  PNetPlace* places = nullptr;  // in no order
  int room = 0;
  float* opposites = nullptr;  // four numbers a level, written by pnet_opposites
};

// P-Net on levels of 12 pixels or more each way, from the first layer to the threshold. Level i is told as first_level
// + i; its count, and with first_level 0 also that of all, begins at 0.
struct PNetLevelsArgs {
  const PNetCardWeights* weights = nullptr;
  LevelPixels levels[most_levels]{};
  int count = 0, first_level = 0;
  float threshold = 0;
  PNetFinds to{};
};
WAJAH_CARD_KERNEL(pnet_levels, PNetLevelsArgs)

// After it, with the same args: where a level has one place, what P-Net regresses at the one as far from the other end
// of the row. Other levels' opposites stay as they are, and all do whose place found no room.
WAJAH_CARD_KERNEL(pnet_opposites, PNetLevelsArgs)

// The k largest of count scores, largest first; of equal ones the smaller index. k is at most most_best, and best and
// where have room for top_k_room(count, k) entries, of which the first k are the result. Scores are no not-a-number;
// if there are fewer than k, the rest of `where` is -1.
inline constexpr int most_best = 1024, top_k_chunk = 4096;
struct TopKArgs {
  const float* scores;
  int count, k;
  float* best;
  int* where;
};
[[nodiscard]] WAJAH_INLINE int top_k_room(int count, int k) { return k + (count + top_k_chunk - 1) / top_k_chunk * k; }
WAJAH_CARD_KERNEL(top_k, TopKArgs)

}  // namespace wajah
