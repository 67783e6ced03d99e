// seep_write_recordings DIRECTORY: recordings with names that no format expects, for the readers of
// run.py. The same names stand there.
//
//   DIRECTORY/run/hostile.100
//     10 snapshots; a leak under script frames, a cache, a site that shrinks
//   DIRECTORY/run/hostile.101
//     a second process of the run
//   DIRECTORY/sampled.200
//     of sample mode
//   DIRECTORY/page.300
//     names that would harm a page
#include <link.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/snapshot_builder.h"

namespace {

using seep::test::Frame;
using seep::test::SnapshotBuilder;

const std::string kName = "Pool;run\n\"<&>' \x01\x7f\xff\xef\xbf\xbe\u202e\u00e4";
const std::string kFile = "/srv/we;b\r \"<&]]>\x02\xfe%20.php";

// --- An address inside a function that was inlined

// NOLINTNEXTLINE(misc-use-internal-linkage): nothing may be known of it at the call
[[gnu::noinline]] std::uint64_t return_address() {
  asm volatile("");
  return reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
}

[[gnu::always_inline]] inline std::uint64_t inlined_part() {
  const std::uint64_t address = return_address();
  asm volatile("");
  return address;
}

[[gnu::noinline]] std::uint64_t outer_part() {
  const std::uint64_t address = inlined_part();
  asm volatile("");
  return address;
}

std::uint64_t own_base() {
  std::uint64_t base = 0;
  const auto first = [](dl_phdr_info* info, std::size_t, void* result) {
    *static_cast<std::uint64_t*>(result) = info->dlpi_addr;
    return 1;
  };
  dl_iterate_phdr(first, &base);
  return base;
}

// --- The recordings

// Of 100 blocks of 64 bytes that were born each second and stay.
std::vector<seep::test::AgeGroup> ages_after(std::uint32_t seconds) {
  std::vector<seep::test::AgeGroup> ages;
  for (std::uint32_t age_class = 0, age = 0; age < seconds; ++age) {
    while ((std::uint64_t{64} << age_class) < std::uint64_t{1000} * age) {
      ++age_class;  // classes end at 64 ms * 2^k
    }
    if (ages.empty() || ages.back().age_class != age_class) {
      ages.push_back({age_class});
    }
    ages.back().blocks += 100;
    ages.back().bytes += 6400;
  }
  return ages;
}

void write_hostile(const std::string& directory, std::uint32_t pid) {
  SnapshotBuilder builder;
  builder.process.pid = pid;
  builder.process.started_unix_ns = 1'700'000'000'000'000'000;
  builder.exe = "/opt/app/serv;er\n\xff";
  const std::string own = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto self = builder.add_module(own, "", own_base());
  const auto library = builder.add_module("/opt/a;b\n\"<\x03\xff.so", "\xab\xcd", 0x7f0000000000);
  const Frame inlined = {self, outer_part() - own_base()};
  const Frame unknown = {library, 0x1234};
  const Frame hostile = builder.add_script_frame(kName, kFile, 12);
  const Frame python =
      builder.add_script_frame("handle", "/srv/app.py", 7, seep::format::ScriptLanguage::kPython);
  const auto leak = builder.add_site({.stack = {hostile, python, unknown, inlined}});
  const auto cache = builder.add_site({.stack = {unknown, inlined}});
  const auto map = builder.add_site({.stack = {inlined}, .kind = seep::format::SiteKind::kMmap});
  for (std::uint32_t i = 1; i <= 10; ++i) {
    builder.site(leak).live_blocks = 100ULL * i;
    builder.site(leak).live_bytes = 6400ULL * i;
    builder.site(leak).oldest_ms = 1000ULL * (i - 1);
    builder.site(leak).ages = ages_after(i);
    builder.site(cache).live_blocks = 1;
    builder.site(cache).live_bytes = 4096;
    builder.site(cache).allocated_blocks = i;
    builder.site(cache).allocated_bytes = 4096ULL * i;
    builder.site(map).live_blocks = 1;
    builder.site(map).live_bytes = 1'000'000 - 10'000ULL * i;
    builder.site(map).allocated_bytes = 1'000'000;
    builder.mark = i == 4 ? "warm" : "";
    builder.at(i, i);
    builder.trigger(i == 4 ? seep::format::Trigger::kMark : seep::format::Trigger::kInterval);
    builder.write_into(directory);
  }
}

void write_sampled(const std::string& directory) {
  SnapshotBuilder builder;
  builder.process.pid = 200;
  builder.process.mode = static_cast<std::uint32_t>(seep::format::Mode::kSample);
  builder.process.sample_bytes = 524288;
  const auto server = builder.add_module("/opt/app/server", "\x01\x02");
  builder.add_site({.stack = {{server, 0x1100}}, .live_blocks = 64, .live_bytes = 4096});
  builder.at(1, 1).write_into(directory);
}

// Names that would end an element, a script or a text of a page, and one that is very long. 40
// snapshots; the first site grows, the second shrinks, the others stay.
void write_page(const std::string& directory) {
  SnapshotBuilder builder;
  builder.process.pid = 300;
  builder.process.started_unix_ns = 1'700'000'000'000'000'000;
  const auto server = builder.add_module("/opt/app/<img src=x onerror=alert(1)>", "\x01\x02");
  const Frame outer = builder.add_script_frame("{main}", "/srv/app.php", 3);
  const std::vector<std::string> names = {"open_session",
                                          "</script><script>document.title='owned'</script>",
                                          "\u2028\u2029\"'`${1}\\",
                                          "\xff\xfe\xc3",
                                          std::string(10'000, 'A'),
                                          "__proto__",
                                          "%data%",
                                          "<!--<script>"};
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    const Frame inner = builder.add_script_frame(names[i], "/srv/\"><b>.php", i + 1);
    builder.add_site({.stack = {inner, {server, 0x100}, outer}});
  }
  for (std::uint32_t i = 1; i <= 40; ++i) {
    for (std::uint32_t site = 0; site < names.size(); ++site) {
      builder.site(site).live_blocks = site == 0 ? 100ULL * i : site == 1 ? 100ULL * (41 - i) : 10;
      builder.site(site).live_bytes = builder.site(site).live_blocks * 64;
    }
    builder.site(0).oldest_ms = 1000ULL * (i - 1);
    builder.site(0).ages = ages_after(i);
    builder.accounting.rss_bytes = 1'000'000 + 10'000ULL * i;
    builder.mark = i == 20 ? "<b>warm</b>" : "";
    builder.at(i, i);
    builder.trigger(i == 20 ? seep::format::Trigger::kMark : seep::format::Trigger::kInterval);
    builder.write_into(directory);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: seep_write_recordings DIRECTORY\n");
    return 2;
  }
  const std::string directory = argv[1];
  write_hostile(directory + "/run/hostile.100", 100);
  write_hostile(directory + "/run/hostile.101", 101);
  write_sampled(directory + "/sampled.200");
  write_page(directory + "/page.300");
  return 0;
}
