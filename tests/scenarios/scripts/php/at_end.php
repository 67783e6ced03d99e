<?php
// Works in functions that PHP calls when the script has ended, as event loops do: the first has a
// value of its own, which is freed as it returns, and the second grows.
class Log {
    public static array $lines = [];

    public static function grow(): void {
        $end = hrtime(true) + 2_000_000_000;
        for ($i = 0; hrtime(true) < $end; $i++) {
            self::$lines[] = str_repeat("x", 64) . $i;  // leaks
            if ($i % 20 == 0) {
                usleep(1000);
            }
        }
    }
}

register_shutdown_function(function () {
    $words = explode(" ", "one two three");
    echo count($words), "\n";
});
register_shutdown_function([Log::class, 'grow']);
