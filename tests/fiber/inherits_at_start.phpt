--TEST--
A fiber inherits where it is started, not where it is made
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/inherits_at_start.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$a = opa_start_span('a');
$fiber = new Fiber(fn () => opa_end_span(opa_start_span('inner')));
opa_end_span($a);
$b = opa_start_span('b');
$fiber->start();
opa_end_span($b);
show('below b', opa_test_span('inner')['parent'] === $b);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
below b true
