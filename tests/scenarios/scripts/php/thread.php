<?php
// What threads.c runs in each request: objects that live as long as the request, and a cycle.
final class Kept {
    public ?Kept $self = null;
    public function __construct(public string $data) {
        $this->self = $this;
    }
}
function keep(int $i): void {
    static $kept = [];
    $kept[] = new Kept(str_repeat(chr(65 + $i % 26), 200));  // keeps
}
$until = microtime(true) + $for;
for ($i = 0; microtime(true) < $until; ++$i) {
    keep($i);
    if ($i % 20 === 0) {
        usleep(500);
    }
}
