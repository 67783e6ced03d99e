// What a suppression is once it is read, and what it is compared with. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seep::suppress {

enum class Form { kLeakSanitizer, kValgrind };

// Valgrind's kinds of leaks; a set is their sum.
inline constexpr unsigned kDefinite = 1;
inline constexpr unsigned kIndirect = 2;
inline constexpr unsigned kPossible = 4;
inline constexpr unsigned kReachable = 8;
inline constexpr unsigned kAllKinds = 15;

// One line of a Valgrind block: fun:, obj:, src: or "...".
struct FrameRule {
  enum class Kind { kFunction, kObject, kSource, kAny };
  Kind kind = Kind::kAny;
  std::string pattern;
  unsigned line = 0;  // of src:FILE:LINE; 0: any
};

struct Suppression {
  Form form = Form::kLeakSanitizer;
  std::string name;              // "leak:open_session", or the name of a Valgrind block
  std::string file;              // that it stands in; empty for one that is built in
  unsigned line = 0;             // there, from 1 on
  bool once_only = false;        // built in: silences what is lost once, never what grows
  std::string pattern;           // LeakSanitizer's
  unsigned kinds = kAllKinds;    // Valgrind's
  std::vector<FrameRule> rules;  // Valgrind's, innermost first
};

// A frame by all the names that a suppression may know it by; a name that is not known is empty.
// The text belongs to the caller.
struct Frame {
  std::string_view function = {};  // demangled, with parameters
  std::string_view bare = {};      // without them
  std::string_view linkage = {};   // mangled
  std::string_view file = {};
  std::string_view module = {};
  unsigned line = 0;
};

}  // namespace seep::suppress
