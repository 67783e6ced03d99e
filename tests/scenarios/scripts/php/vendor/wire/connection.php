<?php
// A package, as Composer installs it: what it allocates it allocates for its caller.
final class Connection {
    private array $channels = [];
    private array $traces = [];

    public function read(int $number): string {
        return $number . str_repeat('.', 200);  // reads
    }

    public function open(int $number): int {
        $this->channels[$number] = str_repeat('c', 300);  // opens
        return 1;
    }

    public function trace(int $number): int {
        $this->traces[$number] = str_repeat('t', 100);  // traces
        return 1;
    }
}
