--TEST--
opcache.preload: its run is no trace, opa's functions answer false there; what comes after it is traced
--EXTENSIONS--
opa
--SKIPIF--
<?php
extension_loaded('Zend OPcache') && ini_get('opcache.enable_cli') || die('skip needs opcache');
?>
--INI--
opa.spool_dir={PWD}/preload.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

@mkdir(opa_test_spool(), 0700, true);
[$said, $preload] = [opa_test_spool() . '/said', opa_test_spool() . '/preload.php'];
file_put_contents($preload, '<?php class Preloaded { const X = 7; } $s = opa_start_span("in preload"); $f = new Fiber(fn () => opa_start_span("fiber")); $f->start();'
	. ' file_put_contents(' . var_export($said, true) . ', json_encode([$s, opa_end_span($s), opa_trace_id(), opa_is_enabled(), opa_enable(), opa_flush(0), opa_status()["spool"]["path"]]) . "\n", FILE_APPEND);');
$ini = ['opcache.preload' => $preload, 'opcache.preload_user' => function_exists('posix_getpwuid') ? posix_getpwuid(posix_geteuid())['name'] : ''];
$code = '<?php opa_end_span(opa_start_span("span")); echo Preloaded::X;';

$run = opa_test_run($code, ['ini' => $ini]);
show('script', $run['out'], $run['exit'], array_column($run['spans'], 'name'), count(array_unique(array_column($run['spans'], 'trace'))));
$server = new OpaTestServer($code, $ini);
for ($i = 0; $i < 2; $i++) {
	$server->trace('/');
}
$spans = opa_test_spans($server->spool);
show('server', array_column($spans, 'name'), count(array_unique(array_column($spans, 'trace'))));
echo file_get_contents($said);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
script "7" 0 ["script.php","span"] 1
server ["GET","span","GET","span"] 2
["0000000000000000",false,null,false,false,false,null]
["0000000000000000",false,null,false,false,false,null]
