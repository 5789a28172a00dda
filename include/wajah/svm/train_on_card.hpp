// Training on a card: the Gram matrix of all rows at once, and one-vs-one problems by the thousand side by side.
#pragma once

#include <wajah/error.hpp>
#include <wajah/svm/dot_matrix.hpp>
#include <wajah/svm/pair_grams.hpp>
#include <wajah/svm/svm.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace wajah::svm {

// One training's memory on a device, and what it has still to do.
template <class Device>
class CardTraining {
 public:
  CardTraining(const Device& device, const Kernel& kernel, const SvmOptions& options,
               std::span<const ClassVectors> classes, std::size_t dimensions)
      : device_(device), kernel_(kernel), options_(options), classes_(classes), dimensions_(dimensions) {
    for (const ClassVectors& c : classes)
      begins_.push_back(begins_.back() + static_cast<int>(c.rows.size() / dimensions));
  }

  // As many as there are pairs of classes, in the order of pair_index.
  std::vector<Pair> run() {
    check_rows();
    multiply_rows();
    const std::size_t k = classes_.size();
    std::vector<Pair> pairs(k * (k - 1) / 2);
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = i + 1; j < k; ++j) {
        const std::size_t rows = static_cast<std::size_t>(count_of(i) + count_of(j));
        if (rows > most_rows) {
          pairs[pair_index(i, j, k)] = on_cpu(i, j);
        } else {
          waiting_[(rows - 1) / vector_width].push_back({i, j});
        }
      }
    }
    for (std::size_t width = 0; width < waiting_.size(); ++width) {
      for (std::size_t done = 0; done < waiting_[width].size(); done += most_jobs) {
        const auto some = std::span(waiting_[width]).subspan(done);
        solve(some.first(std::min(most_jobs, some.size())), static_cast<int>((width + 1) * vector_width), pairs);
      }
    }
    return pairs;
  }

 private:
  static constexpr std::size_t most_rows = 64, vector_width = 16, most_jobs = 4096;
  struct Classes {
    std::size_t first, second;
  };

  [[nodiscard]] int count_of(std::size_t c) const { return begins_[c + 1] - begins_[c]; }

  // On a card a value that overflows would leave a machine that looks trained.
  void check_rows() const {
    for (const ClassVectors& c : classes_) {
      for (std::size_t row = 0; row * dimensions_ < c.rows.size(); ++row) {
        const float* const x = c.rows.data() + row * dimensions_;
        check_diagonal(row, kernel_(x, x, dimensions_));
      }
    }
  }

  void multiply_rows() {
    const int n = begins_.back(), d = static_cast<int>(dimensions_);
    const auto rows = device_.allocate(static_cast<std::size_t>(n) * dimensions_ * sizeof(float));
    for (std::size_t c = 0; c < classes_.size(); ++c) {
      device_.upload(rows.template as<float>() + static_cast<std::size_t>(begins_[c]) * dimensions_,
                     classes_[c].rows.data(), classes_[c].rows.size() * sizeof(float));
    }
    products_ = device_.allocate(static_cast<std::size_t>(n) * static_cast<std::size_t>(n) * sizeof(float));
    const ConstView<float> x(rows.template as<float>(), {n, 1, 1, d});
    dot_matrix(device_, {x, x, products_.template as<float>(), n, kernel_.kind == KernelKind::rbf});
    device_.wait();  // the rows are given back
  }

  void solve(std::span<const Classes> some, int padded, std::vector<Pair>& pairs) {
    const std::size_t count = some.size(), values = count * static_cast<std::size_t>(padded);
    std::vector<PairOfClasses> members;
    for (const auto& [i, j] : some) members.push_back({begins_[i], count_of(i), begins_[j], count_of(j)});
    const auto members_card = device_.uploaded(members.data(), members.size() * sizeof(PairOfClasses));
    const auto jobs = device_.allocate(count * sizeof(PairJob));
    const auto squares = device_.allocate(2 * values * static_cast<std::size_t>(padded) * sizeof(float));
    const auto vectors = device_.allocate(4 * values * sizeof(double));
    float* const grams = squares.template as<float>();
    double* const lower = vectors.template as<double>();
    double* const beta = lower + 2 * values;
    pair_grams(device_,
               {products_.template as<float>(), begins_.back(), members_card.template as<PairOfClasses>(),
                static_cast<int>(count), padded, options_.c, kernel_.kind == KernelKind::rbf ? kernel_.gamma : 0,
                jobs.template as<PairJob>(), grams, grams + values * static_cast<std::size_t>(padded), lower,
                lower + values, beta, beta + values});
    constexpr int steps_a_row = 64;  // beyond, floats go round in circles
    solve_pairs(device_, {jobs.template as<PairJob>(), static_cast<int>(count), padded, options_.tolerance,
                          steps_a_row * padded, true});
    std::vector<PairJob> solved(count);
    std::vector<double> betas(values);
    device_.download(solved.data(), jobs.template as<>(), count * sizeof(PairJob));
    device_.download(betas.data(), beta, values * sizeof(double));
    for (std::size_t p = 0; p < count; ++p) {
      const auto& [i, j] = some[p];
      Pair& pair = pairs[pair_index(i, j, classes_.size())];
      const auto first = betas.begin() + static_cast<std::ptrdiff_t>(p * static_cast<std::size_t>(padded));
      pair = solved[p].met ? Pair{{first, first + solved[p].first},
                                  {first + solved[p].first, first + solved[p].n},
                                  solved[p].rho,
                                  {},
                                  true}
                           : on_cpu(i, j);
    }
  }

  [[nodiscard]] Pair on_cpu(std::size_t i, std::size_t j) const {
    const PairOptions options{
        {options_.c, options_.tolerance, options_.shrinking}, false, options_.memory, Cpu(1, options_.isa)};
    return train_pair(kernel_, {rows_of(classes_[i].rows, dimensions_), {}},
                      {rows_of(classes_[j].rows, dimensions_), {}}, options);
  }

  Device device_;
  Kernel kernel_;
  SvmOptions options_;
  std::span<const ClassVectors> classes_;
  std::size_t dimensions_;
  std::vector<int> begins_{0};
  Buffer products_;
  std::array<std::vector<Classes>, most_rows / vector_width> waiting_;
};

// Svm::train on a card, without probabilities: pairs of more than 64 rows, and those for which floats are not enough,
// are the CPU's work. On the device it takes four bytes for each two rows of the problem. Decisions are the CPU's to
// the tolerance. Throws as Svm::train does, Error (usage) where probabilities are asked for, and what the device
// throws.
template <class Device>
[[nodiscard]] Svm train(const Device& device, const Problem& problem, const SvmOptions& options) {
  if (options.probability) fail(ErrorKind::usage, "svm on a card: probabilities are fitted on the CPU alone");
  check_options(SolverOptions{options.c, options.tolerance, options.shrinking});
  const Kernel kernel = checked_kernel(options, problem.dimensions());
  std::vector<ClassVectors> classes = classes_of(problem);
  std::vector<Pair> pairs = CardTraining(device, kernel, options, classes, problem.dimensions()).run();
  return {kernel, problem.dimensions(), std::move(classes), std::move(pairs)};
}

}  // namespace wajah::svm
