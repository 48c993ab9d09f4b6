--TEST--
Under strict_types an int is no id
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/strict_types.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$code = '<?php declare(strict_types=1); try { opa_end_span(5); } catch (TypeError $e) { echo $e->getMessage(); }';
echo opa_test_run($code)['out'], "\n";
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
opa_end_span(): Argument #1 ($span) must be of type string, int given
