--TEST--
opa.rate_limit counts over processes; what it does not want opa.keep_errors may keep
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/rate_limit.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
$spool = opa_test_spool() . '/common';
$run = static fn (string $code, array $ini = []): string => opa_test_run($code, ['ini' => $ini + ['opa.rate_limit' => '1'], 'spool' => $spool])['out'];
$code = '<?php echo opa_is_enabled() ? "yes" : "no", substr(opa_traceparent(), -3), opa_status()["counters"]["traces_rate_limited"];';
$begun = hrtime(true);
$said = [];
for ($i = 0; $i < 12 || (count($said) < 2 && $i < 200); $i++) {
	$said[$run($code)] = true;
}
$wanted = count(opa_test_spans($spool));
show('wanted', $wanted >= 1, $wanted <= (hrtime(true) - $begun) / 1e9 + 1);
ksort($said);
show('said', array_keys($said));
// As if a trace had just begun.
$fill = static fn () => file_put_contents("$spool/rate-1", pack('V', intdiv(hrtime(true), 1_000_000) + 900 & 0xffffffff));
for ($i = 0; $i < 20; $i++) {
	$wanted = count(opa_test_spans($spool));
	$fill();
	$said = $run('<?php opa_set_status(opa_root_span(), OPA_STATUS_ERROR); echo substr(opa_traceparent(), -3), opa_status()["counters"]["traces_rate_limited"];', ['opa.keep_errors' => '1']);
	if ($said === '-020') {
		break;
	}
}
show('kept', $said);
$spans = opa_test_spans($spool);
$last = end($spans);
show('why', count($spans) - $wanted, $last['tags']['opa.kept'], $last['flags'] & 255);
$fill();
show('another limit', $run('<?php echo opa_is_enabled() ? "yes" : "no";', ['opa.rate_limit' => '2']));
show('none', $run('<?php echo opa_is_enabled() ? "yes" : "no";', ['opa.rate_limit' => '0']));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
wanted true true
said ["no-021","yes-030"]
kept "-020"
why 1 "error" 2
another limit "yes"
none "yes"
