// libsvm's own programs as the oracle, where they are on the PATH: its models in our hands, ours in its.
#include <wajah/svm/libsvm_file.hpp>

#include "svm/libsvm_text.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace wajah;
using namespace wajah::svm;
using namespace wajah::svm::test;

namespace {

bool runs(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

bool absent() {
  if (runs("command -v svm-train") && runs("command -v svm-predict")) return false;
  MESSAGE("skipped: svm-train and svm-predict (package libsvm-tools) are not on the PATH");
  return true;
}

struct Setting {
  std::vector<int> labels;
  KernelKind kernel;
  double c;
  double noise;
};

const std::vector<Setting> settings{
    {{1, -1}, KernelKind::linear, 1, 1.5},
    {{-1, 1}, KernelKind::rbf, 10, 1.5},
    {{3, -8, 3000}, KernelKind::linear, 0.1, 1},
    {{3, -8, 3000}, KernelKind::rbf, 1, 2},
    {{9, 8, 7, 6, 5, 4}, KernelKind::linear, 5, 1},
    {{9, 8, 7, 6, 5, 4}, KernelKind::rbf, 5, 1},
    {{4}, KernelKind::linear, 1, 1},
};

// Training rows, and queries from the same classes; the last column is always 0, so that no model file need name it.
std::pair<Data, Data> make(const Setting& s) {
  Data train = blobs(s.labels, 12, 20, s.noise, 11), queries = blobs(s.labels, 12, 20, s.noise * 1.5, 11);
  for (Data* data : {&train, &queries})
    for (std::size_t r = 0; r < data->rows(); ++r) data->x[(r + 1) * data->d - 1] = 0;
  return {train, queries};
}

std::string quoted(const std::filesystem::path& path) { return fmt::format("'{}'", path.string()); }

Predictions predict(const TemporaryFolder& folder, const Data& queries, const char* model) {
  write_text(folder / "queries", to_libsvm(queries));
  REQUIRE(runs("svm-predict -b 1 " + quoted(folder / "queries") + " " + quoted(folder / model) + " " +
               quoted(folder / "out")));
  return read_predictions(folder / "out");
}

std::vector<int> votes(const TemporaryFolder& folder, const Data& queries, const char* model) {
  write_text(folder / "queries", to_libsvm(queries));
  REQUIRE(
      runs("svm-predict " + quoted(folder / "queries") + " " + quoted(folder / model) + " " + quoted(folder / "out")));
  std::istringstream words(read_text(folder / "out"));
  std::vector<int> labels;
  for (int label = 0; words >> label;) labels.push_back(label);
  return labels;
}

// What svm-predict says of `model` is what `svm` says.
void check_agreement(const TemporaryFolder& folder, const Svm& svm, const Data& queries, const char* model) {
  const Predictions expected = predict(folder, queries, model);
  CHECK(std::equal(expected.order.begin(), expected.order.end(), svm.labels().begin(), svm.labels().end()));
  const std::vector<int> voted = votes(folder, queries, model);
  REQUIRE(expected.labels.size() == queries.rows());
  REQUIRE(voted.size() == queries.rows());
  std::vector<double> probabilities;
  for (std::size_t r = 0; r < queries.rows(); ++r) {
    const auto p = svm.probabilities(queries.row(r));
    probabilities.insert(probabilities.end(), p.begin(), p.end());
    const auto best = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    CHECK(svm.labels()[best] == expected.labels[r]);
    CHECK(svm.predict(queries.row(r)) == voted[r]);
  }
  // svm-predict prints six digits, and computes kernel values in double where we use float.
  CHECK(worst(probabilities, expected.probabilities) < 5e-6);
}

}  // namespace

TEST_CASE("svm-predict answers from our models as we do") {
  if (absent()) return;
  for (const Setting& s : settings) {
    const TemporaryFolder folder;
    const auto [train, queries] = make(s);
    const Svm svm = Svm::train(train.problem(), {.kernel = s.kernel, .c = s.c, .probability = true});
    write_text(folder / "ours.model", write_libsvm(svm));
    CAPTURE(s.labels.size());
    check_agreement(folder, svm, queries, "ours.model");
  }
}

TEST_CASE("we answer from svm-train's models as svm-predict does, and train to the same decision values") {
  if (absent()) return;
  double most = 0;
  for (const Setting& s : settings) {
    const TemporaryFolder folder;
    const auto [train, queries] = make(s);
    write_text(folder / "train", to_libsvm(train));
    REQUIRE(runs(fmt::format("svm-train -b 1 -e 1e-6 -t {} -c {} -g 0.05 {} {}", s.kernel == KernelKind::rbf ? 2 : 0,
                             s.c, quoted(folder / "train"), quoted(folder / "theirs.model"))));
    const Svm theirs = read_libsvm(read_text(folder / "theirs.model"), "theirs.model", train.d);
    CAPTURE(s.labels.size());
    check_agreement(folder, theirs, queries, "theirs.model");

    const Svm ours = Svm::train(train.problem(), {.kernel = s.kernel, .gamma = 0.05, .c = s.c, .tolerance = 1e-6});
    REQUIRE(std::equal(ours.labels().begin(), ours.labels().end(), theirs.labels().begin(), theirs.labels().end()));
    for (std::size_t r = 0; r < queries.rows(); ++r)
      most = std::max(most, worst(ours.decision_values(queries.row(r)), theirs.decision_values(queries.row(r))));
  }
  CHECK(most < 1e-4);
  MESSAGE("worst decision value: " << most);
}
