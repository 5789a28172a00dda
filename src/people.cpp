#include "people.hpp"

#include <wajah/search/score_rows.hpp>

#include <algorithm>
#include <iterator>
#include <limits>

namespace wajah {
namespace {

// 256 KiB of templates of 512 numbers: copied in some tens of microseconds.
constexpr std::size_t most_in_block = 128;

bool by_label(const PersonPhotos& a, const PersonPhotos& b) { return a.label < b.label; }

}  // namespace

struct People::Block {
  std::vector<PersonPhotos> people;
  std::vector<float> templates;  // (people, dimensions)
};

// Splits evenly what is more than a block holds.
void People::append(std::vector<PersonPhotos> people, const std::vector<float>& templates) {
  const std::size_t dimensions = people.empty() ? 0 : templates.size() / people.size();
  const std::size_t parts = (people.size() + most_in_block - 1) / most_in_block;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t begin = people.size() * part / parts, end = people.size() * (part + 1) / parts;
    auto block = std::make_shared<Block>();
    const auto at = [](auto& values, std::size_t i) { return values.begin() + static_cast<std::ptrdiff_t>(i); };
    block->people.assign(std::make_move_iterator(at(people, begin)), std::make_move_iterator(at(people, end)));
    block->templates.assign(at(templates, begin * dimensions), at(templates, end * dimensions));
    first_.push_back(size_);
    size_ += end - begin;
    blocks_.push_back(std::move(block));
  }
}

People People::changed(std::vector<NewPerson> put, std::span<const std::int64_t> gone) const {
  std::sort(put.begin(), put.end(), [](const auto& a, const auto& b) { return by_label(a.person, b.person); });
  std::vector<std::int64_t> left(gone.begin(), gone.end());
  std::sort(left.begin(), left.end());
  People next;
  auto come = put.begin();
  for (std::size_t b = 0; b < std::max<std::size_t>(blocks_.size(), 1); ++b) {
    // What belongs between this block's first label and the next one's; before the first block's, the first's.
    const bool last = b + 1 >= blocks_.size();
    const auto end = last ? std::numeric_limits<std::int64_t>::max() : blocks_[b + 1]->people.front().label;
    const auto come_end =
        last ? put.end()
             : std::lower_bound(come, put.end(), end, [](const auto& p, auto l) { return p.person.label < l; });
    const Block* old = blocks_.empty() ? nullptr : blocks_[b].get();
    const auto is_left = [&](const PersonPhotos& p) { return std::binary_search(left.begin(), left.end(), p.label); };
    if (old != nullptr && come == come_end && std::none_of(old->people.begin(), old->people.end(), is_left)) {
      next.first_.push_back(next.size_);
      next.size_ += old->people.size();
      next.blocks_.push_back(blocks_[b]);
      continue;
    }
    std::vector<PersonPhotos> people;
    std::vector<float> templates;
    const auto add = [&](const PersonPhotos& person, std::span<const float> its_template) {
      people.push_back(person);
      templates.insert(templates.end(), its_template.begin(), its_template.end());
    };
    const auto add_new = [&] {
      add(come->person, come->made_of_photos);
      ++come;
    };
    const std::size_t dimensions = old == nullptr ? 0 : old->templates.size() / old->people.size();
    for (std::size_t i = 0; old != nullptr && i < old->people.size(); ++i) {
      const PersonPhotos& person = old->people[i];
      while (come != come_end && come->person.label < person.label) add_new();
      if (come != come_end && come->person.label == person.label) {
        add_new();
      } else if (!is_left(person)) {
        add(person, std::span(old->templates).subspan(i * dimensions, dimensions));
      }
    }
    while (come != come_end) add_new();
    next.append(std::move(people), templates);
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
