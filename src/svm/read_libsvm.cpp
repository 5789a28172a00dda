#include <wajah/svm/libsvm_file.hpp>

#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <utility>

namespace wajah::svm {
namespace {

// The text line by line, and the line's words; knows the line's number for messages.
class Reader {
 public:
  Reader(std::string_view text, std::string_view name) : rest_(text), name_(name) {}

  bool next_line() {
    if (rest_.empty()) return false;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    return true;
  }

  // The next word of the line; empty at its end.
  std::string_view word() {
    constexpr std::string_view blank = " \t\r";
    line_.remove_prefix(std::min(line_.find_first_not_of(blank), line_.size()));
    const std::string_view found = line_.substr(0, line_.find_first_of(blank));
    line_.remove_prefix(found.size());
    return found;
  }

  [[nodiscard]] std::size_t bytes_left() const { return rest_.size(); }

  template <class Expected>
  [[noreturn]] void wrong(std::string_view what, std::string_view got, const Expected& expected) const {
    fail(ErrorKind::model, "{}, line {}: {} is {}, expected {}", name_, number_, what,
         got.empty() ? std::string("missing") : quote(got, 40), expected);
  }

  template <class Number>
  Number number(std::string_view what, std::string_view word, const char* expected) const {
    Number value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (word.empty() || error != std::errc{} || end != word.data() + word.size()) wrong(what, word, expected);
    return value;
  }

  double real(std::string_view what, std::string_view word) const {
    const auto value = number<double>(what, word, "a number");
    if (!std::isfinite(value)) wrong(what, word, "a finite number");
    return value;
  }

  std::size_t count(std::string_view what, std::string_view word, std::size_t least) const {
    const auto value = number<std::size_t>(what, word, "a whole number");
    if (value < least || value > static_cast<std::size_t>(std::numeric_limits<int>::max()))
      wrong(what, word, fmt::format("a whole number from {} to {}", least, std::numeric_limits<int>::max()));
    return value;
  }

 private:
  std::string_view rest_, line_, name_;
  std::size_t number_ = 0;
};

struct Header {
  Kernel kernel;
  std::size_t classes = 0, vectors = 0;
  std::vector<double> rho, prob_a, prob_b;
  std::vector<int> labels;
  std::vector<std::size_t> counts;  // support vectors of each class
  bool probability = false;
};

class HeaderReader {
 public:
  explicit HeaderReader(Reader& reader) : reader_(reader) {}

  Header run() {
    while (reader_.next_line()) {
      const std::string_view key = reader_.word();
      if (key.empty()) continue;
      if (key == "SV") return finished();
      if (!seen_.insert(std::string(key)).second) reader_.wrong("key", key, "every key once");
      read(key);
      if (const auto extra = reader_.word(); !extra.empty())
        reader_.wrong(fmt::format("what follows the values of {}", key), extra, "the end of the line");
    }
    reader_.wrong("SV", "", "the line SV, and the support vectors after it");
  }

 private:
  void read(std::string_view key) {
    if (key == "svm_type") {
      if (const auto word = reader_.word(); word != "c_svc") reader_.wrong(key, word, "c_svc");
    } else if (key == "kernel_type") {
      read_kernel(reader_.word());
    } else if (key == "gamma") {
      read_gamma(reader_.word());
    } else if (key == "nr_class") {
      header_.classes = reader_.count(key, reader_.word(), 1);
    } else if (key == "total_sv") {
      header_.vectors = reader_.count(key, reader_.word(), 0);
    } else {
      read_list(key);
    }
  }

  void read_kernel(std::string_view word) {
    if (word != "linear" && word != "rbf") reader_.wrong("kernel_type", word, "linear or rbf");
    header_.kernel.kind = word == "rbf" ? KernelKind::rbf : KernelKind::linear;
  }

  void read_gamma(std::string_view word) {
    header_.kernel.gamma = reader_.real("gamma", word);
    if (!(header_.kernel.gamma > 0)) reader_.wrong("gamma", word, "a number above 0");
  }

  void read_list(std::string_view key) {
    const std::size_t k = header_.classes;
    const auto real = [&](std::string_view word) { return reader_.real(key, word); };
    if (key != "rho" && key != "probA" && key != "probB" && key != "label" && key != "nr_sv")
      reader_.wrong("key", key,
                    "one of svm_type, kernel_type, gamma, nr_class, total_sv, rho, label, probA, probB, nr_sv, SV");
    if (k == 0) reader_.wrong("key", key, "nr_class before it");
    if (key == "rho") header_.rho = list<double>(key, k * (k - 1) / 2, real);
    if (key == "probA") header_.prob_a = list<double>(key, k * (k - 1) / 2, real);
    if (key == "probB") header_.prob_b = list<double>(key, k * (k - 1) / 2, real);
    if (key == "label") read_labels(k);
    if (key == "nr_sv")
      header_.counts = list<std::size_t>(key, k, [&](std::string_view word) { return reader_.count(key, word, 0); });
  }

  void read_labels(std::size_t k) {
    std::set<int> seen;
    header_.labels = list<int>("label", k, [&](std::string_view word) {
      const int label = reader_.number<int>("label", word, "a whole number of 32 bits");
      if (!seen.insert(label).second) reader_.wrong("label", word, "every label once");
      return label;
    });
  }

  // Grows as the words come, so a false nr_class cannot ask for more memory than the line has words.
  template <class T, class Parse>
  std::vector<T> list(std::string_view key, std::size_t count, Parse parse) {
    std::vector<T> values;
    while (values.size() < count) {
      const auto word = reader_.word();
      if (word.empty())
        reader_.wrong(fmt::format("value {} of {}", values.size() + 1, key), "", fmt::format("{} values", count));
      values.push_back(parse(word));
    }
    return values;
  }

  Header finished() {
    for (const char* key : {"svm_type", "kernel_type", "nr_class", "total_sv", "rho", "label", "nr_sv"})
      if (!seen_.contains(key)) reader_.wrong(key, "", "a line of it before SV");
    if (header_.kernel.kind == KernelKind::rbf && !seen_.contains("gamma"))
      reader_.wrong("gamma", "", "a line of it before SV, for kernel_type rbf");
    header_.probability = seen_.contains("probA");
    if (header_.probability != seen_.contains("probB"))
      reader_.wrong(header_.probability ? "probB" : "probA", "", "probA and probB, or neither");
    std::size_t sum = 0;
    for (const std::size_t count : header_.counts) sum += count;
    if (sum != header_.vectors)
      reader_.wrong("sum of nr_sv", fmt::format("{}", sum), fmt::format("total_sv, {}", header_.vectors));
    return std::move(header_);
  }

  Reader& reader_;
  Header header_;
  std::set<std::string> seen_;
};

struct Entry {
  std::size_t column;  // from 0
  float value;
};

// The lines after SV, kept sparse until the width of all of them is known.
class VectorReader {
 public:
  VectorReader(Reader& reader, const Header& header) : reader_(reader), header_(header), pairs_(header.rho.size()) {
    const std::size_t k = header.classes;
    // A coefficient takes two bytes at least, its digit and a blank.
    if (k > 1 && header.vectors > reader.bytes_left() / 2 / (k - 1))
      reader.wrong("total_sv", fmt::format("{}", header.vectors),
                   fmt::format("at most what {} bytes hold, with {} coefficients a line", reader.bytes_left(), k - 1));
    if (k == 1 && header.vectors > 0)
      reader.wrong("total_sv", fmt::format("{}", header.vectors), "0, for a model of one class");
    for (std::size_t p = 0; p < pairs_.size(); ++p) {
      pairs_[p].rho = header.rho[p];
      if (header.probability) pairs_[p].sigmoid = Sigmoid{header.prob_a[p], header.prob_b[p]};
    }
  }

  void run() {
    for (std::size_t c = 0; c < header_.classes; ++c)
      for (std::size_t v = 0; v < header_.counts[c]; ++v) {
        if (!reader_.next_line())
          reader_.wrong(fmt::format("support vector {}", ends_.size() + 1), "",
                        fmt::format("{} of them", header_.vectors));
        read_coefficients(c);
        read_entries();
      }
    while (reader_.next_line())
      if (const auto word = reader_.word(); !word.empty())
        reader_.wrong("what follows the support vectors", word,
                      fmt::format("the end after {} of them", header_.vectors));
  }

  [[nodiscard]] std::size_t width() const { return width_; }
  std::vector<Pair> take_pairs() { return std::move(pairs_); }

  [[nodiscard]] std::vector<ClassVectors> dense(std::size_t width) const {
    std::vector<ClassVectors> classes;
    std::size_t v = 0, e = 0;
    for (std::size_t c = 0; c < header_.classes; ++c) {
      classes.push_back({header_.labels[c], std::vector<float>(header_.counts[c] * width)});
      for (std::size_t r = 0; r < header_.counts[c]; ++r, ++v)
        for (; e < ends_[v]; ++e) classes[c].rows[r * width + entries_[e].column] = entries_[e].value;
    }
    return classes;
  }

 private:
  void read_coefficients(std::size_t c) {
    const std::size_t k = header_.classes;
    for (std::size_t other = 0; other < k; ++other) {
      if (other == c) continue;
      const double value = reader_.real("coefficient", reader_.word());
      (other < c ? pairs_[pair_index(other, c, k)].second : pairs_[pair_index(c, other, k)].first).push_back(value);
    }
  }

  void read_entries() {
    std::size_t last = 0;
    for (auto word = reader_.word(); !word.empty(); word = reader_.word()) {
      const std::size_t colon = word.find(':');
      if (colon == std::string_view::npos) reader_.wrong("entry", word, "index:value");
      const std::size_t index = reader_.count("index", word.substr(0, colon), 1);
      if (index <= last) reader_.wrong("index", word, fmt::format("one above {}, the one before it", last));
      last = index;
      const double value = reader_.real("value", word.substr(colon + 1));
      if (std::abs(value) > static_cast<double>(std::numeric_limits<float>::max()))
        reader_.wrong("value", word.substr(colon + 1), "a number that fits a float");
      entries_.push_back({index - 1, static_cast<float>(value)});
    }
    width_ = std::max(width_, last);
    ends_.push_back(entries_.size());
  }

  Reader& reader_;
  const Header& header_;
  std::vector<Pair> pairs_;
  std::vector<Entry> entries_;
  std::vector<std::size_t> ends_;  // of each vector's entries
  std::size_t width_ = 0;
};

// A few bytes can name a column in the billions; rows are dense here, so a file must have a size to match.
void check_density(std::string_view name, std::size_t vectors, std::size_t width, std::size_t bytes) {
  const std::size_t allowed = std::max<std::size_t>(std::size_t{1} << 24, 25 * bytes);
  if (vectors > 0 && width > allowed / vectors)
    fail(ErrorKind::model,
         "{}: {} support vectors of {} columns, expected at most {} values in a file of {} bytes; "
         "renumber the columns that are used",
         name, vectors, width, allowed, bytes);
}

}  // namespace

Svm read_libsvm(std::string_view text, std::string_view name, std::size_t columns) {
  Reader reader(text, name);
  const Header header = HeaderReader(reader).run();
  VectorReader vectors(reader, header);
  vectors.run();
  check_density(name, header.vectors, vectors.width(), text.size());
  if (columns != 0 && vectors.width() > columns)
    fail(ErrorKind::model, "{}: support vectors of {} columns, expected at most {}, the width of the features", name,
         vectors.width(), columns);
  // All support vectors may be zero; a column is then as good as none.
  const std::size_t width = std::max({columns, vectors.width(), std::size_t{header.vectors > 0 ? 1U : 0U}});
  return Svm(header.kernel, width, vectors.dense(width), vectors.take_pairs());
}

}  // namespace wajah::svm
