--TEST--
Where the exporter is missing or no program, the journals wait, and opa_status() says so
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/exporter_missing.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$dir = opa_test_spool();
file_put_contents("$dir/not-executable", "#!/bin/sh\n");
file_put_contents("$dir/no-program", "garbage");
chmod("$dir/no-program", 0755);
$code = '<?php opa_end_span(opa_start_span("s")); $flushed = opa_flush(200); for ($end = hrtime(true) + 20e9; ($s = opa_status())["problem"] === "" && hrtime(true) < $end; usleep(1000)); echo json_encode([$flushed, $s["problem"], $s["exporter"]["running"], $s["spool"]["size"] > 0]);';
foreach (["$dir/missing", "$dir/not-executable", "$dir/no-program", $dir] as $path) {
	$run = opa_test_run($code, ['ini' => ['opa.exporter_path' => $path]]);
	echo str_replace($dir, '', stripslashes($run['out'])), ' ', count($run['spans']), "\n";
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECTF--
[false,"opa-exporter: there is no executable file at exporter_path: /missing (No such file or directory)",false,true] 2
[false,"opa-exporter: %s: /not-executable (Permission denied)",false,true] 2
[false,"opa-exporter: %s: /no-program (%s)",false,true] 2
[false,"opa-exporter: %s",false,true] 2
