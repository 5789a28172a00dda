// Model cards: JSON beside a file of weights, <name>.json beside <name>.safetensors, .pb or .onnx. Its
// "decision_curve", "crop" and "mirror" (in the words of the metadata keys of the same names) go before those in the
// file itself; what neither has takes the architecture's default.
#pragma once

#include <wajah/embed/embedder.hpp>
#include <wajah/weights.hpp>

#include <boost/json/object.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace wajah::server {

[[nodiscard]] std::filesystem::path card_file(const std::filesystem::path& weights);

// The card at that path; nothing if there is no such file, or if it is JSON that names no architecture and so is
// something else. Throws Error (model) if it is no JSON.
[[nodiscard]] std::optional<boost::json::object> read_card(const std::filesystem::path& card);

// wajah::open_embedder, with the entries of the card beside the file as its metadata. Throws Error (model), naming the
// card's file if it is one of another architecture or an entry is none.
[[nodiscard]] Weights open_embedder(const std::filesystem::path& file);

// The same with `mirror` instead of the card's, if there is one.
[[nodiscard]] Weights open_embedder(const std::filesystem::path& file, std::optional<Mirror> mirror);

// Under which licence the weights of a file are: as its card says, else its metadata; empty where neither does. Throws
// Error (model) if the card is no JSON.
[[nodiscard]] std::string licence_of(const std::filesystem::path& file, const Weights& weights);

}  // namespace wajah::server
