#include "preload/runtime/real_math.h"

#include <emmintrin.h>

#include <bit>
#include <cstdint>

namespace seep::runtime {
namespace {

constexpr unsigned kDefaultState = 0x1F80;  // all exceptions masked, to nearest, no flag set

constexpr unsigned kMantissaBits = 52;
constexpr std::uint64_t kMantissaMask = (std::uint64_t{1} << kMantissaBits) - 1;
constexpr std::uint64_t kExponentOfOne = 1023;

// ln 2 in two parts: the first has 21 trailing zero bits, so a multiple of it by an exponent is
// exact.
constexpr double kLn2High = 0x1.62e42fee00000p-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;

}  // namespace

FloatEnvironment::FloatEnvironment() : before_(_mm_getcsr()) {
  _mm_setcsr(kDefaultState);
}

FloatEnvironment::~FloatEnvironment() {
  _mm_setcsr(before_);
}

// x = 2^k · m with m in [√½, √2); with s = (m-1)/(m+1), ln m = 2·(s + s³/3 + s⁵/5 + …). |s| is at
// most 0.1716, so the terms from s¹⁹ on are below 4e-16 of the first.
double natural_log(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<double>(static_cast<std::int64_t>(bits >> kMantissaBits) -
                                      static_cast<std::int64_t>(kExponentOfOne));
  auto mantissa = std::bit_cast<double>((bits & kMantissaMask) | kExponentOfOne << kMantissaBits);
  if (mantissa >= kSqrt2) {
    mantissa /= 2;
    exponent += 1;
  }
  const double s = (mantissa - 1) / (mantissa + 1);
  const double square = s * s;
  double series = 0;
  for (int odd = 19; odd >= 3; odd -= 2) {
    series = square * (series + 1.0 / odd);
  }
  return exponent * kLn2High + (2 * s + (2 * s * series + exponent * kLn2Low));
}

// q(r) = r - r²/2! + r³/3! - … for r <= 1/16, where the term of r⁹ is below 1e-16 of the first;
// then q(2r) = q(r)·(2 - q(r)), which does not enlarge a relative error.
double one_minus_exp(double x) {
  constexpr double kCertain = 40;  // e^-40 is below half a unit of the last place of 1
  constexpr double kSmall = 1.0 / 16;
  if (x >= kCertain) {
    return 1;
  }
  int doublings = 0;
  for (; x > kSmall; ++doublings) {  // at most ten times
    x /= 2;
  }
  double q = 0;
  for (int n = 8; n >= 1; --n) {
    q = x / n * (1 - q);
  }
  for (; doublings != 0; --doublings) {
    q *= 2 - q;
  }
  return q;
}

double square_root(double x) {
  const __m128d value = _mm_set_sd(x);
  return _mm_cvtsd_f64(_mm_sqrt_sd(value, value));
}

std::int64_t nearest(double x) {
  return _mm_cvtsd_si64(_mm_set_sd(x));
}

}  // namespace seep::runtime
