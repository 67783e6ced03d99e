#include "preload/script/python_layout.h"

namespace seep::script {
namespace {

constexpr std::uint8_t kNoForeignOwner = UINT8_MAX;
constexpr unsigned kMinorShift = 16;  // PY_VERSION_HEX: major, minor, micro, release: a byte each

// offsetof() of the headers of 3.8.18, 3.9.18, 3.10.13, 3.11.2, 3.11.7 and 3.12.1.
constexpr PythonLayout kPython38 = {
    .minor = 8,
    .thread_frame = 24,
    .c_frame = kNoOffset,
    .frame_previous = 24,
    .frame_code = 32,
    .frame_instruction = 104,
    .frame_owner = kNoOffset,
    .first_foreign_owner = kNoForeignOwner,
    .tag_bits = 0,
    .instruction = InstructionKind::kByteIndex,
    .lines = LineTableKind::kLnotab,
    .code_file = 104,
    .code_name = 112,
    .code_first_line = 40,
    .code_line_table = 120,
    .code_begin = kNoOffset,
    .text_ascii = 48,
    .text_other = 72,
    .runtime_ending = 16,
};

constexpr PythonLayout with_3_9() {
  PythonLayout layout = kPython38;
  layout.minor = 9;
  return layout;
}

constexpr PythonLayout with_3_10() {
  PythonLayout layout = kPython38;
  layout.minor = 10;
  layout.frame_instruction = 96;
  layout.instruction = InstructionKind::kUnitIndex;
  layout.lines = LineTableKind::kRanges;
  return layout;
}

constexpr PythonLayout kPython311 = {
    .minor = 11,
    .thread_frame = 56,
    .c_frame = 8,
    .frame_previous = 48,
    .frame_code = 32,
    .frame_instruction = 56,
    .frame_owner = kNoOffset,
    .first_foreign_owner = kNoForeignOwner,
    .tag_bits = 0,
    .instruction = InstructionKind::kPointer,
    .lines = LineTableKind::kLocations,
    .code_file = 112,
    .code_name = 128,  // the qualified one
    .code_first_line = 72,
    .code_line_table = 136,
    .code_begin = 184,
    .text_ascii = 48,
    .text_other = 72,
    .runtime_ending = 24,
};

constexpr PythonLayout with_3_12() {
  PythonLayout layout = kPython311;
  layout.minor = 12;
  layout.c_frame = 0;
  layout.frame_previous = 8;
  layout.frame_code = 0;
  layout.frame_owner = 70;
  layout.first_foreign_owner = 3;
  layout.code_first_line = 68;
  layout.code_begin = 192;
  layout.text_ascii = 40;
  layout.text_other = 56;
  return layout;
}

constexpr PythonLayout kPython39 = with_3_9();
constexpr PythonLayout kPython310 = with_3_10();
constexpr PythonLayout kPython312 = with_3_12();

// Where the words are that matter, counted in words from the cookie; the structure grows with each
// version. From Include/internal/pycore_runtime.h (3.13), pycore_debug_offsets.h (3.14).
struct SelfDescription {
  std::uint32_t minor;
  std::uint8_t thread_frame;
  std::uint8_t frame;  // size, previous, executable, instruction, locals, owner
  std::uint8_t code;   // size, file, name, qualified name, lines, first line, …, …, …, begin
  std::uint8_t object_type;
  std::uint8_t bytes;  // size, length, begin
  std::uint8_t text;   // size, flags, length, size of an ASCII string
  std::uint8_t tag_bits;
};
constexpr SelfDescription kSelfDescriptions[] = {
    {13, 23, 28, 34, 45, 64, 67, 0},
    {14, 26, 31, 39, 51, 74, 77, 3},
};
constexpr std::size_t kCookieWord = 0;
constexpr std::size_t kVersionWord = 1;
constexpr std::size_t kFreeThreadedWord = 2;
constexpr std::size_t kEndingWord = 4;
constexpr std::uint64_t kCookie = 0x7970677562656478;  // "xdebugpy"
constexpr std::uint64_t kUtf8Fields = 16;              // of strings that are not ASCII

const SelfDescription* description_of(std::uint32_t version) {
  for (const SelfDescription& description : kSelfDescriptions) {
    if (version >> kMinorShift == (3U << 8 | description.minor)) {
      return &description;
    }
  }
  return nullptr;
}

// Offsets into structures of some hundred bytes.
bool is_offset(std::uint64_t word) {
  constexpr std::uint64_t kMost = 4096;
  return word < kMost;
}

}  // namespace

const PythonLayout* known_layout(std::uint32_t version) {
  switch (version >> kMinorShift) {
    case 0x0308:
      return &kPython38;
    case 0x0309:
      return &kPython39;
    case 0x030A:
      return &kPython310;
    case 0x030B:
      return &kPython311;
    case 0x030C:
      return &kPython312;
    default:
      return nullptr;
  }
}

bool read_self_description(const std::uint64_t (&words)[kSelfDescriptionWords], PythonLayout& out) {
  const auto version = static_cast<std::uint32_t>(words[kVersionWord]);
  const SelfDescription* at = words[kCookieWord] == kCookie ? description_of(version) : nullptr;
  if (at == nullptr || words[kFreeThreadedWord] != 0) {
    return false;
  }
  const std::uint64_t* frame = words + at->frame;
  const std::uint64_t* code = words + at->code;
  const std::uint64_t* text = words + at->text;
  // What no version has ever moved tells that the words are the ones meant.
  if (words[at->object_type] != kObjectType || words[at->bytes + 1] != kVarSize ||
      words[at->bytes + 2] != kBytesBegin || text[1] != kTextFlags || text[2] != kVarSize) {
    return false;
  }
  const std::uint64_t offsets[] = {words[at->thread_frame],
                                   frame[1],
                                   frame[2],
                                   frame[3],
                                   frame[5],
                                   code[1],
                                   code[3],
                                   code[4],
                                   code[5],
                                   code[9],
                                   text[3],
                                   words[kEndingWord]};
  for (const std::uint64_t offset : offsets) {
    if (!is_offset(offset)) {
      return false;
    }
  }
  const auto offset = [](std::uint64_t word) { return static_cast<std::uint16_t>(word); };
  out = {
      .minor = static_cast<std::uint8_t>(at->minor),
      .thread_frame = offset(words[at->thread_frame]),
      .c_frame = kNoOffset,
      .frame_previous = offset(frame[1]),
      .frame_code = offset(frame[2]),
      .frame_instruction = offset(frame[3]),
      .frame_owner = offset(frame[5]),
      .first_foreign_owner = 3,
      .tag_bits = at->tag_bits,
      .instruction = InstructionKind::kPointer,
      .lines = LineTableKind::kLocations,
      .code_file = offset(code[1]),
      .code_name = offset(code[3]),
      .code_first_line = offset(code[5]),
      .code_line_table = offset(code[4]),
      .code_begin = offset(code[9]),
      .text_ascii = offset(text[3]),
      .text_other = offset(text[3] + kUtf8Fields),
      .runtime_ending = offset(words[kEndingWord]),
  };
  return true;
}

}  // namespace seep::script
