<?php
// A consumer of a package: two functions of the package leak for one line of its own, and a cache
// keeps what a third one made.
require __DIR__ . '/vendor/wire/connection.php';

final class BodyCache {
    private array $cache = [];

    public function remember(int $number, string $body): void {
        $this->cache[$number] = $body;  // keeps
    }
}

final class ChannelLeaker {
    public function onMessage(Connection $connection, int $number): int {
        return $connection->open($number) + $connection->trace($number);  // calls
    }
}

$connection = new Connection();
$cache = new BodyCache();
$leaker = new ChannelLeaker();
$sum = 0;
$until = microtime(true) + (float)($argv[1] ?? 2);
for ($number = 0; microtime(true) < $until; ++$number) {
    $body = $connection->read($number);  // fetches
    $cache->remember($number, $body);
    $sum += $leaker->onMessage($connection, $number);
    if ($number % 10 === 0) {
        usleep(1000);
    }
}
echo $sum === 2 * $number ? "done\n" : "wrong\n";
