#include "tests/scenarios/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>

namespace seep::scenarios {
namespace {

bool is_of_seep(const std::string& variable) {
  return variable.rfind("LD_PRELOAD=", 0) == 0 || variable.rfind("SEEP_", 0) == 0;
}

std::vector<std::string> environment_with(const Environment& added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string variable = *entry;
    if (!is_of_seep(variable) && added.count(variable.substr(0, variable.find('='))) == 0) {
      result.push_back(variable);
    }
  }
  for (const auto& [name, value] : added) {
    result.emplace_back(name).append("=").append(value);
  }
  return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    result.push_back(text.data());
  }
  result.push_back(nullptr);
  return result;
}

int open_for_output(const std::filesystem::path& path) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

}  // namespace

Child::Child(const Arguments& arguments, const Environment& environment,
             const std::filesystem::path& scratch) {
  static std::atomic<int> count{0};
  const std::string number = std::to_string(count++);
  out_ = scratch / ("stdout." + number);
  err_ = scratch / ("stderr." + number);
  const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int out = open_for_output(out_);
  const int err = open_for_output(err_);
  std::vector<std::string> argument_texts = arguments;
  std::vector<std::string> environment_texts = environment_with(environment);
  const std::vector<char*> argv = pointers_to(argument_texts);
  const std::vector<char*> envp = pointers_to(environment_texts);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execvpe(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  close(in);
  close(out);
  close(err);
}

Child::~Child() {
  if (pid_ > 0 && !reaped_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

void Child::send(int signal) const {
  kill(pid_, signal);
}

bool Child::has_ended() const {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid_;
}

std::string Child::out_so_far() const {
  return read_text(out_);
}

Output Child::wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  reaped_ = true;
  Output output;
  output.out = read_text(out_);
  output.err = read_text(err_);
  output.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

}  // namespace seep::scenarios
