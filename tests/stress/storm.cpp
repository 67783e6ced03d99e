// A storm: threads that fork, load and unload libraries, raise signals, start threads and switch
// coroutines, all of them allocating. storm SECONDS SEED [ACTOR…]; prints a line of counts each
// second. The seed sets sizes, who starts when, and the timers' period.
// Each actor counts what it has done; one that stands still for 20 seconds, in which the storm had
// 10 of a processor, or for two minutes, ends the storm by status 1, after it has been named: on a
// machine that is taken by others locks are handed on slowly, and not in turn. It does only what is
// permitted without seep: handlers call nothing of the allocator but mmap, and children of a fork
// load nothing. storm.py is the watchdog.
#include <dlfcn.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<bool> g_over{false};
std::atomic<unsigned> g_random{1};

struct Actor {
  const char* name;
  void (*act)();  // one turn
  std::atomic<unsigned long> turns{0};
};

void fill_map(int count) {
  std::map<int, std::string> map;
  for (int i = 0; i < count; ++i) {
    map[i * 7919 % 1009] = std::string(static_cast<std::size_t>(20 + i % 100), 'x');
  }
}

void wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::fprintf(stderr, "a child ended with wait status %d\n", status);
    std::_Exit(3);
  }
}

void fork_and_allocate() {
  const pid_t pid = fork();
  if (pid == 0) {
    fill_map(200);
    _exit(0);
  }
  wait_for(pid);
}

// With everything that a last snapshot does; exit and quick_exit may wait for a lock of libc's that
// another thread held at the fork.
void fork_and_snapshot() {
  const pid_t pid = fork();
  if (pid == 0) {
    fill_map(50);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    fill_map(50);
    _exit(0);
  }
  wait_for(pid);
}

void spawn() {
  char name[] = "true";
  char* const arguments[] = {name, nullptr};
  pid_t pid = -1;
  if (posix_spawn(&pid, "/bin/true", nullptr, nullptr, arguments, environ) == 0) {
    wait_for(pid);
  }
}

void load_and_unload() {
  static std::atomic<unsigned> count{0};
  const char* const plugin = count.fetch_add(1) % 2 == 0 ? STORM_PLUGIN_A : STORM_PLUGIN_B;
  void* library = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::_Exit(3);
  }
  auto* work = reinterpret_cast<void (*)(int)>(dlsym(library, "storm_plugin_work"));
  work(20);
  dlclose(library);
}

void start_threads() {
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      thread_local std::map<int, std::string> left_to_the_end;
      for (int k = 0; k < 20; ++k) {
        left_to_the_end[k] = std::string(50, 'x');
      }
      fill_map(20);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

thread_local ucontext_t t_back;
thread_local ucontext_t t_coroutine;

void coroutine() {
  for (int i = 0; i < 5; ++i) {
    fill_map(10);
    swapcontext(&t_coroutine, &t_back);
  }
}

// On a stack that is unmapped afterwards: another one comes to lie there.
void switch_coroutines() {
  constexpr std::size_t kStack = 128 << 10;
  void* stack = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  getcontext(&t_coroutine);
  t_coroutine.uc_stack.ss_sp = stack;
  t_coroutine.uc_stack.ss_size = kStack;
  t_coroutine.uc_link = &t_back;
  makecontext(&t_coroutine, coroutine, 0);
  for (int i = 0; i < 6; ++i) {
    swapcontext(&t_back, &t_coroutine);
  }
  munmap(stack, kStack);
}

void throw_through(int frames) {
  const auto block = std::make_unique<char[]>(100);
  if (frames == 0) {
    throw std::runtime_error(std::string(100, 'x'));
  }
  throw_through(frames - 1);
}

void throw_and_catch() {
  try {
    throw_through(10);
  } catch (const std::exception&) {
    fill_map(5);
  }
}

void move_blocks() {
  static std::atomic<void*> slots[256];
  for (int i = 0; i < 500; ++i) {
    const unsigned random = g_random.fetch_add(2654435761U);
    void* block = std::malloc(random % 5000);
    block = std::realloc(block, 1 + random % 9000);
    std::free(slots[random >> 24].exchange(block));  // made by whatever thread
  }
}

void map_and_unmap(int /*signal*/) {
  const int before = errno;
  void* map = mmap(nullptr, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map != MAP_FAILED) {
    munmap(map, 16384);
  }
  errno = before;
}

void raise_signals() {
  raise(SIGUSR1);
  kill(getpid(), SIGUSR2);  // to any thread
  fill_map(3);
}

Actor g_actors[] = {{"fork", fork_and_allocate},
                    {"fork_snapshot", fork_and_snapshot},
                    {"spawn", spawn},
                    {"dlopen", load_and_unload},
                    {"dlopen_too", load_and_unload},
                    {"threads", start_threads},
                    {"coroutines", switch_coroutines},
                    {"coroutines_too", switch_coroutines},
                    {"throw", throw_and_catch},
                    {"move", move_blocks},
                    {"move_too", move_blocks},
                    {"signals", raise_signals}};

// 0 stops them.
void set_timers(suseconds_t period_us) {
  const itimerval often = {{0, period_us}, {0, period_us}};
  setitimer(ITIMER_REAL, &often, nullptr);
  setitimer(ITIMER_PROF, &often, nullptr);
}

void start_signals(suseconds_t period_us) {
  struct sigaction action {};
  action.sa_handler = map_and_unmap;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGUSR1, SIGUSR2, SIGALRM, SIGPROF}) {
    sigaction(signal, &action, nullptr);
  }
  set_timers(period_us);
}

// `names` ends by a null; without any, all are.
bool is_chosen(const Actor& actor, char** names) {
  if (*names == nullptr) {
    return true;
  }
  for (; *names != nullptr; ++names) {
    if (std::strcmp(*names, actor.name) == 0) {
      return true;
    }
  }
  return false;
}

void sleep_whole(std::chrono::microseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_until(end);
  }
}

using Crew = std::vector<std::pair<Actor*, std::thread>>;

void act_until_over(Actor& actor) {
  while (!g_over.load()) {
    actor.act();
    actor.turns.fetch_add(1);
  }
}

Crew start_crew(char** names, std::mt19937& random) {
  std::vector<Actor*> order;
  for (Actor& actor : g_actors) {
    if (is_chosen(actor, names)) {
      order.push_back(&actor);
    }
  }
  std::shuffle(order.begin(), order.end(), random);
  Crew crew;
  for (Actor* actor : order) {
    crew.emplace_back(actor, std::thread(act_until_over, std::ref(*actor)));
    sleep_whole(std::chrono::microseconds(random() % 3000));
  }
  return crew;
}

struct Seen {
  unsigned long turns = 0;
  long since = 0;      // the second in which they changed
  long cpu_since = 0;  // seconds of a processor that the storm had had then
};

bool stands_still(const Seen& last, long second, long cpu_second) {
  constexpr long kPatience = 20;
  constexpr long kCpuPatience = 10;
  constexpr long kMostPatience = 120;
  const long still = second - last.since;
  return still > kMostPatience || (still > kPatience && cpu_second - last.cpu_since > kCpuPatience);
}

// A line of counts. False when an actor stands still.
bool tell(const Crew& crew, std::map<Actor*, Seen>& seen, long second) {
  const long cpu_second = std::clock() / CLOCKS_PER_SEC;
  for (const auto& [actor, thread] : crew) {
    const unsigned long turns = actor->turns.load();
    std::printf("%s %lu ", actor->name, turns);
    Seen& last = seen[actor];
    if (turns != last.turns) {
      last = {turns, second, cpu_second};
    } else if (stands_still(last, second, cpu_second)) {
      std::printf("STUCK: %s\n", actor->name);
      std::fflush(stdout);
      return false;
    }
  }
  std::printf("\n");
  std::fflush(stdout);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const long seconds = argc > 1 ? std::atol(argv[1]) : 10;
  std::mt19937 random(argc > 2 ? static_cast<unsigned>(std::atol(argv[2])) : 1);
  g_random = static_cast<unsigned>(random());
  start_signals(static_cast<suseconds_t>(2500 + random() % 1000));
  Crew crew = start_crew(argc > 3 ? argv + 3 : argv + argc, random);
  if (crew.empty()) {
    std::fprintf(stderr, "no such actor\n");
    return 2;
  }
  std::map<Actor*, Seen> seen;
  for (long second = 0; second < seconds; ++second) {
    sleep_whole(std::chrono::seconds(1));
    if (!tell(crew, seen, second)) {
      sleep_whole(std::chrono::minutes(10));  // the watchdog looks at the stacks
      std::_Exit(1);
    }
  }
  g_over = true;
  set_timers(0);
  for (auto& [actor, thread] : crew) {
    thread.join();
  }
  std::printf("over\n");
  return 0;
}
