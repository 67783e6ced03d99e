// mmap, munmap and mremap as the program calls them. What libc and the loader map for themselves
// does not come this way; the accounting of a snapshot reconciles with /proc.
#include <stdarg.h>
#include <sys/mman.h>

#include "preload/intercept/real_functions.h"
#include "preload/recorder/recorder.h"
#include "preload/runtime/arena.h"

namespace seep::intercept {
namespace {

std::size_t whole_pages(std::size_t bytes) {
  return (bytes + runtime::kPageBytes - 1) / runtime::kPageBytes * runtime::kPageBytes;
}

bool is_page(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address) % runtime::kPageBytes == 0;
}

// Address space that is only reserved is no memory: V8, JVMs and others reserve many gigabytes, and
// give memory back by such a map over it.
void* record_mapped(void* begin, std::size_t bytes, int protection,
                    const recorder::Caller& caller) {
  if (begin == MAP_FAILED) {
    return begin;
  }
  if (protection == PROT_NONE) {
    recorder::record_unmap(begin, whole_pages(bytes));
  } else {
    recorder::record_map(begin, whole_pages(bytes), caller);
  }
  return begin;
}

}  // namespace

SEEP_EXPORT void* mmap(void* hint, std::size_t bytes, int protection, int flags, int fd,
                       off_t offset) {
  return record_mapped(real().mmap(hint, bytes, protection, flags, fd, offset), bytes, protection,
                       recorder::caller_of_hook());
}

SEEP_EXPORT void* mmap64(void* hint, std::size_t bytes, int protection, int flags, int fd,
                         off64_t offset) {
  return record_mapped(real().mmap64(hint, bytes, protection, flags, fd, offset), bytes, protection,
                       recorder::caller_of_hook());
}

// Recorded before the call: afterwards another thread may have mapped the place already. The two
// causes of a failure that can be told beforehand are left to the kernel.
SEEP_EXPORT int munmap(void* begin, std::size_t bytes) {
  if (is_page(begin) && bytes != 0) {
    recorder::record_unmap(begin, whole_pages(bytes));
  }
  return real().munmap(begin, bytes);
}

SEEP_EXPORT void* mremap(void* begin, std::size_t old_bytes, std::size_t bytes, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  void* fixed = (flags & MREMAP_FIXED) != 0 ? va_arg(arguments, void*) : nullptr;
  va_end(arguments);
  const recorder::Remapping remapping = recorder::begin_remap(begin, whole_pages(old_bytes));
  void* fresh = real().mremap(begin, old_bytes, bytes, flags, fixed);
  recorder::end_remap(remapping, fresh == MAP_FAILED ? nullptr : fresh, whole_pages(bytes));
  return fresh;
}

}  // namespace seep::intercept
