/* seep.h: tells seep what a program does, so that its reports can speak in the program's own terms.
 *
 * A program that includes this header needs nothing else: it links without any library, and where
 * libseep.so is not preloaded each function does nothing (one load and one branch). C89 and later,
 * C++, gcc and clang.
 *
 * Every function may be called by any thread at any time, also in a signal handler; none allocates,
 * none sets errno, none fails: what cannot be done is counted among the losses of the report. While
 * recording has not begun (SEEP_START) they do nothing.
 *
 *   seep_name_unit("request");
 *   for (;;) {
 *     serve(accept_request());
 *     seep_count_units(1);            // the report says bytes per request
 *   }
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- units of work --------------------------------------------------------------------------- */

/* Adds `count` to the units of work that the process has done; every snapshot carries the sum.
 * Costs about as much as an atomic addition that no other thread contends for. What is done while
 * recording is paused is not counted. The child of a fork begins at 0. */
static __inline__ void seep_count_units(uint64_t count);

/* What a unit is called in reports: "request", "message"; up to 31 bytes. The first name stays. */
static __inline__ void seep_name_unit(const char* name);

/* ---- snapshots ------------------------------------------------------------------------------- */

/* Takes a snapshot, now, in this thread or beside it. That takes milliseconds with many live
 * blocks: call it at the turns of a program's life, not for each request. Waits at most a second
 * for a snapshot that is being taken; a call that waited in vain is counted as `snapshots_failed`.
 * `label` is what the moment is called in reports: UTF-8, up to 127 bytes, may be null. */
static __inline__ void seep_snapshot(const char* label);

/* The same, as `seep mark` does it: marks are what reports compare growth between. */
static __inline__ void seep_mark(const char* label);

/* The same, for a program that counts by itself: `units` have been done since the start, in all.
 * Use either this or seep_count_units(). */
static __inline__ void seep_mark_units(const char* label, uint64_t units);

/* ---- pools ----------------------------------------------------------------------------------- */

/* Objects inside memory that the program shares out itself: an arena, a slab, a region. Tell seep
 * of them, and each is tracked under the call stack that took it from the pool. The memory that
 * they lie in (from malloc, mmap or anywhere else) counts then only for what they leave of it, so
 * nothing counts twice. Objects must not overlap, and begin at least 16 bytes apart, at multiples
 * of 8. One that no pointer leads to is unreachable, though its pool is not. */

/* `object`, of `size` bytes, was taken from a pool. Null is ignored. */
static __inline__ void seep_pool_alloc(const void* object, size_t size);

/* `object` goes back to its pool. Call it before another thread can get the place. */
static __inline__ void seep_pool_free(const void* object);

/* All objects that begin in the `size` bytes at `begin` go back: a pool is reset or destroyed. */
static __inline__ void seep_pool_clear(const void* begin, size_t size);

/* ---- how they find libseep.so ---------------------------------------------------------------- */

/* Each forwards to the function of the same name in libseep.so, through a weak reference by way of
 * the global offset table: in a program that is not position-independent, the linker would settle
 * any other weak reference as null. The functions here have another name for the assembler, or the
 * reference would be to themselves. */
#if defined(__x86_64__) && defined(__linux__) && defined(__LP64__)
#define SEEP_FORWARD(name, parameters, arguments)                                      \
  static __inline__ void name parameters __asm__("seep_forward_" #name);               \
  static __inline__ void name parameters {                                             \
    void(*function) parameters;                                                        \
    __asm__(".weak " #name "\n\tmovq " #name "@GOTPCREL(%%rip), %0" : "=r"(function)); \
    if (function) {                                                                    \
      function arguments;                                                              \
    }                                                                                  \
  }
#else /* where seep does not run */
#define SEEP_FORWARD(name, parameters, arguments) \
  static __inline__ void name parameters {        \
    if (0) {                                      \
      name arguments;                             \
    }                                             \
  }
#endif

SEEP_FORWARD(seep_count_units, (uint64_t count), (count))
SEEP_FORWARD(seep_name_unit, (const char* name), (name))
SEEP_FORWARD(seep_snapshot, (const char* label), (label))
SEEP_FORWARD(seep_mark, (const char* label), (label))
SEEP_FORWARD(seep_mark_units, (const char* label, uint64_t units), (label, units))
SEEP_FORWARD(seep_pool_alloc, (const void* object, size_t size), (object, size))
SEEP_FORWARD(seep_pool_free, (const void* object), (object))
SEEP_FORWARD(seep_pool_clear, (const void* begin, size_t size), (begin, size))

#undef SEEP_FORWARD

#ifdef __cplusplus
}
#endif
