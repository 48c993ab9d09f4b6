--TEST--
Where opa is off it makes no spool, not for opa_status() and phpinfo() either; they say by what it is off
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/disabled_touches_nothing.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$code = '<?php echo opa_status()["problem"], "\n"; ob_start(); phpinfo(INFO_MODULES); preg_match("/^Spool => .*/m", ob_get_clean(), $m); echo $m[0], "\n"; echo json_encode(opa_status()["spool"]["path"], JSON_UNESCAPED_SLASHES);';
foreach ([
	'setting' => ['ini' => ['opa.enabled' => '0']],
	'variable' => ['env' => ['OTEL_SDK_DISABLED' => 'true']],
	'exporter' => ['env' => ['OTEL_TRACES_EXPORTER' => 'none']],
	'command line' => ['ini' => ['opa.trace_cli' => '0']],
	'on' => [],
] as $what => $options) {
	$spool = opa_test_spool() . '/' . md5($what);
	$run = opa_test_run($code, $options + ['spool' => $spool]);
	echo "$what: ", str_replace($spool, '...', $run['out']), "\n";
	show('a spool', file_exists($spool));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
setting: opa.enabled is off (ini)
Spool => not open yet
null
a spool false
variable: opa.enabled is off (OTEL_SDK_DISABLED)
Spool => not open yet
null
a spool false
exporter: OTEL_TRACES_EXPORTER is none
Spool => not open yet
null
a spool false
command line: opa.trace_cli is off (ini)
Spool => not open yet
null
a spool false
on: opa-exporter: there is no executable file at exporter_path: /nonexistent/opa-exporter (No such file or directory)
Spool => ...
"..."
a spool true
