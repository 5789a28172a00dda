#include <wajah/svm/libsvm_file.hpp>

#include <fmt/format.h>

#include <iterator>

namespace wajah::svm {
namespace {

class Writer {
 public:
  explicit Writer(const Svm& svm) : svm_(svm), k_(svm.labels().size()) {}

  std::string run() {
    header();
    text_ += "SV\n";
    for (std::size_t c = 0; c < k_; ++c)
      for (std::size_t v = svm_.first_vector(c); v < svm_.first_vector(c + 1); ++v) vector_line(c, v);
    return std::move(text_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
  }

  // A header line of one number a pair.
  template <class Number>
  void pair_line(const char* key, Number number) {
    text_ += key;
    for (const Pair& pair : svm_.pairs()) add(" {}", number(pair));
    text_ += '\n';
  }

  void header() {
    const bool rbf = svm_.kernel().kind == KernelKind::rbf;
    add("svm_type c_svc\nkernel_type {}\n", rbf ? "rbf" : "linear");
    if (rbf) add("gamma {}\n", svm_.kernel().gamma);
    add("nr_class {}\ntotal_sv {}\n", k_, svm_.vectors());
    pair_line("rho", [](const Pair& p) { return p.rho; });
    text_ += "label";
    for (const int label : svm_.labels()) add(" {}", label);
    text_ += '\n';
    if (svm_.has_probabilities()) {
      pair_line("probA", [](const Pair& p) { return p.sigmoid->a; });
      pair_line("probB", [](const Pair& p) { return p.sigmoid->b; });
    }
    text_ += "nr_sv";
    for (std::size_t c = 0; c < k_; ++c) add(" {}", svm_.first_vector(c + 1) - svm_.first_vector(c));
    text_ += '\n';
  }

  // Vector v of class c: its coefficient against every other class in order, then its values that are not 0.
  void vector_line(std::size_t c, std::size_t v) {
    const std::size_t place = v - svm_.first_vector(c);
    for (std::size_t other = 0; other < k_; ++other) {
      if (other < c) add("{} ", svm_.pairs()[pair_index(other, c, k_)].second[place]);
      if (other > c) add("{} ", svm_.pairs()[pair_index(c, other, k_)].first[place]);
    }
    const auto x = svm_.vector(v);
    for (std::size_t i = 0; i < x.size(); ++i)
      if (x[i] != 0 || (v == 0 && i + 1 == x.size())) add("{}:{} ", i + 1, static_cast<double>(x[i]));
    text_ += '\n';
  }

  const Svm& svm_;
  std::size_t k_;
  std::string text_;
};

}  // namespace

std::string write_libsvm(const Svm& svm) { return Writer(svm).run(); }

}  // namespace wajah::svm
