// Starts a task by raw clone(2). Context: IN-AGENT, and the tasks themselves.
#pragma once

namespace seep::runtime {

// Runs `run(argument)` on the stack that ends at `stack_top` in a new task, which exits when it
// returns. `flags` must have CLONE_VM; with CLONE_PARENT_SETTID the id is put at `place_of_id`
// before the task runs. Returns its id or the error.
long clone_and_run(unsigned long flags, void* stack_top, int* place_of_id, void (*run)(void*),
                   void* argument);

}  // namespace seep::runtime
