// PHP's own limit of memory (memory_limit): how far a script is from it, and the moment at which
// one reaches it: a snapshot is taken then, while all that it holds is still there.
// Context: IN-HOOK, in the thread that runs PHP, where nothing else is said.
//
//   zend_mm_heap: … | size | peak | … | real size | real peak | limit | … | overflow
//                 | list of huge objects | first chunk | …
//
// The limit is compared with the real size: what the allocator has taken from the system. PHP tells
// of the error through a variable that holds a function (zend_error_cb), and marks the heap
// meanwhile (overflow): a function that looks at the mark is put before that one. Where these words
// are, is found by the pointer to the heap's first chunk, which the heap itself lies in, and by
// what PHP says of the sizes when it is asked.
#pragma once

#include <cstdint>

namespace seep::intercept {

struct PhpHeap;  // zend_mm_heap

// What PHP has to tell of its limit. Null: PHP has it not, and nothing is known then.
struct PhpLimitSymbols {
  void* error_callback = nullptr;              // zend_error_cb, a pointer to a function
  unsigned long (*usage)(int real) = nullptr;  // zend_memory_usage
  unsigned long (*peak)(int real) = nullptr;   // zend_memory_peak_usage
};

// Bytes.
struct PhpMemory {
  std::uint64_t limit = 0;  // 0: none
  std::uint64_t real = 0;   // taken from the system: what the limit is compared with
  std::uint64_t peak = 0;   // the most that this was, in the request
  std::uint64_t used = 0;   // of what is taken, in use
};

// Of the heap of the calling thread. Nothing happens where its words are not found.
void watch_php_limit(const PhpHeap* heap, const PhpLimitSymbols& symbols);

// As it is now; all 0 where it is not known. Any thread, IN-AGENT: the heap may be taken down
// meanwhile.
PhpMemory php_memory();

// The script is over, and its memory about to be taken down: what is known of it stays.
void keep_php_memory();

// PHP is about to be unmapped.
void forget_php_limit();

}  // namespace seep::intercept
