// Operations by which a card goes from one stage of the cascade to the next without asking the host: what
// src/detect/cascade.cpp and judges.cpp do with boxes, in double and to the bit. Lists lie on the card, and so do their
// lengths, which only the card knows while it works.
#pragma once

#include <wajah/cuda_kernels.hpp>

namespace wajah {

// Boxes of whole pixels until the last regression, counted from 1, and the probability of a face.
struct ScoredCardBox {
  double x1, y1, x2, y2;
  float score;
};

// What R- or O-Net judges: boxes, the windows of the picture that they are, and what the network has said of each.
struct CropList {
  ScoredCardBox* boxes = nullptr;
  CropWindow* windows = nullptr;
  float* rows = nullptr;  // `channels` of each
  int channels = 0;
  int* count = nullptr;   // of boxes
  int* judged = nullptr;  // of rows that are there
};

// What suppress (detect/nms.hpp) keeps of the boxes of several problems. Equal scores stand in numpy's order, as they
// do there, so it is always the same boxes; but for lists that numpy would sort by another method after too many steps:
// then *failed is made 1, and nothing is kept. There are most_nms_boxes at most, of all problems together: twice as
// many would not fit the shared memory of every card.
inline constexpr int most_nms_boxes = 8192;
struct NmsArgs {
  const ScoredCardBox* boxes;
  const int* starts;  // problem p has the boxes from starts[p] to starts[p + 1]
  int problems;
  int room;          // for boxes of all problems, in all lists here
  double threshold;  // 0 or more
  bool of_smaller;   // or of the union
  int* order;        // scratch for `room` entries
  uint64_t* covers;  // scratch for nms_covers(room)
  int* kept;         // which boxes of a problem, best first, from starts[p] on; counted from starts[p]
  int* counts;       // of them, for each problem
  int* failed;       // is left alone where all goes well
};
[[nodiscard]] WAJAH_INLINE int nms_words(int count) { return (count + 63) / 64; }
[[nodiscard]] WAJAH_INLINE size_t nms_covers(int count) {
  return static_cast<size_t>(count) * static_cast<size_t>(nms_words(count));
}
WAJAH_CARD_KERNEL(nms, NmsArgs)

// The boxes of P-Net's hits, level by level, within a level by columns; where a level has one hit alone, its regression
// becomes the opposite one (src/detect/cascade.cpp says why). Columns and rows are below 65536.
struct GatherHitsArgs {
  PNetFinds from;
  int levels;
  double scales[most_levels];
  ScoredCardBox* boxes;
  int* sources;  // of each box, which place it is
  int* starts;   // levels + 1: where a level's boxes begin
  int* failed;   // is made 0
};
WAJAH_CARD_KERNEL(gather_hits, GatherHitsArgs)

// What was kept of all levels, one after another, as one problem.
struct JoinLevelsArgs {
  int levels;
  const ScoredCardBox* boxes;  // these as gather_hits and nms left them
  const int* sources;
  const int* starts;
  const int* kept;
  const int* counts;
  ScoredCardBox* joined;
  int* joined_sources;
  int* joined_starts;  // 2
};
WAJAH_CARD_KERNEL(join_levels, JoinLevelsArgs)

// What was kept, regressed and made square: what the next network judges. Boxes of which no crop can be made are left
// out. Regressions: four floats at regressions + pitch * source.
struct NextCropsArgs {
  const ScoredCardBox* boxes;
  const int* sources;
  const int* kept;
  const int* count;
  int* order;  // scratch for as many
  const float* regressions;
  int pitch, extra;  // extra: by how much a box is wider than x2 - x1
  bool by_place;     // equal scores go from left to right; else they stay as they are kept
  CropList next;     // its rows are not touched; none has been judged
};
WAJAH_CARD_KERNEL(next_crops, NextCropsArgs)

// What a network said of the next batch of a list's boxes: y (n, 1, 1, channels), of which only those count that the
// list has.
struct CollectRowsArgs {
  ConstView<float> y;
  CropList list;
};
WAJAH_CARD_KERNEL(collect_rows, CollectRowsArgs)

// The boxes of a list whose probability exceeds the threshold, as one problem: themselves or regressed. Sources: which
// of the list they are.
struct SelectJudgedArgs {
  CropList list;
  float threshold;
  bool regressed;
  ScoredCardBox* rivals;
  int* sources;
  int* starts;  // 2
};
WAJAH_CARD_KERNEL(select_judged, SelectJudgedArgs)

// A face, and the box that O-Net judged.
struct CardFace {
  double box[4], judged[4];
  float score, points[10];  // x and y of each
};
struct ReadFacesArgs {
  CropList list;
  const int* sources;
  const int* kept;
  const int* count;
  CardFace* faces;
  int* faces_count;  // count, once more
};
WAJAH_CARD_KERNEL(read_faces, ReadFacesArgs)

}  // namespace wajah
