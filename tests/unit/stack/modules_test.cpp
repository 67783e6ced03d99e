// Which file an address lies in, while libraries come and go.
#include "preload/stack/modules.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "format/snapshot_format.h"
#include "preload/stack/capture.h"
#include "preload/stack/capture_counts.h"
#include "tests/unit/stack/mapped_elf.h"
#include "tests/unit/stack/oracle.h"

namespace seep::stack::testing {
namespace {

class Library {
 public:
  explicit Library(const char* path) : handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    refresh_modules();
  }
  ~Library() { close(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  void close() {
    if (handle_ != nullptr) {
      dlclose(handle_);
      handle_ = nullptr;
      refresh_modules();
    }
  }

  [[nodiscard]] bool ok() const { return handle_ != nullptr; }
  [[nodiscard]] std::uint64_t address() const {
    return reinterpret_cast<std::uint64_t>(dlsym(handle_, "plugin_call"));
  }

  // The frame of plugin_call in a stack captured from a callback.
  [[nodiscard]] Frame frame() const {
    using Call = int (*)(void (*)(void*), void*);
    const auto call = reinterpret_cast<Call>(address());
    Stack stack;
    call([](void* out) { capture_here(*static_cast<Stack*>(out)); }, &stack);
    EXPECT_FALSE(stack.failed);
    EXPECT_GT(stack.depth, 2U);
    return stack.frames[1];
  }

 private:
  void* handle_;
};

const Module* module_of(const Frame& frame) {
  return module_at(static_cast<unsigned>(frame.frame >> format::kFrameModuleShift));
}

std::string file_name(const Module* module) {
  return module == nullptr ? "none" : std::filesystem::path(module->path).filename().string();
}

std::uint64_t times_mappings_were_read() {
  return capture_count(format::CaptureCount::mappings_read).load();
}

class Modules : public ::testing::Test {
 protected:
  void SetUp() override {
    set_skip_own_module(false);
    refresh_modules();
  }
};

TEST_F(Modules, KnowTheProgramItsLibrariesAndTheVdso) {
  std::vector<std::string> names;
  for (unsigned id = 1; id <= module_count(); ++id) {
    const Module* module = module_at(id);
    ASSERT_NE(nullptr, module);
    EXPECT_EQ(id, module->id);
    names.emplace_back(file_name(module));
  }
  for (const char* name : {"seep_test_stack", "libc.so.6", "libstdc++.so.6.0.30", "[vdso]"}) {
    EXPECT_NE(names.end(), std::find_if(names.begin(), names.end(),
                                        [&](const std::string& other) {
                                          return other.substr(0, 9) ==
                                                 std::string(name).substr(0, 9);
                                        }))
        << name;
  }
  EXPECT_EQ(nullptr, module_at(0));
  EXPECT_EQ(nullptr, module_at(module_count() + 1));
}

TEST_F(Modules, GiveTheBiasThatTheLoaderUsed) {
  Dl_info info;
  ASSERT_NE(0, dladdr(reinterpret_cast<void*>(&dlopen), &info));
  const Place place = find_place(reinterpret_cast<std::uint64_t>(&dlopen));
  ASSERT_NE(nullptr, place.load);
  EXPECT_EQ(reinterpret_cast<std::uint64_t>(info.dli_fbase), place.load->image.bias);
  EXPECT_EQ(20U, place.load->module->build_id.size()) << "Debian's build-ids are SHA-1";
}

TEST_F(Modules, DataIsInNoPlaceWithCode) {
  static int data = 0;
  const Place place = find_place(reinterpret_cast<std::uint64_t>(&data));
  EXPECT_EQ(nullptr, place.load);
  EXPECT_FALSE(place.executable);
}

TEST_F(Modules, SameFileKeepsItsFramesAtAnotherPlace) {
  Library library(SEEP_PLUGIN_A);
  ASSERT_TRUE(library.ok());
  const Frame before = library.frame();
  const std::uint64_t old_address = library.address();
  library.close();
  void* page = reinterpret_cast<void*>(old_address & ~std::uint64_t{4095});
  void* blocker =
      mmap(page, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  ASSERT_EQ(page, blocker);
  const Library again(SEEP_PLUGIN_A);
  ASSERT_NE(old_address, again.address());
  EXPECT_EQ(before.frame, again.frame().frame);
  EXPECT_EQ("libseep_plugin_a.so", file_name(module_of(before)));
  munmap(blocker, 4096);
}

TEST_F(Modules, AnotherFileAtTheSamePlaceIsNotConfused) {
  Library a(SEEP_PLUGIN_A);
  const Frame frame_a = a.frame();
  const std::uint64_t address_a = a.address();
  a.close();
  const Library b(SEEP_PLUGIN_B);
  const Frame frame_b = b.frame();
  EXPECT_EQ("libseep_plugin_a.so", file_name(module_of(frame_a)));
  EXPECT_EQ("libseep_plugin_b.so", file_name(module_of(frame_b)));
  // Without this the test would show nothing.
  EXPECT_EQ(address_a & ~std::uint64_t{4095}, b.address() & ~std::uint64_t{4095});
}

TEST_F(Modules, UnloadedFileIsMarkedAndComesBack) {
  Library a(SEEP_PLUGIN_A);
  const Module* module = module_of(a.frame());
  ASSERT_NE(nullptr, module);
  EXPECT_TRUE(load_of(*module).mapped);
  const std::uint64_t loaded = generation();
  a.close();
  EXPECT_FALSE(load_of(*module).mapped);
  EXPECT_GT(generation(), loaded);
  const Library again(SEEP_PLUGIN_A);
  EXPECT_TRUE(load_of(*module).mapped);
  EXPECT_EQ(module, module_of(again.frame()));
}

TEST_F(Modules, OneThatEndsIsLookedForAgainWhereItWas) {
  const Library a(SEEP_PLUGIN_A);
  const Frame before = a.frame();
  const Module* module = module_of(before);
  ASSERT_NE(nullptr, module);
  const std::uint64_t loaded = generation();
  forget_module(load_of(*module).image.end - 1);  // its data
  EXPECT_FALSE(load_of(*module).mapped);
  EXPECT_GT(generation(), loaded);
  EXPECT_EQ(before.frame, a.frame().frame) << "it is still there";
  EXPECT_TRUE(load_of(*module).mapped);
}

// The program runs its __cxa_finalize first when it ends, and stands in every stack after that.
TEST_F(Modules, TheProgramItselfIsNeverForgotten) {
  static int data = 0;
  const std::uint64_t before = generation();
  forget_module(reinterpret_cast<std::uint64_t>(&data));
  EXPECT_EQ(before, generation());
  EXPECT_NE(nullptr, find_place(reinterpret_cast<std::uint64_t>(&times_mappings_were_read)).load);
}

TEST_F(Modules, TheEndOfAnUnknownOneChangesNothing) {
  const std::uint64_t before = generation();
  forget_module(1);
  EXPECT_EQ(before, generation());
}

TEST_F(Modules, LoadingTheSameFilesManyTimesTakesNoMoreModules) {
  { const Library a(SEEP_PLUGIN_A); }
  const unsigned before = module_count();
  for (int i = 0; i < 50; ++i) {
    const Library a(SEEP_PLUGIN_A);
  }
  EXPECT_EQ(before, module_count());
}

TEST_F(Modules, RefreshWithoutAChangeKeepsTheGeneration) {
  const std::uint64_t before = generation();
  refresh_modules();
  EXPECT_EQ(before, generation());
}

// How often refresh_changed_modules reads the mappings: once to compare, and once more where
// something has changed.
std::uint64_t times_read_to_refresh() {
  const std::uint64_t before = times_mappings_were_read();
  refresh_changed_modules();
  return times_mappings_were_read() - before;
}

TEST_F(Modules, RefreshOfChangedOnesStopsWhereNothingHasChanged) {
  const std::uint64_t before = generation();
  EXPECT_EQ(1U, times_read_to_refresh());
  const std::vector<char> heap(std::size_t{1} << 24);  // a map of its own
  EXPECT_EQ(1U, times_read_to_refresh()) << "no code in it";
  EXPECT_EQ(before, generation());
}

TEST_F(Modules, RefreshOfChangedOnesSeesThemComeAndGo) {
  void* handle = dlopen(SEEP_PLUGIN_A, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(nullptr, handle);
  const auto address = reinterpret_cast<std::uint64_t>(dlsym(handle, "plugin_call"));
  EXPECT_EQ(2U, times_read_to_refresh());
  EXPECT_EQ(1U, times_read_to_refresh());
  const Load* load = find_place(address).load;
  ASSERT_NE(nullptr, load);
  EXPECT_TRUE(load->mapped);
  forget_module(address);
  EXPECT_FALSE(load->mapped);
  EXPECT_EQ(2U, times_read_to_refresh()) << "the list is the same, what is known is not";
  EXPECT_TRUE(load->mapped);
  dlclose(handle);
  EXPECT_EQ(2U, times_read_to_refresh());
  EXPECT_FALSE(load->mapped);
}

// The lines of /proc/self/maps for one file.
std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.ends_with(path.string())) {
      lines.push_back(line);
    }
  }
  return lines;
}

// Written over in place, a file keeps its name and inode, and lands where it was.
TEST_F(Modules, RefreshOfChangedOnesSeesAnotherFileUnderTheSameLines) {
  namespace fs = std::filesystem;
  const fs::path path = fs::temp_directory_path() / ("seep " + std::to_string(getpid()) + ".so");
  const auto load_copy_of = [&path](const char* plugin) {
    std::ofstream(path, std::ios::binary) << std::ifstream(plugin, std::ios::binary).rdbuf();
    return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  };
  const auto module_in = [](void* handle) {
    refresh_changed_modules();
    return find_place(reinterpret_cast<std::uint64_t>(dlsym(handle, "plugin_call"))).load->module;
  };
  void* a = load_copy_of(SEEP_PLUGIN_A);
  ASSERT_NE(nullptr, a);
  const Module* module_a = module_in(a);
  const std::vector<std::string> lines_a = lines_of(path);
  dlclose(a);
  void* b = load_copy_of(SEEP_PLUGIN_B);
  ASSERT_NE(nullptr, b);
  EXPECT_EQ(lines_a, lines_of(path)) << "without this the test would show nothing";
  EXPECT_NE(module_a->build_id, module_in(b)->build_id);
  dlclose(b);
  fs::remove(path);
}

TEST_F(Modules, PathWithSpacesAndNewlineIsPlain) {
  const std::filesystem::path copy =
      std::filesystem::temp_directory_path() / ("seep a\nb " + std::to_string(getpid()) + ".so");
  std::filesystem::copy_file(SEEP_PLUGIN_A, copy,
                             std::filesystem::copy_options::overwrite_existing);
  {
    const Library library(copy.c_str());
    ASSERT_TRUE(library.ok());
    EXPECT_EQ(copy.string(), module_of(library.frame())->path);
    const Module* module = module_of(library.frame());
    std::filesystem::remove(copy);
    refresh_modules();
    EXPECT_EQ(module, module_of(library.frame())) << "a deleted file stays the same module";
  }
}

TEST_F(Modules, FileWithoutBuildIdIsAnotherOneWhenItWasReplaced) {
  namespace fs = std::filesystem;
  const fs::path path = fs::temp_directory_path() / ("seep " + std::to_string(getpid()) + ".so");
  const auto id_of_copy = [&path] {
    // A new file under the old name, as installers write it: another inode.
    const fs::path fresh = path.string() + ".new";
    fs::copy_file(SEEP_PLUGIN_NAMELESS, fresh, fs::copy_options::overwrite_existing);
    fs::rename(fresh, path);
    const Library library(path.c_str());
    EXPECT_TRUE(library.ok());
    return module_of(library.frame())->id;
  };
  const unsigned first = id_of_copy();
  // Keeps the first inode from being used again.
  const int first_file = open(path.c_str(), O_RDONLY);
  EXPECT_NE(first, id_of_copy());
  close(first_file);
  fs::remove(path);
}

TEST_F(Modules, ThreadsCaptureWhileLibrariesComeAndGo) {
  std::atomic<bool> stop{false};
  std::atomic<int> different{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      Stack first;
      Stack stack;
      const auto take = [](Stack& out) { capture_here(out); };
      take(first);
      while (!stop) {
        take(stack);
        refresh_modules();
        // Frame 0 is this function, at two addresses.
        different += stack.depth != first.depth || stack.failed ||
                     stack.frames[1].frame != first.frames[1].frame;
      }
    });
  }
  for (int i = 0; i < 100; ++i) {
    const Library a(SEEP_PLUGIN_A);
    const Library b(SEEP_PLUGIN_B);
    EXPECT_EQ("libseep_plugin_a.so", file_name(module_of(a.frame())));
    EXPECT_EQ("libseep_plugin_b.so", file_name(module_of(b.frame())));
  }
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(0, different);
}

}  // namespace
}  // namespace seep::stack::testing
