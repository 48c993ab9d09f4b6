--TEST--
The constants have the values of OTLP
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/constants.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

show('kinds', [OPA_KIND_INTERNAL, OPA_KIND_SERVER, OPA_KIND_CLIENT, OPA_KIND_PRODUCER, OPA_KIND_CONSUMER]);
show('status', [OPA_STATUS_UNSET, OPA_STATUS_OK, OPA_STATUS_ERROR]);
show('version', OPA_VERSION === phpversion('opa'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
kinds [1,2,3,4,5]
status [0,1,2]
version true
