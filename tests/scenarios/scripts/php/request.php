<?php
// What a request leaves to its end: cycles, which nothing but that end takes away.
final class Loop {
    public ?Loop $self = null;
    public string $data;
    public function __construct(int $i) {
        $this->self = $this;
        $this->data = str_repeat('d', 100 + $i % 3);
    }
}
gc_disable();
for ($i = 0; $i < 300; ++$i) {
    new Loop($i);
}
echo 'served';
