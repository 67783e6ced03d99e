#include "preload/script/php_values.h"

namespace seep::script::php {
namespace {

constexpr std::size_t kMostName = 80;
constexpr std::size_t kMostKey = 32;

// A property's name has its class before it where it is not public: "\0Class\0name".
std::string_view bare_property(std::string_view name) {
  return name.substr(name.rfind('\0') + 1);
}

// A class without a name has a file and a line behind a zero.
void add_class(std::uint64_t scope, const GraphMemory& memory, GraphText& text) {
  const std::string_view name = text_at(memory, memory.read(scope + kClassName));
  add_name(text, name.substr(0, name.find('\0')), kMostName);
}

void add_variable(std::uint64_t name, const GraphMemory& memory, GraphText& text) {
  text.add_char('$');
  add_name(text, name == 0 ? "this" : text_at(memory, name), kMostName);
}

void add_function(std::uint64_t function, const GraphMemory& memory, GraphText& text) {
  const std::uint64_t scope = memory.read(function + kScope);
  const std::uint64_t name = memory.read(function + kFunctionName);
  if (scope != 0 && name != 0) {
    add_class(scope, memory, text);
    text.add("::");
  }
  add_name(text, name == 0 ? "{main}" : text_at(memory, name), kMostName);
  text.add(name == 0 ? "" : "()");
}

void add_place(const Place& place, std::uint32_t line, GraphText& text) {
  add_name(text, place.file.substr(place.file.rfind('/') + 1), kMostName);
  text.add_char(':').add_decimal(line);
}

}  // namespace

void name(const PhpLayout& layout, const Label& label, const GraphMemory& memory, GraphText& text) {
  switch (label.sort) {
    case kStaticProperty:
      text.add("static ");
      [[fallthrough]];
    case kProperty:
      add_class(label.owner, memory, text);
      if (label.name != 0) {
        text.add("::$");
        add_name(text, bare_property(text_at(memory, label.name)), kMostName);
      }
      return;
    case kGlobal:
      text.add(label.name == 0 ? "global variable" : "global ");
      if (label.name != 0) {
        add_variable(label.name, memory, text);
      }
      return;
    case kStaticVariable:
      text.add("static ");
      add_variable(label.name, memory, text);
      text.add(" in ");
      return add_function(label.owner, memory, text);
    case kLocal:
      text.add(label.name == 0 ? "" : "local ");
      add_variable(label.name, memory, text);
      text.add(" in ");
      add_function(label.owner, memory, text);
      text.add_char(' ');
      return add_place(place_of(memory, label.owner, layout), label.number, text);
    case kLoose:
      add_class(label.owner, memory, text);
      text.add(" object that no variable leads to");
      return;
    case kBound: {
      const Place place = place_of(memory, label.owner, layout);
      add_variable(label.name, memory, text);
      text.add(" of closure at ");
      return add_place(place, place.line, text);
    }
    case kTextKey:
      text.add_char('"');
      add_name(text, text_at(memory, label.name), kMostKey);
      text.add_char('"');
      return;
    case kNumberKey:
      if (static_cast<std::int64_t>(label.name) < 0) {
        text.add_char('-').add_decimal(std::uint64_t{0} - label.name);
      } else {
        text.add_decimal(label.name);
      }
      return;
    default:
      return;
  }
}

void name_type(std::uint64_t type, const GraphMemory& memory, GraphText& text) {
  if (type == kArrayType) {
    text.add("array");
  } else {
    add_class(type, memory, text);
  }
}

}  // namespace seep::script::php
