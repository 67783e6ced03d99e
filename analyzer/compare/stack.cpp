// From the stacks of seep and of other tools to comparable ones.
#include "analyzer/compare/stack.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "analyzer/report/frame_kind.h"
#include "analyzer/report/wrapper_name.h"
#include "analyzer/symbolize/demangle.h"

namespace seep::compare {
namespace {

constexpr unsigned kPageBytes = 4096;
constexpr double kLibraryWeight = 0.05;

// The runtime libraries of the tools themselves, and the files that these are made of.
constexpr std::array kToolModules = {"vgpreload_*", "libasan.so*",       "liblsan.so*",
                                     "libtsan.so*", "libclang_rt.*",     "libheaptrack*",
                                     "libseep.so*", "valgrind_preload_*"};
constexpr std::array kToolFiles = {"vg_replace_malloc.c", "*/libsanitizer/*", "*/compiler-rt/*",
                                   "*asan_malloc_linux.cpp", "*lsan_interceptors.cpp"};

// Headers of libstdc++, for tools that give the last component of a path only.
constexpr std::array kLibraryFiles = {
    "*/include/c++/*",    "*/bits/*.h",      "new_allocator.h", "alloc_traits.h",
    "allocator.h",        "allocated_ptr.h", "shared_ptr.h",    "shared_ptr_base.h",
    "unique_ptr.h",       "stl_*.h",         "basic_string.h",  "basic_string.tcc",
    "vector.tcc",         "deque.tcc",       "list.tcc",        "hashtable.h",
    "hashtable_policy.h", "unordered_map.h", "std_function.h",  "invoke.h",
    "std_thread.h",       "move.h",          "char_traits.h"};

// Below main and below a thread's function.
constexpr std::array kStartFunctions = {
    "_start",       "__libc_start_main*", "__libc_start_call_main",
    "(below main)", "start_thread",       "clone",
    "clone3",       "__clone*",           "execute_native_thread_routine",
    "thread_start"};

template <std::size_t N>
bool is_listed(std::string_view name, const std::array<const char*, N>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const char* pattern) { return report::matches(name, pattern); });
}

std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (!part.empty() && part != "." && part != "..") {
      parts.emplace_back(part);
    }
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

// The same for frames of other tools, for what seep's report knows of its own.
model::ReportFrame report_frame(const foreign::Frame& frame) {
  model::ReportFrame known;
  if (!frame.function.empty() && frame.function != "???") {
    known.function = symbolize::demangle(frame.function);
  }
  if (!frame.file.empty()) {
    known.file = frame.file;
  }
  if (frame.line != 0) {
    known.line = frame.line;
  }
  known.module = frame.module;
  return known;
}

bool is_of_allocator(const model::ReportFrame& frame) {
  if (is_listed(report::base_name(frame.module), kToolModules) ||
      (frame.file && is_listed(*frame.file, kToolFiles))) {
    return true;
  }
  model::ReportFrame plain = frame;
  constexpr std::string_view kInterceptor = "__interceptor_";
  if (frame.function && frame.function->starts_with(kInterceptor)) {
    plain.function = frame.function->substr(kInterceptor.size());
  }
  return report::is_allocator_frame(plain);
}

bool is_of_script(const model::ReportFrame& frame) {
  return frame.language == model::Language::kPhp || frame.language == model::Language::kPython;
}

bool is_of_library(const model::ReportFrame& frame) {
  return is_of_script(frame) || report::is_library_frame(frame) ||
         (frame.function && is_listed(*frame.function, kStartFunctions)) ||
         (frame.file && is_listed(*frame.file, kLibraryFiles));
}

// "libffi.so.8" and "libffi.so.8.1.2", a link and its file, are both "libffi.so".
std::string module_name(const std::string& path) {
  constexpr std::string_view kLibrary = ".so";
  std::string name(report::base_name(path));
  const std::size_t end = name.find(std::string(kLibrary) + ".");
  if (end != std::string::npos) {
    name.resize(end + kLibrary.size());
  }
  return name;
}

Frame comparable_frame(const model::ReportFrame& frame) {
  Frame result;
  if (frame.function && !frame.nearest_symbol) {
    result.function = function_name(*frame.function);
  }
  if (frame.file && frame.line) {
    result.path = components(*frame.file);
    result.line = *frame.line;
  }
  result.module = module_name(frame.module);
  result.inlined = frame.inlined;
  result.of_library = is_of_library(frame);
  return result;
}

void weigh(Stack& stack) {
  const bool any_own =
      std::any_of(stack.begin(), stack.end(), [](const Frame& frame) { return !frame.of_library; });
  unsigned own = 0;
  for (Frame& frame : stack) {
    frame.weight = frame.of_library && any_own ? kLibraryWeight : 1.0 / ++own;
  }
}

// `frames` has one entry more or less often for each frame of `make(i)`; the allocator's innermost
// ones are passed over, unless there are no others.
template <typename Frames, typename Known, typename Make>
Stack built(const Frames& frames, const Known& known, const Make& make) {
  std::size_t first = 0;
  while (first < frames.size() && is_of_allocator(known(frames[first]))) {
    ++first;
  }
  Stack stack;
  const std::size_t end = std::min(frames.size(), first + kMostFramesCompared);
  for (std::size_t i = first; i < end; ++i) {
    stack.push_back(make(frames[i]));
  }
  weigh(stack);
  return stack;
}

}  // namespace

model::ReportStack readable(std::span<const foreign::Frame> stack) {
  model::ReportStack result;
  for (const foreign::Frame& frame : stack) {
    model::ReportFrame known = report_frame(frame);
    known.offset = frame.offset.value_or(frame.address.value_or(0));
    result.push_back(std::move(known));
  }
  const auto first = std::find_if_not(result.begin(), result.end(), is_of_allocator);
  if (first != result.end()) {
    result.erase(result.begin(), first);
  }
  return result;
}

Stack comparable(const model::ReportStack& stack) {
  const auto known = [](const model::ReportFrame& frame) { return frame; };
  // No other tool has the script's own frames, which could fill all that is compared.
  model::ReportStack native;
  std::copy_if(stack.begin(), stack.end(), std::back_inserter(native),
               [](const model::ReportFrame& frame) { return !is_of_script(frame); });
  return built(native.empty() ? stack : native, known, [](const model::ReportFrame& frame) {
    Frame result = comparable_frame(frame);
    if (!frame.module.empty() && frame.language == model::Language::kNative) {
      result.offset = frame.offset;
      result.page_offset = static_cast<unsigned>(frame.offset % kPageBytes);
    }
    return result;
  });
}

Stack comparable(std::span<const foreign::Frame> stack) {
  return built(stack, report_frame, [&](const foreign::Frame& frame) {
    Frame result = comparable_frame(report_frame(frame));
    // Frames with the address of the next one outward are inlined into it.
    const foreign::Frame* outward = &frame + 1;
    result.inlined = frame.address && outward != stack.data() + stack.size() &&
                     outward->address == frame.address;
    result.offset = frame.offset;
    if (const auto place = frame.offset ? frame.offset : frame.address) {
      result.page_offset = static_cast<unsigned>(*place % kPageBytes);
    }
    return result;
  });
}

}  // namespace seep::compare
