// scikit-learn's (libsvm's) own numbers for real embeddings, where the shared data is there.
#include <wajah/convert/npy.hpp>
#include <wajah/svm/svm.hpp>

#include "check.hpp"
#include "svm/data.hpp"

#include <doctest/doctest.h>

using namespace wajah;
using namespace wajah::svm;
using namespace wajah::svm::test;

namespace {

bool absent() {
  if (shared_data()) return false;
  MESSAGE("skipped: no shared data beside the source folder, nor where WAJAH_SHARED says");
  return true;
}

template <class T>
std::vector<T> golden(const char* name) {
  return read_npy(*shared_data() / "golden" / name).values<T>();
}

Data load(const char* x, const char* y) {
  Data data{1, golden<float>(x), golden<int>(y)};
  data.d = data.x.size() / data.y.size();
  return data;
}

}  // namespace

TEST_CASE("golden: decision values, intercepts and support vectors of libsvm") {
  if (absent()) return;
  const Data train = load("svm_train_x.npy", "svm_train_y.npy"), test = load("svm_test_x.npy", "svm_test_y.npy");
  const Svm svm = Svm::train(train.problem(), {.tolerance = 1e-6});

  std::vector<double> decisions, intercepts;
  std::size_t right = 0;
  for (std::size_t r = 0; r < test.rows(); ++r) {
    const auto row = svm.decision_values(test.row(r));
    decisions.insert(decisions.end(), row.begin(), row.end());
    right += svm.vote(row) == test.y[r];
  }
  for (const Pair& pair : svm.pairs()) intercepts.push_back(-pair.rho);
  const auto expected = golden<double>("svm_ovo_decision.npy");
  CHECK(worst(decisions, expected) < 1e-5);
  CHECK(worst(intercepts, golden<double>("svm_intercept.npy")) < 1e-5);

  std::vector<int> counts;
  for (std::size_t c = 0; c < svm.labels().size(); ++c)
    counts.push_back(static_cast<int>(svm.first_vector(c + 1) - svm.first_vector(c)));
  CHECK(counts == golden<int>("svm_n_support.npy"));
  MESSAGE("worst decision value: " << worst(decisions, expected) << ", right: " << right << " of " << test.rows());
}

TEST_CASE("golden: probabilities from libsvm's sigmoids and decision values") {
  if (absent()) return;
  const Data train = load("svm_train_x.npy", "svm_train_y.npy");
  const Svm trained = Svm::train(train.problem(), {.tolerance = 1e-6});
  const auto a = golden<double>("svm_probA.npy"), b = golden<double>("svm_probB.npy");
  const auto decisions = golden<double>("svm_ovo_decision.npy"), expected = golden<double>("svm_predict_proba.npy");
  const std::size_t k = trained.labels().size(), pairs = a.size();

  std::vector<ClassVectors> classes;
  std::vector<Pair> parts(trained.pairs().begin(), trained.pairs().end());
  for (std::size_t c = 0; c < k; ++c) {
    classes.push_back({trained.labels()[c], {}});
    for (std::size_t v = trained.first_vector(c); v < trained.first_vector(c + 1); ++v)
      classes[c].rows.insert(classes[c].rows.end(), trained.vector(v).begin(), trained.vector(v).end());
  }
  for (std::size_t p = 0; p < pairs; ++p) parts[p].sigmoid = Sigmoid{a[p], b[p]};
  const Svm svm(trained.kernel(), trained.dimensions(), classes, parts);

  std::vector<double> probabilities;
  for (std::size_t r = 0; r < decisions.size() / pairs; ++r) {
    const auto row = svm.probabilities_of(std::span(decisions).subspan(r * pairs, pairs));
    probabilities.insert(probabilities.end(), row.begin(), row.end());
  }
  CHECK(worst(probabilities, expected) < 1e-6);
  MESSAGE("worst probability: " << worst(probabilities, expected));
}

TEST_CASE("golden: our own folds give sigmoids and probabilities like those of libsvm's random ones") {
  if (absent()) return;
  const Data train = load("svm_train_x.npy", "svm_train_y.npy"), test = load("svm_test_x.npy", "svm_test_y.npy");
  const Svm svm = Svm::train(train.problem(), {.tolerance = 1e-6, .probability = true});
  const auto expected = golden<double>("svm_predict_proba.npy");
  double sum = 0;
  for (std::size_t r = 0; r < test.rows(); ++r) {
    const auto p = svm.probabilities(test.row(r));
    for (std::size_t c = 0; c < p.size(); ++c) sum += std::abs(p[c] - expected[r * p.size() + c]);
  }
  const double mean = sum / static_cast<double>(expected.size());
  CHECK(mean < 0.01);
  MESSAGE("mean difference of a probability: " << mean);
}
