# What every translation unit of ours is compiled with, besides the language standard.
add_library(wajah_warnings INTERFACE)
target_compile_options(wajah_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Werror)
# g++ 12 sees overlapping copies in every "text" + string at -O3 (its bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(wajah_warnings INTERFACE -Wno-restrict)
endif()

if(WAJAH_SANITIZE)
  add_compile_options(-fsanitize=${WAJAH_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1)
  add_link_options(-fsanitize=${WAJAH_SANITIZE})
  # g++ 12 takes the value of an empty std::optional for one that is read, where sanitizers keep it from seeing the test.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
  # Asio has fences that the thread sanitizer does not follow; g++ says so wherever they are inlined.
  if(WAJAH_SANITIZE MATCHES "thread")
    add_compile_options(-Wno-tsan)
  endif()
endif()
