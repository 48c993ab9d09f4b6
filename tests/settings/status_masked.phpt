--TEST--
opa_status() and phpinfo() mask secrets, say what is wrong and where each value came from
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/status_masked.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php echo json_encode(opa_status()["settings"]["opa.resource_attributes"]), "\n", opa_status()["problem"], "\n"; phpinfo(INFO_MODULES);', [
	'ini' => ['opa.resource_attributes' => '"a=b,api_token=topsecret,password=hunter&2,c=d"'], 'env' => ['OTEL_SPAN_EVENT_COUNT_LIMIT' => '77']]);
echo strstr($run['out'], "\n", true), "\n";
$info = strstr(substr($run['out'], strpos($run['out'], "\nopa\n")), 'spans_started', true);
preg_match_all('/^(opa|Version|Spool|Exporter|Exporter runs|OTEL_\* variables|opa\.max_events|opa\.resource_attributes|traces_kept) => (.*)$/m', $info, $m, PREG_SET_ORDER);
foreach ($m as $row) {
	echo preg_replace('~/\S*spool\S*~', '...', $row[0]), "\n";
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECTF--
{"value":"a=b,api_token=REDACTED,password=REDACTED,c=d","source":"ini"}
opa => tracing
Version => %d.%d.%d
Spool => ...
Exporter => /nonexistent/opa-exporter
Exporter runs => no
OTEL_* variables => found
opa.resource_attributes => a=b,api_token=REDACTED,password=REDACTED,c=d => ini
opa.max_events => 77 => OTEL_SPAN_EVENT_COUNT_LIMIT
traces_kept => 0 => traces written to the journal whole
