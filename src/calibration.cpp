#include "templates.hpp"

#include <wajah/calibration.hpp>
#include <wajah/error.hpp>
#include <wajah/gallery_draw.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

namespace wajah {
namespace {

constexpr std::array<std::size_t, 4> gallery_sizes{1, 10, 100, 1000};
constexpr std::array<std::size_t, 3> photo_counts{1, 2, 5};
constexpr std::size_t strangers_a_gallery = 1000;
// Of the margin against the similarity. From 0.3 to 1 galleries of all sizes accept the same shares within 0.3 %, so
// fitting it would fit the noise.
constexpr double margin_weight = 0.5;

// One face held against one gallery.
struct Trial {
  double similarity = 0, margin = 0;  // the margin as far as it counts
  double photos = 0;                  // 1 - 1 / n of the person it resembles most
  bool genuine = false, right = false;
};

// The trials of galleries of one size and number of photos.
struct Cell {
  double log_people = 0;
  std::vector<Trial> trials;
};

double score(const Trial& trial) { return trial.similarity + margin_weight * trial.margin; }

double dot(std::span<const float> a, std::span<const float> b) {
  return static_cast<double>(std::inner_product(a.begin(), a.end(), b.begin(), 0.0F));
}

class Trials {
 public:
  Trials(std::span<const CalibrationPerson> people, std::uint64_t random_state)
      : people_(people), alike_(median_of_genuine()) {
    std::vector<std::size_t> counts;
    for (const CalibrationPerson& person : people) counts.push_back(person.size());
    std::uint64_t seed = random_state * 1'000'003;
    for (const std::size_t size : gallery_sizes) {
      if (2 * size > people.size()) continue;
      const auto rounds = static_cast<std::size_t>(200 / std::sqrt(static_cast<double>(size)));
      for (const std::size_t photos : photo_counts) {
        Cell& cell = cells_.emplace_back();
        cell.log_people = std::log(static_cast<double>(size));
        for (std::size_t i = 0; i < rounds; ++i) hold(counts, size, photos, ++seed, cell);
      }
    }
  }

  [[nodiscard]] std::span<const Cell> cells() const { return cells_; }
  [[nodiscard]] std::size_t galleries() const { return galleries_; }
  [[nodiscard]] std::size_t namesakes() const { return namesakes_.size(); }

 private:
  // What half of the pairs of photos of one person reach. Two people who reach it are rarely two.
  [[nodiscard]] double median_of_genuine() const {
    std::vector<double> cosines;
    for (const CalibrationPerson& person : people_) {
      for (std::size_t i = 0; i < person.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) cosines.push_back(dot(person[i].recognised, person[j].enrolled));
      }
    }
    const auto middle = cosines.begin() + static_cast<std::ptrdiff_t>(cosines.size() / 2);
    std::nth_element(cosines.begin(), middle, cosines.end());
    return *middle;
  }

  void hold(std::span<const std::size_t> counts, std::size_t size, std::size_t photos, std::uint64_t seed, Cell& cell) {
    ++galleries_;
    const std::vector<EnrolledDraw> enrolled = draw_enrolment(counts, size, photos, seed, Fill::one_photo);
    const std::vector<float> templates = templates_of(enrolled);
    std::vector<std::size_t> away;
    for (const EnrolledDraw& one : enrolled) {
      away.push_back(one.person);
      for (const std::size_t photo : one.probes) hold({one.person, photo}, true, enrolled, templates, cell);
    }
    std::vector<DrawnPhoto> strangers = draw_strangers(counts, away, seed);
    strangers.resize(std::min(strangers.size(), strangers_a_gallery));
    for (const DrawnPhoto& stranger : strangers) hold(stranger, false, enrolled, templates, cell);
  }

  [[nodiscard]] std::vector<float> templates_of(std::span<const EnrolledDraw> enrolled) const {
    std::vector<float> templates;
    for (const EnrolledDraw& one : enrolled) {
      std::vector<float> rows;
      for (const std::size_t photo : one.photos) {
        const std::vector<float>& row = people_[one.person][photo].enrolled;
        rows.insert(rows.end(), row.begin(), row.end());
      }
      const std::vector<float> direction = make_template(rows, rows.size() / one.photos.size());
      templates.insert(templates.end(), direction.begin(), direction.end());
    }
    return templates;
  }

  void hold(DrawnPhoto probe, bool genuine, std::span<const EnrolledDraw> enrolled, std::span<const float> templates,
            Cell& cell) {
    const std::vector<float>& x = people_[probe.person][probe.photo].recognised;
    const std::vector<double> all = similarities(templates, x);
    const auto best = static_cast<std::size_t>(std::ranges::max_element(all) - all.begin());
    const EnrolledDraw& nearest = enrolled[best];
    const bool right = nearest.person == probe.person;
    if (!right && namesake(probe.person, nearest, x)) return;
    const double few = 1 / static_cast<double>(nearest.photos.size());
    cell.trials.push_back(
        {all[best], std::min(margin_of(all, best), DecisionCurve::enough_margin), 1 - few, genuine, right});
  }

  bool namesake(std::size_t person, const EnrolledDraw& other, std::span<const float> x) {
    const bool same = std::ranges::any_of(
        other.photos, [&](std::size_t photo) { return dot(x, people_[other.person][photo].enrolled) >= alike_; });
    if (same) namesakes_.insert(std::minmax(person, other.person));
    return same;
  }

  std::span<const CalibrationPerson> people_;
  double alike_;
  std::vector<Cell> cells_;
  std::size_t galleries_ = 0;
  std::set<std::pair<std::size_t, std::size_t>> namesakes_;
};

// From the largest score down.
std::vector<double> scores_of_strangers(const Cell& cell) {
  std::vector<double> scores;
  for (const Trial& trial : cell.trials) {
    if (!trial.genuine) scores.push_back(score(trial));
  }
  std::ranges::sort(scores, std::greater<>());
  return scores;
}

double mean_photos(const Cell& cell) {
  double sum = 0;
  for (const Trial& trial : cell.trials) sum += trial.photos;
  return sum / static_cast<double>(cell.trials.size());
}

// The score that a share of the strangers exceeds: constant + photos * (1 - 1 / n) + people * sqrt(ln(k / share)).
struct Level {
  double constant = 0, photos = 0, people = 0;
};

double chances(double log_people, double share) { return std::sqrt(log_people - std::log(share)); }

// Gaussian elimination of three equations; `a` is symmetric and positive definite.
std::array<double, 3> solve(std::array<std::array<double, 3>, 3> a, std::array<double, 3> b) {
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t row = i + 1; row < 3; ++row) {
      const double factor = a[row][i] / a[i][i];
      for (std::size_t column = i; column < 3; ++column) a[row][column] -= factor * a[i][column];
      b[row] -= factor * b[i];
    }
  }
  for (std::size_t i = 3; i-- > 0;) {
    for (std::size_t column = i + 1; column < 3; ++column) b[i] -= a[i][column] * b[column];
    b[i] /= a[i][i];
  }
  return b;
}

// Shares far above the one asked for keep the fit steady where a large gallery leaves few strangers, or where a few
// strangers carry a wrong name.
Level fit_level(std::span<const Cell> cells) {
  constexpr std::array<double, 5> multiples{1, 2, 4, 10, 30};
  constexpr double fewest_above = 10;
  std::array<std::array<double, 3>, 3> a{};
  std::array<double, 3> b{};
  for (const Cell& cell : cells) {
    const std::vector<double> scores = scores_of_strangers(cell);
    const double photos = mean_photos(cell);
    for (const double multiple : multiples) {
      const double share = multiple * DecisionCurve::strangers, above = share * static_cast<double>(scores.size());
      if (above < fewest_above) continue;
      const std::array<double, 3> row{1, photos, chances(cell.log_people, share)};
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) a[i][j] += row[i] * row[j];
        b[i] += row[i] * scores[static_cast<std::size_t>(above)];
      }
    }
  }
  // Where nobody has several photos, nothing tells what they are worth; then they are worth nothing.
  for (std::size_t i = 1; i < 3; ++i) a[i][i] += 1e-9;
  const std::array<double, 3> solution = solve(a, b);
  return {solution[0], solution[1], std::max(solution[2], 0.0)};
}

double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

// The slope of a logistic regression on how far scores lie above the level, where its value is held. Genuine faces and
// strangers of every cell count the same.
double fit_slope(std::span<const Cell> cells, const Level& level, double held) {
  struct Point {
    double x = 0, weight = 0;
    bool genuine = false;
  };
  std::vector<Point> points;
  for (const Cell& cell : cells) {
    const auto genuine = std::ranges::count_if(cell.trials, &Trial::genuine);
    for (const Trial& trial : cell.trials) {
      if (trial.genuine && !trial.right) continue;
      const double at = level.constant + level.photos * trial.photos + level.people * chances(cell.log_people, DecisionCurve::strangers);
      const auto alike = trial.genuine ? genuine : std::ssize(cell.trials) - genuine;
      points.push_back({score(trial) - at, 1 / static_cast<double>(alike), trial.genuine});
    }
  }
  // The likelihood is concave, so its derivative changes sign once.
  double low = 1, high = 1000;
  while (high - low > 1e-3) {
    const double slope = (low + high) / 2;
    double derivative = 0;
    for (const Point& point : points) {
      derivative += point.weight * point.x * ((point.genuine ? 1 : 0) - sigmoid(held + slope * point.x));
    }
    (derivative > 0 ? low : high) = slope;
  }
  return low;
}

double to_four_digits(double value) { return std::round(value * 1e4) / 1e4; }

void check(std::span<const CalibrationPerson> people) {
  const auto several = std::ranges::count_if(people, [](const auto& person) { return person.size() > 1; });
  if (people.size() < 20 || several < 10) {
    fail(ErrorKind::input, "{} people, {} of them with two photos or more: expected 20 and 10 at least", people.size(),
         several);
  }
  const std::size_t dimensions = people[0].empty() ? 0 : people[0][0].enrolled.size();
  for (const CalibrationPerson& person : people) {
    if (person.empty()) fail(ErrorKind::input, "a person without photos among those to calibrate on");
    for (const CalibrationPhoto& photo : person) {
      if (photo.enrolled.size() == dimensions && photo.recognised.size() == dimensions && dimensions > 0) continue;
      fail(ErrorKind::input, "embeddings of {} and {} numbers among those of {}: all must come from one model",
           photo.enrolled.size(), photo.recognised.size(), dimensions);
    }
  }
}

}  // namespace

Calibration calibrate(std::span<const CalibrationPerson> people, std::uint64_t random_state) {
  check(people);
  const Trials trials(people, random_state);
  Calibration result;
  result.people = people.size();
  for (const CalibrationPerson& person : people) result.photos += person.size();
  result.galleries = trials.galleries();
  result.namesakes = trials.namesakes();
  for (const Cell& cell : trials.cells()) {
    const auto genuine = static_cast<std::size_t>(std::ranges::count_if(cell.trials, &Trial::genuine));
    result.genuine += genuine;
    result.strangers += cell.trials.size() - genuine;
  }
  const Level level = fit_level(trials.cells());
  const double held = std::log(DecisionCurve::acceptance_level / (1 - DecisionCurve::acceptance_level));
  const double slope = fit_slope(trials.cells(), level, held);
  result.curve = {to_four_digits(held - slope * level.constant), to_four_digits(slope), to_four_digits(slope * margin_weight),
                  to_four_digits(-slope * level.photos), to_four_digits(slope * level.people)};
  return result;
}

}  // namespace wajah
