#include "analyzer/suppress/match.h"

#include <algorithm>
#include <array>
#include <vector>

#include "analyzer/suppress/pattern.h"

namespace seep::suppress {
namespace {

// What the frame may be called that Valgrind shows innermost.
constexpr std::array kAllocationFunctions = {"malloc",
                                             "calloc",
                                             "realloc",
                                             "reallocarray",
                                             "memalign",
                                             "posix_memalign",
                                             "aligned_alloc",
                                             "valloc",
                                             "pvalloc",
                                             "_Znwm",
                                             "_Znam",
                                             "_ZnwmRKSt9nothrow_t",
                                             "_ZnamRKSt9nothrow_t",
                                             "_ZnwmSt11align_val_t",
                                             "_ZnamSt11align_val_t",
                                             "_ZnwmSt11align_val_tRKSt9nothrow_t",
                                             "_ZnamSt11align_val_tRKSt9nothrow_t",
                                             "operator new(unsigned long)",
                                             "operator new[](unsigned long)"};

bool matches_any_frame(const std::string& pattern, std::span<const Frame> stack) {
  return std::any_of(stack.begin(), stack.end(), [&](const Frame& frame) {
    return matches_anywhere(pattern, frame.function) || matches_anywhere(pattern, frame.bare) ||
           matches_anywhere(pattern, frame.file) || matches_anywhere(pattern, frame.module);
  });
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool matches_name(const std::string& pattern, std::string_view name) {
  return !name.empty() && matches_whole(pattern, name);
}

bool matches_frame(const FrameRule& rule, const Frame& frame) {
  switch (rule.kind) {
    case FrameRule::Kind::kFunction:
      // Valgrind calls a function without a name "???" and matches it by "*" as well.
      return rule.pattern == "*" || matches_name(rule.pattern, frame.linkage) ||
             matches_name(rule.pattern, frame.function) || matches_name(rule.pattern, frame.bare);
    case FrameRule::Kind::kObject:
      return rule.pattern == "*" || matches_name(rule.pattern, frame.module);
    case FrameRule::Kind::kSource:
      return (rule.line == 0 || rule.line == frame.line) &&
             (matches_name(rule.pattern, frame.file) ||
              matches_name(rule.pattern, base_name(frame.file)));
    case FrameRule::Kind::kAny:
      return true;
  }
  return false;
}

bool matches_allocator(const FrameRule& rule) {
  switch (rule.kind) {
    case FrameRule::Kind::kFunction:
      return std::any_of(kAllocationFunctions.begin(), kAllocationFunctions.end(),
                         [&](const char* name) { return matches_whole(rule.pattern, name); });
    case FrameRule::Kind::kObject:
      return matches_whole(rule.pattern, "vgpreload_memcheck-amd64-linux.so") ||
             rule.pattern.find("vgpreload") != std::string::npos;
    case FrameRule::Kind::kSource:
      return false;
    case FrameRule::Kind::kAny:
      return true;
  }
  return false;
}

// reached[i]: the rules so far can have taken the allocator's frame and i - 1 of the stack; 0:
// none.
bool matches_from_innermost(const std::vector<FrameRule>& rules, std::span<const Frame> stack) {
  std::vector<bool> reached(stack.size() + 2);
  reached[0] = true;
  for (const FrameRule& rule : rules) {
    if (rule.kind == FrameRule::Kind::kAny) {
      const auto first = std::find(reached.begin(), reached.end(), true);
      std::fill(first, reached.end(), true);
      continue;
    }
    for (std::size_t i = reached.size() - 1; i >= 2; --i) {
      reached[i] = reached[i - 1] && matches_frame(rule, stack[i - 2]);
    }
    reached[1] = reached[0] && matches_allocator(rule);
    reached[0] = false;
  }
  return std::find(reached.begin(), reached.end(), true) != reached.end();
}

}  // namespace

bool matches(const Suppression& suppression, std::span<const Frame> stack, unsigned kinds) {
  if (suppression.form == Form::kLeakSanitizer) {
    return matches_any_frame(suppression.pattern, stack);
  }
  return (suppression.kinds & kinds) != 0 && matches_from_innermost(suppression.rules, stack);
}

}  // namespace seep::suppress
