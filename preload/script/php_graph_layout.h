// Where PHP keeps the values of a script: x86-64, builds that are not thread-safe. Data and pure
// functions. Context: IN-FORK-CHILD.
//
// Sources: offsetof() of the headers of 7.4, 8.2 and 8.4; for the other versions the places that
// PhpLayout has of a function, between which the fields stand in the same order. What is not the
// same in all versions is looked for, or checked, where it is read (php_graph.cpp).
#pragma once

#include <cstdint>

#include "preload/script/php_layout.h"

namespace seep::script {

struct PhpGraphLayout {
  std::uint16_t property_infos;    // of a class: pointers, in the order of properties
  std::uint16_t last_var;          // of a function in PHP, from here on: how many variables
  std::uint16_t static_variables;  // map pointer to an array
  std::uint16_t vars;              // names of variables
  std::uint16_t function_bytes;    // of a function
  std::uint8_t indirect;           // type of a value that is a pointer to one
  bool maps_are_direct;    // map pointers that are no offsets: to the value, not to its pointer
  bool lists_hold_values;  // arrays without keys: values alone, else buckets as well
};

// The fields of a function: last_var, instructions, [run-time cache until 8.1], static variables,
// their template, vars, …, file, …
constexpr PhpGraphLayout graph_layout_of(const PhpLayout& layout) {
  const auto offset = [](unsigned value) { return static_cast<std::uint16_t>(value); };
  const bool is_old = layout.version < 802;
  const unsigned cache = is_old ? 8 : 0;
  // The list of them made room for something else in 8.4.
  const bool has_nested_functions = layout.version >= 801 && layout.version <= 803;
  return {
      .property_infos = offset(layout.version < 801 ? 232 : 248),
      .last_var = offset(layout.last - (is_old ? 8U : 4U)),
      .static_variables = offset(layout.opcodes + 8U + cache),
      .vars = offset(layout.opcodes + 24U + cache),
      .function_bytes = offset(layout.filename + (has_nested_functions ? 96U : 88U)),
      .indirect = static_cast<std::uint8_t>(layout.version < 800 ? 13 : 12),
      .maps_are_direct = !is_old,
      .lists_hold_values = !is_old,
  };
}

// The same in all of them.
namespace php {

enum Type : std::uint8_t {
  kUndefined = 0,
  kGoing = 1,  // of an array's own word, while it is released
  kString = 6,
  kArray = 7,
  kObject = 8,
  kResource = 9,
  kReference = 10,
};

// zval
inline constexpr std::uint64_t kValueBytes = 16;
inline constexpr std::uint64_t kValueType = 8;  // one byte
// What is counted: begins with the count.
inline constexpr std::uint64_t kCountedType = 4;  // four bits
inline constexpr unsigned kCountedTypeMask = 15;
// zend_array
inline constexpr std::uint64_t kArrayBytes = 56;
inline constexpr std::uint64_t kArrayFlags = 8;
inline constexpr std::uint64_t kArrayMask = 12;
inline constexpr std::uint64_t kArrayData = 16;
inline constexpr std::uint64_t kArrayUsed = 24;
inline constexpr std::uint64_t kArrayElements = 28;
inline constexpr std::uint64_t kArraySize = 32;
inline constexpr unsigned kPacked = 4;
inline constexpr unsigned kUninitialized = 8;
// Bucket
inline constexpr std::uint64_t kBucketBytes = 32;
inline constexpr std::uint64_t kBucketHash = 16;
inline constexpr std::uint64_t kBucketKey = 24;
// zend_reference
inline constexpr std::uint64_t kReferenced = 8;
// zend_op: opcodes
inline constexpr std::uint8_t kYield = 160;
inline constexpr std::uint8_t kYieldFrom = 166;
// zend_object
inline constexpr std::uint64_t kObjectHandle = 8;  // its number in the store
inline constexpr std::uint64_t kObjectClass = 16;
inline constexpr std::uint64_t kObjectTable = 32;  // of dynamic properties
inline constexpr std::uint64_t kObjectValues = 40;
inline constexpr std::uint64_t kClosureFunction = 56;
inline constexpr std::uint64_t kGeneratorFrames[] = {56, 64};  // one of them
inline constexpr std::uint64_t kFunctionFlags = 4;             // of a function; int
inline constexpr unsigned kGenerator = 1 << 24;
// zend_class_entry
inline constexpr std::uint64_t kClassInternal = 1;  // of its first byte
inline constexpr std::uint64_t kClassUser = 2;
inline constexpr std::uint64_t kClassProperties = 32;  // int: how many
inline constexpr std::uint64_t kClassStaticCount = 36;
inline constexpr std::uint64_t kClassStatics = 56;    // map pointer to values
inline constexpr std::uint64_t kClassFunctions = 64;  // an array
inline constexpr std::uint64_t kClassInfos = 120;     // an array
inline constexpr std::uint64_t kMostProperties = 1 << 16;
// zend_property_info
inline constexpr std::uint64_t kInfoOffset = 0;  // of a static property: its number
inline constexpr std::uint64_t kInfoFlags = 4;
inline constexpr std::uint64_t kInfoName = 8;
inline constexpr unsigned kStatic = 16;
// zend_execute_data
inline constexpr std::uint64_t kThis = 32;
inline constexpr std::uint64_t kVariables = 80;
inline constexpr std::uint64_t kMostVariables = 1 << 16;
// zend_executor_globals: the script's variables, an array, stand this far before the pointer to the
// table of functions; that of classes stands behind it.
inline constexpr std::uint64_t kVariablesBeforeFunctions = 128;
inline constexpr std::uint64_t kClassesBehindFunctions = 8;
// zend_objects_store: pointers; the lowest bit is set where there is no object
inline constexpr std::uint64_t kStoreTop = 8;
inline constexpr std::uint64_t kStoreSize = 12;

}  // namespace php

}  // namespace seep::script
