// The words that the JSON and the text use for enum values.
#include "analyzer/model/diff.h"
#include "analyzer/model/report.h"
#include "analyzer/model/scan.h"

namespace seep::model {

const char* name_of(Behaviour behaviour) {
  switch (behaviour) {
    case Behaviour::kGrowing:
      return "growing";
    case Behaviour::kPlateau:
      return "plateau";
    case Behaviour::kSawtooth:
      return "sawtooth";
    case Behaviour::kOneTime:
      return "one-time";
    case Behaviour::kSteady:
      return "steady";
    case Behaviour::kUnknown:
      return "unknown";
  }
  return "unknown";
}

const char* name_of(SiteKind kind) {
  switch (kind) {
    case SiteKind::kHeap:
      return "heap";
    case SiteKind::kMmap:
      return "mmap";
    case SiteKind::kFd:
      return "fd";
    case SiteKind::kThread:
      return "thread";
  }
  return "heap";
}

const char* name_of(Trigger trigger) {
  switch (trigger) {
    case Trigger::kStart:
      return "start";
    case Trigger::kInterval:
      return "interval";
    case Trigger::kRequest:
      return "request";
    case Trigger::kSignal:
      return "signal";
    case Trigger::kApi:
      return "api";
    case Trigger::kMark:
      return "mark";
    case Trigger::kLimit:
      return "limit";
    case Trigger::kFork:
      return "fork";
    case Trigger::kExec:
      return "exec";
    case Trigger::kCrash:
      return "crash";
    case Trigger::kExit:
      return "exit";
  }
  return "interval";
}

const char* name_of(Mode mode) {
  return mode == Mode::kSample ? "sample" : "exact";
}

const char* name_of(Language language) {
  switch (language) {
    case Language::kNative:
      return "native";
    case Language::kPhp:
      return "php";
    case Language::kPython:
      return "python";
    case Language::kJit:
      return "jit";
  }
  return "native";
}

const char* name_of(EndInfo::How how) {
  switch (how) {
    case EndInfo::How::kRunning:
      return "running";
    case EndInfo::How::kExit:
      return "exit";
    case EndInfo::How::kSignal:
      return "signal";
    case EndInfo::How::kExec:
      return "exec";
    case EndInfo::How::kLost:
      return "lost";
  }
  return "lost";
}

const char* name_of(DiffBasis basis) {
  switch (basis) {
    case DiffBasis::kLevel:
      return "level";
    case DiffBasis::kPerSecond:
      return "per_second";
    case DiffBasis::kPerUnit:
      return "per_unit";
  }
  return "level";
}

const char* name_of(MatchedBy matched_by) {
  switch (matched_by) {
    case MatchedBy::kId:
      return "id";
    case MatchedBy::kFunction:
      return "function";
    case MatchedBy::kOffset:
      return "offset";
  }
  return "offset";
}

const char* name_of(Change change) {
  switch (change) {
    case Change::kGrew:
      return "grew";
    case Change::kShrank:
      return "shrank";
    case Change::kAppeared:
      return "appeared";
    case Change::kVanished:
      return "vanished";
  }
  return "grew";
}

const char* name_of(ScanTime when) {
  switch (when) {
    case ScanTime::kExit:
      return "exit";
    case ScanTime::kRequest:
      return "request";
    case ScanTime::kSnapshot:
      return "snapshot";
  }
  return "request";
}

const char* meaning_of(ScanProblem problem) {
  switch (problem) {
    case ScanProblem::kNone:
      return "not every root was seen";
    case ScanProblem::kTimeLimit:
      return "it did not end within SEEP_SCAN_LIMIT";
    case ScanProblem::kNoRegisters:
      return "other threads could not be stopped to read their registers";
    case ScanProblem::kNoFork:
      return "no copy of the process could be made";
    case ScanProblem::kNoMemory:
      return "there was no memory for the scan";
    case ScanProblem::kSampled:
      return "in sample mode most blocks have no record";
    case ScanProblem::kPartHistory:
      return "part of the history is unknown: recording began late, was paused or lost events";
    case ScanProblem::kUnreadableMaps:
      return "/proc/self/maps could not be read";
  }
  return "not every root was seen";
}

}  // namespace seep::model
