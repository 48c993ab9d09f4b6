--TEST--
The root of a trace that lacks spans says how many, whatever they were dropped for and whatever the limits are
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/dropped_spans.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php
	$open = opa_start_span("open");
	for ($none = 0; $none < 100; $none += opa_start_span("more") === "0000000000000000");
	echo $none;
', ['ini' => ['opa.max_trace_size' => '64K', 'opa.max_attributes' => '1']]);
show('refused', $run['out'], opa_test_root($run)['tags']['opa.dropped_spans']);

$run = opa_test_run('<?php
	$spool = ini_get("opa.spool_dir");
	rename("$spool/live", "$spool/away");
	touch("$spool/live");
	for ($i = 0; $i < 5; $i++) {
		opa_end_span(opa_start_span("lost"));
	}
	var_dump(opa_flush(0));
	unlink("$spool/live");
	rename("$spool/away", "$spool/live");
	opa_end_span(opa_start_span("kept"));
');
show('not written', $run['out'], count($run['spans']), opa_test_root($run)['tags']['opa.dropped_spans']);

$run = opa_test_run('<?php
	$spool = ini_get("opa.spool_dir");
	$job = opa_start_trace("job");
	rename("$spool/live", "$spool/away");
	touch("$spool/live");
	opa_end_span(opa_start_span("lost"));
	opa_flush(0);
	unlink("$spool/live");
	rename("$spool/away", "$spool/live");
	opa_end_trace($job);
');
show('of a started trace', opa_test_span('job', $run['spans'])['tags'], isset(opa_test_span('script.php', $run['spans'])['tags']['opa.dropped_spans']));

$run = opa_test_run('<?php opa_end_span(opa_start_span("all is there"));');
show('whole', isset(opa_test_root($run)['tags']['opa.dropped_spans']));

if (extension_loaded('pcntl')) {
	$run = opa_test_run('<?php
		$spool = ini_get("opa.spool_dir");
		opa_start_span("open");
		$pid = pcntl_fork();
		if ($pid === 0) {
			while (opa_start_span("in the child") !== "0000000000000000");
			exit;
		}
		pcntl_waitpid($pid, $status);
	', ['ini' => ['opa.max_trace_size' => '64K']]);
	show('child', opa_test_span('fork', $run['spans'])['tags']['opa.dropped_spans']);
	show('parent', isset(opa_test_root($run)['tags']['opa.dropped_spans']));
} else {
	echo "child 1\nparent false\n";
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
refused "100" 100
not written "bool(false)\n" 2 5
of a started trace {"opa.dropped_spans":1} false
whole false
child 1
parent false
