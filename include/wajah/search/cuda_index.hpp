// CudaIndex: what an index holds, copied to a card and searched there: a card reads its memory some hundred times as
// fast as a CPU does.
#pragma once

#include <wajah/cuda_kernels.hpp>
#include <wajah/error.hpp>
#include <wajah/search/index.hpp>
#include <wajah/search/score_rows.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace wajah {

// For one thread at a time.
template <class Device>
class CudaIndex {
 public:
  // Copies the rows that a search reads. The index must not change afterwards. Throws Error (device_memory) if they do
  // not fit, and what else the device throws.
  CudaIndex(const Device& device, std::shared_ptr<const Index> index)
      : device_(device.on_own_stream()), index_(std::move(index)), count_(number_of_rows(*index_)) {
    const std::size_t bytes = index_->row_bytes();
    rows_ = device_.allocate(index_->size() * bytes);
    if (index_->storage() == Storage::int8) scales_ = device_.allocate(index_->size() * sizeof(float));
    std::size_t done = 0;
    for (const Index::Rows& rows : index_->rows()) {
      device_.upload(rows_.template as<>() + done * bytes, rows.data, rows.count * bytes);
      if (rows.scale != nullptr) {
        device_.upload(scales_.template as<float>() + done, rows.scale, rows.count * sizeof(float));
      }
      done += rows.count;
    }
    query_ = device_.allocate(std::max(bytes, index_->dimensions() * sizeof(float)));
    scores_ = device_.allocate(index_->size() * sizeof(float));
  }

  // As Index::nearest, to the rounding of floating-point sums; sums of bytes are exact, and all bits that are kept are
  // added by the CPU. More than most_best candidates (k of floats, 8 k + 64 of bytes) are the CPU's work. Throws what
  // that and the device throw.
  [[nodiscard]] std::vector<Hit> nearest(std::span<const float> query, std::size_t k) {
    const Index::Query ready = index_->prepared(query);
    k = std::min(k, index_->size());
    if (k == 0) return {};
    const std::size_t candidates = index_->candidates_for(k);
    if (candidates > std::size_t{most_best}) return index_->nearest(query, k);
    score(ready);
    return index_->nearest_of(ready, best(static_cast<int>(candidates)), k);
  }

 private:
  static int number_of_rows(const Index& index) {
    constexpr int most = std::numeric_limits<int>::max();
    if (index.size() > std::size_t{most}) {
      fail(ErrorKind::input, "index on a card: {} vectors, expected at most {}", index.size(), most);
    }
    return static_cast<int>(index.size());
  }

  void score(const Index::Query& query) {
    const int d = static_cast<int>(index_->dimensions());
    const float* const values = query_.template as<float>();
    float* const scores = scores_.template as<float>();
    if (index_->storage() == Storage::int8) {
      device_.upload(query_.template as<>(), query.bytes.data(), query.bytes.size());
      score_byte_rows(
          device_, {rows_.template as<std::uint8_t>(), query_.template as<std::int8_t>(), scales_.template as<float>(),
                    query.scale, query.sum, count_, static_cast<int>(index_->row_bytes()), scores});
      return;
    }
    device_.upload(query_.template as<>(), query.values.data(), query.values.size_bytes());
    if (index_->storage() == Storage::fp16) {
      score_half_rows(device_, {rows_.template as<std::uint16_t>(), values, count_, d, d, scores});
    } else {
      score_float_rows(device_, {rows_.template as<float>(), values, count_, d, d, scores});
    }
  }

  // The rows of largest score, and their numbers.
  std::vector<Hit> best(int k) {
    const auto room = static_cast<std::size_t>(top_k_room(count_, k)), wanted = static_cast<std::size_t>(k);
    if (best_.size() < room * sizeof(float)) {
      device_.wait();
      best_ = {};
      where_ = {};
      best_ = device_.allocate(room * sizeof(float));
      where_ = device_.allocate(room * sizeof(int));
    }
    top_k(device_,
          TopKArgs{scores_.template as<float>(), count_, k, best_.template as<float>(), where_.template as<int>()});
    std::vector<float> scores(wanted);
    std::vector<int> rows(wanted);
    device_.download(scores.data(), best_.template as<>(), wanted * sizeof(float));
    device_.download(rows.data(), where_.template as<>(), wanted * sizeof(int));
    std::vector<Hit> hits;
    hits.reserve(wanted);
    for (std::size_t i = 0; i < wanted; ++i) hits.push_back({rows[i], scores[i]});
    return hits;
  }

  Device device_;
  std::shared_ptr<const Index> index_;
  int count_;
  Buffer rows_, scales_, query_, scores_, best_, where_;
};

}  // namespace wajah
