// Index: exact nearest neighbours by inner product, for embeddings of unit length the cosine. No approximation graph:
// up to some millions of faces, reading everything once is fast, and never misses anybody.
#pragma once

#include <wajah/buffer.hpp>
#include <wajah/cpu.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace wajah {

// How vectors are kept. fp32: as given. fp16: rounded to half floats. int8: in two planes of bytes, of which a search
// reads the coarse one and adds the fine one for the best candidates only; together they hold a value to 1/32,000 of
// the vector's largest, so answers are as good as those of fp32 while a search reads a quarter of the bytes.
enum class Storage { fp32, fp16, int8 };

struct Hit {
  std::int64_t id = 0;
  float score = 0;  // query . vector

  friend bool operator==(const Hit&, const Hit&) = default;
};

// Not for changes by one thread while another reads.
class Index {
 public:
  // Throws Error (usage) unless 1 <= dimensions <= 65,536.
  Index(std::size_t dimensions, Storage storage, const Cpu& cpu);

  // Adds a vector, or replaces the one of that id. Throws Error (input) unless it has `dimensions` finite values.
  void add(std::int64_t id, std::span<const float> vector);

  // False if the id is not there. The last vector takes the place of the removed one.
  bool remove(std::int64_t id);

  // The k vectors of largest score, best first, of equal ones the smaller id first; fewer if there are fewer. Throws
  // Error (input) unless the query has `dimensions` finite values.
  [[nodiscard]] std::vector<Hit> nearest(std::span<const float> query, std::size_t k) const;

  // Some rows as a search reads them, one after another: of floats, of halves, or of coarse bytes, each with its scale.
  struct Rows {
    const std::byte* data = nullptr;
    const float* scale = nullptr;
    std::size_t count = 0;
  };
  [[nodiscard]] std::vector<Rows> rows() const;

  // A query as rows are read: its values, and for rows of bytes its own bytes with their scale and sum.
  struct Query {
    std::span<const float> values;
    std::vector<std::int8_t> bytes;
    float scale = 0;
    int sum = 0;
  };
  // Throws Error (input) unless the query, which must outlive the result, has `dimensions` finite values.
  [[nodiscard]] Query prepared(std::span<const float> query) const;

  // What is left to do for whoever scores the rows elsewhere: how many rows of largest score nearest(query, k) has to
  // see, and its answer from those rows, whose numbers stand in `id`.
  [[nodiscard]] std::size_t candidates_for(std::size_t k) const;
  [[nodiscard]] std::vector<Hit> nearest_of(const Query& query, std::vector<Hit> rows, std::size_t k) const;

  [[nodiscard]] Storage storage() const { return storage_; }
  [[nodiscard]] std::size_t row_bytes() const { return row_bytes_; }
  [[nodiscard]] std::size_t size() const { return ids_.size(); }
  [[nodiscard]] std::size_t dimensions() const { return dimensions_; }

  // What a search reads, and all that is kept.
  [[nodiscard]] std::size_t bytes_read() const { return size() * (row_bytes_ + (scaled() ? sizeof(float) : 0)); }
  [[nodiscard]] std::size_t bytes_kept() const;

 private:
  struct Block {  // of rows_in_block vectors
    Buffer rows, fine;
    std::vector<float> scale;
  };

  [[nodiscard]] bool scaled() const { return storage_ == Storage::int8; }
  void check(std::span<const float> vector) const;
  void write(std::size_t row, std::span<const float> vector);
  void write_bytes(Block& block, std::size_t at, std::span<const float> vector);
  void copy_row(std::size_t from, std::size_t to);
  void score_block(const Query& query, std::size_t block, std::size_t first, std::size_t count, float* scores) const;
  [[nodiscard]] std::vector<Hit> best_rows(const Query& query, std::size_t k) const;
  [[nodiscard]] float exact_score(const Query& query, std::size_t row) const;

  std::size_t dimensions_;
  Storage storage_;
  Cpu one_;  // a kernel's device: searches spread rows over the pool themselves
  std::shared_ptr<ThreadPool> pool_;
  std::size_t row_bytes_;
  std::vector<Block> blocks_;
  std::vector<std::int64_t> ids_;  // of every row
  std::unordered_map<std::int64_t, std::size_t> row_of_;
};

}  // namespace wajah
