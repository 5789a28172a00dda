#include "attendance/records/event.hpp"

#include "attendance/records/names.hpp"

namespace wajah::attendance {
namespace {

constexpr Names<Source, 5> sources{{{Source::face, "face"},
                                    {Source::claim, "claim"},
                                    {Source::original, "original"},
                                    {Source::manual, "manual"},
                                    {Source::kiosk, "kiosk"}}};

}  // namespace

std::string_view name_of(Source source) { return name_in(sources, source); }
std::optional<Source> parse_source(std::string_view text) { return value_in(sources, text); }

}  // namespace wajah::attendance
