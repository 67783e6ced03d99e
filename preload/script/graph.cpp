#include "preload/script/graph.h"

#include "preload/script/php_graph.h"
#include "preload/script/python_graph.h"

namespace seep::script {

void add_name(GraphText& text, std::string_view name, std::size_t most) {
  constexpr char kFirstPrintable = 0x20;
  const bool is_cut = name.size() > most;
  for (const char c : name.substr(0, most)) {
    const bool is_control = c >= 0 && (c < kFirstPrintable || c == 0x7F);
    text.add_char(is_control ? '?' : c);
  }
  if (is_cut) {
    text.add("...");
  }
}

const Graph* graph() {
  const Graph* const php = php_graph();
  return php != nullptr ? php : python_graph();
}

}  // namespace seep::script
