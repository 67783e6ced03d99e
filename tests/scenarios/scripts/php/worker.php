<?php
// What worker.c runs: a script that answers one request after another, and keeps something of each.
final class Site {
    private array $seen = [];

    public function answer(int $number): void {
        $this->seen[] = str_repeat('s', 100) . $number;  // leaks
        $page = str_repeat('p', 1000) . $number;
    }
}
$site = new Site();
for ($i = 0; $i < 2000; ++$i) {
    $site->answer($i);
    if ($i % 20 === 0) {
        echo 'next';
        usleep(10000);
    }
}
