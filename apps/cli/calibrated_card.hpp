// What `wajah calibrate` writes down: the curve it has fitted, and on whom.
#pragma once

#include <wajah/calibration.hpp>
#include <wajah/embed/embedder.hpp>

#include <boost/json/object.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace wajah::cli {

struct Fitted {
  ModelCard model;
  Calibration calibration;
  std::string source;  // which people, in words
};

// How many there were of everything the curve was fitted on.
[[nodiscard]] boost::json::object json_of(const Calibration& calibration);

// The card at that path; an empty one if there is none. Throws Error (model) if it is of another architecture.
[[nodiscard]] boost::json::object read_card_of(const std::filesystem::path& card, std::string_view architecture);

// Into the card at that path. What stands in it already stays, but for the curve, what is said of it, and the views it
// was fitted on. Throws Error: model like read_card_of, storage if it cannot be written.
void write_card(const std::filesystem::path& card, const Fitted& fitted);

// Into the card beside the weights, and into the weights themselves if their format has metadata; "bytes" and "sha256"
// of the card follow them, where they tell of this file and not of what it was made from. Throws likewise.
void write_beside(const std::filesystem::path& weights, const Fitted& fitted);

}  // namespace wajah::cli
