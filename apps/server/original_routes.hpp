// The original service's three routes, byte-compatible.
#pragma once

#include "server/route.hpp"

namespace wajah::server {

// POST /upload/: fields nik, nama, files.
[[nodiscard]] Reply upload(Site& site, Request& request);

// POST /recognize/: fields nik_input, file.
[[nodiscard]] Reply recognise(Site& site, Request& request);

// DELETE /hapus/: fields nik_hapus, nama.
[[nodiscard]] Reply remove_person(Site& site, Request& request);

// How many photos an upload may hold; part of the contract.
inline constexpr std::size_t max_upload_files = 100;

// Photos left out and why, for X-Wajah-Skipped: `name: reason, name: reason`, both percent-encoded but for spaces in
// the reason, at most about 2 KiB and then how many more.
[[nodiscard]] std::string skipped_text(std::span<const attendance::SkippedFile> skipped);

}  // namespace wajah::server
