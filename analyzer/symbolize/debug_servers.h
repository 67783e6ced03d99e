// Asking debuginfod servers, through libdwfl, within limits. Servers are asked only when
// DEBUGINFOD_URLS is set; since that is the process's environment, so is all state here.
// Not thread safe.
#pragma once

#include <elfutils/libdwfl.h>

#include <string>

namespace seep::symbolize {

// Puts limits that the user has not set into the environment of this process: at most 10 s without
// progress, 60 s for one file, no second attempt.
void limit_debug_servers();

// Whether servers have been waited for in vain for so long that they are asked no more.
bool debug_servers_given_up();

// For Dwfl_Callbacks::find_debuginfo: libdwfl's standard search, with the wait counted.
int find_debug_file(Dwfl_Module* module, void** user_data, const char* name, Dwarf_Addr base,
                    const char* file, const char* debug_link, GElf_Word crc, char** found);

// For Dwfl_Callbacks::find_elf: by build-id. Unlike libdwfl's own it names files from servers too.
int find_module_file(Dwfl_Module* module, void** user_data, const char* name, Dwarf_Addr base,
                     char** file, Elf** elf);

// The path of the program or library with that build-id (lower-case hex), fetched from a server;
// empty when there is none. `callbacks` gives the local directories, which are searched before.
std::string fetch_module_file(const std::string& build_id, const Dwfl_Callbacks& callbacks);

}  // namespace seep::symbolize
