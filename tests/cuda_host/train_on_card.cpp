// Training on a card, by the host build, against Svm::train.
#include <wajah/svm/train_on_card.hpp>

#include <random>

#include "check.hpp"
#include "cuda_host/brought.hpp"
#include "cuda_host/emulated_cuda.hpp"

namespace wajah::svm::test {
namespace {

constexpr std::size_t dimensions = 24;

// Classes of these many rows around centres of their own, which overlap a little.
struct People {
  explicit People(std::span<const int> sizes) {
    std::mt19937 random(5);
    std::normal_distribution<float> near(0, 0.35F), centre(0, 0.5F);
    for (std::size_t c = 0; c < sizes.size(); ++c) {
      std::vector<float> middle(dimensions);
      for (float& value : middle) value = centre(random);
      for (int i = 0; i < sizes[c]; ++i) {
        labels.push_back(static_cast<int>(c));
        for (const float value : middle) rows.push_back(value + near(random));
      }
    }
  }
  [[nodiscard]] Problem problem() const { return {rows_of(rows, dimensions), labels}; }

  std::vector<float> rows;
  std::vector<int> labels;
};

template <class Device>
void check_training(const Device& device, std::span<const int> sizes, SvmOptions options) {
  const People people(sizes);
  const Problem problem = people.problem();
  options.isa = Isa::scalar;
  const Svm expected = Svm::train(problem, options), got = train(device, problem, options);
  CHECK(got.labels().size() == sizes.size());
  CHECK(got.unconverged() == 0);
  for (std::size_t row = 0; row < problem.rows(); row += 7) {
    const auto a = got.decision_values(problem.row(row)), b = expected.decision_values(problem.row(row));
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-2).scale(1));
  }
}

// Pairs of every padded size, one of more rows than a card takes, and coefficients at their bounds.
template <class Device>
void check_all(const Device& device) {
  constexpr int sizes[] = {1, 3, 14, 20, 31, 34, 2};
  for (const double c : {0.05, 1.0, 10.0}) check_training(device, sizes, {.c = c});
  check_training(device, sizes, {.kernel = KernelKind::rbf, .gamma = 0.1});
}

TEST_CASE("train on a card: decisions are those of the CPU") { check_all(EmulatedCuda()); }

TEST_CASE("train on a card: one class alone, and what cannot be trained") {
  const EmulatedCuda cuda;
  constexpr int one[] = {4}, two[] = {3, 3};
  check_training(cuda, one, {});
  People people(two);
  CHECK_THROWS_WITH_AS((void)train(cuda, people.problem(), {.probability = true}),
                       "svm on a card: probabilities are fitted on the CPU alone", Error);
  CHECK_THROWS_AS((void)train(cuda, people.problem(), {.c = 0}), Error);
  people.rows[0] = 1e30F;  // its kernel value with itself is no float
  CHECK_THROWS_AS((void)train(cuda, people.problem(), {}), Error);
}

#ifdef WAJAH_HAVE_CUDA
TEST_CASE("on a card, small: training") {
  if (const auto card = small_card()) check_all(*card);
}
#endif

}  // namespace
}  // namespace wajah::svm::test
