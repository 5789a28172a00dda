// The ladder of training a support-vector machine: one pair of people through every way of solving it, naive to
// fastest; processor time of one thread, least of some runs. See smo.md.
#include <wajah/buffer.hpp>
#include <wajah/svm/pair.hpp>
#include <wajah/svm/problem.hpp>
#include <wajah/svm/solve_pair.hpp>
#include <wajah/svm/solve_pairs.hpp>
#include <wajah/svm/solver.hpp>
#include <wajah/svm/start_pairs.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace wajah;
using namespace wajah::svm;

namespace {

constexpr int people = 9, photos = 20, dimensions = 512, runs = 300;
constexpr int rows = 2 * photos, padded = 48, pairs = people - 1;

double now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return 1e6 * static_cast<double>(t.tv_sec) + 1e-3 * static_cast<double>(t.tv_nsec);
}

// Microseconds a pair.
double measure(const std::function<void()>& work, int times = runs) {
  double least = HUGE_VAL;
  for (int i = 0; i < times; ++i) {
    const double begin = now();
    work();
    least = std::min(least, now() - begin);
  }
  return least / pairs;
}

void say(const std::string& step, double us) { std::printf("%-62s %8.2f us\n", step.c_str(), us); }

// Directions drawn at random, and photos around them: cosine 0.67 to each other, 0 to everybody else's.
std::vector<float> invented() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> x;
  for (int p = 0; p < people; ++p) {
    std::vector<float> centre(dimensions);
    for (float& v : centre) v = normal(random);
    for (int i = 0; i < photos; ++i) {
      std::vector<float> row(centre);
      float sum = 0;
      for (float& v : row) {
        v += 0.7F * normal(random);
        sum += v * v;
      }
      for (float& v : row) x.push_back(v / std::sqrt(sum));
    }
  }
  return x;
}

struct People {
  std::vector<float> x = invented();
  std::vector<std::vector<float>> own = std::vector<std::vector<float>>(people);
  std::vector<ClassRows> classes;
  std::vector<PairMembers> members;

  People() {
    for (int p = 0; p < people; ++p) {
      own[at(p)].resize(photos * photos);
      gram(Cpu(1), Kernel{}, rows_of_person(p), rows_of_person(p), own[at(p)].data(), photos);
      classes.push_back({rows_of_person(p), own[at(p)]});
    }
    for (int p = 1; p < people; ++p) members.push_back({&classes[0], &classes[at(p)]});
  }
  static std::size_t at(int p) { return static_cast<std::size_t>(p); }
  [[nodiscard]] ConstView<float> rows_of_person(int p) const {
    return {x.data() + p * photos * dimensions, {photos, 1, 1, dimensions}};
  }
};

// All pairs' arrays as the kernels want them.
struct Matrices {
  struct alignas(64) One {
    float gram[rows * padded], inverse[rows * padded];
    double lower[padded], upper[padded], beta[padded], gradient[padded];
  };
  std::unique_ptr<One[]> all = std::make_unique<One[]>(pairs);
  std::vector<PairJob> jobs;

  Matrices(const People& source, const Cpu& cpu) {
    for (int p = 0; p < pairs; ++p) {
      One& one = all[static_cast<std::size_t>(p)];
      fill(source, cpu, p);
      for (int t = 0; t < padded; ++t) {
        one.lower[t] = t >= photos && t < rows ? -1 : 0;
        one.upper[t] = t < photos ? 1 : 0;
      }
      PairJob job{};
      job = {one.gram, one.inverse, rows, photos, one.lower, one.upper, one.beta, one.gradient, 0, 0, false};
      jobs.push_back(job);
    }
  }
  void fill(const People& source, const Cpu& cpu, int p) {
    One& one = all[static_cast<std::size_t>(p)];
    gram(cpu, Kernel{}, source.rows_of_person(0), source.rows_of_person(p + 1), one.gram + photos, padded);
    complete_pair(cpu, {source.own[0].data(), source.own[People::at(p + 1)].data(), one.gram, rows, photos, padded});
    invert_curvature(cpu, {one.gram, one.inverse, rows, padded});
  }
  void reset() {
    for (int p = 0; p < pairs; ++p) {
      One& one = all[static_cast<std::size_t>(p)];
      for (int t = 0; t < padded; ++t) {
        one.beta[t] = 0;
        one.gradient[t] = t < photos ? 1 : t < rows ? -1 : 0;
      }
    }
  }
};

std::vector<float> naive_matrix(const People& source, int p) {
  std::vector<float> values;
  const auto row = [&](int t) {
    return t < photos ? source.rows_of_person(0).pixel(t, 0, 0) : source.rows_of_person(p + 1).pixel(t - photos, 0, 0);
  };
  for (int s = 0; s < rows; ++s) {
    for (int t = 0; t < rows; ++t) {
      float sum = 0;
      for (int i = 0; i < dimensions; ++i) sum += row(s)[i] * row(t)[i];
      values.push_back(sum);
    }
  }
  return values;
}

void plain(const People& source) {
  std::vector<int> signs(rows, -1);
  std::fill_n(signs.begin(), photos, 1);
  std::vector<std::vector<float>> matrices;
  say("0 kernel matrix by its definition", measure(
                                               [&] {
                                                 matrices.clear();
                                                 for (int p = 0; p < pairs; ++p)
                                                   matrices.push_back(naive_matrix(source, p));
                                               },
                                               5));
  say("0 solver.cpp: branches, one value at a time", measure([&] {
        for (int p = 0; p < pairs; ++p) {
          GramMatrix matrix(matrices[static_cast<std::size_t>(p)], rows);
          static_cast<void>(solve(matrix, signs, {}));
        }
      }));
}

// The machines of all rows and of the folds, from linear equations.
void start(const Cpu& cpu, const Matrices& m, const std::string& on) {
  const Buffer scratch(start_pairs_scratch * sizeof(float));
  std::vector<std::array<float, padded>> found(pairs * (PairStart::folds + 2));
  std::vector<PairStart> starts(pairs);
  for (std::size_t p = 0; p < pairs; ++p) {
    starts[p].gram = m.jobs[p].gram;
    starts[p].n = rows;
    starts[p].first = photos;
    auto* lines = &found[p * (PairStart::folds + 2)];
    starts[p].beta = lines[0].data();
    starts[p].decisions = lines[1].data();
    for (std::size_t f = 0; f < PairStart::folds; ++f) starts[p].fold_beta[f] = lines[2 + f].data();
  }
  for (const bool folds : {false, true})
    say((folds ? "6 start_pairs, with the five of its folds" : "6 start_pairs, the machine of all rows") + on,
        measure([&] {
          start_pairs(cpu, {starts.data(), pairs, padded, 1, 1e-3F, folds, scratch.as<float>()});
        }));
  int met = 0;
  for (const PairStart& is : starts) met += __builtin_popcount(is.met);
  std::printf("   (%d of %d folds found)\n", met, pairs * PairStart::folds);
}

void kernels(const People& source, Isa isa) {
  const Cpu cpu(1, isa);
  const std::string on = ", " + std::string(name_of(isa));
  Matrices m(source, cpu);
  say("1 cross products of the pair, in tiles; the rest shared" + on, measure([&] {
        for (int p = 0; p < pairs; ++p) m.fill(source, cpu, p);
      }));
  say("2 solve_pair: vectors of doubles, bits instead of branches" + on, measure([&] {
        m.reset();
        for (const PairJob& job : m.jobs) {
          long long steps = 0;
          solve_pair(cpu, {job.gram, padded, rows, padded, 1e-3, 1'000'000, job.lower, job.upper, job.beta,
                           job.gradient, &steps});
        }
      }));
  for (const int at_once : {1, 2, pairs}) {
    const auto solve_them = [&] {
      m.reset();
      for (int first = 0; first < pairs; first += at_once)
        solve_pairs(cpu, {m.jobs.data() + first, at_once, padded, 1e-3, 10'000, true});
    };
    say("3 solve_pairs: floats, " + std::to_string(at_once) + (at_once == 1 ? " problem" : " problems") + " in flight" +
            on,
        measure(solve_them));
  }
  double steps = 0;
  for (const PairJob& job : m.jobs) steps += job.steps;
  std::printf("   (%.0f steps a pair)\n", steps / pairs);
  std::vector<double> decisions(rows);
  for (int t = 0; t < rows; ++t)
    decisions[static_cast<std::size_t>(t)] = (t < photos ? 1 : -1) + 0.3 * std::sin(1.7 * t);
  double a = 0, b = 0;
  say("5 the sigmoid, eight values side by side" + on, measure([&] {
        for (int p = 0; p < pairs; ++p) wajah::fit_sigmoid(cpu, {decisions.data(), rows, photos, &a, &b});
      }));
  start(cpu, m, on);
  PairOptions options;
  options.cpu = cpu;
  say("whole pair" + on, measure([&] { static_cast<void>(train_pairs(Kernel{}, source.members, options, 1)); }));
  options.probability = true;
  say("whole pair with its sigmoid" + on,
      measure([&] { static_cast<void>(train_pairs(Kernel{}, source.members, options, 1)); }));
}

}  // namespace

int main() {
  const People source;
  plain(source);
  std::vector<double> decisions(rows);
  std::vector<int> signs(rows, -1);
  std::fill_n(signs.begin(), photos, 1);
  for (int t = 0; t < rows; ++t)
    decisions[static_cast<std::size_t>(t)] = (t < photos ? 1 : -1) + 0.3 * std::sin(1.7 * t);
  say("4 the sigmoid, one value at a time", measure([&] {
        for (int p = 0; p < pairs; ++p) static_cast<void>(svm::fit_sigmoid(decisions, signs));
      }));
  PairOptions options;
  options.probability = true;
  options.memory = 7'000;  // too little for the matrix and a copy: everything by the plain solver
  say("whole pair with its sigmoid, plain",
      measure(
          [&] {
            for (const PairMembers& pair : source.members)
              static_cast<void>(train_pair(Kernel{}, *pair.first, *pair.second, options));
          },
          20));
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (isa <= best_isa()) kernels(source, isa);
  }
}
