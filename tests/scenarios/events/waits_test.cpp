// poll, epoll_wait, sleep and the like never return early, whatever seep does meanwhile.
#include <atomic>
#include <thread>

#include "tests/scenarios/events/compared.h"

namespace seep::scenarios {
namespace {

class Waits : public Compared {
 protected:
  // Asks a running process for snapshots, marks and starts until `over`; how often it answered.
  unsigned pester(pid_t pid, const std::atomic<bool>& over) {
    const std::string target = std::to_string(pid);
    unsigned answered = 0;
    while (!over.load()) {
      for (const Arguments& request :
           {Arguments{"snapshot", target}, Arguments{"mark", target, "here"},
            Arguments{"pause", target}, Arguments{"start", target}, Arguments{"status", target}}) {
        Arguments command = {seep_command()};
        command.insert(command.end(), request.begin(), request.end());
        answered += Child(command, {}, pester_directory_).wait().status == 0 ? 1 : 0;
      }
    }
    return answered;
  }

  void SetUp() override {
    Compared::SetUp();
    pester_directory_ = directory() / "pester";
    std::filesystem::create_directory(pester_directory_);
  }

 private:
  std::filesystem::path pester_directory_;  // the outputs of both must not meet
};

TEST_F(Waits, AreNeverCutShortByRequestsAndSnapshots) {
  const Output alone = run({program("waits"), "among_threads"});
  auto child = start_preloaded({program("waits"), "among_threads"}, busy_settings());
  wait_for_recording(child->pid());
  std::atomic<bool> over{false};
  unsigned answered = 0;
  std::thread requests([&] { answered = pester(child->pid(), over); });
  const Output tracked = child->wait();
  over = true;
  requests.join();
  EXPECT_EQ(tracked.out, alone.out);
  EXPECT_EQ(tracked.out.find("EARLY"), std::string::npos);
  EXPECT_EQ(tracked.status, alone.status);
  EXPECT_GT(answered, 10U);
  expect_recordings_are_whole();
}

TEST_F(Waits, OfOneThreadAreNeverCutShortByItsWalker) {
  const Output output = expect_same({program("waits"), "alone"});
  EXPECT_EQ(output.out, "done 1\n");
}

}  // namespace
}  // namespace seep::scenarios
