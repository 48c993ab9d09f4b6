--TEST--
Each started trace is decided by its own id, and counted
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/sampled_by_rate.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.sample_rate=0.5
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$wanted = 0;
for ($i = 0; $i < 2000; $i++) {
	$job = opa_start_trace('job');
	$wanted += $job !== '0000000000000000';
	opa_end_trace($job);
}
$counters = opa_status()['counters'];
show('about half', $wanted > 850 && $wanted < 1150);
$own = (int) opa_is_enabled();
show('all', $counters['traces_started'] === $wanted, $counters['traces_sampled_out'] === 2000 - $wanted + 1 - $own,
	$counters['spans_kept'] === $wanted);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
about half true
all true true true
