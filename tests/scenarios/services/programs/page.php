<?php
// A page of a site: ?kind=list makes a table from a few records, and keeps nothing; ?kind=feed serves for
// some seconds, and a static property grows all the while.
declare(strict_types=1);

final class Audit
{
    public static array $seen = [];

    public static function note(int $number): void
    {
        self::$seen[] = "visit $number " . str_repeat('v', 80);  // leaks feed
    }
}

function records(int $count): array
{
    $records = [];
    for ($i = 0; $i < $count; $i++) {
        $records[] = ['id' => $i, 'name' => "item $i", 'price' => $i * 1.5, 'tags' => ['t' . $i % 7, 'u' . $i % 5]];
    }
    return $records;
}

function page(): string
{
    $found = array_filter(records(40), fn(array $record): bool => $record['price'] > 20);
    usort($found, fn(array $a, array $b): int => $b['price'] <=> $a['price']);
    $rows = json_decode(json_encode($found), true);
    return implode("\n", array_map(fn(array $row): string => '<li>' . htmlspecialchars($row['name']) . '</li>', $rows));
}

/** A note every two milliseconds. What a busy machine holds up is made up for, so that the pace stays even. */
function feed(float $seconds): string
{
    $begin = microtime(true);
    for ($i = 0; ($now = microtime(true)) < $begin + $seconds; $i++) {
        Audit::note($i);
        usleep((int)max(0, ($begin + 0.002 * ($i + 1) - $now) * 1e6));
    }
    return count(Audit::$seen) . ' noted';
}

echo ($_GET['kind'] ?? 'list') === 'feed' ? feed((float)($_GET['seconds'] ?? 6)) : page(), "\n";
