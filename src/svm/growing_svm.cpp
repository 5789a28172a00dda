#include <wajah/svm/growing_svm.hpp>

#include "parallel.hpp"
#include "weighted_sum.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace wajah::svm {

// Serials count the additions: a class that gets other rows is another one.
struct GrowingSvm::Class {
  std::int64_t label = 0;
  std::uint64_t serial = 0;
  std::shared_ptr<const PackedRows> rows;
  std::vector<float> gram;  // of the rows among themselves, which every pair needs
};

struct GrowingSvm::Pairs {
  std::vector<std::uint64_t> with;  // serials, rising; some may be gone
  std::vector<Pair> pairs;
};

namespace {

template <class Classes>
auto place_of(const Classes& classes, std::int64_t label) {
  return std::lower_bound(classes.begin(), classes.end(), label, [](const auto& c, auto l) { return c->label < l; });
}

}  // namespace

GrowingSvm::GrowingSvm(const SvmOptions& options) : options_(options) {
  if (options.kernel != KernelKind::linear) fail(ErrorKind::usage, "growing svm: expected the linear kernel");
  check_options(SolverOptions{options.c, options.tolerance, options.shrinking});
  (void)resolve_threads(options.threads);
}

std::int64_t GrowingSvm::label(std::size_t c) const { return classes_[c]->label; }

void GrowingSvm::check(std::span<const SharedClass> put) {
  for (std::size_t c = 0; c < put.size(); ++c) {
    if (c > 0 && put[c].label == put[c - 1].label)
      fail(ErrorKind::input, "growing svm: label {} twice, expected every label once", put[c].label);
    if (!put[c].rows || put[c].rows->rows() == 0)
      fail(ErrorKind::input, "growing svm: no rows of label {}, expected at least 1", put[c].label);
    if (put[c].rows->dimensions() != put[0].rows->dimensions())
      fail(ErrorKind::input, "growing svm: rows of {} values among rows of {}", put[c].rows->dimensions(),
           put[0].rows->dimensions());
    const auto rows = put[c].rows->view();
    for (int r = 0; r < rows.shape.n; ++r)
      if (!std::all_of(rows.pixel(r, 0, 0), rows.pixel(r, 0, 0) + rows.shape.c,
                       [](float v) { return std::isfinite(v); }))
        fail(ErrorKind::input, "growing svm: a value in the rows of label {} is not finite", put[c].label);
  }
}

GrowingSvm GrowingSvm::changed(std::vector<SharedClass> put, std::span<const std::int64_t> gone) const {
  std::sort(put.begin(), put.end(), [](const auto& a, const auto& b) { return a.label < b.label; });
  check(put);
  GrowingSvm next(*this);
  const auto remove = [&](std::int64_t label) {
    const auto found = place_of(next.classes_, label);
    if (found == next.classes_.end() || (*found)->label != label) return;
    next.pairs_.erase(next.pairs_.begin() + (found - next.classes_.begin()));
    next.classes_.erase(found);
  };
  for (const std::int64_t label : gone) remove(label);
  for (const SharedClass& c : put) remove(c.label);
  const std::size_t dimensions = put.empty() ? dimensions_ : put.front().rows->dimensions();
  if (!next.classes_.empty() && dimensions != dimensions_)
    fail(ErrorKind::input, "growing svm: rows of {} values among rows of {}", dimensions, dimensions_);
  next.dimensions_ = dimensions;
  const std::uint64_t first_new = next_serial_;
  const Kernel linear{};
  const Cpu cpu(1, options_.isa);
  for (SharedClass& c : put) {
    const std::size_t n = c.rows->rows();
    Class made{c.label, next.next_serial_++, std::move(c.rows), std::vector<float>(n * n)};
    gram(cpu, linear, made.rows->view(), made.rows->view(), made.gram.data(), n);
    const auto place = place_of(next.classes_, c.label);
    next.pairs_.insert(next.pairs_.begin() + (place - next.classes_.begin()), nullptr);
    next.classes_.insert(place, std::make_shared<const Class>(std::move(made)));
  }
  next.train(first_new);
  next.compact();
  return next;
}

// The pairs of all classes from serial `first_new` on, with all older ones and among themselves.
void GrowingSvm::train(std::uint64_t first_new) {
  constexpr std::size_t side = 8;  // squares of classes whose rows stay in the second cache
  const std::size_t k = classes_.size();
  std::vector<ClassRows> rows;
  for (const auto& c : classes_) rows.push_back({c->rows->view(), c->gram});
  std::vector<PairMembers> members;
  std::vector<std::pair<std::size_t, std::size_t>> places;  // of the newer and the older class
  for (std::size_t top = 0; top < k; top += side)
    for (std::size_t left = top; left < k; left += side)
      for (std::size_t i = top; i < std::min(top + side, k); ++i)
        for (std::size_t j = std::max(left, i + 1); j < std::min(left + side, k); ++j) {
          if (classes_[i]->serial < first_new && classes_[j]->serial < first_new) continue;
          members.push_back({&rows[i], &rows[j]});
          const bool i_newer = classes_[i]->serial > classes_[j]->serial;
          places.emplace_back(i_newer ? i : j, i_newer ? j : i);
        }
  const int threads = resolve_threads(options_.threads);
  const PairOptions pair_options{{options_.c, options_.tolerance, options_.shrinking},
                                 options_.probability,
                                 options_.memory / static_cast<std::size_t>(threads),
                                 Cpu(1, options_.isa)};
  auto trained = train_pairs(Kernel{}, members, pair_options, threads);

  std::vector<std::vector<std::size_t>> of_class(k);  // which of the trained
  for (std::size_t p = 0; p < places.size(); ++p) of_class[places[p].first].push_back(p);
  for (std::size_t c = 0; c < k; ++c) {
    if (classes_[c]->serial < first_new) continue;
    auto& mine = of_class[c];
    std::sort(mine.begin(), mine.end(), [&](std::size_t a, std::size_t b) {
      return classes_[places[a].second]->serial < classes_[places[b].second]->serial;
    });
    auto pairs = std::make_shared<Pairs>();
    for (const std::size_t p : mine) {
      pairs->with.push_back(classes_[places[p].second]->serial);
      pairs->pairs.push_back(std::move(trained[p]));
    }
    pairs_[c] = std::move(pairs);
  }
}

// Pairs with classes that are gone are dropped once they are the greater part.
void GrowingSvm::compact() {
  std::vector<std::uint64_t> present;
  for (const auto& c : classes_) present.push_back(c->serial);
  std::sort(present.begin(), present.end());
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    const auto older = static_cast<std::size_t>(std::lower_bound(present.begin(), present.end(), classes_[c]->serial) -
                                                present.begin());
    const Pairs& all = *pairs_[c];
    if (all.with.size() <= 2 * older + 16) continue;
    auto kept = std::make_shared<Pairs>();
    for (std::size_t p = 0; p < all.with.size(); ++p) {
      if (!std::binary_search(present.begin(), present.end(), all.with[p])) continue;
      kept->with.push_back(all.with[p]);
      kept->pairs.push_back(all.pairs[p]);
    }
    pairs_[c] = std::move(kept);
  }
}

const Pair& GrowingSvm::pair(std::size_t i, std::size_t j) const {
  const bool i_newer = classes_[i]->serial > classes_[j]->serial;
  const Pairs& pairs = *pairs_[i_newer ? i : j];
  const std::uint64_t other = classes_[i_newer ? j : i]->serial;
  const auto place = std::lower_bound(pairs.with.begin(), pairs.with.end(), other) - pairs.with.begin();
  return pairs.pairs[static_cast<std::size_t>(place)];
}

// Calls visit(i, j, pair) for all classes i < j, in the order of their serials: a class's pairs stand in that order.
template <class Visit>
void GrowingSvm::for_each_pair(Visit visit) const {
  std::vector<std::size_t> by_serial(classes_.size());
  std::iota(by_serial.begin(), by_serial.end(), std::size_t{0});
  std::sort(by_serial.begin(), by_serial.end(),
            [&](std::size_t a, std::size_t b) { return classes_[a]->serial < classes_[b]->serial; });
  for (const std::size_t newer : by_serial) {
    const Pairs& pairs = *pairs_[newer];
    std::size_t p = 0;
    for (const std::size_t older : by_serial) {
      if (older == newer) break;
      while (pairs.with[p] != classes_[older]->serial) ++p;
      visit(std::min(older, newer), std::max(older, newer), pairs.pairs[p]);
    }
  }
}

std::vector<double> GrowingSvm::decision_values(std::span<const float> x) const {
  const std::size_t k = classes_.size();
  if (k == 0) return {};
  check_row(x, dimensions_);
  const Cpu cpu(1, options_.isa);
  std::vector<float> values;
  std::vector<std::size_t> first;
  for (const auto& c : classes_) {
    first.push_back(values.size());
    values.resize(values.size() + c->rows->rows());
    gram(cpu, Kernel{}, c->rows->view(), rows_of(x, dimensions_), values.data() + first.back(), 1);
  }
  std::vector<double> decisions(k * (k - 1) / 2);
  for_each_pair([&](std::size_t i, std::size_t j, const Pair& p) {
    decisions[pair_index(i, j, k)] =
        weighted_sum(p.first, values.data() + first[i]) + weighted_sum(p.second, values.data() + first[j]) - p.rho;
  });
  return decisions;
}

std::vector<double> GrowingSvm::probabilities(std::span<const float> x) const {
  constexpr double least = 1e-7;  // libsvm's: coupling divides by products of these
  if (!options_.probability)
    fail(ErrorKind::model, "svm: trained without probabilities, expected a model trained with them; train it again");
  const std::size_t k = classes_.size();
  if (k == 0) return {};
  const auto decisions = decision_values(x);
  std::vector<double> pairwise(k * k, 0.0);
  for_each_pair([&](std::size_t i, std::size_t j, const Pair& pair) {
    const double p = std::clamp((*pair.sigmoid)(decisions[pair_index(i, j, k)]), least, 1 - least);
    pairwise[i * k + j] = p;
    pairwise[j * k + i] = 1 - p;
  });
  return couple(pairwise, k);
}

}  // namespace wajah::svm
