#include <wajah/svm/libsvm_file.hpp>

#include <wajah/error.hpp>

#include "places.hpp"
#include "svm/libsvm_text.hpp"

#include <doctest/doctest.h>

#include <cstring>

using namespace wajah;
using namespace wajah::svm;
using namespace wajah::svm::test;

namespace {

constexpr int labels[] = {2, -5, 11};

std::filesystem::path golden(const char* name) {
  return source_folder() / "tests/golden" / name;
}

void check_same(const Svm& a, const Svm& b, const Data& queries) {
  REQUIRE(std::equal(a.labels().begin(), a.labels().end(), b.labels().begin(), b.labels().end()));
  CHECK(a.dimensions() == b.dimensions());
  CHECK(a.has_probabilities() == b.has_probabilities());
  for (std::size_t r = 0; r < queries.rows(); ++r) {
    CHECK(a.decision_values(queries.row(r)) == b.decision_values(queries.row(r)));
    if (a.has_probabilities()) CHECK(a.probabilities(queries.row(r)) == b.probabilities(queries.row(r)));
  }
}

const std::string small =  // two classes, f(x) = x
    "svm_type c_svc\nkernel_type linear\nnr_class 2\ntotal_sv 2\nrho 0\nlabel 1 -1\nnr_sv 1 1\nSV\n0.5 1:1 \n-0.5 1:-1 "
    "\n";

std::string with(const std::string& from, const std::string& to, std::string text = small) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string message_of(const std::string& text, std::size_t columns = 0) {
  try {
    (void)read_libsvm(text, "a.model", columns);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::model);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("models that svm-train wrote answer as svm-predict does, and as our own training of the same data") {
  const Data data = from_libsvm(read_text(golden("libsvm_train.txt")), 4);
  REQUIRE(data.rows() == 30);
  for (const KernelKind kernel : {KernelKind::linear, KernelKind::rbf}) {
    const std::string name = kernel == KernelKind::rbf ? "libsvm_rbf" : "libsvm_linear";
    const Svm theirs = read_libsvm(read_text(golden((name + ".model").c_str())), name, 4);
    const Predictions expected = read_predictions(golden((name + ".predictions").c_str()));
    CHECK(std::equal(expected.order.begin(), expected.order.end(), theirs.labels().begin(), theirs.labels().end()));

    const Svm ours = Svm::train(data.problem(), {.kernel = kernel, .gamma = 0.5, .c = 2, .tolerance = 1e-6});
    CHECK(ours.vectors() == theirs.vectors());
    std::vector<double> probabilities;
    for (std::size_t r = 0; r < data.rows(); ++r) {
      const auto p = theirs.probabilities(data.row(r));
      probabilities.insert(probabilities.end(), p.begin(), p.end());
      const auto best = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
      CHECK(theirs.labels()[best] == expected.labels[r]);
      CHECK(worst(theirs.decision_values(data.row(r)), ours.decision_values(data.row(r))) < 1e-5);
    }
    CHECK(worst(probabilities, expected.probabilities) < 1e-6);
  }
}

TEST_CASE("a model survives being written and read, to the last bit") {
  for (const KernelKind kernel : {KernelKind::linear, KernelKind::rbf})
    for (const bool probability : {false, true}) {
      const Data data = blobs(labels, 7, 13, 1, 1);
      const Svm svm =
          Svm::train(data.problem(), {.kernel = kernel, .gamma = 0.3, .c = 1.7, .probability = probability});
      const std::string text = write_libsvm(svm);
      const Svm again = read_libsvm(text, "again");
      check_same(svm, again, data);
      CHECK(again.kernel().gamma == (kernel == KernelKind::rbf ? 0.3 : 0));
      CHECK(write_libsvm(again) == text);
    }
}

TEST_CASE("columns that are zero in every support vector do not get lost") {
  const std::vector<float> x{1, 0, 0, -1, 0, 0};
  const std::vector<int> y{1, 2};
  const Svm svm = Svm::train(Problem(rows_of(x, 3), y), {});
  const std::string text = write_libsvm(svm);
  CHECK(text.find(" 1:1 3:0 \n") != std::string::npos);
  CHECK(read_libsvm(text, "m").dimensions() == 3);

  const std::string sparse = with(" 3:0", "", text);  // as libsvm itself writes it
  CHECK(read_libsvm(sparse, "m").dimensions() == 1);
  CHECK(read_libsvm(sparse, "m", 3).dimensions() == 3);
  CHECK(message_of(text, 2) == "a.model: support vectors of 3 columns, expected at most 2, the width of the features");
}

TEST_CASE("a model of one class is written as svm-train does and read again") {
  const std::vector<float> x{1, 2};
  const std::vector<int> y{-4};
  const std::string text = write_libsvm(Svm::train(Problem(rows_of(x, 2), y), {}));
  CHECK(text ==
        "svm_type c_svc\nkernel_type linear\nnr_class 1\ntotal_sv 0\nrho\nlabel -4\nprobA\nprobB\nnr_sv 0\nSV\n");
  const Svm svm = read_libsvm(text, "one");
  CHECK(svm.predict(x) == -4);
  CHECK(svm.probabilities(x) == std::vector<double>{1.0});
  CHECK(read_libsvm(text, "one", 2).dimensions() == 2);
}

TEST_CASE("support vectors that are all zero are read") {
  const std::string text = with("1:1 ", "", with("1:-1 ", ""));
  CHECK(read_libsvm(text, "zeros").decision_values(std::vector<float>{3}) == std::vector<double>{0.0});
}

TEST_CASE("blank lines, Windows' line ends, tabs and a missing last newline are read") {
  std::string text;
  for (const char c : small) text += c == '\n' ? std::string("\r\n") : c == ' ' ? "\t " : std::string(1, c);
  text = "\n" + text;
  while (text.back() != '1') text.pop_back();
  CHECK(read_libsvm(text, "m").decision_values(std::vector<float>{3}) == std::vector<double>{3.0});
}

TEST_CASE("whatever is not such a model is refused in one sentence with line, got and expected") {
  CHECK(message_of(small) == "accepted");
  const auto refused = [&](const std::string& from, const std::string& to, const char* message) {
    CHECK(message_of(with(from, to)) == std::string("a.model, ") + message);
  };
  refused("c_svc", "nu_svc", "line 1: svm_type is 'nu_svc', expected c_svc");
  refused("linear", "polynomial", "line 2: kernel_type is 'polynomial', expected linear or rbf");
  refused("linear", "rbf", "line 8: gamma is missing, expected a line of it before SV, for kernel_type rbf");
  refused("linear", "rbf\ngamma 0", "line 3: gamma is '0', expected a number above 0");
  refused("linear", "rbf\ngamma nan", "line 3: gamma is 'nan', expected a finite number");
  refused("nr_class 2", "nr_class 0", "line 3: nr_class is '0', expected a whole number from 1 to 2147483647");
  refused("nr_class 2", "nr_class -2", "line 3: nr_class is '-2', expected a whole number");
  refused("nr_class 2", "nr_class 2x", "line 3: nr_class is '2x', expected a whole number");
  refused("nr_class 2", "nr_class", "line 3: nr_class is missing, expected a whole number");
  refused("nr_class 2", "nr_class 99999999999999999999",
          "line 3: nr_class is '99999999999999999999', expected a whole number");
  refused("nr_class 2", "nr_class 2000000000",
          "line 5: value 2 of rho is missing, expected 1999999999000000000 values");
  refused("nr_class 2\n", "", "line 4: key is 'rho', expected nr_class before it");
  refused("rho 0", "rho", "line 5: value 1 of rho is missing, expected 1 values");
  refused("rho 0", "rho 0 1", "line 5: what follows the values of rho is '1', expected the end of the line");
  refused("rho 0", "rho inf", "line 5: rho is 'inf', expected a finite number");
  refused("rho 0", "rho 0x10", "line 5: rho is '0x10', expected a number");
  refused("rho 0", "rho 1e999", "line 5: rho is '1e999', expected a number");
  refused("rho 0\n", "", "line 7: rho is missing, expected a line of it before SV");
  refused("label 1 -1", "label 1 1", "line 6: label is '1', expected every label once");
  refused("label 1 -1", "label 1 1.5", "line 6: label is '1.5', expected a whole number of 32 bits");
  refused("label 1 -1", "label 1 4294967297", "line 6: label is '4294967297', expected a whole number of 32 bits");
  refused("nr_sv 1 1", "nr_sv 1 2", "line 8: sum of nr_sv is '3', expected total_sv, 2");
  refused("nr_sv 1 1", "nr_sv 1 1\nnr_sv 1 1", "line 8: key is 'nr_sv', expected every key once");
  refused("nr_sv 1 1", "nr_sv 1 1\nprobA 1", "line 9: probB is missing, expected probA and probB, or neither");
  refused(
      "nr_sv 1 1", "nr_sv 1 1\ndegree 3",
      "line 8: key is 'degree', expected one of svm_type, kernel_type, gamma, nr_class, total_sv, rho, label, probA, "
      "probB, nr_sv, SV");
  refused("0.5 1:1", "0.5 0:1", "line 9: index is '0', expected a whole number from 1 to 2147483647");
  refused("0.5 1:1", "0.5 1:1 1:2", "line 9: index is '1:2', expected one above 1, the one before it");
  refused("0.5 1:1", "0.5 1:", "line 9: value is missing, expected a number");
  refused("0.5 1:1", "0.5 :1", "line 9: index is missing, expected a whole number");
  refused("0.5 1:1", "0.5 1:1e39", "line 9: value is '1e39', expected a number that fits a float");
  refused("0.5 1:1", "0.5 1:nan", "line 9: value is 'nan', expected a finite number");
  refused("0.5 1:1", "0.5 1", "line 9: entry is '1', expected index:value");
  refused("0.5 1:1 ", "", "line 9: coefficient is missing, expected a number");
  refused("0.5 1:1", "1:1 0.5", "line 9: coefficient is '1:1', expected a number");
  refused("-0.5 1:-1 \n", "", "line 9: support vector 2 is missing, expected 2 of them");
  refused("1:-1 \n", "1:-1 \n1 1:1\n",
          "line 11: what follows the support vectors is '1', expected the end after 2 of them");
  CHECK(message_of("") == "a.model, line 0: SV is missing, expected the line SV, and the support vectors after it");
}

TEST_CASE("no count or column of a small file asks for more memory than the file warrants") {
  const auto refused = [&](const std::string& text, const char* part) {
    const std::string message = message_of(text);
    CAPTURE(message);
    CHECK(message.find(part) != std::string::npos);
  };
  refused(with("nr_sv 1 1", "nr_sv 1 2000000000", with("total_sv 2", "total_sv 2000000001")),
          "total_sv is '2000000001', expected at most what 20 bytes hold, with 1 coefficients a line");
  refused(with("1:1 ", "2147483647:1 "),
          "2 support vectors of 2147483647 columns, expected at most 16777216 values in a file of 115 bytes");
  const std::string one =
      "svm_type c_svc\nkernel_type linear\nnr_class 1\ntotal_sv 2000000000\nrho\nlabel 4\nnr_sv 2000000000\nSV\n";
  refused(one, "total_sv is '2000000000', expected 0, for a model of one class");
}

TEST_CASE("a hostile word is printed short and harmless") {
  const std::string got = message_of(with("c_svc", "\x1b[31m\xff" + std::string(5000, 'a')));
  CHECK(got.size() < 150);
  CHECK(std::all_of(got.begin(), got.end(), [](char c) { return c >= ' ' && c < 127; }));
}

TEST_CASE("no damage to a model does more than an Error") {
  const Data data = blobs(labels, 3, 4, 1, 2);
  const std::string text = write_libsvm(Svm::train(data.problem(), {.kernel = KernelKind::rbf, .probability = true}));
  std::mt19937 random(7);
  const std::string alphabet = "0123456789.:-+e \n\tnaSV\xff";
  int accepted = 0, refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string broken = text;
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
      const std::size_t at = random() % broken.size();
      if (random() % 8 == 0)
        broken.erase(at, random() % 40);
      else if (random() % 3 == 0)
        broken.insert(at, 1, alphabet[random() % alphabet.size()]);
      else
        broken[at] = alphabet[random() % alphabet.size()];
    }
    try {
      const Svm svm = read_libsvm(broken, "broken");
      (void)svm.predict(std::vector<float>(svm.dimensions()));
      ++accepted;
    } catch (const Error&) {
      ++refused;
    }
  }
  for (std::size_t length = 0; length < text.size(); ++length) {
    try {
      (void)read_libsvm(std::string_view(text).substr(0, length), "cut");
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(accepted > 100);
  CHECK(refused > 5000);
}
