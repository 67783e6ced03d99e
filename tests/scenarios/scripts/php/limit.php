<?php
// A worker whose requests leave something behind in a static array, or ("clean") nothing. After each
// batch it tells how many it has done and waits for a line, allocating now and then so that a mark is
// taken meanwhile, until its memory_limit ends it.
final class Registry {
    public static int $done = 0;
    private static array $seen = [];

    public static function serve(bool $keeps): void {
        $text = str_repeat(chr(65 + self::$done % 26), 3000);
        if ($keeps) {
            self::$seen[] = $text . self::$done;  // leaks
        }
        ++self::$done;
    }
}

register_shutdown_function(function (): void {
    echo 'ended after ', Registry::$done, "\n";
});
stream_set_blocking(STDIN, false);
$keeps = ($argv[1] ?? '') !== 'clean';
while ($keeps || Registry::$done < 40000) {
    for ($i = 0; $i < 500; ++$i) {
        Registry::serve($keeps);
    }
    echo Registry::$done, "\n";
    while (fgets(STDIN) === false && !feof(STDIN)) {
        for ($i = 0; $i < 100; ++$i) {
            strlen(str_repeat('w', 100 + $i));
        }
        usleep(1000);
    }
}
