// One pair of classes: what one-vs-one training is made of. Pairs know nothing of each other, so they train in any
// order and on any number of threads, and a class is added or removed by adding or dropping its own pairs only.
#pragma once

#include <wajah/cpu.hpp>
#include <wajah/svm/kernel.hpp>
#include <wajah/svm/platt.hpp>
#include <wajah/svm/solver.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace wajah::svm {

// A trained pair: f(x) = sum of first_t kernel(a_t, x) + sum of second_t kernel(b_t, x) - rho; above 0 votes for the
// first.
struct Pair {
  std::vector<double> first, second;  // alpha of every row of the first class, -alpha of every row of the second
  double rho = 0;
  std::optional<Sigmoid> sigmoid;  // f to P(first class), where it was asked for
  bool converged = true;
};

struct PairOptions {
  SolverOptions solver;
  bool probability = false;
  // Bytes for kernel values; less is slower, never different by more than the tolerance.
  std::size_t memory = std::size_t{512} << 20;
  Cpu cpu{1};
};

// The rows of one class, (n, 1, 1, d). `gram` holds their n x n kernel values where the caller has them, since every
// pair of the class needs the same ones; empty: they are computed when needed.
struct ClassRows {
  ConstView<float> x;
  std::span<const float> gram;
};

// Two classes of other people's keeping.
struct PairMembers {
  const ClassRows *first, *second;
};

// Trains the pair first (+1) against second (-1). With probability, the sigmoid is fitted to the decision values of
// five machines, each trained without the rows it judges; row t of the first class's rows followed by the second's is
// judged by machine t mod 5. libsvm shuffles with rand() instead; these folds give every class its share and every run
// one result. As in libsvm a machine left with one class answers +1 or -1, so a class of one row yields a sigmoid of
// little worth. Needs both classes to have rows of one width; throws as solve() does.
[[nodiscard]] Pair train_pair(const Kernel& kernel, const ClassRows& first, const ClassRows& second,
                              const PairOptions& options);

// Trains many, spread over `threads` threads; each comes out as train_pair() would have it, whatever the others and the
// threads. options.memory is for one thread. Fastest where neighbours share a class.
[[nodiscard]] std::vector<Pair> train_pairs(const Kernel& kernel, std::span<const PairMembers> members,
                                            const PairOptions& options, int threads);

}  // namespace wajah::svm
