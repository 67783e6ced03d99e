// seep_write_example FILE: the snapshot that docs/file-format.md reads by hand.
#include <cstdio>

#include "tests/support/snapshot_builder.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: seep_write_example FILE\n");
    return 2;
  }
  seep::test::SnapshotBuilder builder;
  const auto server = builder.add_module("/usr/bin/server", "\x01\x23\x45\x67");
  const auto library = builder.add_module("/usr/lib/libhttp.so.1", "\x89\xab\xcd\xef");
  builder.add_site({.stack = {{server, 0x1a40}, {server, 0x1180}},
                    .live_blocks = 1,
                    .live_bytes = 4096,
                    .oldest_ms = 3100,
                    .ages = {{6, 1, 4096}}});
  builder.add_site({.stack = {{library, 0x5c10}, {server, 0x1f04}, {server, 0x1180}},
                    .live_blocks = 200,
                    .live_bytes = 62400,
                    .allocated_blocks = 203,
                    .allocated_bytes = 63336,
                    .oldest_ms = 2900,
                    .ages = {{0, 4, 1248}, {5, 120, 37440}, {6, 76, 23712}}});
  builder.at(7, 3.25).write(argv[1]);
  return 0;
}
