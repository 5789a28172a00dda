#include "people.hpp"

#include <wajah/search/score_rows.hpp>

#include <algorithm>
#include <utility>

namespace wajah {
namespace {

// 256 KiB of templates of 512 numbers: copied in some tens of microseconds.
constexpr std::size_t most_in_block = 128;

bool by_label(const PersonPhotos& a, const PersonPhotos& b) { return a.label < b.label; }

bool is_in(std::span<const std::int64_t> labels, const PersonPhotos& person) {
  return std::ranges::binary_search(labels, person.label);
}

std::span<const NewPerson> come_before(std::span<const NewPerson> come, std::int64_t label) {
  const auto end = std::ranges::lower_bound(come, label, {}, [](const NewPerson& one) { return one.person.label; });
  return come.first(static_cast<std::size_t>(end - come.begin()));
}

}  // namespace

struct People::Block {
  std::vector<PersonPhotos> people;
  std::vector<float> templates;  // (people, dimensions)
};

void People::share(std::shared_ptr<const Block> block) {
  first_.push_back(size_);
  size_ += block->people.size();
  blocks_.push_back(std::move(block));
}

// Splits evenly what is more than a block holds.
void People::append(const Block& all) {
  const std::size_t count = all.people.size();
  const std::size_t dimensions = count == 0 ? 0 : all.templates.size() / count;
  const std::size_t parts = (count + most_in_block - 1) / most_in_block;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t begin = count * part / parts, end = count * (part + 1) / parts;
    const auto at = [](auto& values, std::size_t i) { return values.begin() + static_cast<std::ptrdiff_t>(i); };
    share(std::make_shared<const Block>(
        Block{{at(all.people, begin), at(all.people, end)},
              {at(all.templates, begin * dimensions), at(all.templates, end * dimensions)}}));
  }
}

// Those of a block, or of none, without who left, and those who came: of one label the new one.
People::Block People::merged(const Block* old, std::span<const NewPerson> come, std::span<const std::int64_t> left) {
  Block block;
  const auto add = [&](const PersonPhotos& person, std::span<const float> its_template) {
    block.people.push_back(person);
    block.templates.insert(block.templates.end(), its_template.begin(), its_template.end());
  };
  std::size_t next = 0;
  const auto add_new = [&] {
    add(come[next].person, come[next].made_of_photos);
    ++next;
  };
  const std::size_t dimensions = old == nullptr ? 0 : old->templates.size() / old->people.size();
  for (std::size_t i = 0; old != nullptr && i < old->people.size(); ++i) {
    const PersonPhotos& person = old->people[i];
    while (next < come.size() && come[next].person.label < person.label) add_new();
    if (next < come.size() && come[next].person.label == person.label) {
      add_new();
    } else if (!is_in(left, person)) {
      add(person, std::span(old->templates).subspan(i * dimensions, dimensions));
    }
  }
  while (next < come.size()) add_new();
  return block;
}

People People::changed(std::vector<NewPerson> put, std::span<const std::int64_t> gone) const {
  std::sort(put.begin(), put.end(), [](const auto& a, const auto& b) { return by_label(a.person, b.person); });
  std::vector<std::int64_t> left(gone.begin(), gone.end());
  std::sort(left.begin(), left.end());
  std::span<const NewPerson> come(put);
  People next;
  if (blocks_.empty()) next.append(merged(nullptr, come, left));
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    // Whoever comes before the next block's first label belongs here; before the first block's, too.
    const bool last = b + 1 == blocks_.size();
    const auto here = last ? come : come_before(come, blocks_[b + 1]->people.front().label);
    come = come.subspan(here.size());
    const Block& old = *blocks_[b];
    if (here.empty() && std::ranges::none_of(old.people, [&](const auto& person) { return is_in(left, person); })) {
      next.share(blocks_[b]);
    } else {
      next.append(merged(&old, here, left));
    }
  }
  return next;
}

const PersonPhotos& People::operator[](std::size_t person) const {
  const auto block =
      static_cast<std::size_t>(std::upper_bound(first_.begin(), first_.end(), person) - first_.begin()) - 1;
  return blocks_[block]->people[person - first_[block]];
}

std::size_t People::find(std::int64_t label) const {
  const auto block = std::partition_point(blocks_.begin(), blocks_.end(),
                                          [&](const auto& b) { return b->people.back().label < label; });
  if (block == blocks_.end()) return size_;
  const auto& people = (*block)->people;
  const auto found = std::lower_bound(people.begin(), people.end(), PersonPhotos{label, {}}, by_label);
  if (found->label != label) return size_;
  return first_[static_cast<std::size_t>(block - blocks_.begin())] + static_cast<std::size_t>(found - people.begin());
}

std::vector<float> People::similarities(const Cpu& cpu, std::span<const float> x) const {
  std::vector<float> result(size_);
  const auto d = static_cast<int>(x.size());
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const Block& block = *blocks_[b];
    score_float_rows(cpu, {block.templates.data(), x.data(), static_cast<int>(block.people.size()), d, d,
                           result.data() + first_[b]});
  }
  return result;
}

}  // namespace wajah
