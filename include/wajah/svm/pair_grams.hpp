// The operation before solve_pairs on a card: many small problems cut out of one Gram matrix of all rows.
#pragma once

#include <wajah/cuda_kernels.hpp>
#include <wajah/svm/solve_pairs.hpp>

namespace wajah {

// The rows of two classes, which stand one after another among all rows.
struct PairOfClasses {
  int first, first_count, second, second_count;  // 64 rows together at most
};

// Makes of each pair its job, from coefficients of 0: its part of the matrix with zeros up to `padded`, the inverse
// curvatures as invert_curvature (solve_pairs.hpp) writes them, and bounds of 0 and c. Every array has room for `count`
// jobs, one after another.
struct PairGramsArgs {
  const float* products;  // of all rows with all rows: inner products, or squared distances
  ptrdiff_t stride;
  const PairOfClasses* pairs;
  int count, padded;
  double c;
  double gamma;  // 0: kernel values are the products themselves, else exp(-gamma * distance)
  PairJob* jobs;
  float *grams, *inverses;                  // padded x padded a job
  double *lower, *upper, *beta, *gradient;  // padded a job
};
WAJAH_CARD_KERNEL(pair_grams, PairGramsArgs)

}  // namespace wajah
