// Which frames are the allocator's, and which belong to libraries that are never the answer.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "analyzer/model/report.h"

namespace seep::report {

// The function without return type, template arguments, parameters and compiler suffixes:
// "void std::vector<int>::push_back(int&&)" -> "std::vector::push_back". Empty without a name.
std::string bare_name(const model::ReportFrame& frame);

// bare_name() of many frames that have few functions. The names stay while the object does. Not
// thread safe.
class BareNames {
 public:
  const std::string& of(const model::ReportFrame& frame);

 private:
  std::unordered_map<std::string, std::string> names_;  // by function; node-based, so they stay put
  const std::string none_;
};

// The last component of a path.
std::string_view base_name(std::string_view path);

// A frame of the preloaded library itself.
bool is_seep_frame(const model::ReportFrame& frame);

// A frame of libseep or of an allocator's own entry points; a report's stack has none of these.
bool is_allocator_frame(const model::ReportFrame& frame);

// A frame of the C or C++ library, of another library that only serves its callers (GLib, OpenSSL),
// or of an allocator wrapper (xmalloc, g_malloc): not to blame. Of a script's frames, those without
// a file: functions of the interpreter and its extensions; of JIT frames, V8's stubs and Node's own
// modules.
bool is_library_frame(const model::ReportFrame& frame);

// Also where the name alone does not decide: "session_malloc" is a wrapper if it serves several.
bool may_be_wrapper(const model::ReportFrame& frame);

}  // namespace seep::report
