--TEST--
A thousand nested spans that end in the wrong order leave the root as the current span
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/end_twice_deep.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$ids = [];
for ($i = 0; $i < 1000; $i++) {
	$ids[] = opa_start_span("span $i");
}
shuffle($ids);
$ended = 0;
foreach ([...$ids, ...$ids] as $id) {
	$ended += opa_end_span($id);
}
show('ended', $ended);
show('current', opa_current_span() === opa_root_span());
show('stored', count(opa_test_spans()));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
ended 1000
current true
stored 1000
