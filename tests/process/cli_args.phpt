--TEST--
opa.cli_args=1 records the arguments
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/cli_args.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php', ['args' => 'one "two three" --x', 'ini' => ['opa.cli_args' => '1']]);
show('args', array_slice(opa_test_root($run)['tags']['process.command_args'], 1));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
args ["one","two three","--x"]
