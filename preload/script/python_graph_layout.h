// Where CPython keeps the values of a script, for each version: x86-64. What is read is checked
// where it is. Context: IN-FORK-CHILD.
//
// Sources: offsetof() of the headers of 3.8.18, 3.9.18, 3.10.13, 3.11.2, 3.11.7, 3.12.1, 3.13.0 and
// 3.14.8; of 3.13 and 3.14 the interpreter tells most itself.
#pragma once

#include <cstdint>

#include "preload/script/graph.h"
#include "preload/script/python_layout.h"

namespace seep::script {

// Where the attributes of an instance stand that are not in a dict of its own.
enum class InstanceValues : std::uint8_t {
  kNowhere,  // until 3.10
  kBefore,   // a pointer before the object (3.11)
  kMarked,   // where the pointer to its dict would be, marked by a bit (3.12)
  kBehind,   // behind the object, as long as it has no dict (from 3.13)
};

struct PythonGraphLayout {
  std::uint16_t interpreters;      // of _PyRuntime: the first one
  std::uint16_t next_interpreter;  // of an interpreter, from here on
  std::uint16_t threads;           // the first one
  std::uint16_t modules;           // a dict
  std::uint16_t collector;         // what it has …
  bool collector_is_of_runtime;    // … of _PyRuntime instead (3.8)
  bool frames_are_objects;         // until 3.10: generators have a pointer to one
  std::uint16_t frame_locals;
  std::uint16_t generator_frame;
  std::uint16_t code_names[3];  // of code: tuples, in the order of locals; 0: none. Cells are last
  std::uint16_t function_name;  // of a function, from here on; the qualified one
  std::uint16_t function_code;
  std::uint16_t function_defaults;
  std::uint16_t function_keywords;
  std::uint16_t function_closure;
  std::uint16_t function_dict;
  std::uint16_t cached_keys;  // of a class in Python
  std::uint16_t tuple_items;
  std::uint8_t values_begin;  // of the values that stand apart from their keys
  bool keys_have_size;        // of a dict: the size of the index is told, not its logarithm
  bool ints_are_marked;       // their size has three bits more
  InstanceValues values;
};

// False where the version has no table, or does not tell what it should. `runtime` is the address
// of _PyRuntime.
bool read_graph_layout(const PythonLayout& layout, std::uint64_t runtime, const GraphMemory& memory,
                       PythonGraphLayout& out);

// The same in all of them.
namespace python {

inline constexpr std::uint64_t kNextThread = 8;
// The collector: lists, somewhere in the first bytes of what it has, and what stands before an
// object that it knows. Some builds align none of it to more than four bytes.
inline constexpr std::uint64_t kMostBeforeLists = 64;
inline constexpr std::uint64_t kListAlignment = 4;
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
inline constexpr std::uint64_t kHasValues = 1 << 2;  // behind the object
inline constexpr std::uint64_t kHasDict = 1 << 4;    // before the object
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
inline constexpr std::uint64_t kDictValues = 40;  // of the keys of a class; else null
inline constexpr std::uint64_t kKeysSize = 8;     // of the index, where keys_have_size …
inline constexpr std::uint64_t kSizedKeysUsed = 32;
inline constexpr std::uint64_t kSizedKeysIndex = 40;
inline constexpr std::uint64_t kKeysLogBytes = 9;  // … else of its bytes; one byte, as the next
inline constexpr std::uint64_t kKeysKind = 10;     // 0: entries have a hash before the key
inline constexpr std::uint64_t kKeysUsed = 24;
inline constexpr std::uint64_t kKeysIndex = 32;  // the entries stand behind it
// What an instance of a class has before it, where the class has kHasDict.
inline constexpr std::uint64_t kDictBefore = 24;
inline constexpr std::uint64_t kValuesBefore = 32;
inline constexpr std::uint64_t kValuesAreValid = 3;  // of values behind the object; one byte
// PyFrameObject
inline constexpr std::uint64_t kFrameOfObject = 24;

inline constexpr std::uint64_t kMostElements = std::uint64_t{1} << 40;
inline constexpr std::uint64_t kMostLocals = 1 << 16;

}  // namespace python

}  // namespace seep::script
