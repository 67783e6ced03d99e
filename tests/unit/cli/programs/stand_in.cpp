// A library that records nothing, where tests need one that the loader accepts.
extern "C" int seep_cli_stand_in() {
  return 0;
}
