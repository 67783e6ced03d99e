// What `seep run` recognises before it starts a program.
#include "cli/launch/target.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "cli/launch/elf_facts.h"
#include "tests/support/temporary_directory.h"

namespace seep::launch {
namespace {

using Outcome = FoundCommand::Outcome;
using test::read_file;
using test::TemporaryDirectory;

std::string make_executable(const TemporaryDirectory& directory, const std::string& name,
                            const std::string& content) {
  const std::string path = directory.write(name, content);
  chmod(path.c_str(), 0755);
  return path;
}

// The plain program with a piece of its header changed.
std::string changed_program(const TemporaryDirectory& directory, std::size_t offset, char byte) {
  std::string program = read_file(SEEP_PLAIN);
  program[offset] = byte;
  return make_executable(directory, "changed", program);
}

TEST(Target, AnOrdinaryProgramCanBeTracked) {
  EXPECT_EQ(why_untracked(SEEP_PLAIN), "");
}

TEST(Target, AStaticProgramIsRecognised) {
  EXPECT_EQ(why_untracked(SEEP_STATIC), "is statically linked");
}

TEST(Target, SanitizersAreRecognised) {
  EXPECT_EQ(why_untracked(SEEP_ASAN), "is linked with AddressSanitizer");
  EXPECT_EQ(why_untracked(SEEP_TSAN), "is linked with ThreadSanitizer");
}

TEST(Target, AnotherMachineIsRecognised) {
  const TemporaryDirectory directory;
  EXPECT_EQ(why_untracked(changed_program(directory, offsetof(Elf64_Ehdr, e_machine), EM_S390)),
            "is built for another machine");
}

TEST(Target, A32BitProgramIsRecognised) {
  Elf32_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS32;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_386;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof(header);
  const TemporaryDirectory directory;
  const std::string path = make_executable(
      directory, "old", std::string(reinterpret_cast<const char*>(&header), sizeof(header)));
  EXPECT_EQ(why_untracked(path), "is a 32-bit program");
}

TEST(Target, MuslIsRecognisedByItsLoader) {
  std::string program = read_file(SEEP_PLAIN);
  const std::string loader = read_elf_facts(SEEP_PLAIN)->interpreter;
  const std::string musl = "/lib/ld-musl-x86_64.so.1";
  ASSERT_LE(musl.size(), loader.size());
  program.replace(program.find(loader), musl.size() + 1, musl + '\0');
  const TemporaryDirectory directory;
  EXPECT_EQ(why_untracked(make_executable(directory, "musl", program)), "is linked with musl");
}

TEST(Target, ASetUidProgramOfAnotherUserIsRecognised) {
  const TemporaryDirectory directory;
  const std::string path = make_executable(directory, "setuid", read_file(SEEP_PLAIN));
  chmod(path.c_str(), 04755);
  EXPECT_EQ(why_untracked(path), "") << "the user's own changes nothing";
  struct statvfs mount {};
  statvfs(path.c_str(), &mount);
  const bool counts = (mount.f_flag & ST_NOSUID) == 0;
  if (getuid() == 0 && chown(path.c_str(), 65534, 65534) == 0) {
    chmod(path.c_str(), 04755);  // chown clears the bit
    EXPECT_EQ(why_untracked(path), counts ? "is set-uid" : "");
    chmod(path.c_str(), 02755);
    EXPECT_EQ(why_untracked(path), counts ? "is set-gid" : "");
  }
}

TEST(Target, DamagedAndForeignFilesAreNoReason) {
  const TemporaryDirectory directory;
  EXPECT_EQ(why_untracked(directory.write("text", "hello")), "");
  EXPECT_EQ(why_untracked(directory.write("empty", "")), "");
  EXPECT_EQ(why_untracked(directory.file("missing")), "");
  EXPECT_EQ(why_untracked(directory.write("cut", read_file(SEEP_PLAIN).substr(0, 40))), "");
}

TEST(Target, DamagedHeadersAreSurvived) {
  const TemporaryDirectory directory;
  const std::string program = read_file(SEEP_PLAIN);
  for (std::size_t i = SELFMAG; i < sizeof(Elf64_Ehdr); ++i) {
    std::string damaged = program;
    damaged[i] = static_cast<char>(~damaged[i]);
    const std::string path = directory.write("damaged", damaged);
    const auto facts = read_elf_facts(path);
    EXPECT_TRUE(!facts || facts->needed.size() < 100) << "byte " << i;
  }
}

TEST(Target, AScriptIsJudgedByItsInterpreter) {
  const TemporaryDirectory directory;
  const auto script = [&](const std::string& name, const std::string& content) {
    return make_executable(directory, name, content);
  };
  EXPECT_EQ(loaded_program(SEEP_PLAIN), SEEP_PLAIN);
  EXPECT_EQ(loaded_program(script("a", "#!" SEEP_STATIC "\n")), SEEP_STATIC);
  EXPECT_EQ(loaded_program(script("b", "#! \t" SEEP_STATIC " -x y\n")), SEEP_STATIC);
  EXPECT_EQ(loaded_program(script("c", "#!" + directory.file("a") + "\n")), SEEP_STATIC);
  EXPECT_EQ(loaded_program(script("d", "#!" SEEP_STATIC)), SEEP_STATIC) << "no end of line";
  EXPECT_EQ(loaded_program(script("e", "echo hello\n")), "/bin/sh");
}

TEST(Target, AScriptThatNamesItselfEnds) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("loop");
  make_executable(directory, "loop", "#!" + path + "\n");
  EXPECT_EQ(loaded_program(path), path);
}

TEST(Target, CommandsAreFoundAsExecvpFindsThem) {
  const TemporaryDirectory directory;
  make_executable(directory, "first/tool", "#!/bin/sh\n");
  make_executable(directory, "second/tool", "#!/bin/sh\n");
  make_executable(directory, "second/other", "#!/bin/sh\n");
  directory.write("first/other", "not executable");
  const std::string path = directory.file("first") + ":" + directory.file("second");
  EXPECT_EQ(find_command("tool", path).path, directory.file("first/tool"));
  EXPECT_EQ(find_command("other", path).path, directory.file("second/other"));
  EXPECT_EQ(find_command("missing", path).outcome, Outcome::kNotFound);
  EXPECT_EQ(find_command("", path).outcome, Outcome::kNotFound);
  EXPECT_EQ(find_command("other", directory.file("first")).outcome, Outcome::kNotExecutable);
  EXPECT_EQ(find_command(directory.file("first"), path).outcome, Outcome::kNotExecutable);
  EXPECT_EQ(find_command(directory.file("first/tool"), "").outcome, Outcome::kFound);
}

}  // namespace
}  // namespace seep::launch
