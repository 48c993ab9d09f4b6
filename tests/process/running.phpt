--TEST--
The control file says that a trace runs, from its begin to its end, and never of one that is not wanted
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/running.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

const RUNNING = 48 + 63 * 8;

/** What each file says, in the order of their making. */
const LOOK = 'function running(): string {
	$said = [];
	foreach (glob(ini_get("opa.spool_dir") . "/control/*.c") as $file) {
		$said[] = unpack("q", file_get_contents($file), ' . RUNNING . ')[1];
	}
	sort($said);
	return implode(",", $said) . " ";
}';

function run(string $title, string $code, array $ini = []): void
{
	static $i = 0;
	$spool = opa_test_spool() . '/spool' . ++$i;
	$run = opa_test_run('<?php ' . LOOK . $code, ['spool' => $spool, 'ini' => $ini]);
	$after = [];
	foreach (glob("$spool/control/*.c") as $file) {
		$after[] = unpack('q', file_get_contents($file), RUNNING)[1];
	}
	show($title, $run['out'], $run['exit'], array_sum($after));
}

run('one', 'echo running(); opa_end_span(opa_start_span("a")); echo running(); opa_flush(0); echo running();');
run('exit', 'echo running(); exit(3);');
run('fatal', 'ini_set("display_errors", 0); echo running(); new None();');
run('memory', 'ini_set("display_errors", 0); echo running(); str_repeat("x", PHP_INT_MAX >> 8);');
run('off and on', 'opa_disable(); echo running(); opa_enable(); echo running();');
run('sampled out', 'echo running(); opa_enable(); echo running();', ['opa.sample_rate' => '0']);
run('not enabled', 'echo running();', ['opa.enabled' => '0']);
run('enabled later', 'echo running(); opa_enable(); echo running(); opa_enable(); echo running();', ['opa.enabled' => '0']);
run('rotated', 'echo running(); for ($n = 0; $n < 3; $n++) { usleep(20000); opa_end_span(opa_start_span("a")); echo running(); }',
	['opa.trace_rotate' => '10ms']);
run('shutdown', 'register_shutdown_function(function () { echo running(); });');

// A run that leaves nothing has lost nothing either.
$spool = opa_test_spool() . '/info';
exec(opa_test_php(['opa.spool_dir' => $spool]) . ' --rf opa_start_span 2>&1 </dev/null', $out, $status);
$bytes = implode(array_map('file_get_contents', glob("$spool/control/*.c")));
show('php --rf', $status, unpack('q', $bytes, 48)[1], unpack('q', $bytes, RUNNING)[1]);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
one "1 1 1 " 0 0
exit "1 " 3 0
fatal "1 " 255 0
memory "1 " 255 0
off and on "1 1 " 0 0
sampled out "0 0 " 0 0
not enabled " " 0 0
enabled later " 1 1 " 0 0
rotated "1 1 1 1 " 0 0
shutdown "1 " 0 0
php --rf 0 0 0
