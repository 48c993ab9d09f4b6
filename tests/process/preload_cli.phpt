--TEST--
PHP's own run for preloading leaves no trace on the command line
--EXTENSIONS--
opa
opcache
posix
--INI--
opa.spool_dir={PWD}/preload_cli.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$preload = opa_test_spool() . '/preload.php';
@mkdir(dirname($preload), 0700, true);
file_put_contents($preload, '<?php class Preloaded {} opa_end_span(opa_start_span("while preloading"));');
$ini = ['opcache.enable_cli' => '1', 'opcache.preload' => $preload, 'opcache.preload_user' => posix_getpwuid(posix_geteuid())['name']];
$run = opa_test_run('<?php echo json_encode(class_exists("Preloaded", false)), "\n";', ['ini' => $ini]);
echo $run['out'];
show('spans', array_column($run['spans'], 'name'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
true
spans ["script.php"]
