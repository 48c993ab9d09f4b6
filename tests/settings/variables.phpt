--TEST--
OTEL_* variables set what no setting says; an empty one counts as unset; of a bad one opa_status() says so, and a script's output is the same
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/variables.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$code = '<?php $s = opa_status()["settings"]; foreach (["enabled", "sample_rate", "max_attributes", "max_events", "max_links", "max_value_length"] as $n) { echo $s["opa.$n"]["value"], " (", $s["opa.$n"]["source"], ") "; } echo opa_is_enabled() ? "on" : "off"; foreach (opa_status()["warnings"] as $w) { echo "\n  warning: $w"; }';
$log = ['log_errors' => '1', 'display_errors' => '0', 'error_log' => ''];
foreach ([
	['OTEL_SDK_DISABLED' => 'true'],
	['OTEL_SDK_DISABLED' => 'FALSE'],
	['OTEL_SDK_DISABLED' => ''],
	['OTEL_SDK_DISABLED' => 'perhaps'],
	['OTEL_TRACES_SAMPLER' => 'always_off'],
	['OTEL_TRACES_SAMPLER' => 'parentbased_traceidratio', 'OTEL_TRACES_SAMPLER_ARG' => '0.0'],
	['OTEL_TRACES_SAMPLER' => 'traceidratio', 'OTEL_TRACES_SAMPLER_ARG' => 'x'],
	['OTEL_TRACES_SAMPLER' => 'jaeger_remote'],
	['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT' => '5', 'OTEL_ATTRIBUTE_COUNT_LIMIT' => '6'],
	['OTEL_ATTRIBUTE_COUNT_LIMIT' => '6', 'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT' => ''],
	['OTEL_SPAN_EVENT_COUNT_LIMIT' => '7', 'OTEL_SPAN_LINK_COUNT_LIMIT' => '8'],
	['OTEL_SPAN_EVENT_COUNT_LIMIT' => '-7'],
	['OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT' => '100'],
	['OTEL_TRACES_EXPORTER' => 'none'],
	['OTEL_TRACES_EXPORTER' => 'zipkin'],
] as $env) {
	$run = opa_test_run($code, ['env' => $env, 'ini' => $log]);
	echo preg_replace('/^\[[^]]*\] /m', '', http_build_query($env, '', ' ') . "\n" . $run['out']), "\n";
}
$run = opa_test_run($code, ['env' => ['OTEL_SDK_DISABLED' => 'true', 'OTEL_SPAN_EVENT_COUNT_LIMIT' => '7'], 'ini' => ['opa.enabled' => '1', 'opa.max_events' => '9']]);
echo "settings first\n", $run['out'], "\n";
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
OTEL_SDK_DISABLED=true
0 (OTEL_SDK_DISABLED) 1 (default) 128 (default) 128 (default) 128 (default) 16K (default) off
OTEL_SDK_DISABLED=FALSE
1 (OTEL_SDK_DISABLED) 1 (default) 128 (default) 128 (default) 128 (default) 16K (default) on
OTEL_SDK_DISABLED=
1 (default) 1 (default) 128 (default) 128 (default) 128 (default) 16K (default) on
OTEL_SDK_DISABLED=perhaps
1 (default) 1 (default) 128 (default) 128 (default) 128 (default) 16K (default) on
  warning: OTEL_SDK_DISABLED is ignored: "perhaps" is neither true nor false
OTEL_TRACES_SAMPLER=always_off
1 (default) 0 (OTEL_TRACES_SAMPLER) 128 (default) 128 (default) 128 (default) 16K (default) off
OTEL_TRACES_SAMPLER=parentbased_traceidratio OTEL_TRACES_SAMPLER_ARG=0.0
1 (default) 0.0 (OTEL_TRACES_SAMPLER) 128 (default) 128 (default) 128 (default) 16K (default) off
OTEL_TRACES_SAMPLER=traceidratio OTEL_TRACES_SAMPLER_ARG=x
1 (default) 1 (OTEL_TRACES_SAMPLER) 128 (default) 128 (default) 128 (default) 16K (default) on
  warning: OTEL_TRACES_SAMPLER_ARG is ignored: "x" is not a number from 0 to 1
OTEL_TRACES_SAMPLER=jaeger_remote
1 (default) 1 (default) 128 (default) 128 (default) 128 (default) 16K (default) on
  warning: OTEL_TRACES_SAMPLER is ignored: opa does not know "jaeger_remote"
OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=5 OTEL_ATTRIBUTE_COUNT_LIMIT=6
1 (default) 1 (default) 5 (OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT) 128 (default) 128 (default) 16K (default) on
OTEL_ATTRIBUTE_COUNT_LIMIT=6 OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=
1 (default) 1 (default) 6 (OTEL_ATTRIBUTE_COUNT_LIMIT) 128 (default) 128 (default) 16K (default) on
OTEL_SPAN_EVENT_COUNT_LIMIT=7 OTEL_SPAN_LINK_COUNT_LIMIT=8
1 (default) 1 (default) 128 (default) 7 (OTEL_SPAN_EVENT_COUNT_LIMIT) 8 (OTEL_SPAN_LINK_COUNT_LIMIT) 16K (default) on
OTEL_SPAN_EVENT_COUNT_LIMIT=-7
1 (default) 1 (default) 128 (default) 128 (default) 128 (default) 16K (default) on
  warning: OTEL_SPAN_EVENT_COUNT_LIMIT is ignored: "-7" is not a whole number from 0 to 65535
OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT=100
1 (default) 1 (default) 128 (default) 128 (default) 128 (default) 100 (OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT) on
OTEL_TRACES_EXPORTER=none
1 (default) 1 (default) 128 (default) 128 (default) 128 (default) 16K (default) off
OTEL_TRACES_EXPORTER=zipkin
1 (default) 1 (default) 128 (default) 128 (default) 128 (default) 16K (default) on
  warning: OTEL_TRACES_EXPORTER: "zipkin" is ignored, opa knows otlp and none
settings first
1 (ini) 1 (default) 128 (default) 9 (ini) 128 (default) 16K (default) on
