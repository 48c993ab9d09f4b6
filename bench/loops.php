<?php
// One measured thing: `php loops.php <name> <count>`. As a file of its own so that callgrind can run
// it twice with different counts; included by run.php, which calls the functions.

function bench_floor(int $n): void
{
    $span = 'a1b2c3d4e5f60718';
    for ($i = 0; $i < $n; $i++) {
        opa_bench_floor($span, 'key', '0123456789');
        hrtime(true);
        opa_bench_floor($span, 'key', '0123456789');
        opa_bench_floor($span, 'key', '0123456789');
        hrtime(true);
    }
}

function bench_strtr(int $n): void
{
    $a = 'abc';
    $b = 'z';
    $c = 'x';
    for ($i = 0; $i < $n; $i++) {
        strtr($a, $b, $c);
        hrtime(true);
        strtr($a, $b, $c);
        strtr($a, $b, $c);
        hrtime(true);
    }
}

function bench_span(int $n): void
{
    for ($i = 0; $i < $n; $i++) {
        $span = opa_start_span('bench');
        opa_add_tag($span, 'key', '0123456789');
        opa_end_span($span);
    }
}

function bench_call_floor(int $n): void
{
    $span = 'a1b2c3d4e5f60718';
    for ($i = 0; $i < $n; $i++) {
        opa_bench_floor($span, 'key', '0123456789');
    }
}

function bench_call_off(int $n): void
{
    $span = '0000000000000000';
    for ($i = 0; $i < $n; $i++) {
        opa_add_tag($span, 'key', '0123456789');
    }
}

function bench_empty(int $n): void
{
    for ($i = 0; $i < $n; $i++) {
    }
}

if (isset($argv[2]) && realpath($argv[0]) === __FILE__) {
    ('bench_' . $argv[1])((int) $argv[2]);
}
