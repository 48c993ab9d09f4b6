--TEST--
Whichever allocation of PHP's fails in whichever function, only the request ends, and nothing is lost or used again
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/extension.inc';
if (PHP_DEBUG) die('skip a debug build calls the memory manager otherwise');
if (getenv('USE_ZEND_ALLOC') === '0' && !getenv('SKIP_ASAN')) die('skip too slow');
if (($missing = opa_test_extension_missing()) !== null) die("skip $missing");
?>
--INI--
opa.spool_dir={PWD}/allocation_fails_anywhere.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/extension.inc';

// Functions that allocate, with $span open, and one that was opened before it.
const CALLS = [
	'opa_start_span("a");',
	'opa_start_span("a", ["k" => [1, "\xff" => "x", "\xfe" => "y"], "l" => new stdClass]);',
	'opa_add_tags($span, ["a" => str_repeat("x", 5000), "b" => [[["c"]]], "d" => 1.5]);',
	'opa_add_event($span, "e", ["text" => str_repeat("x", 9000)]);',
	'opa_record_exception($span, new Exception("m"), ["text" => str_repeat("x", 9000)]);',
	'opa_trace("t", fn (string $id) => throw new Exception("m"));',
	'opa_current_span(); opa_root_span(); opa_trace_id(); opa_traceparent();',
	'opa_propagation_headers();',
	'opa_end_trace(opa_start_trace("t", ["a" => [1]], ["traceparent" => "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "baggage" => "a=b"]));',
	'opa_dump([1, [2, new stdClass], str_repeat("x", 5000)]);',
	'$fiber = new Fiber(function () { opa_start_span("f"); Fiber::suspend(); opa_start_span("g"); }); $fiber->start(); opa_start_span("h"); $fiber->resume();',
];

$oom = opa_test_extension_build('oom');
$script = opa_test_spool() . '/script.php';
file_put_contents($script, '<?php
	register_shutdown_function(function (): void {
		oom_after(0);
		$late = opa_start_span("late");
		$other = opa_start_span("other");
		opa_add_tag($late, "filler", str_repeat("y", 16));
		opa_track_error(new Exception("late"));
		opa_end_span($other);
		echo opa_end_span($late) ? "late" : "refused", " ";
	});
	$before = opa_start_span("before");
	$span = opa_start_span("span");
	$call = eval("return static function () use (\$span): void { " . $argv[2] . " };");
	oom_after((int) $argv[1]);
	try {
		$call();
	} catch (Exception) {
	}
	oom_after(0);
	echo "through ";');

foreach (CALLS as $code) {
	for ($n = 1, $out = ''; $n < 100 && !str_contains($out, 'through'); $n++) {
		$run = opa_test_php(['extension' => $oom, 'display_errors' => 'stderr', 'log_errors' => '0', 'opa.spool_dir' => opa_test_spool() . '/s']);
		$out = (string) shell_exec("USE_ZEND_ALLOC=0 ZEND_DONT_UNLOAD_MODULES=1 OPA_LEAKS=1 LSAN_OPTIONS=exitcode=0 $run " . escapeshellarg($script) . " $n " . escapeshellarg($code) . ' 2>' . opa_test_spool() . '/err; echo $?');
		$expected = str_contains($out, 'through') ? "through late 0\n" : "late 255\n";
		$said = (string) file_get_contents(opa_test_spool() . '/err');
		// What LeakSanitizer says is lost, where it runs; PHP itself does lose its memory manager then.
		if ($out !== $expected || preg_match('/^ +#\d+ .*\bopa(_|\.so)/m', $said)) {
			show('not so', $code, $n, $out, $said);
		}
	}
	show($n > 1 && $n < 100 ? 'each failed, then none' : "never through: $code");
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
each failed, then none
each failed, then none
each failed, then none
each failed, then none
each failed, then none
each failed, then none
each failed, then none
each failed, then none
each failed, then none
each failed, then none
each failed, then none
