#include "tests/unit/cli/program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "tests/support/temporary_directory.h"

namespace seep::test {
namespace {

void redirect(const std::string& file, int descriptor) {
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(fd, descriptor);
  close(fd);
}

[[noreturn]] void become(std::vector<std::string> command, const ProgramOptions& options) {
  if (!options.directory.empty() && chdir(options.directory.c_str()) != 0) {
    _exit(99);
  }
  for (const auto& [name, value] : options.environment) {
    setenv(name.c_str(), value.c_str(), 1);
  }
  std::vector<char*> words;
  for (std::string& word : command) {
    words.push_back(word.data());
  }
  words.push_back(nullptr);
  execvp(words[0], words.data());
  _exit(98);
}

}  // namespace

ProgramEnd run_program(const std::vector<std::string>& command, const ProgramOptions& options) {
  const TemporaryDirectory directory;
  const std::string out = directory.file("out");
  const std::string err = directory.file("err");
  const pid_t pid = fork();
  if (pid == 0) {
    redirect(out, STDOUT_FILENO);
    redirect(err, STDERR_FILENO);
    become(command, options);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  ProgramEnd end;
  end.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  end.out = read_file(out);
  end.err = read_file(err);
  return end;
}

ProgramEnd run_seep(const std::vector<std::string>& words, const ProgramOptions& options) {
  std::vector<std::string> command = {SEEP_COMMAND};
  command.insert(command.end(), words.begin(), words.end());
  return run_program(command, options);
}

std::size_t count_lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace seep::test
