// Brings a scan into a recording: its sites and modules become those of the recording.
#pragma once

#include "analyzer/model/recording.h"

namespace seep::read {

// `snapshot` is the file of a scan and of the recording's image; the recording has a moment at
// least. Sites that only the scan knows are appended, with zeros at all moments: they were made
// after the last snapshot.
void add_scan(model::Recording& recording, model::Snapshot snapshot);

}  // namespace seep::read
