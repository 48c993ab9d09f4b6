<?php
// What a span costs, as ratios in one run. Rounds are shuffled, so that noise that comes and goes
// meets everything alike; the median of the rounds' ratios is printed.
require __DIR__ . '/loops.php';

// Below what makes a trace hand out a piece before its end: writing it is part of the whole path,
// which is measured by itself.
const ROUNDS = 1501;
const COUNT = 1000;

function median(array $values): float
{
    sort($values);
    return $values[intdiv(count($values), 2)];
}

function measure(array $names): array
{
    $times = [];
    foreach ($names as $name) {
        ('bench_' . $name)(2000);
    }
    for ($round = 0; $round < ROUNDS; $round++) {
        shuffle($names);
        foreach ($names as $name) {
            $start = hrtime(true);
            ('bench_' . $name)(COUNT);
            $times[$name][$round] = (hrtime(true) - $start) / COUNT;
            if ($name === 'span') {
                opa_flush(0);
            }
        }
    }
    return $times;
}

function ratio(array $a, array $b): float
{
    return median(array_map(fn ($x, $y) => $x / $y, $a, $b));
}

function line(string $what, string $value, string $limit = ''): void
{
    printf("%-58s %14s   %s\n", $what, $value, $limit);
}

$times = measure(['floor', 'strtr', 'span', 'empty']);
line('floor: 3 calls + 2 hrtime', sprintf('%.0f ns', median($times['floor'])));
line('floor: 3 strtr + 2 hrtime', sprintf('%.0f ns', median($times['strtr'])));
line('start + tag + end', sprintf('%.0f ns', median($times['span'])));
line('start + tag + end : floor', sprintf('%.2f', ratio($times['span'], $times['floor'])), 'at most 1.6');
line('start + tag + end : strtr floor', sprintf('%.2f', ratio($times['span'], $times['strtr'])));

// A request with 20 spans made by PHP code: RINIT, the spans, RSHUTDOWN, post-deactivate.
[$begin20, $spans20, $end20] = opa_bench_requests(20000, 20);
[$begin0, , $end0] = opa_bench_requests(20000, 0);
[, , $end1000, $bytes1000] = opa_bench_requests(300, 1000);
[, , , $bytes1] = opa_bench_requests(3, 1);
$floor = median($times['floor']);
$path = median($times['span']) + $end20 / 20;
line('whole path per span, 20 spans a request : floor', sprintf('%.2f', $path / $floor), 'at most 2.8');
line('RINIT to the end of an empty request', sprintf('%.2f us', ($begin0 + $end0) / 1000), 'at most 5 us');
line('  begin, end', sprintf('%.2f, %.2f us', $begin0 / 1000, $end0 / 1000));
line('request end, 20 spans', sprintf('%.2f us', $end20 / 1000), 'at most 4 us');
line('request end, 1000 spans', sprintf('%.2f us', $end1000 / 1000), 'linear');
line('memory per finished span with a tag of 10 characters', sprintf('%.0f bytes', ($bytes1000 - $bytes1) / 999), 'at most 160');

opa_disable();
$off = measure(['call_off', 'call_floor']);
line('a call while off : floor call', sprintf('%.2f', ratio($off['call_off'], $off['call_floor'])));
