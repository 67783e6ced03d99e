<?php
// Grows all its life in what a destructor gives back as the script ends.
class Connection {
    public array $channels = [];
    private Connection $self;

    public function __construct() {
        $this->self = $this;  // so that only the collector, or the script's end, comes by it
    }

    public function open(int $id): void {
        $this->channels[] = str_repeat("c", 200) . $id;  // leaks
    }

    public function __destruct() {
        while ($this->channels) {
            array_pop($this->channels);
        }
    }
}

$connection = new Connection();
$end = hrtime(true) + 2_000_000_000;
for ($i = 0; hrtime(true) < $end; $i++) {
    $connection->open($i);
    usleep(1000);
}
echo count($connection->channels) > 100 ? "done\n" : "too slow\n";
