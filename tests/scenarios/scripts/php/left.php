<?php
// Reaches its limit of memory, gives up what it held in a function that PHP calls at the end, and
// uses that memory for other things.
$kept = [];
register_shutdown_function(function () {
    $GLOBALS['kept'] = null;
    $GLOBALS['other'] = [];
    gc_mem_caches();
    for ($i = 0; $i < 100; ++$i) {
        $GLOBALS['other'][] = str_repeat('o', 100000);
    }
    echo "ready\n";
    while (isset($GLOBALS['argv'][1])) {  // until it is killed
        closedir(opendir('.'));  // its memory is libc's, and seen: a scan can come with it
        usleep(1000);
    }
    echo count($GLOBALS['other']), "\n";
});
ini_set('memory_limit', '16M');
while (true) {
    $kept[] = str_repeat('k', 1000);  // keeps
}
