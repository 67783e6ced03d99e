"""A C++ build by `make -j2`: hundreds of short processes, whose objects must be the same byte by byte."""
import os

from place import Trouble
from suite import Suite, digest

FILES = {"short": 10, "long": 120}

# Templates, strings and a container: cc1plus allocates much, as it does for real sources.
SOURCE = """#include <algorithm>
#include <map>
#include <string>
#include <vector>
template <int n> struct Sum {{ static constexpr int value = n + Sum<n - 1>::value; }};
template <> struct Sum<0> {{ static constexpr int value = 0; }};
int part_{i}(const std::string& text) {{
  std::map<std::string, std::vector<int>> table;
  for (int k = 0; k < {i} + 3; ++k) {{ table[text + std::to_string(k)].push_back(k * Sum<{i} + 50>::value); }}
  int sum = 0;
  for (const auto& [name, numbers] : table) {{
    sum += static_cast<int>(name.size()) + *std::max_element(numbers.begin(), numbers.end());
  }}
  return sum;
}}
"""
# -frandom-seed: what the compiler makes up is the same each time.
MAKEFILE = """OBJECTS := $(patsubst %.cpp,%.o,$(wildcard *.cpp))
program: $(OBJECTS) libparts.a
\t$(CXX) -o $@ main.o -L. -lparts
libparts.a: $(filter-out main.o,$(OBJECTS))
\tar rcsD $@ $^
%.o: %.cpp
\t$(CXX) -std=c++17 -O1 -g -frandom-seed=$< -ffile-prefix-map=$(CURDIR)=. -c -o $@ $<
"""


def write_sources(folder, count):
    for i in range(count):
        (folder / f"part_{i}.cpp").write_text(SOURCE.format(i=i))
    calls = " + ".join(f'part_{i}("x")' for i in range(count))
    declared = "\n".join(f"int part_{i}(const std::string& text);" for i in range(count))
    (folder / "main.cpp").write_text(f"#include <cstdio>\n#include <string>\n{declared}\n"
                                     f'int main() {{ std::printf("%d\\n", {calls}); }}\n')
    (folder / "Makefile").write_text(MAKEFILE)


def run(turn, part):
    make, compiler = turn.place.of_machine("make"), turn.place.of_machine("g++")
    write_sources(turn.folder, FILES[part])
    jobs = f"-j{min(2, os.cpu_count() or 1)}"
    done = turn.run([make, jobs, f"CXX={compiler}"], packaged=False)
    if done.status != 0 and not turn.tracked:
        raise Trouble(f"the build fails alone, see {turn.log}")
    results = {"make": f"ended with {done.status}", "what the compiler says": digest(turn.normal(done.err))}
    for file in sorted([*turn.folder.glob("*.o"), *turn.folder.glob("*.a"), turn.folder / "program"]):
        results[file.name] = digest(file.read_bytes()) if file.exists() else "not built"
    answer = turn.run([turn.folder / "program"], packaged=False) if results["program"] != "not built" else None
    results["what the program prints"] = answer.out if answer else "nothing"
    return results


SUITES = [Suite("build", "a C++ build by make -j2, its objects byte by byte", run, ["long"], ["short"])]
