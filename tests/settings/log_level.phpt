--TEST--
opa.log_level=error keeps warnings out of the log
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/log_level.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php echo "done";', ['env' => ['OTEL_SDK_DISABLED' => 'perhaps'], 'ini' => ['log_errors' => '1', 'error_log' => '', 'opa.log_level' => 'error']]);
echo $run['out'], "\n";
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
done
