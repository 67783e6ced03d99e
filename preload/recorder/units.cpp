#include "preload/recorder/units.h"

namespace seep::recorder {

constinit Units g_units;

}  // namespace seep::recorder
