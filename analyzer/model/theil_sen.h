// The Theil–Sen estimator of a slope: the median of the slopes between all pairs of points.
// Up to 29 % of the points may be arbitrarily wrong without moving it far (Sen, "Estimates of the
// Regression Coefficient Based on Kendall's Tau", JASA 63, 1968).
#pragma once

#include <cstddef>
#include <span>

namespace seep::model {

// More points than this are thinned to it, evenly, since the work grows with the square.
inline constexpr std::size_t kTheilSenPoints = 512;

// Units of y per unit of t. `t` and `y` have the same length; pairs with equal t are left out.
// 0 when no pair is left. An even number of slopes gives the mean of the two in the middle.
double theil_sen_slope(std::span<const double> t, std::span<const double> y);

}  // namespace seep::model
