// Fetching a file over HTTP or HTTPS, with what an earlier attempt got kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace wajah::cli {

// Told of bytes there are and, if the server says, will be (otherwise 0).
using DownloadProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Appends to `file` what it lacks of the resource (RFC 9110, range requests), or writes it anew where the server does
// not send ranges; the folder is made when the first byte is there. HTTPS servers must prove their name by a
// certificate of the system's authorities. Throws Error (input) with one sentence if the server cannot be reached,
// refuses, is silent for half a minute, or the connection ends early; what has come stays in `file` then. Also if the
// resource has more than `limit` bytes, and then nothing stays.
void download(const std::string& url, const std::filesystem::path& file, std::uint64_t limit,
              const DownloadProgress& progress);

}  // namespace wajah::cli
