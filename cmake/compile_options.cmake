# Warnings and sanitizers for every target of the project.
#   seep_options: the offline side, the command and the tests
#   the preload folder has stricter flags of its own (preload/CMakeLists.txt)
set(SEEP_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
    -Wnon-virtual-dtor -Wold-style-cast -Wimplicit-fallthrough)
if(SEEP_WERROR)
  list(APPEND SEEP_WARNINGS -Werror)
endif()

add_library(seep_options INTERFACE)
target_include_directories(seep_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(seep_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${SEEP_WARNINGS}>)
if(SEEP_SANITIZE)
  target_compile_options(seep_options INTERFACE
    -fsanitize=${SEEP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(seep_options INTERFACE -fsanitize=${SEEP_SANITIZE})
endif()
