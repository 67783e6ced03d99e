#include "analyzer/report/container_name.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "analyzer/report/frame_kind.h"

namespace seep::report {
namespace {

struct ContainerClass {
  std::string_view name;  // a class, as bare_name() writes it
  std::string_view text;
  std::string_view of_keys;  // the name where only keys are kept; empty: the same
};

// Of a red-black tree and a hash table the template's arguments tell which container it is of.
constexpr std::array kClasses = {
    ContainerClass{"std::map", "std::map node", ""},
    ContainerClass{"std::multimap", "std::multimap node", ""},
    ContainerClass{"std::set", "std::set node", ""},
    ContainerClass{"std::multiset", "std::multiset node", ""},
    ContainerClass{"std::_Rb_tree", "std::map node", "std::set node"},
    ContainerClass{"std::unordered_map", "std::unordered_map node", ""},
    ContainerClass{"std::unordered_multimap", "std::unordered_multimap node", ""},
    ContainerClass{"std::unordered_set", "std::unordered_set node", ""},
    ContainerClass{"std::unordered_multiset", "std::unordered_multiset node", ""},
    ContainerClass{"std::_Hashtable", "std::unordered_map node", "std::unordered_set node"},
    ContainerClass{"std::__hash_table", "std::unordered_map node", ""},
    ContainerClass{"std::vector", "std::vector buffer", ""},
    ContainerClass{"std::_Vector_base", "std::vector buffer", ""},
    ContainerClass{"std::deque", "std::deque chunk", ""},
    ContainerClass{"std::_Deque_base", "std::deque chunk", ""},
    ContainerClass{"std::list", "std::list node", ""},
    ContainerClass{"std::_List_base", "std::list node", ""},
    ContainerClass{"std::forward_list", "std::forward_list node", ""},
    ContainerClass{"std::_Fwd_list_base", "std::forward_list node", ""},
    ContainerClass{"std::basic_string", "std::string buffer", ""},
    ContainerClass{"std::__shared_ptr", "std::shared_ptr object", ""},
    ContainerClass{"std::shared_ptr", "std::shared_ptr object", ""},
    ContainerClass{"std::__shared_count", "std::shared_ptr object", ""},
    ContainerClass{"std::function", "std::function target", ""},
    ContainerClass{"std::_Function_base", "std::function target", ""}};

struct Part {
  std::string_view function;  // an ending of the function's name
  std::string_view container;
  std::string_view text;
};

// What a container keeps beside its elements.
constexpr std::array kParts = {
    Part{"::_M_allocate_buckets", "std::unordered_map node", "std::unordered_map buckets"},
    Part{"::_M_allocate_buckets", "std::unordered_set node", "std::unordered_set buckets"},
    Part{"::_M_allocate_map", "std::deque chunk", "std::deque index"}};

// "std::__cxx11::list::push_back" -> "std::list": without inline namespaces and the member.
std::string class_of(std::string name) {
  for (const std::string_view inner : {"std::__cxx11::", "std::__1::", "std::__debug::"}) {
    if (name.starts_with(inner)) {
      name.replace(0, inner.size(), "std::");
    }
  }
  const std::size_t end = name.find("::", std::string_view("std::").size());
  return end == std::string::npos ? std::string() : name.substr(0, end);
}

std::string_view text_of(const ContainerClass& container, const model::ReportFrame& frame) {
  const bool keys_only =
      !container.of_keys.empty() && frame.function->find("std::_Identity<") != std::string::npos;
  return keys_only ? container.of_keys : container.text;
}

std::string_view part_of(std::string_view container, const model::ReportStack& stack,
                         std::size_t frames) {
  for (std::size_t i = 0; i < frames; ++i) {
    const std::string name = bare_name(stack[i]);
    for (const Part& part : kParts) {
      if (container == part.container && name.ends_with(part.function)) {
        return part.text;
      }
    }
  }
  return container;
}

}  // namespace

std::string container_name(const model::ReportStack& stack) {
  for (std::size_t i = 0; i < stack.size(); ++i) {
    const std::string name = bare_name(stack[i]);
    if (!name.starts_with("std::") && !name.starts_with("__gnu_cxx::")) {
      return {};
    }
    const std::string of_class = class_of(name);
    const auto known =
        std::find_if(kClasses.begin(), kClasses.end(),
                     [&](const ContainerClass& container) { return container.name == of_class; });
    if (known != kClasses.end()) {
      return std::string(part_of(text_of(*known, stack[i]), stack, i + 1));
    }
  }
  return {};
}

}  // namespace seep::report
