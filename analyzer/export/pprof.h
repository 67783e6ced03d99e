// profile.proto, gzipped: what pprof, Pyroscope, Parca, Grafana and speedscope read.
#pragma once

#include "analyzer/export/profile.h"
#include "analyzer/export/write.h"

namespace seep::exporters {

// Live and allocated bytes and blocks of each stack; differences, some of them negative, where
// something is compared.
void write_pprof(const Profile& profile, const Write& write);

}  // namespace seep::exporters
