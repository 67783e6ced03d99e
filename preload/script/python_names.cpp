#include "preload/script/python_names.h"

#include "preload/script/python_graph_layout.h"
#include "preload/script/python_text.h"

namespace seep::script::python {
namespace {

constexpr std::size_t kMostName = 80;
constexpr std::size_t kMostKey = 32;

void add_text(const PythonLayout& layout, std::uint64_t string, std::size_t most, GraphText& text) {
  PythonText name;
  if (string != 0 && name.read(layout, string)) {
    add_name(text, name.view(), most);
  } else {
    text.add_char('?');
  }
}

// A text of C that may not be there, or not end.
std::string_view text_at(const GraphMemory& memory, std::uint64_t begin) {
  std::size_t length = 0;
  while (length < kMostName && memory.read<char>(begin + length) != '\0') {
    ++length;
  }
  return {reinterpret_cast<const char*>(begin), length};
}

void add_place(const PythonLayout& layout, std::uint64_t code, std::uint32_t line,
               const GraphMemory& memory, GraphText& text) {
  PythonText file;
  if (file.read(layout, memory.read(code + layout.code_file))) {
    const std::string_view path = file.view();
    text.add_char(' ');
    add_name(text, path.substr(path.rfind('/') + 1), kMostName);
    text.add_char(':').add_decimal(line);
  }
}

// The names of the cells of a function are the last ones of its code.
void add_cell(const Words& words, const Label& label, GraphText& text) {
  const GraphMemory& memory = words.memory;
  const std::uint64_t code = memory.read(label.owner + words.graph.function_code);
  const std::uint64_t names = memory.read(code + words.graph.code_names[2]);
  const std::uint64_t count = memory.read(names + kVarSize);
  const std::uint64_t name = label.number <= count && count < kMostLocals
                                 ? memory.read(names + words.graph.tuple_items +
                                               (count - label.number) * sizeof(std::uint64_t))
                                 : 0;
  add_text(words.layout, name, kMostName, text);
  text.add(" of closure ");
}

}  // namespace

bool is_text(const PythonLayout& layout, std::uint64_t string, std::string_view expected) {
  PythonText text;
  return text.read(layout, string) && text.view() == expected;
}

void name_type(std::uint64_t type, const GraphMemory& memory, GraphText& text) {
  const std::string_view name = text_at(memory, memory.read(type + kTypeName));
  add_name(text, name.substr(name.rfind('.') + 1), kMostName);
}

void name(const Words& words, const Label& label, GraphText& text) {
  const PythonLayout& layout = words.layout;
  const GraphMemory& memory = words.memory;
  switch (label.sort) {
    case kVariable:
      text.add("module ");
      add_text(layout, label.owner, kMostName, text);
      text.add(": ");
      return add_text(layout, label.name, kMostName, text);
    case kLocal:
      text.add("local ");
      add_text(layout, label.name, kMostName, text);
      text.add(" in ");
      add_text(layout, memory.read(label.owner + layout.code_name), kMostName, text);
      text.add("()");
      return add_place(layout, label.owner, label.number, memory, text);
    case kLoose:
      name_type(label.owner, memory, text);
      text.add(" object that no variable leads to");
      return;
    case kClassAttribute:
      text.add("class ");
      [[fallthrough]];
    case kAttribute:
      name_type(label.owner, memory, text);
      text.add_char('.');
      return add_text(layout, label.name, kMostName, text);
    case kSlot:
      name_type(label.owner, memory, text);
      text.add_char('.');
      return add_name(text, text_at(memory, label.name), kMostName);
    case kClosure:
      add_cell(words, label, text);
      [[fallthrough]];
    case kDefault:
      text.add(label.sort == kDefault ? "default of " : "");
      add_text(layout, memory.read(label.owner + words.graph.function_name), kMostName, text);
      text.add("()");
      return;
    case kTextKey:
      text.add_char('\'');
      add_text(layout, label.name, kMostKey, text);
      text.add_char('\'');
      return;
    case kNumberKey:
      text.add_decimal(label.name);
      return;
    default:
      return;
  }
}

}  // namespace seep::script::python
