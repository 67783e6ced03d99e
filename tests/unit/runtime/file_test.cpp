#include "preload/runtime/file.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "preload/runtime/syscall.h"

namespace seep::runtime {
namespace {

TEST(Files, ErrorsAreNegativeNumbers) {
  char room[16];
  EXPECT_EQ(-ENOENT, open_file(AT_FDCWD, "/no/such/file", O_RDONLY));
  EXPECT_EQ(-ENOENT, read_file(AT_FDCWD, "/no/such/file", room, sizeof(room)));
  EXPECT_EQ(-EBADF, write_all(-1, room, sizeof(room)));
  EXPECT_EQ(-EBADF, read_all(-1, room, sizeof(room)));
}

TEST(Files, AreClosedOnExec) {
  const int fd = open_file(AT_FDCWD, "/dev/null", O_RDONLY);
  ASSERT_GE(fd, 0);
  EXPECT_NE(0, fcntl(fd, F_GETFD) & FD_CLOEXEC);
  close_file(fd);
  EXPECT_EQ(-1, fcntl(fd, F_GETFD));
}

TEST(Files, ReadFileTakesAtMostTheCapacity) {
  char room[64] = {};
  const long all = read_file(AT_FDCWD, "/proc/self/comm", room, sizeof(room));
  ASSERT_GT(all, 4);
  EXPECT_EQ('\n', room[all - 1]);
  EXPECT_EQ(3, read_file(AT_FDCWD, "/proc/self/comm", room, 3));
}

// A pipe takes and gives a large transfer in parts.
TEST(Files, ShortTransfersAreContinued) {
  int ends[2];
  ASSERT_EQ(0, pipe(ends));
  std::vector<char> sent(1 << 20);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    sent[i] = static_cast<char>(i * 7 + i / 4096);
  }
  std::vector<char> received(sent.size() + 1);
  std::thread writer([&] {
    EXPECT_EQ(0, write_all(ends[1], sent.data(), sent.size()));
    close_file(ends[1]);
  });
  const long got = read_all(ends[0], received.data(), received.size());
  writer.join();
  close_file(ends[0]);
  ASSERT_EQ(static_cast<long>(sent.size()), got);
  EXPECT_EQ(0, std::memcmp(sent.data(), received.data(), sent.size()));
}

TEST(ReadOwnMemory, CopiesWhatIsMappedAndRefusesTheRest) {
  auto* pages = static_cast<char*>(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(MAP_FAILED, static_cast<void*>(pages));
  std::memcpy(pages + 4088, "8 bytes!", 8);
  ASSERT_EQ(0, mprotect(pages + 4096, 4096, PROT_NONE));
  char copy[16] = {};
  EXPECT_TRUE(read_own_memory(pages + 4088, copy, 8));
  EXPECT_EQ(0, std::memcmp(copy, "8 bytes!", 8));
  EXPECT_FALSE(read_own_memory(pages + 4088, copy, 16)) << "half of it is there";
  munmap(pages, 8192);
  EXPECT_FALSE(read_own_memory(pages, copy, 8));
  EXPECT_FALSE(read_own_memory(nullptr, copy, 8));
}

TEST(ReadOwnPieces, CopiesAllOfThemOrRefuses) {
  char first[] = "one";
  char second[] = "twelve";
  const iovec pieces[] = {{second, 6}, {first, 3}};
  char copy[16] = {};
  EXPECT_TRUE(read_own_pieces(pieces, 2, copy));
  EXPECT_STREQ("twelveone", copy);
  const iovec broken[] = {{second, 6}, {nullptr, 3}, {first, 3}};
  EXPECT_FALSE(read_own_pieces(broken, 3, copy));
}

TEST(SystemCalls, PassSixArgumentsAndReturnTheError) {
  EXPECT_EQ(getpid(), raw_syscall(__NR_getpid));
  const long mapped =
      raw_syscall(__NR_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_FALSE(failed(mapped));
  EXPECT_EQ(0, raw_syscall(__NR_munmap, mapped, 4096));
  errno = 0;
  EXPECT_EQ(-EBADF, raw_syscall(__NR_close, -1));
  EXPECT_EQ(0, errno);
  EXPECT_TRUE(failed(-1));
  EXPECT_TRUE(failed(-4095));
  EXPECT_FALSE(failed(0));
  EXPECT_FALSE(failed(-4096));
}

}  // namespace
}  // namespace seep::runtime
