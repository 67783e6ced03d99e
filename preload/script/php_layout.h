// Where PHP keeps what a stack is read from, by version: x86-64; thread-safe builds have
// the same fields. Data only.
//
// Sources: offsets of PHP's own headers (7.4, 8.2, 8.4); phpspy's and OpenTelemetry's tables, which
// agree with each other and, where they overlap, with those headers, for the others. php_frames.cpp
// checks them on the first frames that it meets. Context: IN-HOOK.
#pragma once

#include <cstdint>

namespace seep::script {

struct PhpLayout {
  std::uint16_t version = 0;               // 802 is PHP 8.2; 0: none
  std::uint16_t current_execute_data = 0;  // offsets from here on; of the executor's globals
  std::uint16_t in_compilation = 0;        // of the compiler's globals; one byte
  std::uint16_t filename = 0;              // of a function in PHP, from here on
  std::uint16_t last = 0;                  // how many instructions it has
  std::uint16_t opcodes = 0;               // the first of them
};

inline constexpr PhpLayout kPhpLayouts[] = {
    {704, 488, 137, 136, 60, 64}, {800, 488, 81, 144, 68, 72},  {801, 488, 81, 144, 68, 72},
    {802, 488, 81, 152, 80, 88},  {803, 488, 81, 144, 76, 80},  {804, 488, 81, 168, 96, 104},
    {805, 512, 81, 168, 96, 104}, {806, 512, 81, 168, 96, 104},
};

// The same in all of them.
namespace php {

// zend_execute_data
inline constexpr std::uint64_t kOpline = 0;
inline constexpr std::uint64_t kFunction = 24;
inline constexpr std::uint64_t kCaller = 48;
// zend_function
inline constexpr std::uint64_t kType = 0;   // one byte
inline constexpr std::uint64_t kFlags = 4;  // 32 bits
inline constexpr std::uint64_t kFunctionName = 8;
inline constexpr std::uint64_t kScope = 16;
// Of the flags: a closure's function lies in the closure's object (bit 20 in 7.4, 22 since 8.0),
// that of a call through __call in memory that the next such call takes (18). Where 20 and 22 mean
// something else (20: a trait's method), those functions are only read with more care.
inline constexpr std::uint32_t kByTrampoline = 1U << 18;
inline constexpr std::uint32_t kIsClosureBefore8 = 1U << 20;
inline constexpr std::uint32_t kIsClosure = 1U << 22;
inline constexpr std::uint32_t kMayPass = kByTrampoline | kIsClosureBefore8 | kIsClosure;
inline constexpr unsigned kInternalBit = 1;     // of the type: a function of PHP or of an extension
inline constexpr std::uint64_t kLineStart = 8;  // behind the file's name
inline constexpr std::uint64_t kLineEnd = 12;
// zend_op
inline constexpr std::uint64_t kInstructionBytes = 32;
inline constexpr std::uint64_t kLine = 24;
inline constexpr std::uint64_t kOpcode = 28;  // one byte
// What runs while an exception is thrown stands in the executor's globals, three instructions
// alike, between fields that are the same in all versions:
//   instruction before | instructions | module | active (one byte) | flags (one byte)
// Where, is found by looking for them behind current_execute_data.
inline constexpr std::uint64_t kExceptionOps = 3;
inline constexpr std::uint8_t kHandleException = 149;  // their opcode
inline constexpr std::uint64_t kMostExecutorBytes = 1500;
// zend_class_entry
inline constexpr std::uint64_t kClassName = 8;
// zend_string
inline constexpr std::uint64_t kLength = 16;
inline constexpr std::uint64_t kBytes = 24;
// zend_compiler_globals
inline constexpr std::uint64_t kCompiledFile = 32;
// executor flags
inline constexpr std::uint64_t kFlagsBehindExceptionOps = 9;
inline constexpr unsigned kInShutdown = 1;

}  // namespace php

}  // namespace seep::script
