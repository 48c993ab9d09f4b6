--TEST--
A forked child says for itself that its part of the trace runs, once it takes part in it
--EXTENSIONS--
opa
pcntl
posix
--INI--
opa.spool_dir={PWD}/running_fork.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

function running(string $spool): array
{
	$said = [];
	foreach (glob("$spool/control/*.c") as $file) {
		$said[] = unpack('q', file_get_contents($file), 48 + 63 * 8)[1];
	}
	sort($said);
	return $said;
}

/** What the files say after a child of the script has run that code. */
function fork(string $title, string $code): void
{
	static $i = 0;
	$spool = opa_test_spool() . '/fork' . ++$i;
	$run = opa_test_run("<?php if ((\$pid = pcntl_fork()) === 0) { $code } pcntl_waitpid(\$pid, \$status);", ['spool' => $spool]);
	show($title, $run['exit'], running($spool));
}

fork('ends', 'opa_end_span(opa_start_span("a")); exit(0);');
fork('does nothing', 'exit(0);');
fork('is killed', 'opa_start_span("a"); posix_kill(getmypid(), SIGKILL);');
fork('is killed before it takes part', 'posix_kill(getmypid(), SIGKILL);');
fork('without tracing', 'opa_disable(); exit(0);');
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
ends 0 [0,0]
does nothing 0 [0,0]
is killed 0 [0,1]
is killed before it takes part 0 [0]
without tracing 0 [0,0]
