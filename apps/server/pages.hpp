// The server's own pages: plain HTML made from the route table, readable offline, without scripts.
#pragma once

#include "server/problem.hpp"
#include "server/route.hpp"

#include <string>
#include <string_view>

namespace wajah::server {

[[nodiscard]] std::string landing_page(const SiteInfo& info);

// Every route with its fields and answers; POST routes with a form that tries them.
[[nodiscard]] std::string docs_page(std::span<const Route> table);

// The same for reading: schemas written out, no forms.
[[nodiscard]] std::string reading_page(std::span<const Route> table);

// What a problem's code means and what to do about it.
[[nodiscard]] std::string explained(const ProblemKind& problem);

[[nodiscard]] std::string_view page_style();

}  // namespace wajah::server
