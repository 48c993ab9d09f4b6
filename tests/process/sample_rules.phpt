--TEST--
opa.sample_rules: a script has no method, and its path is the file's; a caller's decision goes before, unless the sampler does not ask it
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/sample_rules.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
$code = '<?php echo opa_is_enabled() ? "yes" : "no", substr(opa_traceparent(), -3);';
$script = opa_test_spool() . '/run3/script.php';
foreach (['*=0', '/script.php=0', "$script=0", '*/script.php=0', 'GET *=0', 'sapi:cli=0', 'sapi:fpm-fcgi=0', 'service:unknown_service:php=0',
	'sapi:cli service:x=0;', ''] as $rules) {
	$run = opa_test_run($code, ['ini' => ['opa.sample_rules' => "\"$rules\""]]);
	show(str_replace(opa_test_spool(), '', $rules), $run['out'], count($run['spans']));
}
foreach ([[], ['OTEL_TRACES_SAMPLER' => 'always_on'], ['OTEL_TRACES_SAMPLER' => 'always_off']] as $env) {
	foreach (['0', '1'] as $share) {
		$said = [];
		foreach (['', '01', '00'] as $flags) {
			$parent = $flags === '' ? '' : "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-$flags";
			$said[] = opa_test_run($code, ['ini' => ['opa.sample_rules' => "\"*=$share\""], 'env' => $env + ['TRACEPARENT' => $parent]])['out'];
		}
		show(($env['OTEL_TRACES_SAMPLER'] ?? 'parent') . " $share", ...$said);
	}
}
exec(opa_test_php(['opa.sample_rules' => '"php=1;/=1;Standard*=1;*=0"', 'opa.log_level' => 'off', 'display_startup_errors' => '1', 'display_errors' => '1', 'html_errors' => '0', 'log_errors' => '0']) . ' -r "var_dump(opa_is_enabled());" 2>&1', $lines);
echo implode("\n", $lines), "\n";
exec(opa_test_php(['opa.sample_rules' => '"*=0"']) . ' -r "var_dump(opa_is_enabled());"', $off);
echo implode("\n", $off), "\n";
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
*=0 "no-02" 0
/script.php=0 "yes-03" 1
/run3/script.php=0 "no-02" 0
*/script.php=0 "no-02" 0
GET *=0 "yes-03" 1
sapi:cli=0 "no-02" 0
sapi:fpm-fcgi=0 "yes-03" 1
service:unknown_service:php=0 "no-02" 0
sapi:cli service:x=0; "yes-03" 1
 "yes-03" 1
parent 0 "no-02" "yes-01" "no-00"
parent 1 "yes-03" "yes-01" "no-00"
always_on 0 "no-02" "no-00" "no-00"
always_on 1 "yes-03" "yes-01" "yes-01"
always_off 0 "no-02" "no-00" "no-00"
always_off 1 "yes-03" "yes-01" "yes-01"

Warning: PHP Startup: opa.sample_rules must be rules like GET /health=0; service:shop* sapi:cli=1; *=0.1 (rates from 0 to 1, up to 256 rules), "php=1;/=1;Standard*=1;*=0" given in Unknown on line 0
bool(true)
bool(false)
