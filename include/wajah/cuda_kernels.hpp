// Operations that only cards have as kernels, because on a CPU they are a few lines of plain code: what joins networks
// to a pipeline that does not leave the card.
#pragma once

#include <wajah/cpu.hpp>
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

// Windows of a picture at y's width and at `height`, of which y has the rows from first_row on, as AreaResizer
// (detect/resize.hpp) makes them: cv::resize(INTER_AREA) bit for bit, then (value - 127.5) * 0.0078125. y is dense.
struct ResizeWindowsArgs {
  ConstView<uint8_t> x{};               // one dense picture of 3 channels
  const CropWindow* windows = nullptr;  // of each image of y; null: the whole picture, and y is one
  View<float> y{};
  int height = 0, first_row = 0;
  bool to_bytes = false;  // sums are rounded to whole numbers; then no window may be smaller than what it becomes
  const int* first = nullptr;  // on the card, if any: the first image's window is windows[*first],
  const int* count = nullptr;  // and images beyond windows[*count - 1] have that one
};
WAJAH_CARD_KERNEL(resize_windows, ResizeWindowsArgs)

// Where P-Net finds a face: places of x (1, rows, columns, 6) whose probability is at least `threshold`, in no order.
// The opposite regression is that of the place as far from the other end of the row.
struct PNetPlace {
  int level, column, row;
  float score, regression[4], opposite[4];
};
struct PNetPlacesArgs {
  ConstView<float> x{};
  int level = 0, first_row = 0;  // told with the places; first_row is added to their rows
  float threshold = 0;
  int* found = nullptr;  // grows by all that are found
  PNetPlace* places = nullptr;
  int room = 0;       // of them; those beyond it are only counted
  bool anew = false;  // found is made 0 before
};
WAJAH_CARD_KERNEL(pnet_places, PNetPlacesArgs)

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
