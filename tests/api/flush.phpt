--TEST--
opa_flush(0) publishes what has finished; it answers false when no exporter brings it in
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/flush.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

opa_end_span(opa_start_span('s'));
show('before', count(opa_test_records(opa_test_spool())));
show('flush', opa_flush(0), opa_flush(-5));
show('after', count(opa_test_records(opa_test_spool())));
show('again', opa_flush(0), count(opa_test_records(opa_test_spool())));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
before 0
flush false false
after 1
again false 1
