/* A program outside of seep's tree: it has the installed header and nothing else. */
#include <seep.h>
#include <stdio.h>

int main(void) {
  char arena[64];
  seep_name_unit("request");
  seep_count_units(5);
  seep_pool_alloc(arena, sizeof(arena));
  seep_pool_free(arena);
  seep_pool_clear(arena, sizeof(arena));
  seep_mark("served");
  seep_snapshot("again");
  seep_mark_units("done", 6);
  puts("served");
  return 0;
}
