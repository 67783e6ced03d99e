// Where CPython keeps the values of a script, for each version: x86-64. Data only; what is read is
// checked where it is. Context: IN-FORK-CHILD.
//
// Sources: offsetof() of the headers of 3.11.2, 3.11.7 and 3.12.1.
#pragma once

#include <cstdint>

namespace seep::script {

struct PythonGraphLayout {
  std::uint16_t interpreters;     // of _PyRuntime: the first one
  std::uint16_t threads;          // of an interpreter: the first one
  std::uint16_t modules;          // a dict
  std::uint16_t collected;        // three lists of what the collector knows
  std::uint16_t cached_keys;      // of a class in Python
  std::uint16_t generator_frame;  // of a generator
  std::uint16_t local_count;      // of code
  bool values_are_marked;  // values of an instance stand where its dict would, marked by a bit
};

inline constexpr PythonGraphLayout kPythonGraph311 = {40, 16, 888, 672, 872, 80, 76, false};
inline constexpr PythonGraphLayout kPythonGraph312 = {40, 72, 944, 136, 880, 72, 72, true};

// The same in both.
namespace python {

inline constexpr std::uint64_t kNextInterpreter = 0;
inline constexpr std::uint64_t kNextThread = 8;
// The collector: lists, and what stands before an object that it knows.
inline constexpr std::uint64_t kGenerations = 3;
inline constexpr std::uint64_t kGenerationBytes = 24;
inline constexpr std::uint64_t kCollectorBytes = 16;
inline constexpr std::uint64_t kCollectorMarks = 3;  // low bits of its pointers
// PyTypeObject
inline constexpr std::uint64_t kTypeName = 24;  // of C
inline constexpr std::uint64_t kTypeBytes = 32;
inline constexpr std::uint64_t kTypeFlags = 168;
inline constexpr std::uint64_t kTypeMembers = 240;
inline constexpr std::uint64_t kTypeBase = 256;
inline constexpr std::uint64_t kTypeDict = 264;
inline constexpr std::uint64_t kTypeDictOffset = 288;
inline constexpr std::uint64_t kHasDict = 1 << 4;  // before the object
inline constexpr std::uint64_t kHeapType = 1 << 9;
inline constexpr std::uint64_t kIsReady = 1 << 12;
inline constexpr std::uint64_t kIsCollected = 1 << 14;
inline constexpr std::uint64_t kIsInt = 1 << 24;
inline constexpr std::uint64_t kIsList = 1 << 25;
inline constexpr std::uint64_t kIsTuple = 1 << 26;
inline constexpr std::uint64_t kIsText = 1 << 28;
inline constexpr std::uint64_t kIsDict = 1 << 29;
inline constexpr std::uint64_t kIsType = std::uint64_t{1} << 31;
// PyMemberDef
inline constexpr std::uint64_t kMemberBytes = 40;
inline constexpr std::uint64_t kMemberType = 8;  // int
inline constexpr std::uint64_t kMemberOffset = 16;
inline constexpr std::uint32_t kMemberObject = 6;
inline constexpr std::uint32_t kMemberObjectOrError = 16;
// Objects begin with their count and their type; then, of those of variable size, the size.
inline constexpr std::uint64_t kObjectBytes = 16;
inline constexpr std::uint64_t kTupleItems = 24;
inline constexpr std::uint64_t kListItems = 24;  // pointer
inline constexpr std::uint64_t kSetUsed = 24;
inline constexpr std::uint64_t kSetMask = 32;
inline constexpr std::uint64_t kSetTable = 40;  // pointer to pairs of object and hash
inline constexpr std::uint64_t kIntDigit = 24;
inline constexpr std::uint64_t kModuleDict = 16;
inline constexpr std::uint64_t kCellValue = 16;
inline constexpr std::uint64_t kMethodFunction = 16;
inline constexpr std::uint64_t kMethodSelf = 24;
// PyDictObject, PyDictKeysObject
inline constexpr std::uint64_t kDictUsed = 16;
inline constexpr std::uint64_t kDictKeys = 32;
inline constexpr std::uint64_t kDictValues = 40;   // of the keys of a class; else null
inline constexpr std::uint64_t kKeysLogBytes = 9;  // of the index; one byte, as the next
inline constexpr std::uint64_t kKeysKind = 10;     // 0: entries have a hash before the key
inline constexpr std::uint64_t kKeysUsed = 24;
inline constexpr std::uint64_t kKeysIndex = 32;  // the entries stand behind it
// What an instance of a class has before it, where the class has kHasDict.
inline constexpr std::uint64_t kDictBefore = 24;
inline constexpr std::uint64_t kValuesBefore = 32;
// PyFunctionObject
inline constexpr std::uint64_t kFunctionName = 40;  // the qualified one
inline constexpr std::uint64_t kFunctionCode = 48;
inline constexpr std::uint64_t kFunctionDefaults = 56;
inline constexpr std::uint64_t kFunctionKeywords = 64;
inline constexpr std::uint64_t kFunctionClosure = 72;
inline constexpr std::uint64_t kFunctionDict = 88;
// PyFrameObject, _PyInterpreterFrame, PyCodeObject
inline constexpr std::uint64_t kFrameOfObject = 24;
inline constexpr std::uint64_t kFrameLocals = 72;
inline constexpr std::uint64_t kCodeLocals = 96;  // tuple of names

inline constexpr std::uint64_t kMostElements = std::uint64_t{1} << 40;
inline constexpr std::uint64_t kMostLocals = 1 << 16;

}  // namespace python

}  // namespace seep::script
