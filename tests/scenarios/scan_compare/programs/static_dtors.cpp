// Destructors of static objects run before anything is judged: one releases what it holds, the
// other drops it.
// lost: make_dropped direct=6:180 make_late direct=1:72
#include "lose.h"

namespace {

APART void* make_released() {
  return malloc(50);
}

APART void* make_dropped() {
  return malloc(30);
}

APART void* make_late() {
  return malloc(72);
}

struct Releases {
  void* held[6] = {};
  ~Releases() {
    for (void*& block : held) {
      free(block);
      block = nullptr;
    }
  }
};

struct Drops {
  void* held[6] = {};
  ~Drops() {
    use(make_late());
    for (void*& block : held) {
      block = nullptr;
      use(&block);
    }
    scrub();
  }
};

Releases g_releases;
Drops g_drops;

APART void fill() {
  for (int i = 0; i < 6; ++i) {
    g_releases.held[i] = make_released();
    g_drops.held[i] = make_dropped();
  }
}

}  // namespace

int main() {
  fill();
  scrub();
}
