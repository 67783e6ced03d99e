// Logarithm, exponential and square root without libm, and the state of the processor they need.
// Context: IN-HOOK, inside a FloatEnvironment. Pure functions; no errno, no table, no allocation.
#pragma once

#include <cstdint>

namespace seep::runtime {

// The default rounding and masked exceptions while it lives; then the program's state again, with
// its sticky flags. A program that unmasked an exception must not be stopped by our arithmetic, and
// one that reads the flags must not find ours. About 10 ns: not for a path that every call takes.
// The compiler may move plain arithmetic across it: compute in functions of another file.
class FloatEnvironment {
 public:
  FloatEnvironment();
  ~FloatEnvironment();
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
  unsigned before_;
};

// ln x for a normal, positive, finite x. The error is at most 2 units in the last place of the
// result, and 4e-16 where the result is below 1 (tests/unit/runtime/real_math_test.cpp).
double natural_log(double x);

// 1 - e^-x for x >= 0, with a relative error of at most 1e-14 also where x is tiny.
double one_minus_exp(double x);

// The square root of x >= 0, correctly rounded.
double square_root(double x);

// The nearest integer, an even one of two; |x| below 2^63.
std::int64_t nearest(double x);

}  // namespace seep::runtime
