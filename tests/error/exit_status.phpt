--TEST--
An exit status other than 0 marks the root span
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/exit_status.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

foreach (['exit(0);', 'exit(1);', 'exit(300);', 'exit("text");', ''] as $code) {
	$run = opa_test_run("<?php $code");
	$root = opa_test_root($run);
	show($code, $run['exit'], $root['tags']['process.exit.code'], $root['status'], $root['tags']['error.type'] ?? null);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit(0); 0 0 0 null
exit(1); 1 1 2 "1"
exit(300); 44 44 2 "44"
exit("text"); 0 0 0 null
 0 0 0 null
