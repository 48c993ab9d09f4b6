--TEST--
A hundred thousand spans that are left open are closed at the end
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/open_spans_100000_left.spool
opa.exporter_path=/nonexistent/opa-exporter
memory_limit=512M
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php for ($i = 0; $i < 100000; $i++) { opa_start_span("open", [], opa_root_span()); }');
show('exit', $run['exit'], $run['signal'], $run['out']);
$unfinished = 0;
foreach ($run['spans'] as $span) {
	$unfinished += $span['tags']['opa.unfinished'] ?? 0;
}
show('spans', count($run['spans']), $unfinished);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 0 0 ""
spans 100001 100000
