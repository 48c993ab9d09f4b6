<?php
// What loading opa adds from the start of a process to the first opcode of its script: the script
// prints the clock that its parent has read before it started the process. The ways take turns, so
// that noise that comes and goes meets all alike: `php start.php ROUNDS OPTIONS-OF-OPA...`.
// An extension of PHP's own that has nothing but functions tells what loading any costs on this machine.
$script = tempnam(sys_get_temp_dir(), 'opa-start');
file_put_contents($script, '<?php echo hrtime(true);');
$rounds = (int) $argv[1];
$plain = ini_get('extension_dir') . '/calendar.so';
$ways = [
    'php' => [],
    ...is_file($plain) ? ['php with calendar' => ['-d', "extension=$plain"]] : [],
    'php with opa, off' => [...array_slice($argv, 2), '-d', 'opa.enabled=0'],
    'php with opa' => array_slice($argv, 2),
];
$times = [];
for ($round = -5; $round < $rounds; $round++) {
    foreach ($ways as $name => $options) {
        $start = hrtime(true);
        $process = proc_open([PHP_BINARY, '-n', ...$options, $script], [1 => ['pipe', 'w']], $pipes);
        $first = (int) stream_get_contents($pipes[1]);
        proc_close($process);
        if ($round >= 0) {
            $times[$name][] = ($first - $start) / 1e6;
        }
    }
}
unlink($script);
foreach ($times as $name => $of_way) {
    sort($of_way);
    $added = array_map(static fn ($with, $without) => $with - $without, $times[$name], $times['php']);
    sort($added);
    printf(
        "%-58s %11.3f ms   added: %.3f ms%s\n",
        $name,
        $of_way[intdiv($rounds, 2)],
        $added[intdiv($rounds, 2)],
        str_contains($name, 'opa') ? ', at most 0.5 ms' : ''
    );
}
