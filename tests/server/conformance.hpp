// Every answer that the tests get is held against the description: its status is documented, its JSON fits the schema.
#pragma once

#include "client.hpp"

#include <string>
#include <string_view>

namespace wajah::server {

// What the answer has that the description does not allow, as one sentence; empty if it conforms.
[[nodiscard]] std::string fault_of_answer(std::string_view method, std::string_view target, const Response& answer);

// How many answers were held against the description so far.
[[nodiscard]] std::size_t answers_checked();

}  // namespace wajah::server
