#include "cli/man_page.h"

#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string_view>

#include "cli/help.h"
#include "cli/settings.h"

namespace seep::cli {
namespace {

constexpr std::string_view kDescription = R"(.SH DESCRIPTION
seep finds what makes a long-running Linux process grow.
A preloaded library, libseep.so, records every live allocation under the call stack that made it and
writes snapshots of that record while the program runs; this command compares them and says which
code leaks, how fast, and why it thinks so.
.PP
The library works without this command:
.B LD_PRELOAD=.../libseep.so prog
records with defaults and the variables below.
)";

constexpr std::string_view kSignals = R"(.SH SIGNALS
.B seep run
hands every signal that is sent to it on to CMD, once.
Those of a terminal reach CMD directly, since both are in the foreground process group, and are not
sent again; when CMD is stopped by the terminal, seep stops with it.
A supervisor that signals each process of a group or a cgroup reaches CMD twice: use
.B \-\-exec
there.
As PID 1, seep reaps every process that is left to it.
)";

constexpr std::string_view kExitStatus = R"(.SH EXIT STATUS
.TP
.B 0
Done.
.TP
.B 1
.B \-\-check
found a leak that is not suppressed; another number with
.BR \-\-error\-exitcode .
.TP
.B 2
Wrong usage.
.TP
.B 3
Unreadable or damaged input, or a process that cannot be asked.
.TP
.B 4
Internal error, with a backtrace of seep itself.
.PP
.B seep run
ends with the status of CMD, or 128 + n when signal n ended it; 125 when seep itself failed, 126 when
CMD cannot be executed, 127 when it was not found.
)";

constexpr std::string_view kFiles = R"(.SH FILES
.TP
.I SEEP_DIR/PROGRAM.PID/snapshot-NNNNNN.seep
A snapshot; one directory for each process image.
.TP
.I SEEP_DIR/index
One line for each process image that ended.
.TP
.I SEEP_DIR/seep.log
What the library has to say.
.TP
.I SEEP_DIR/PROGRAM.PID/control
The page through which
.BR "seep snapshot" , " mark" " and" " status"
talk to the running process.
)";

constexpr std::string_view kExamples = R"(.SH EXAMPLES
.nf
seep run -- ./server --port 8080
seep report seep-out
seep report --json seep-out -o report.json
seep mark 4711 "after 10,000 requests" --units 10000
seep diff seep-out/server.4711 seep-out/server.5012
seep prune seep-out --to 200M
.fi
.SH SEE ALSO
.BR ld.so (8),
.BR proc (5)
)";

// A dot or a quote at the start of a line is a macro; a bare hyphen is set as a typographic one.
std::string escape(std::string_view text) {
  std::string escaped;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) {
      escaped += "\\&";
    }
    if (c == '\\') {
      escaped += "\\e";
    } else {
      escaped += c == '-' ? "\\-" : std::string(1, c);
    }
    line_begins = c == '\n';
  }
  return escaped;
}

std::string option_entry(const CLI::Option& option) {
  const std::string name =
      option.get_positional() ? option.get_name(true) : option.get_name(false, true);
  const bool is_named_value = !option.get_positional() && option.get_type_size() != 0;
  const std::string value =
      is_named_value ? fmt::format(" \\fI{}\\fR", escape(placeholder(&option))) : std::string();
  return fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", escape(name), value,
                     escape(option.get_description()));
}

std::string verb_section(const CLI::App& verb) {
  std::string text =
      fmt::format(".SS seep {}\n{}\n", escape(verb.get_name()), escape(verb.get_description()));
  for (const CLI::Option* option : verb.get_options()) {
    text += option_entry(*option);
  }
  return text;
}

std::string verbs_section(const CLI::App& app) {
  std::string text = ".SH VERBS\n";
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    text += verb_section(*verb);
  }
  return text;
}

std::string environment_section() {
  std::string text =
      ".SH ENVIRONMENT\nRead by libseep.so; an option of\n.B seep run\nsets the variable of its "
      "name.\n";
  for (const Setting& setting : settings()) {
    text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", setting.variable(), escape(setting.description()));
  }
  text +=
      ".TP\n\\fBSEEP_LIBRARY\\fR\nRead by\n.BR \"seep run\" :\nthe libseep.so to use instead of "
      "the one "
      "next to this program.\n";
  return text;
}

}  // namespace

std::string manual(const CLI::App& app) {
  std::string text = ".TH SEEP 1 \"\" \"seep " SEEP_VERSION "\" \"User Commands\"\n";
  text += ".SH NAME\nseep \\- find what makes a long\\-running process grow\n";
  text +=
      ".SH SYNOPSIS\n.B seep\n.I VERB\n[\\fIoptions\\fR] [\\fIarguments\\fR]\n.br\n"
      ".B seep run\n[\\fIoptions\\fR] \\-\\- \\fICMD\\fR [\\fIarguments\\fR]\n";
  text += kDescription;
  text += verbs_section(app);
  text += environment_section();
  text += kSignals;
  text += kExitStatus;
  text += kFiles;
  text += kExamples;
  return text;
}

}  // namespace seep::cli
