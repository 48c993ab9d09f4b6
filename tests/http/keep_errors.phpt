--TEST--
opa.keep_errors in a server: the next request begins anew; a dropped trace is counted when it is dropped
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/keep_errors.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer('<?php
	http_response_code((int) ($_GET["status"] ?? 200));
	isset($_GET["error"]) && opa_set_status(opa_start_span("s"), OPA_STATUS_ERROR);
	usleep((int) ($_GET["sleep"] ?? 0));
	$c = opa_status()["counters"];
	echo json_encode([opa_is_enabled(), substr(opa_traceparent(), -2), $c["traces_sampled_out"], $c["traces_started"], $c["traces_kept"]]);
', ['opa.keep_errors' => '1', 'opa.keep_slow' => '2s', 'opa.sample_rate' => '0']);
foreach (['', 'status=404', 'status=500', '', 'status=503&sleep=2010000', 'error', 'sleep=2010000', 'sleep=1000', ''] as $query) {
	[, $body] = explode("\r\n\r\n", $server->send("/?$query"), 2);
	show($query, $body);
}
$roots = array_values(array_filter($server->spans(5), static fn (array $s): bool => $s['parent'] === ''));
show('kept', array_map(static fn (array $s): array => [$s['tags']['url.query'] ?? '', $s['tags']['opa.kept']], $roots));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
 "[true,\"02\",0,0,0]"
status=404 "[true,\"02\",1,0,0]"
status=500 "[true,\"02\",2,0,0]"
 "[true,\"02\",2,1,1]"
status=503&sleep=2010000 "[true,\"02\",3,1,1]"
error "[true,\"02\",3,2,2]"
sleep=2010000 "[true,\"02\",3,3,3]"
sleep=1000 "[true,\"02\",3,4,4]"
 "[true,\"02\",4,4,4]"
kept [["status=500","error"],["status=503&sleep=2010000","error"],["error","error"],["sleep=2010000","slow"]]
