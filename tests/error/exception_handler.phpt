--TEST--
An exception that the program's own handler takes is no fatal error
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/exception_handler.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php set_exception_handler(fn ($e) => opa_track_error($e)); throw new Exception("taken");');
$root = opa_test_root($run);
show('root', $run['exit'], $root['status'], $root['message'], count($root['events']));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
root 0 2 "taken" 1
