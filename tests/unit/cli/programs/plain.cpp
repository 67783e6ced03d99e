// A program that does nothing and succeeds.
int main() {
  return 0;
}
