#include "preload/script/python_graph_layout.h"

namespace seep::script {
namespace {

constexpr PythonGraphLayout kPython38 = {
    .interpreters = 32,
    .next_interpreter = 0,
    .threads = 8,
    .modules = 56,
    .collector = 344,
    .collector_is_of_runtime = true,
    .frames_are_objects = true,
    .frame_locals = 360,
    .generator_frame = 16,
    .code_names = {72, 88, 80},  // variables, cells of its own, cells of the function around it
    .function_name = 104,
    .function_code = 16,
    .function_defaults = 32,
    .function_keywords = 40,
    .function_closure = 48,
    .function_dict = 72,
    .cached_keys = 0,
    .tuple_items = 24,
    .values_begin = 0,
    .keys_have_size = true,
    .ints_are_marked = false,
    .values = InstanceValues::kNowhere,
};

constexpr PythonGraphLayout with_3_9() {
  PythonGraphLayout layout = kPython38;
  layout.modules = 856;
  layout.collector = 616;
  layout.collector_is_of_runtime = false;
  return layout;
}

constexpr PythonGraphLayout with_3_10() {
  PythonGraphLayout layout = with_3_9();
  layout.frame_locals = 352;
  layout.function_name = 40;
  layout.function_code = 48;
  layout.function_defaults = 56;
  layout.function_keywords = 64;
  layout.function_closure = 72;
  layout.function_dict = 88;
  return layout;
}

constexpr PythonGraphLayout with_3_11() {
  PythonGraphLayout layout = with_3_10();
  layout.interpreters = 40;
  layout.threads = 16;
  layout.modules = 888;
  layout.collector = 648;
  layout.frames_are_objects = false;
  layout.frame_locals = 72;
  layout.generator_frame = 80;
  layout.code_names[0] = 0;
  layout.code_names[1] = 0;
  layout.code_names[2] = 96;
  layout.cached_keys = 872;
  layout.keys_have_size = false;
  layout.values = InstanceValues::kBefore;
  return layout;
}

constexpr PythonGraphLayout with_3_12() {
  PythonGraphLayout layout = with_3_11();
  layout.threads = 72;
  layout.modules = 944;
  layout.collector = 112;
  layout.generator_frame = 72;
  layout.cached_keys = 880;
  layout.ints_are_marked = true;
  layout.values = InstanceValues::kMarked;
  return layout;
}

// But for what it tells itself.
constexpr PythonGraphLayout with_3_13() {
  PythonGraphLayout layout = with_3_12();
  layout.values_begin = 8;
  layout.values = InstanceValues::kBehind;
  return layout;
}

constexpr PythonGraphLayout with_3_14() {
  PythonGraphLayout layout = with_3_13();
  layout.tuple_items = 32;
  return layout;
}

constexpr PythonGraphLayout kPython39 = with_3_9();
constexpr PythonGraphLayout kPython310 = with_3_10();
constexpr PythonGraphLayout kPython311 = with_3_11();
constexpr PythonGraphLayout kPython312 = with_3_12();
constexpr PythonGraphLayout kPython313 = with_3_13();
constexpr PythonGraphLayout kPython314 = with_3_14();

const PythonGraphLayout* table_of(unsigned minor) {
  switch (minor) {
    case 8:
      return &kPython38;
    case 9:
      return &kPython39;
    case 10:
      return &kPython310;
    case 11:
      return &kPython311;
    case 12:
      return &kPython312;
    case 13:
      return &kPython313;
    case 14:
      return &kPython314;
    default:
      return nullptr;
  }
}

// Words at the beginning of _PyRuntime that say where things are; see read_self_description().
struct SelfDescription {
  std::uint8_t interpreters, next_interpreter, threads, collector, modules, frame_locals;
};
constexpr SelfDescription kWords313 = {5, 8, 9, 10, 11, 32};
constexpr SelfDescription kWords314 = {5, 8, 9, 11, 12, 35};

// Offsets into structures of some thousand bytes. Zero where the word says what cannot be, which no
// reader finds anything at.
std::uint16_t offset_at(std::uint64_t runtime, unsigned word, const GraphMemory& memory) {
  constexpr std::uint64_t kMost = UINT16_MAX;
  const std::uint64_t offset = memory.read(runtime + word * sizeof(std::uint64_t));
  return static_cast<std::uint16_t>(offset < kMost ? offset : 0);
}

void read_words(const SelfDescription& words, std::uint64_t runtime, const GraphMemory& memory,
                PythonGraphLayout& out) {
  out.interpreters = offset_at(runtime, words.interpreters, memory);
  out.next_interpreter = offset_at(runtime, words.next_interpreter, memory);
  out.threads = offset_at(runtime, words.threads, memory);
  out.modules = offset_at(runtime, words.modules, memory);
  out.frame_locals = offset_at(runtime, words.frame_locals, memory);
  out.collector = offset_at(runtime, words.collector, memory);
}

}  // namespace

bool read_graph_layout(const PythonLayout& layout, std::uint64_t runtime, const GraphMemory& memory,
                       PythonGraphLayout& out) {
  const PythonGraphLayout* const table = table_of(layout.minor);
  if (table == nullptr || runtime == 0) {
    return false;
  }
  out = *table;
  if (layout.minor >= 13) {
    read_words(layout.minor == 13 ? kWords313 : kWords314, runtime, memory, out);
  }
  return out.interpreters != 0 && out.modules != 0 && out.threads != 0 && out.frame_locals != 0;
}

}  // namespace seep::script
