// Arrays with destructors are held by an address behind their count; several bases by one inside.
// lost: make_lost direct=2:48
#include "lose.h"

namespace {

struct First {
  virtual ~First() = default;
  long value = 0;
};

struct Second {
  virtual ~Second() = default;
  long value = 0;
};

struct Both : First, Second {};

struct Counted {
  ~Counted() { use(this); }
  long value = 0;
};

Second* g_second;
Counted* g_array;

APART Both* make_both() {
  return new Both;
}

APART Counted* make_array() {
  return new Counted[7];
}

APART void* make_lost() {
  return new char[24];
}

APART void work() {
  g_second = make_both();
  g_array = make_array();
  use(make_lost());
  use(make_lost());
}

}  // namespace

int main() {
  work();
  scrub();
  use(g_second);
  use(g_array);
}
