--TEST--
ini_set('opa.enabled') in the middle does what opa_disable() and opa_enable() do
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/ini_set_in_the_middle.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$open = opa_start_span('open');
show('off', ini_set('opa.enabled', '0'), opa_is_enabled(), opa_start_span('none'));
show('on', ini_set('opa.enabled', 'on'), opa_is_enabled(), opa_current_span() === $open);
ini_set('opa.enabled', 'no');
ini_restore('opa.enabled');
show('restored', opa_is_enabled(), opa_end_span($open));
show('spans', array_column(opa_test_spans(), 'name'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
off "1" false "0000000000000000"
on "0" true true
restored true true
spans ["open"]
