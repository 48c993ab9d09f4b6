--TEST--
opa_enable() does not outwit the sampler, however often it is called
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/enable_unsampled.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.sample_rate=0.3
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$outcomes = [];
for ($i = 0; $i < 40; $i++) {
	$run = opa_test_run('<?php $first = opa_is_enabled(); for ($i = 0; $i < 100; $i++) { if (opa_enable() !== $first) { echo "changed"; } } echo json_encode($first);');
	$outcomes[$run['out']] = true;
	if (count($outcomes) === 2) {
		break;
	}
}
ksort($outcomes);
show('outcomes', array_keys($outcomes));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
outcomes ["false","true"]
