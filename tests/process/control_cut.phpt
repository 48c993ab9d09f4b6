--TEST--
A control file that is cut, emptied or removed beneath its process does not kill it, and no count is lost
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/control_cut.spool
opa.exporter_path=/nonexistent/opa-exporter
--SKIPIF--
<?php
if (!is_dir('/dev/shm') || !is_writable('/dev/shm')) {
	die('skip no /dev/shm: only files in memory are mapped');
}
?>
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

const COUNTERS = 48;
const SPANS_KEPT = 3;

function spans_kept(string $spool): int
{
	$kept = 0;
	foreach ([...glob("$spool/control/*.c"), "$spool/counters"] as $file) {
		$bytes = file_get_contents($file);
		$kept += strlen($bytes) < 4096 ? 0 : unpack('q', $bytes, COUNTERS + 8 * SPANS_KEPT)[1];
	}
	return $kept;
}

function run(string $title, string $harm): void
{
	$spool = '/dev/shm/opa-phpt-' . getmypid();
	$run = opa_test_run('<?php
		function work(): void {
			for ($i = 0; $i < 10; $i++) {
				opa_end_span(opa_start_span("a"));
				opa_flush(0);
			}
		}
		work();
		foreach (glob(ini_get("opa.spool_dir") . "/control/*.c") as $file) { ' . $harm . ' }
		work();
		echo "alive";', ['spool' => $spool]);
	show($title, $run['out'], $run['exit'], $run['signal'], spans_kept($spool));
	exec('rm -r ' . escapeshellarg($spool));
}

run('nothing', '');
run('cut', 'ftruncate(fopen($file, "r+"), 0);');
run('emptied', 'file_put_contents($file, str_repeat("\0", 4096));');
run('removed', 'unlink($file);');
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
nothing "alive" 0 0 21
cut "alive" 0 0 21
emptied "alive" 0 0 21
removed "alive" 0 0 21
