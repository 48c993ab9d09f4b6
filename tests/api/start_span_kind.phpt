--TEST--
The five kinds arrive; another number is internal
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/start_span_kind.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

foreach ([OPA_KIND_INTERNAL, OPA_KIND_SERVER, OPA_KIND_CLIENT, OPA_KIND_PRODUCER, OPA_KIND_CONSUMER, 0, 6, -1, PHP_INT_MAX] as $i => $kind) {
	opa_end_span(opa_start_span("k$i", kind: $kind));
}
show('kinds', array_column(opa_test_spans(), 'kind'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
kinds [1,2,3,4,5,1,1,1,1]
