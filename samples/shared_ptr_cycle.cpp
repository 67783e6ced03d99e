// Parent and child hold each other by shared_ptr: both stay alive when the last outer owner goes.
// verdict: growing leak=true function=adopt unreachable=true
#include <cstdio>
#include <memory>

#include "samples/pace.h"

namespace {

struct Node {
  std::shared_ptr<Node> other;  // should be a weak_ptr on one side
  char payload[64] = {};
};

SAMPLE_FUNCTION void adopt() {
  auto parent = std::make_shared<Node>();
  auto child = std::make_shared<Node>();
  parent->other = child;
  child->other = parent;
  use(parent.get());
}

}  // namespace

int main(int argc, char** argv) {
  pace pace = start_pace(duration_argument(argc, argv), 500);
  unsigned long families = 0;
  while (next_tick(&pace)) {
    adopt();
    ++families;
  }
  std::printf("%lu families\n", families);
}
