// People: who is enrolled, in blocks that copies share, so that a gallery of thousands becomes the next one by copying
// the one block that changed.
#pragma once

#include <wajah/cpu.hpp>
#include <wajah/svm/packed_rows.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace wajah {

// Somebody's photos, never changed once made.
struct PersonPhotos {
  std::int64_t label = 0;
  std::shared_ptr<const svm::PackedRows> photos;
};

struct NewPerson {
  PersonPhotos person;
  std::vector<float> made_of_photos;  // the template, see templates.hpp
};

// Immutable; in rising order of labels.
class People {
 public:
  People() = default;

  // People after some came or got other photos (`put`, with their templates, any order, no label twice) and others
  // left.
  [[nodiscard]] People changed(std::vector<NewPerson> put, std::span<const std::int64_t> gone) const;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const PersonPhotos& operator[](std::size_t person) const;
  // The place of a label; size() if it is not there.
  [[nodiscard]] std::size_t find(std::int64_t label) const;

  // The cosine of a unit vector to each person's template.
  [[nodiscard]] std::vector<float> similarities(const Cpu& cpu, std::span<const float> x) const;

 private:
  struct Block;

  static Block merged(const Block* old, std::span<const NewPerson> come, std::span<const std::int64_t> left);
  void share(std::shared_ptr<const Block> block);
  void append(const Block& all);

  std::vector<std::shared_ptr<const Block>> blocks_;  // none empty
  std::vector<std::size_t> first_;                    // how many people stand before each block
  std::size_t size_ = 0;
};

}  // namespace wajah
