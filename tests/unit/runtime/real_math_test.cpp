#include "preload/runtime/real_math.h"

#include <gtest/gtest.h>
#include <xmmintrin.h>

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <limits>
#include <random>

namespace seep::runtime {
namespace {

// Against the C library's long double, which is good for 1e-19.
double log_error(double x) {
  const long double exact = std::log(static_cast<long double>(x));
  return static_cast<double>(std::fabs(natural_log(x) - exact));
}

double ulp_of(double value) {
  return std::nextafter(std::fabs(value), std::numeric_limits<double>::infinity()) -
         std::fabs(value);
}

TEST(RealMath, LogarithmIsWithinItsBound) {
  std::mt19937_64 random(1);
  std::uniform_int_distribution<std::uint64_t> any(1, std::uint64_t{1} << 53);
  for (int i = 0; i < 200000; ++i) {
    const auto x = static_cast<double>(any(random) >> (i % 53)) + 1;
    EXPECT_LE(log_error(x), std::max(2 * ulp_of(std::log(x)), 4e-16)) << x;
  }
}

TEST(RealMath, LogarithmAroundOneAndAtTheEnds) {
  EXPECT_EQ(natural_log(1), 0);
  for (const double x : {0.5, 0.70710678118654746, 0.70710678118654757, 0.999999, 1.000001,
                         1.4142135623730949, 1.4142135623730951, 2.0, 0x1p53,
                         std::numeric_limits<double>::min(), std::numeric_limits<double>::max()}) {
    EXPECT_LE(log_error(x), std::max(2 * ulp_of(std::log(x)), 4e-16)) << x;
  }
}

TEST(RealMath, OneMinusExponentialIsWithinItsBound) {
  for (double x = 1e-15; x < 1e6; x *= 1.0009) {
    const long double exact = -std::expm1(-static_cast<long double>(x));
    EXPECT_LE(std::fabs(one_minus_exp(x) - exact), 1e-14L * exact) << x;
  }
  EXPECT_EQ(one_minus_exp(0), 0);
  EXPECT_EQ(one_minus_exp(1e300), 1);
}

TEST(RealMath, SquareRoot) {
  for (const double x : {0.0, 1.0, 2.0, 1e300, 12345.678}) {
    EXPECT_EQ(square_root(x), std::sqrt(x));
  }
}

TEST(RealMath, Nearest) {
  EXPECT_EQ(nearest(2.5), 2);
  EXPECT_EQ(nearest(2.50001), 3);
  EXPECT_EQ(nearest(-7.9), -8);
  EXPECT_EQ(nearest(0x1p62), std::int64_t{1} << 62);
}

TEST(RealMath, TheProgramsFloatStateIsAsItWas) {
  const unsigned before = _mm_getcsr();
  constexpr unsigned kTowardsZeroAllUnmasked = 0x6000;
  _mm_setcsr(kTowardsZeroAllUnmasked);
  double log = 0;
  {
    const FloatEnvironment environment;
    log = natural_log(3);  // inexact: would trap
  }
  const unsigned after = _mm_getcsr();
  _mm_setcsr(before);
  EXPECT_EQ(after, kTowardsZeroAllUnmasked);  // no sticky flag either
  EXPECT_EQ(log, natural_log(3));
}

}  // namespace
}  // namespace seep::runtime
