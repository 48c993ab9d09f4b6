--TEST--
A file `off` in the spool switches tracing off, also for opa_enable()
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/off_file.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$spool = opa_test_spool() . '/switched';
@mkdir($spool, 0700, true);
touch("$spool/off");
$run = opa_test_run('<?php echo json_encode([opa_is_enabled(), opa_start_span("s"), opa_enable(), opa_status()["problem"], opa_status()["spool"]["off"]]);', ['spool' => $spool]);
echo str_replace($spool, '', stripslashes($run['out'])), "\n";
unlink("$spool/off");
show('on again', opa_test_run('<?php echo opa_is_enabled() ? "on" : "off";', ['spool' => $spool])['out']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
[false,"0000000000000000",false,"switched off by the file /off",true]
on again "on"
