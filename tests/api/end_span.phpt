--TEST--
Ending a span answers true once
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/end_span.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$id = opa_start_span('s');
show('end', opa_end_span($id), opa_end_span($id));
show('stored', count(opa_test_spans()));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
end true false
stored 1
