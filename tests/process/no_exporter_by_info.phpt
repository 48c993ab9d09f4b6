--TEST--
php -v and php -m start nothing and make no store
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/no_exporter_by_info.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

foreach (['-v', '-m', '-i'] as $i => $option) {
	$spool = opa_test_spool() . "/info$i";
	exec(opa_test_php(['opa.spool_dir' => $spool, 'opa.store_path' => "$spool.db", 'opa.exporter_path' => '/bin/false']) . " $option", $out, $status);
	show($option, $status, file_exists("$spool/lease"), file_exists("$spool.db"));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
-v 0 false false
-m 0 false false
-i 0 false false
