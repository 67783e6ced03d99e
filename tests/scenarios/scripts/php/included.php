<?php
for ($i = 0; $i < 500; ++$i) {
    $kept[] = str_repeat('i', 800);  // keeps 500
}
