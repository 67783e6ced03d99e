// A container that is lost takes its nodes with it; one that stays holds its own.
// lost: make_lost direct=1:48 indirect=20:4640
// lsan: make_lost indirect=21:4688 because the nodes point back to the map
#include <map>

#include "lose.h"

namespace {

struct Value {
  char text[192];
};

using Table = std::map<long, Value>;

Table* g_kept;

APART Table* make_lost() {
  auto* table = new Table;
  for (long i = 0; i < 20; ++i) {
    table->emplace(i, Value());
  }
  return table;
}

APART Table* make_kept() {
  auto* table = new Table;
  for (long i = 0; i < 20; ++i) {
    table->emplace(i, Value());
  }
  return table;
}

APART void work() {
  g_kept = make_kept();
  use(make_lost());
}

}  // namespace

int main() {
  work();
  scrub();
  use(g_kept);
}
