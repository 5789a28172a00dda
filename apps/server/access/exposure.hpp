// Exposure: what a server may be reached from, given its settings.
#pragma once

#include "server/access/tls.hpp"
#include "server/config/settings.hpp"

#include <string_view>

namespace wajah::server {

// Refused rather than warned about: keys, faces and attendance of a whole company crossing a network in the clear.
// Throws Error (usage) with what to do, also on TLS settings that contradict each other.
void check_exposure(const Settings& settings, const ListenAddress& address);

// What is to be said aloud while auth.required is off: a proxy can hide that it is one.
inline constexpr std::string_view open_warning =
    "programs on this machine need no key: anyone who can reach this port through a proxy on this machine is admin; "
    "set "
    "auth.required = true";

// The certificate that the settings name. mode must not be off.
[[nodiscard]] TlsFiles tls_files_of(const Settings& settings);

}  // namespace wajah::server
