// Names of functions that pass on what they allocate: their caller decides what becomes of it.
#pragma once

#include <string_view>

namespace seep::report {

// How sure a name alone makes us.
enum class WrapperName {
  kNo,       // "open_session", "pool_alloc_session", "leak_strdup_of_name"
  kPerhaps,  // "session_malloc", "cache::alloc": a wrapper if several functions call it
  kYes,      // "xmalloc", "app::util::xmalloc", "base::Allocate", "std::vector::push_back"
};

// `name`: a function as bare_name() gives it.
//
// A name counts as a wrapper's when it is that of a library that is never the answer (std::,
// absl::), or when all its words are of allocation and of nothing that would be allocated: verbs
// (malloc, realloc, strdup, alloc), and words such as safe, mem, zero, array, or, die. A word
// before the verb may be a library's prefix (g, av, sqlite3); any other word makes it kPerhaps if
// the verb is one of libc's and kNo otherwise.
//
// In a scope, the same words are certain when the scope is of allocation ("Arena", "mem"), and in a
// namespace when the verb is one of libc's or the namespace is of no subject ("util"); in another
// namespace ("cache::alloc"), and as a type's function if the verb is one of libc's
// ("Buffer::realloc"), they are kPerhaps. A type's "operator new" always is a wrapper.
WrapperName wrapper_name(std::string_view name);

// `pattern` may hold '*' for any text, several times.
bool matches(std::string_view name, std::string_view pattern);

}  // namespace seep::report
