// The moment at which a script reaches PHP's own limit of memory (memory_limit): a snapshot is
// taken then, while all that it holds is still there. Context: IN-HOOK, in the thread that runs
// PHP.
//
//   zend_mm_heap: … | size | peak | limit | … | overflow | list of huge objects | first chunk | …
//
// PHP tells of the error through a variable that holds a function (zend_error_cb), and marks the
// heap meanwhile (overflow): a function that looks at the mark is put before that one. Where the
// mark is, is found by the pointer to the heap's first chunk, which the heap itself lies in.
#pragma once

namespace seep::intercept {

struct PhpHeap;  // zend_mm_heap

// `error_callback`: zend_error_cb; null: nothing happens. Nor does it where the mark is not found.
void watch_php_limit(const PhpHeap* heap, void* error_callback);

// PHP is about to be unmapped.
void forget_php_limit();

}  // namespace seep::intercept
