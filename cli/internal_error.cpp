#include "cli/internal_error.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/stacktrace.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include "cli/exit_status.h"

namespace seep::cli {
namespace {

// "main  /usr/bin/seep+0x1234": the offset is what `addr2line -Cfie FILE OFFSET` takes.
std::string line_of(const boost::stacktrace::frame& frame) {
  Dl_info module{};
  const void* address = frame.address();
  if (dladdr(address, &module) == 0 || module.dli_fname == nullptr) {
    return fmt::format("  {}\n", address);
  }
  const auto offset =
      static_cast<const char*>(address) - static_cast<const char*>(module.dli_fbase);
  return fmt::format("  {}  {}+{:#x}\n", frame.name(), module.dli_fname, offset);
}

[[noreturn]] void end_with_backtrace(const std::string& what) {
  std::string trace;
  for (const boost::stacktrace::frame& frame : boost::stacktrace::stacktrace()) {
    trace += line_of(frame);
  }
  std::fprintf(stderr,
               "seep: internal error: %s\nThis is a defect of seep " SEEP_VERSION
               "; please report it with these lines:\n%s",
               what.c_str(), trace.c_str());
  std::fflush(stderr);
  _exit(kInternalError);
}

[[noreturn]] void on_terminate() {
  std::string what = "std::terminate was called";
  if (const std::exception_ptr current = std::current_exception()) {
    try {
      std::rethrow_exception(current);
    } catch (const std::exception& error) {
      what = error.what();
    } catch (...) {
      what = "an exception of an unknown type";
    }
  }
  end_with_backtrace(what);
}

// Printing is not safe in a handler, but the process is lost anyway: a second fault ends it.
void on_fatal_signal(int signal) {
  std::signal(signal, SIG_DFL);
  end_with_backtrace("signal " + std::to_string(signal));
}

}  // namespace

void report_internal_errors() {
  std::set_terminate(on_terminate);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    if (std::signal(signal, on_fatal_signal) == SIG_IGN) {
      std::signal(signal, SIG_IGN);  // `seep run` hands ignored signals on, as a shell does
    }
  }
}

}  // namespace seep::cli
