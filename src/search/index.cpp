#include <wajah/search/index.hpp>

#include <wajah/error.hpp>
#include <wajah/search/score_rows.hpp>

#include "half.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace wajah {
namespace {

constexpr std::size_t rows_in_block = 16'384;
constexpr std::size_t rows_at_once = 1'024;  // whose scores stay in the nearest cache until they are looked at
constexpr std::size_t most_dimensions = 65'536;
constexpr std::size_t byte_row_step = 64;  // see ScoreByteRowsArgs
constexpr float coarse_steps = 127, fine_steps = 254;
constexpr std::uint8_t zero = 128;  // of a stored byte

std::size_t bytes_of_row(Storage storage, std::size_t dimensions) {
  switch (storage) {
    case Storage::fp32: return dimensions * sizeof(float);
    case Storage::fp16: return dimensions * sizeof(std::uint16_t);
    case Storage::int8: return (dimensions + byte_row_step - 1) / byte_row_step * byte_row_step;
  }
  return 0;
}

float largest(std::span<const float> values) {
  float most = 0;
  for (const float v : values) most = std::max(most, std::abs(v));
  return most;
}

// Scores in falling order, then ids in rising order: one answer whatever the order of rows and threads.
bool better(const Hit& a, const Hit& b) { return a.score != b.score ? a.score > b.score : a.id < b.id; }

// The k best of what it is shown.
class Best {
 public:
  explicit Best(std::size_t k) : k_(k) { hits_.reserve(k); }

  [[nodiscard]] bool wants(float score) const { return hits_.size() < k_ || score >= hits_.front().score; }

  void show(const Hit& hit) {
    if (hits_.size() == k_) {
      if (!better(hit, hits_.front())) return;
      std::pop_heap(hits_.begin(), hits_.end(), better);
      hits_.back() = hit;
    } else {
      hits_.push_back(hit);
    }
    std::push_heap(hits_.begin(), hits_.end(), better);
  }

  [[nodiscard]] const std::vector<Hit>& hits() const { return hits_; }

 private:
  std::size_t k_;
  std::vector<Hit> hits_;  // a heap whose front is the worst
};

}  // namespace

Index::Index(std::size_t dimensions, Storage storage, const Cpu& cpu)
    : dimensions_(dimensions),
      storage_(storage),
      one_(1, cpu.isa()),
      pool_(std::make_shared<ThreadPool>(cpu.threads())),
      row_bytes_(bytes_of_row(storage, dimensions)) {
  if (dimensions < 1 || dimensions > most_dimensions) {
    fail(ErrorKind::usage, "index: {} dimensions, expected 1 to {}", dimensions, most_dimensions);
  }
}

void Index::check(std::span<const float> vector) const {
  if (vector.size() != dimensions_) {
    fail(ErrorKind::input, "index: a vector of {} values, expected {}", vector.size(), dimensions_);
  }
  if (!std::all_of(vector.begin(), vector.end(), [](float v) { return std::isfinite(v); })) {
    fail(ErrorKind::input, "index: a value of the vector is not finite");
  }
}

void Index::add(std::int64_t id, std::span<const float> vector) {
  check(vector);
  if (const auto found = row_of_.find(id); found != row_of_.end()) return write(found->second, vector);
  if (ids_.size() == blocks_.size() * rows_in_block) {
    Block block{Buffer(rows_in_block * row_bytes_), {}, {}};
    if (scaled()) {
      block.fine = Buffer(rows_in_block * row_bytes_);
      block.scale.resize(rows_in_block);
    }
    blocks_.push_back(std::move(block));
  }
  row_of_.emplace(id, ids_.size());
  ids_.push_back(id);
  write(ids_.size() - 1, vector);
}

void Index::write(std::size_t row, std::span<const float> vector) {
  Block& block = blocks_[row / rows_in_block];
  const std::size_t at = row % rows_in_block;
  switch (storage_) {
    case Storage::fp32: std::copy(vector.begin(), vector.end(), block.rows.as<float>() + at * dimensions_); break;
    case Storage::fp16:
      std::transform(vector.begin(), vector.end(), block.rows.as<std::uint16_t>() + at * dimensions_, to_half);
      break;
    case Storage::int8: write_bytes(block, at, vector); break;
  }
}

// value = scale * (coarse + fine / 254): what rounding to the coarse step leaves, at most half of one, in 254 steps.
void Index::write_bytes(Block& block, std::size_t at, std::span<const float> vector) {
  auto* coarse = block.rows.as<std::uint8_t>() + at * row_bytes_;
  auto* fine = block.fine.as<std::uint8_t>() + at * row_bytes_;
  std::fill_n(coarse, row_bytes_, zero);
  std::fill_n(fine, row_bytes_, zero);
  const float most = largest(vector), scale = most / coarse_steps;
  block.scale[at] = scale;
  if (!(scale > 0)) return;
  for (std::size_t k = 0; k < vector.size(); ++k) {
    const float steps = vector[k] / scale, whole = std::round(steps);
    coarse[k] = static_cast<std::uint8_t>(static_cast<int>(whole) + zero);
    fine[k] = static_cast<std::uint8_t>(std::lround((steps - whole) * fine_steps) + zero);
  }
}

void Index::copy_row(std::size_t from, std::size_t to) {
  Block &source = blocks_[from / rows_in_block], &target = blocks_[to / rows_in_block];
  const std::size_t s = from % rows_in_block, t = to % rows_in_block;
  std::memcpy(target.rows.as<char>() + t * row_bytes_, source.rows.as<char>() + s * row_bytes_, row_bytes_);
  if (!scaled()) return;
  std::memcpy(target.fine.as<char>() + t * row_bytes_, source.fine.as<char>() + s * row_bytes_, row_bytes_);
  target.scale[t] = source.scale[s];
}

bool Index::remove(std::int64_t id) {
  const auto found = row_of_.find(id);
  if (found == row_of_.end()) return false;
  const std::size_t row = found->second, last = ids_.size() - 1;
  row_of_.erase(found);
  if (row != last) {
    copy_row(last, row);
    ids_[row] = ids_[last];
    row_of_[ids_[row]] = row;
  }
  ids_.pop_back();
  if (ids_.size() <= (blocks_.size() - 1) * rows_in_block) blocks_.pop_back();
  return true;
}

std::size_t Index::bytes_kept() const {
  const std::size_t row = scaled() ? 2 * row_bytes_ + sizeof(float) : row_bytes_;
  return blocks_.size() * rows_in_block * row + ids_.capacity() * sizeof(std::int64_t);
}

void Index::score_block(const Query& query, std::size_t block, std::size_t first, std::size_t count,
                        float* scores) const {
  const Block& from = blocks_[block];
  const int n = static_cast<int>(count), d = static_cast<int>(dimensions_);
  const auto stride = static_cast<std::ptrdiff_t>(dimensions_);
  switch (storage_) {
    case Storage::fp32:
      score_float_rows(one_, {from.rows.as<float>() + first * dimensions_, query.values.data(), n, d, stride, scores});
      break;
    case Storage::fp16:
      score_half_rows(one_,
                      {from.rows.as<std::uint16_t>() + first * dimensions_, query.values.data(), n, d, stride, scores});
      break;
    case Storage::int8:
      score_byte_rows(one_,
                      {from.rows.as<std::uint8_t>() + first * row_bytes_, query.bytes.data(), from.scale.data() + first,
                       query.scale, query.sum, n, static_cast<int>(row_bytes_), scores});
      break;
  }
}

std::vector<Hit> Index::best_rows(const Query& query, std::size_t k) const {
  std::vector<Best> best(static_cast<std::size_t>(pool_->threads()), Best(k));
  pool_->run([&](Part part) {
    Best& mine = best[static_cast<std::size_t>(part.index)];
    float scores[rows_at_once];
    const auto end = static_cast<std::size_t>(part.end(static_cast<std::ptrdiff_t>(ids_.size())));
    for (auto row = static_cast<std::size_t>(part.begin(static_cast<std::ptrdiff_t>(ids_.size()))); row < end;) {
      const std::size_t block = row / rows_in_block, first = row % rows_in_block;
      const std::size_t count = std::min({rows_at_once, rows_in_block - first, end - row});
      score_block(query, block, first, count, scores);
      for (std::size_t r = 0; r < count; ++r)
        if (mine.wants(scores[r])) mine.show({static_cast<std::int64_t>(row + r), scores[r]});
      row += count;
    }
  });
  std::vector<Hit> rows;
  for (const Best& part : best) rows.insert(rows.end(), part.hits().begin(), part.hits().end());
  return rows;
}

// The score by all bits that are kept.
float Index::exact_score(const Query& query, std::size_t row) const {
  const Block& block = blocks_[row / rows_in_block];
  const std::size_t at = row % rows_in_block;
  const auto* coarse = block.rows.as<std::uint8_t>() + at * row_bytes_;
  const auto* fine = block.fine.as<std::uint8_t>() + at * row_bytes_;
  double sum = 0;
  for (std::size_t k = 0; k < dimensions_; ++k) {
    const float steps = static_cast<float>(coarse[k] - zero) + static_cast<float>(fine[k] - zero) / fine_steps;
    sum += static_cast<double>(steps) * static_cast<double>(query.values[k]);
  }
  return static_cast<float>(sum * static_cast<double>(block.scale[at]));
}

std::vector<Index::Rows> Index::rows() const {
  std::vector<Rows> all;
  for (std::size_t row = 0; row < size(); row += rows_in_block) {
    const Block& block = blocks_[row / rows_in_block];
    all.push_back(
        {block.rows.as<std::byte>(), scaled() ? block.scale.data() : nullptr, std::min(rows_in_block, size() - row)});
  }
  return all;
}

Index::Query Index::prepared(std::span<const float> query) const {
  check(query);
  Query prepared{query, std::vector<std::int8_t>(scaled() ? row_bytes_ : 0), 0, 0};
  const float most = largest(query);
  if (!scaled() || most == 0) return prepared;
  prepared.scale = most / coarse_steps;
  for (std::size_t k = 0; k < query.size(); ++k) {
    prepared.bytes[k] = static_cast<std::int8_t>(std::lround(query[k] / prepared.scale));
    prepared.sum += prepared.bytes[k];
  }
  return prepared;
}

// Coarse scores are off by a few parts in 10,000; among neighbours that near, this many more contain the best k.
std::size_t Index::candidates_for(std::size_t k) const { return std::min(size(), scaled() ? 8 * k + 64 : k); }

std::vector<Hit> Index::nearest_of(const Query& query, std::vector<Hit> hits, std::size_t k) const {
  for (Hit& hit : hits) {
    const auto row = static_cast<std::size_t>(hit.id);
    if (scaled()) hit.score = exact_score(query, row);
    hit.id = ids_[row];
  }
  std::sort(hits.begin(), hits.end(), better);
  hits.resize(std::min(k, hits.size()));
  return hits;
}

std::vector<Hit> Index::nearest(std::span<const float> query, std::size_t k) const {
  const Query ready = prepared(query);
  k = std::min(k, size());
  if (k == 0) return {};
  return nearest_of(ready, best_rows(ready, candidates_for(k)), k);
}

}  // namespace wajah
