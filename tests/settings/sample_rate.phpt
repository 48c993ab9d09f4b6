--TEST--
opa.sample_rate=0 traces nothing, and counts it
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/sample_rate.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.sample_rate=0
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

show('off', opa_is_enabled(), opa_start_span('s'), opa_enable(), opa_enable());
show('counted', opa_status()['counters']['traces_sampled_out']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
off false "0000000000000000" false false
counted 1
