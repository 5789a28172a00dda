// What the ladders share: random numbers, the processor time of a piece of work, and how a step is printed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <random>
#include <vector>

namespace ladder {

// Least of the runs that fit into `budget` milliseconds, at least three.
inline double milliseconds(const auto& work, double budget = 300) {
  double least = HUGE_VAL, spent = 0;
  for (int i = 0; i < 3 || spent < budget; ++i) {
    timespec begin{}, end{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    work();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    const double took =
        1e3 * static_cast<double>(end.tv_sec - begin.tv_sec) + 1e-6 * static_cast<double>(end.tv_nsec - begin.tv_nsec);
    least = std::min(least, took);
    spent += took;
  }
  return least;
}

inline std::vector<float> numbers(std::mt19937& random, std::size_t count, float scale) {
  std::uniform_real_distribution<float> number(-scale, scale);
  std::vector<float> values(count);
  for (float& v : values) v = number(random);
  return values;
}

// GFLOP/s are those of the definition, however few products a step forms.
inline void say(const char* step, double ms, double macs) {
  std::printf("%-64s %9.4f ms %8.1f GFLOP/s\n", step, ms, 2e-6 * macs / ms);
}

}  // namespace ladder
