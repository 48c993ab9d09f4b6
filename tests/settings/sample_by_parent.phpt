--TEST--
Where a caller's trace goes on the caller has decided, unless OTEL_TRACES_SAMPLER says otherwise; what is not wanted sends that along
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/sample_by_parent.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$code = '<?php echo opa_is_enabled() ? "yes" : "no", substr(opa_traceparent(), -3), opa_enable() ? "" : ".";';
$ways = [
	'default' => [],
	'sample_rate=0' => ['ini' => ['opa.sample_rate' => '0']],
	'parentbased_always_off' => ['env' => ['OTEL_TRACES_SAMPLER' => 'parentbased_always_off']],
	'always_on' => ['env' => ['OTEL_TRACES_SAMPLER' => 'always_on']],
	'always_off' => ['env' => ['OTEL_TRACES_SAMPLER' => 'always_off']],
	'traceidratio' => ['env' => ['OTEL_TRACES_SAMPLER' => 'traceidratio', 'OTEL_TRACES_SAMPLER_ARG' => '0']],
	'unknown' => ['env' => ['OTEL_TRACES_SAMPLER' => 'mine']],
];
foreach ($ways as $way => $options) {
	$said = [];
	foreach (['' => [], '01' => [], '00' => []] as $flags => $none) {
		$env = ['TRACEPARENT' => $flags === '' ? '' : "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-$flags"];
		$run = opa_test_run($code, ['env' => ($options['env'] ?? []) + $env] + $options);
		$said[] = $run['out'] . ' ' . count($run['spans']);
	}
	show($way, ...$said);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
default "yes-03 1" "yes-01 1" "no-00. 0"
sample_rate=0 "no-02. 0" "yes-01 1" "no-00. 0"
parentbased_always_off "no-02. 0" "yes-01 1" "no-00. 0"
always_on "yes-03 1" "yes-01 1" "yes-01 1"
always_off "no-02. 0" "no-00. 0" "no-00. 0"
traceidratio "no-02. 0" "no-00. 0" "no-00. 0"
unknown "yes-03 1" "yes-01 1" "no-00. 0"
