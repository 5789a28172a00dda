# What every translation unit of ours is compiled with, besides the language standard.
add_library(wajah_warnings INTERFACE)
target_compile_options(wajah_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Werror)

if(WAJAH_SANITIZE)
  add_compile_options(-fsanitize=${WAJAH_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1)
  add_link_options(-fsanitize=${WAJAH_SANITIZE})
endif()
