// A library with thread-local storage, loaded late: its variable lies in a block of the loader's.
static __thread char room[8192];
static __thread void* kept;
void** place(void) {
  room[0] = 1;
  return &kept;
}
