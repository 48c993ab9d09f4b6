--TEST--
opa.keep_slow: a trace whose local root lasted as long is kept
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/keep_slow.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
foreach (['0' => '1', '1h' => '1000', '150ms' => '160000', '1us' => '1000'] as $slow => $sleep) {
	$run = opa_test_run("<?php opa_end_span(opa_start_span('s')); usleep($sleep);", ['ini' => ['opa.keep_slow' => (string) $slow, 'opa.sample_rate' => '0']]);
	show((string) $slow, count($run['spans']), opa_test_root($run)['tags']['opa.kept'] ?? null);
}
$run = opa_test_run('<?php usleep(60000); exit(1);', ['ini' => ['opa.keep_slow' => '50ms', 'opa.sample_rate' => '0']]);
show('also an error', opa_test_root($run)['tags']['opa.kept']);
$run = opa_test_run('<?php exit(1);', ['ini' => ['opa.keep_slow' => '50s', 'opa.sample_rate' => '0']]);
show('only an error', count($run['spans']));
$run = opa_test_run('<?php', ['ini' => ['opa.keep_slow' => '50s', 'opa.sample_rate' => '1']]);
show('wanted anyway', opa_test_root($run)['tags']['opa.kept']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
0 0 null
1h 0 null
150ms 2 "slow"
1us 2 "slow"
also an error "slow"
only an error 0
wanted anyway "head"
